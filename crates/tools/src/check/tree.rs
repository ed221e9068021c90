//! A directory that svcheck is given: a service, or a directory of services.

use super::Check;
use super::kinds::IGNORED;
use super::name::text;
use super::service::{Entries, entries};
use super::spelling::meant;
use std::ffi::{CStr, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use upkeep_servicedir::{enter, is_logger, known, role_of};
use upkeep_sys::Errno;

impl Check {
    /// Looks at what is called `name`.
    pub fn look(&mut self, name: &CStr) -> Result<(), Errno> {
        self.start.back()?;
        enter(name)?;
        if is_logger() {
            // The logger that is a file is looked at with its service.
            return Err(Errno::NOTDIR);
        }
        let here = entries(Path::new("."))
            .map_err(|why| Errno::from_io_error(&why).unwrap_or(Errno::IO))?;
        let mut shown = text(OsStr::from_bytes(name.to_bytes()));
        while shown.len() > 1 && shown.ends_with('/') {
            shown.pop();
        }
        self.begin_tree(Path::new("."));
        if is_service(&here) {
            self.service(&shown, false);
            self.order_of_one(name, &shown);
        } else {
            self.tree(&shown, &here);
        }
        Ok(())
    }

    /// What the service that is the current directory says of those beside it.
    fn order_of_one(&mut self, name: &CStr, shown: &str) {
        let path = Path::new(OsStr::from_bytes(name.to_bytes()));
        let (Some(own), Some(above)) = (path.file_name(), path.parent()) else { return };
        let svdir = std::env::var_os("SVDIR").map(PathBuf::from);
        let usual = ["/etc/service", "/service"].map(PathBuf::from);
        let own_place = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        let places = core::iter::once(own_place.to_owned()).chain(svdir).chain(usual);
        let shown = shown.strip_suffix(&*text(own)).unwrap_or(shown);
        let shown = shown.strip_suffix('/').unwrap_or(shown).to_owned();
        let bare = above.as_os_str().is_empty();
        let mut places = places.take(if bare { 4 } else { 1 });
        if self.start.back().is_err() {
            return;
        }
        if let Some(place) = places.find(|place| place.join(own).is_dir()) {
            let _ = self.go(place.as_os_str(), |check| check.order(&shown, &[own.to_owned()]));
        }
    }

    fn tree(&mut self, shown: &str, here: &Entries) {
        if let Ok(path) = fs::canonicalize(".") {
            self.parents(&path);
        }
        self.rights(shown, ".", false);
        let services = here.iter().map(|(name, _)| name.clone());
        let services =
            services.filter(|name| !name.as_bytes().starts_with(b".") && Path::new(name).is_dir());
        self.order(shown, &services.collect::<Vec<_>>());
        for (name, _) in here {
            let base = if shown == "/" { "" } else { shown };
            let shown = format!("{base}/{}", text(name));
            let path = Path::new(name);
            let hidden = name.as_bytes().starts_with(b".");
            match fs::metadata(path) {
                Err(_) if hidden => {}
                // It may have gone since.
                Err(_) if fs::symlink_metadata(path).is_err() => {}
                Err(why) if why.kind() == std::io::ErrorKind::PermissionDenied => {
                    self.trouble(&shown, Errno::ACCESS);
                }
                Err(_) => self.dangling(&shown),
                Ok(stat) if !stat.is_dir() => {}
                Ok(_) if hidden => {
                    if path.join("run").exists() {
                        let what = "svscan leaves it alone, since its name begins with a dot";
                        self.report.file(&IGNORED, &shown, what, "rename it to have it started");
                    }
                }
                Ok(_) => {
                    if let Err(why) = self.go(name, |check| check.service(&shown, false)) {
                        self.trouble(&shown, why);
                    }
                }
            }
        }
    }
}

/// Whether this is a service directory, and not a directory of them.
fn is_service(here: &Entries) -> bool {
    let is_dir = |path: &Path| fs::metadata(path).is_ok_and(|stat| stat.is_dir());
    let mut files = here.iter().map(|(name, _)| name).filter(|name| !is_dir(Path::new(name)));
    let means = |name: &[u8]| role_of(name).is_some() || meant(name, known()).is_some();
    if files.any(|name| means(name.as_bytes()) || name == "type" || name == "up") {
        return true;
    }
    let mut dirs = here.iter().map(|(name, _)| name).filter(|name| is_dir(Path::new(name)));
    // What supervise, svscan or a script for signals has made or looks at; a
    // service may be called so as well, but has a run.
    const OWN: [&str; 8] =
        ["supervise", "control", "data", "env", "needs", "wants", "after", "run"];
    let own = |name: &&std::ffi::OsString| {
        OWN.iter().any(|own| **name == **own) && !Path::new(*name).join("run").exists()
    };
    // A logger alone belongs to something.
    let lone = here.len() == 1 && here[0].0 == "log";
    lone || dirs.any(|name| own(&name)) || !here.iter().any(|(name, _)| is_dir(Path::new(name)))
}

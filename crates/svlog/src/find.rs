//! Which logs are meant: those of services, found as svc finds these, or log
//! directories, files, and standard input. Of a service it is the directory
//! that its logger writes to, as the logger's script says.

use crate::files::{Log, Where};
use crate::trouble;
use core::ffi::CStr;
use rustix::fs::{self, FileType};
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use upkeep_cli::Exit;
use upkeep_core::archives::is_archive;
use upkeep_servicedir::{self as servicedir, Finder};
use upkeep_tools::check::written;

/// More than any script that starts a logger has.
const LONGEST: u64 = 256 * 1024;

/// Why there is no log.
enum Trouble {
    Os(Errno),
    /// The script of its logger cannot be read.
    Script(&'static str, Errno),
    /// It has no logger.
    NoLogger,
    /// Its logger does not say where it writes.
    Unclear(&'static str),
    /// Its logger writes there, and nothing is there.
    NotThere(PathBuf),
}

type Answer<T> = Result<T, Trouble>;
/// The logs, and what has none and why.
type Found = (Vec<Log>, Vec<(Vec<u8>, Trouble)>);

/// Finds the logs that the names stand for; a warning says which have none.
/// Where they are followed, one may come later.
pub(crate) fn find(names: &[&CStr], follow: bool) -> Result<Vec<Log>, Exit> {
    let (mut finder, mut found) = (None, Vec::new());
    for name in names {
        let (logs, troubles) = each(name, &mut finder, follow)?;
        // Of those that a pattern stands for, not all need have a log.
        let are_some = !logs.is_empty();
        found.extend(logs);
        for (service, trouble) in troubles {
            if !(are_some && matches!(trouble, Trouble::NoLogger)) {
                trouble.tell(&service);
            }
        }
    }
    if found.is_empty() { Err(Exit::System) } else { Ok(found) }
}

impl Trouble {
    fn tell(&self, name: &[u8]) {
        let unable = [&b"unable to find log of "[..], name, b": "];
        let [unable, name, colon] = unable;
        match self {
            Self::Os(why) => trouble::note_os(&[unable, name, colon], *why),
            Self::Script(script, why) => {
                let script = script.as_bytes();
                trouble::note_os(&[unable, name, b": unable to read ", script, colon], *why);
            }
            Self::NoLogger => trouble::note(&[
                unable,
                name,
                b": it is no log directory, which has a file current, and no service with a logger",
            ]),
            Self::Unclear(script) => trouble::note(&[
                unable,
                name,
                colon,
                script.as_bytes(),
                b" does not say where it writes to; name the log directory itself",
            ]),
            Self::NotThere(dir) => {
                let dir = dir.as_os_str().as_bytes();
                trouble::note(&[
                    unable,
                    name,
                    b": its logger writes to ",
                    dir,
                    b", which is not there",
                ]);
            }
        }
    }
}

/// The logs that one name stands for, and what has none.
fn each(name: &CStr, finder: &mut Option<Finder>, follow: bool) -> Result<Found, Exit> {
    let (mut logs, mut troubles) = (Vec::new(), Vec::new());
    // What happens to be here has the name of no service, unless it is a log.
    let installed = servicedir::installed(name);
    let here = by_path(name, follow);
    if let Some(log) = here.filter(|log| installed.is_none() || log.is_surely_meant()) {
        logs.push(log);
        return Ok((logs, troubles));
    }
    let finder = match finder {
        Some(finder) => finder,
        None => finder.insert(
            Finder::blind()
                .map_err(|why| trouble::fatal_os(&[b"unable to open current directory: "], why))?,
        ),
    };
    let installed = installed.filter(|_| !is_service(name));
    let services = installed.map_or_else(|| servicedir::services(name), |path| vec![path]);
    for service in services {
        let shown = if service.as_c_str() == name { name } else { last_of(&service) };
        let shown = shown.to_bytes().to_vec();
        let place =
            servicedir::enter(&service).map_err(Trouble::Os).and_then(|()| of_service(follow));
        // The current directory was there, and is open.
        let _ = finder.back();
        match place {
            Ok(place) => logs.push(Log { name: shown, place: Where::Directory(place) }),
            Err(trouble) => troubles.push((shown, trouble)),
        }
    }
    Ok((logs, troubles))
}

impl Log {
    /// Whether it is meant even where there is a service of that name.
    fn is_surely_meant(&self) -> bool {
        match &self.place {
            Where::Input => true,
            Where::Directory(path) => is_written(as_path(path)),
            Where::File(_) => false,
        }
    }
}

/// Whether what is here is a service, or the logger of one.
fn is_service(name: &CStr) -> bool {
    let path = as_path(name);
    is_logger(name) || ["run", "log"].iter().any(|name| path.join(name).exists())
}

fn as_path(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}

fn last_of(path: &CStr) -> &CStr {
    let bytes = path.to_bytes_with_nul();
    let start = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    CStr::from_bytes_with_nul(&bytes[start..]).unwrap_or(path)
}

/// A log directory, a file, or standard input.
fn by_path(name: &CStr, follow: bool) -> Option<Log> {
    let place = if name == c"-" {
        Where::Input
    } else {
        match fs::stat(name).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Directory) if is_log_directory(name, follow) => {
                Where::Directory(trimmed(name))
            }
            Ok(FileType::Directory) => return None,
            Ok(_) if is_logger(name) => return None,
            Ok(_) => Where::File(name.to_owned()),
            // It may come; a slash behind it says what.
            Err(Errno::NOENT) if follow && name.to_bytes().ends_with(b"/") => {
                Where::Directory(trimmed(name))
            }
            Err(Errno::NOENT) if follow && name.to_bytes().contains(&b'/') => {
                Where::File(name.to_owned())
            }
            Err(_) => return None,
        }
    };
    let shown = if let Where::Directory(path) = &place { path } else { name };
    Some(Log { name: shown.to_bytes().to_vec(), place })
}

/// Without the slashes at its end.
fn trimmed(name: &CStr) -> CString {
    let bytes = name.to_bytes();
    let slashes = bytes.iter().rev().take_while(|byte| **byte == b'/').count();
    CString::new(&bytes[..(bytes.len() - slashes).max(1)]).unwrap_or_default()
}

/// Whether there is something that a logger has written; where it is followed,
/// what is no service's directory may come to be one.
fn is_log_directory(path: &CStr, follow: bool) -> bool {
    let path = as_path(path);
    is_written(path) || follow && ["run", "log"].iter().all(|name| !path.join(name).exists())
}

fn is_written(path: &Path) -> bool {
    if path.join("current").is_file() {
        return true;
    }
    let entries = path.read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| is_archive(name.as_bytes()))
}

/// Whether the file is a program that is a service's logger.
fn is_logger(name: &CStr) -> bool {
    let path = as_path(name);
    let is_called_so = path.file_name().is_some_and(|name| name == "log");
    is_called_so && path.with_file_name("run").exists()
}

/// The log of the service whose directory is the current one.
fn of_service(follow: bool) -> Answer<CString> {
    let here = std::env::current_dir()
        .map_err(|why| Trouble::Os(Errno::from_io_error(&why).unwrap_or(Errno::NOENT)))?;
    let (script, base) = match servicedir::logger() {
        Some(servicedir::Log::Directory) => ("log/run", here.join("log")),
        Some(servicedir::Log::File) => ("log", here.clone()),
        None if servicedir::is_logger() => ("log", here.clone()),
        // It may be a logger itself, and one that follows may become one.
        None => ("run", here.clone()),
    };
    let text = read_script(Path::new(script));
    let said = text.as_deref().map_or_else(|_| Vec::new(), written::directories);
    let path = |it: &written::Written| base.join(it.path.trim_start_matches("./"));
    // The first that gets everything, or else the first; what has been written
    // before what has not.
    let mut ranked: Vec<_> = said.iter().map(|it| (!it.all, path(it))).collect();
    ranked.sort_by_key(|(some, dir)| (!is_written(dir), *some));
    let best = ranked.into_iter().next().map(|(_, dir)| dir);
    let is_there = |dir: &PathBuf| is_written(dir) || dir.is_dir() && beside(&base).is_none();
    let there = best.clone().filter(is_there).or_else(|| beside(&base));
    match (there, best, text) {
        (Some(dir), ..) => c_path(dir),
        (None, Some(dir), _) if follow => c_path(dir),
        (None, Some(dir), _) => Err(Trouble::NotThere(dir)),
        (None, None, _) if script == "run" => Err(Trouble::NoLogger),
        (None, None, Ok(_)) => Err(Trouble::Unclear(script)),
        (None, None, Err(why)) => Err(Trouble::Script(script, why)),
    }
}

fn c_path(path: PathBuf) -> Answer<CString> {
    CString::new(path.into_os_string().into_vec()).map_err(|_| Trouble::Os(Errno::INVAL))
}

/// Where loggers write that do not say it: `main`, or what else is there.
fn beside(base: &Path) -> Option<PathBuf> {
    let has_log = |dir: &PathBuf| dir.join("current").is_file();
    let main = base.join("main");
    if has_log(&main) {
        return Some(main);
    }
    let mut all: Vec<_> = base.read_dir().ok()?.flatten().map(|entry| entry.path()).collect();
    all.sort_unstable();
    all.into_iter().find(has_log).or_else(|| Some(base.to_owned()).filter(has_log))
}

fn read_script(path: &Path) -> Result<String, Errno> {
    let errno = |why: &std::io::Error| Errno::from_io_error(why).unwrap_or(Errno::IO);
    let file = std::fs::File::open(path).map_err(|why| errno(&why))?;
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).map_err(|why| errno(&why))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

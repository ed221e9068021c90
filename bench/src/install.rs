//! The C suites: which are here, and getting the others on a Debian. Changes
//! nothing unless it runs as root there.

use crate::bench::progress;
use crate::report::Column;
use crate::suites::{Family, Suite};
use std::path::Path;
use std::process::{Command, Stdio};

/// The suites to compare with; a suite's package has the column's name.
const SUITES: [(Column, Family); 3] = [
    (Column::Daemontools, Family::Daemontools),
    (Column::Runit, Family::Runit),
    (Column::S6, Family::S6),
];

/// Those that are here.
pub(crate) fn here() -> Vec<Suite> {
    SUITES.iter().filter_map(|&(column, family)| Suite::installed(column, family)).collect()
}

/// Those that are not.
pub(crate) fn missing() -> Vec<&'static str> {
    let here = here();
    let absent = |column| !here.iter().any(|s| s.column == column);
    SUITES.iter().filter(|s| absent(s.0)).map(|s| s.0.name()).collect()
}

/// Installs what is missing, if that can be done, or says how.
pub(crate) fn complete() {
    let missing = missing();
    if missing.is_empty() {
        return;
    }
    progress(&format!("{} not here: apt-get install -y daemontools runit s6", missing.join(", ")));
    if !rustix::process::geteuid().is_root() || !Path::new("/etc/debian_version").exists() {
        progress("left out of the comparison");
        return;
    }
    let install: Vec<&str> = ["install", "-y"].iter().chain(&missing).copied().collect();
    // A fresh image knows no packages until it asked for the list.
    let installed = apt_get(&install) || (apt_get(&["update"]) && apt_get(&install));
    if !installed {
        progress("cannot be installed, left out of the comparison");
    }
}

fn apt_get(args: &[&str]) -> bool {
    progress(&format!("apt-get {}", args.join(" ")));
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

/// The version of a package, as Debian counts.
pub(crate) fn version(package: &str) -> Option<String> {
    let mut command = Command::new("dpkg-query");
    command.args(["-W", "-f", "${Version}", package]).stdin(Stdio::null());
    let output = command.output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

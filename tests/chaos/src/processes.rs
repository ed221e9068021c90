//! The processes below this one, where they work, and signals to them.

use rustix::fd::OwnedFd;
use rustix::process::{Signal, getpid, pidfd_send_signal};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::Failure;
use upkeep_outside::processes::{Place, Process};

/// Where `process` works.
pub(crate) fn directory(process: &Process) -> Option<PathBuf> {
    fs::read_link(process.file("cwd")).ok()
}

/// Whether `process` works in `directory`.
pub(crate) fn works_in(process: &Process, directory: &Path) -> bool {
    self::directory(process).is_some_and(|d| d == directory)
}

/// Whether `process` is no supervise yet called so: it begins the session of
/// what it is about to become.
pub(crate) fn is_about_to_be_another(process: &Process) -> bool {
    let is_first = |now: Process| now.session == now.pid;
    process.name == "supervise" && process.place.find(process.pid).is_some_and(is_first)
}

/// The last of the arguments of `process`.
pub(crate) fn last_argument(process: &Process) -> Option<String> {
    let line = fs::read(process.file("cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).into_owned();
    line.trim_end_matches('\0').rsplit('\0').next().map(str::to_owned)
}

/// Sends `process` a signal, if it is there.
pub(crate) fn send(process: &Process, signal: Signal) -> Option<OwnedFd> {
    let fd = process.open()?;
    pidfd_send_signal(&fd, signal).ok()?;
    Some(fd)
}

/// Every process below this one that has not ended; in a container, below its
/// process 1.
pub(crate) fn below(place: Place) -> Result<Vec<Process>, Failure> {
    if let Place::Inside(_) = place {
        let mut all = place.all()?;
        all.retain(|p| p.is_alive() && p.pid != 1);
        return Ok(all);
    }
    let all: HashMap<i32, Process> = place.all()?.into_iter().map(|p| (p.pid, p)).collect();
    let me = getpid().as_raw_pid();
    let is_below = |process: &Process| {
        let mut at = process;
        // More generations than there are processes would be a circle.
        for _ in 0..64 {
            if at.parent == me {
                return true;
            }
            match all.get(&at.parent) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
    };
    Ok(all.values().filter(|p| p.is_alive() && is_below(p)).cloned().collect())
}

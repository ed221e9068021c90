//! What the system refuses, and what is done to the programs from outside.
//! Only upkeep promises anything here: the originals sleep, die or go blind.

mod disk;
mod limits;
mod seal;
mod signals;

use crate::support::{Changes, Dir, Process, programs, testing_originals};
use std::ffi::OsStr;
use std::path::Path;

/// Whether a test that needs root's rights can run, and upkeep is tested.
fn as_root() -> bool {
    !testing_originals() && rustix::process::geteuid().is_root()
}

/// Puts the programs under test first in PATH.
fn path() -> std::ffi::OsString {
    let mut path = programs().into_os_string();
    path.push(":/usr/bin:/bin");
    path
}

/// Runs a system's own program, which has to succeed.
fn must<A: AsRef<OsStr>>(dir: &Dir, program: &str, args: impl IntoIterator<Item = A>) {
    let done = Process::start(dir.command(program).args(args)).finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{program}");
}

/// Changes a limit of a process that runs: `nofile=soft:hard`.
pub fn set_limit(dir: &Dir, pid: u32, limit: &str) {
    must(dir, "prlimit", ["--pid", &pid.to_string(), &format!("--{limit}")]);
}

/// Runs `act` and waits until the status of the service directory `path` has
/// been replaced, whatever it says.
fn announced(path: &Path, act: impl FnOnce()) {
    let supervise = path.join("supervise");
    let changes = Changes::of(&[&supervise]);
    // Moved away, it is there again only when it has been written anew.
    std::fs::rename(supervise.join("status"), path.join("old-status")).unwrap();
    act();
    changes.until("a new status", || supervise.join("status").exists().then_some(()));
}

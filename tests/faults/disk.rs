//! A full disk and one that is read-only, each in a mount name space of its
//! own that goes with its last process.

use super::{as_root, must};
use crate::support::{Dir, Process, Service, program, supervised};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;

/// Whether mounting is possible: not in every container.
fn can_mount(dir: &Dir) -> bool {
    let mut command = dir.command("unshare");
    let mount = ["-m", "mount", "-t", "tmpfs", "none", "."];
    as_root() && Process::start(command.args(mount)).finish().code == 0
}

/// Starts supervise on `disk/s`, a copy of `s` on a small file system that
/// only it sees, after `more` was done there.
fn supervise_on_disk(dir: &Dir, more: &str) -> Process {
    dir.mkdir("disk");
    let sh = format!(
        "mount -t tmpfs -o size=64k none disk && cp -a s disk && {more} && exec {} disk/s",
        program("supervise").display()
    );
    Process::start(dir.command("unshare").args(["-m", "sh", "-ec", &sh]))
}

/// The same file as the process `pid` sees it.
fn as_seen_by(pid: u32, path: PathBuf) -> PathBuf {
    let mut through = PathBuf::from(format!("/proc/{pid}/root"));
    through.extend(path.components().skip(1));
    through
}

#[test]
fn a_disk_that_is_full() {
    let dir = Dir::new();
    if !can_mount(&dir) {
        return;
    }
    let mut service = Service::new(&dir, "s", "trap 'echo bye >$said; exit' TERM");
    let supervise = supervise_on_disk(&dir, "true");
    let line = service.said.line();
    let first: u32 = line.strip_prefix("up ").unwrap().parse().unwrap();
    service.path = as_seen_by(supervise.pid(), dir.path("disk/s"));
    service.until("the status", |seen| seen.pid == first);
    let fill = as_seen_by(supervise.pid(), dir.path("disk/fill"));
    assert!(fs::write(&fill, [0; 100_000]).is_err());
    kill_process(Pid::from_raw(first.cast_signed()).unwrap(), Signal::KILL).unwrap();
    // It is up again all the same, does what it is told, and its status is
    // true: the old record is written over.
    let line = service.said.line();
    let second: u32 = line.strip_prefix("up ").unwrap().parse().unwrap();
    assert_ne!(first, second);
    service.until("the status", |seen| seen.pid == second);
    // The next supervise finds it, too.
    supervise.signal(Signal::KILL);
    assert_eq!(supervise.ends(), 137);
    let next =
        format!("cd {} && exec {} disk/s", dir.path("").display(), program("supervise").display());
    let args = ["-m", "-t", &second.to_string(), "sh", "-ec", &next];
    let supervise = Process::start(dir.command("nsenter").args(args));
    service.path = as_seen_by(second, dir.path("disk/s"));
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    service.path = as_seen_by(supervise.pid(), dir.path("disk/s"));
    service.svc(&dir, "-d");
    assert_eq!(service.said.line(), "bye");
    let seen = service.until("the end", |seen| seen.pid == 0);
    assert_eq!(seen.want, b'd');
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn a_read_only_disk_with_the_state_elsewhere() {
    let dir = Dir::new();
    if !can_mount(&dir) {
        return;
    }
    let mut service = Service::new(&dir, "s", "");
    must(&dir, "ln", ["-s".as_ref(), dir.path("state").as_os_str(), "s/supervise".as_ref()]);
    let supervise = supervise_on_disk(&dir, "mount -o remount,ro disk");
    let line = service.said.line();
    service.path = as_seen_by(supervise.pid(), dir.path("disk/s"));
    assert!(fs::write(service.path.join("file"), "").is_err());
    supervised(&service.path);
    let pid: u32 = line.strip_prefix("up ").unwrap().parse().unwrap();
    service.until("the status", |seen| seen.pid == pid);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    service.svc(&dir, "-k");
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    assert!(dir.path("state/status").exists());
}

#[test]
fn a_read_only_disk() {
    let dir = Dir::new();
    if !can_mount(&dir) {
        return;
    }
    let _service = Service::new(&dir, "s", "");
    let done = supervise_on_disk(&dir, "mount -o remount,ro disk").finish();
    let words = "supervise: fatal: unable to acquire disk/s/supervise/lock: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
    let _service = Service::new(&dir, "t", "");
    dir.mkdir("s/supervise");
    let done = supervise_on_disk(&dir, "mount -o remount,ro disk").finish();
    let words =
        "supervise: fatal: unable to acquire disk/s/supervise/lock: read-only file system\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

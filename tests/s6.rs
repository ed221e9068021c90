//! What supervise does for a directory that was written for s6, beside
//! s6-supervise where it is installed.

pub(crate) mod namespace;
mod tally;

use crate::adopt::kill;
use crate::support::{Dir, Process, Service, program, supervised, testing_originals};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn run_is_told_its_name() {
    if testing_originals() {
        return;
    }
    let said = |supervise: &Path, s6: bool| {
        let dir = Dir::new();
        let mut service = Service::with_script(
            &dir,
            "name",
            "echo $# \"$@\" >$said\nexec sleep 1000 <&- >&- 2>&-",
        );
        if s6 {
            dir.file("name/timeout-kill", "0");
        }
        let _supervise = Process::start(dir.command(supervise).arg("name"));
        service.said.line()
    };
    let ours = program("supervise");
    assert_eq!(said(&ours, false), "0");
    assert_eq!(said(&ours, true), "1 name");
    let theirs = Path::new("/usr/bin/s6-supervise");
    if theirs.exists() {
        assert_eq!(said(theirs, true), "1 name");
    }
}

/// The lock of a service is seen by whoever locks as POSIX has it.
#[test]
fn the_service_has_its_lock_as_long_as_it_lives() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'exit 0' HUP");
    dir.file("s/lock-fd", "5\n");
    let mut first = dir.start("supervise", ["s"]);
    let pid = service.up();
    supervised(&service.path);
    let lock = service.path.join("supervise/service-lock");
    let behind = fs::read_link(format!("/proc/{pid}/fd/5")).unwrap();
    assert_eq!(behind, lock.canonicalize().unwrap());
    assert_eq!(fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(is_locked(&lock));
    // Neither the next supervise nor its own end changes that.
    kill(first.pid());
    assert_ne!(first.ends(), 0);
    assert!(is_locked(&lock));
    first = dir.start("supervise", ["s"]);
    supervised(&service.path);
    assert!(is_locked(&lock));
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    assert!(!is_locked(&lock));
    service.svc(&dir, "-u");
    assert_ne!(service.up(), pid);
    assert!(is_locked(&lock));
    service.svc(&dir, "-dx");
    assert_eq!(first.finish().code, 0);
    assert!(!is_locked(&lock));
}

/// Supervise does not wait for it itself: it hears what it is told.
#[test]
fn nothing_is_started_beside_one_that_has_the_lock() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.file("s/lock-fd", "5\n");
    let lock = dir.file("s/supervise/service-lock", "");
    let other = fs::OpenOptions::new().write(true).open(&lock).unwrap();
    assert!(upkeep_sys::held::lock_open_file(&other).unwrap());
    let mut supervise = dir.start("supervise", ["s"]);
    let words = "supervise: warning: unable to lock s/supervise/service-lock, \
                 trying again in 5 seconds: temporary failure";
    assert_eq!(supervise.complains("service-lock"), words);
    supervised(&service.path);
    assert_eq!(service.seen().unwrap().pid, 0);
    drop(other);
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

fn is_locked(path: &Path) -> bool {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    !upkeep_sys::held::lock_open_file(&file).unwrap()
}

#[test]
fn what_is_late_is_killed_with_its_group() {
    if testing_originals() {
        return;
    }
    for with_flag in [false, true] {
        let dir = Dir::new();
        let more = "trap '' TERM\n(echo child >$said; exec sleep 1000) &";
        let mut service = Service::new(&dir, "s", more);
        dir.file("s/timeout-kill", "100");
        if with_flag {
            dir.file("s/flag-timeout-killpg", "");
        }
        let supervise = dir.start("supervise", ["s"]);
        let lines = [service.said.line(), service.said.line()];
        assert!(lines.contains(&"child".to_string()), "{lines:?}");
        supervised(&service.path);
        service.svc(&dir, "-dx");
        if with_flag {
            // The child has its output: this waits for its end too.
            assert_eq!(supervise.finish().code, 0);
        } else {
            assert_eq!(supervise.ends(), 0);
            assert!(!dir.processes().is_empty(), "the child is killed");
        }
    }
}

//! Killed at every named step, one after the other: supervise itself, the
//! child on its way to become the service, and the parent of that child.

use super::{kill, only_one, parent_of};
use crate::support::{Changes, Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;

const HUP: &str = "trap 'echo HUP >$said' HUP";

/// svscan over `scan`, in which somebody is killed at `point` as soon as there
/// is a file `death`.
fn svscan(dir: &Dir, point: &str) -> Process {
    let at = format!("{point}={}", dir.path("death").display());
    Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at))
}

/// Somebody has been killed: the file is gone.
fn killed(dir: &Dir, point: &str) {
    let changes = Changes::of(&[&dir.path("")]);
    changes.until(point, || (!dir.path("death").exists()).then_some(()));
}

/// There is one service, it obeys, and it ends.
fn obeys(dir: &Dir, service: &mut Service, svscan: Process, pid: u32, point: &str) {
    supervised(&service.path);
    service.svc(dir, "-h");
    assert_eq!(service.said.line(), "HUP", "{point}");
    kill(pid);
    assert_ne!(service.up(), pid);
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{point}");
    assert!(service.said.is_silent(), "{point}");
    dir.nobody_is_left();
}

#[test]
fn at_every_step_of_a_start() {
    if testing_originals() {
        return;
    }
    for point in [
        "begin: claimed",
        "begin: went on",
        "status: written",
        "start: child",
        "start: child^",
        "start: recorded",
        "start: recorded^",
    ] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "scan/s", HUP);
        dir.file("death", "");
        let svscan = svscan(&dir, point);
        let pid = service.up();
        killed(&dir, point);
        obeys(&dir, &mut service, svscan, pid, point);
    }
}

#[test]
fn at_every_step_of_taking_up() {
    if testing_originals() {
        return;
    }
    for point in ["begin: claimed", "begin: went on"] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "scan/s", HUP);
        let svscan = svscan(&dir, point);
        let pid = service.up();
        supervised(&service.path);
        let first = parent_of(pid);
        dir.file("death", "");
        // The second dies on its way, and the third takes it up.
        kill(first);
        killed(&dir, point);
        obeys(&dir, &mut service, svscan, pid, point);
    }
}

#[test]
fn at_every_step_of_a_restart() {
    if testing_originals() {
        return;
    }
    for point in ["death: noticed", "start: child^", "start: recorded^"] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "scan/s", HUP);
        let svscan = svscan(&dir, point);
        let first = service.up();
        supervised(&service.path);
        dir.file("death", "");
        kill(first);
        killed(&dir, point);
        let pid = service.up();
        assert_ne!(pid, first);
        obeys(&dir, &mut service, svscan, pid, point);
    }
}

#[test]
fn at_every_step_of_a_stop() {
    if testing_originals() {
        return;
    }
    for point in ["down: intended", "signal: sent", "status: written", "death: noticed"] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "scan/s", HUP);
        let svscan = svscan(&dir, point);
        let first = service.up();
        supervised(&service.path);
        dir.file("death", "");
        service.svc(&dir, "-d");
        killed(&dir, point);
        let seen = service.until("the end", |seen| seen.pid == 0);
        assert_eq!(seen.want, b'd', "{point}");
        assert!(service.said.is_silent(), "{point}");
        supervised(&service.path);
        service.svc(&dir, "-u");
        let pid = service.up();
        assert_ne!(pid, first);
        obeys(&dir, &mut service, svscan, pid, point);
    }
}

/// Where the record comes after the start, a kill between the two makes two of
/// the service: the tests above would see it.
#[test]
fn the_record_has_to_come_first() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "scan/s", HUP);
    dir.file("death", "");
    let at = format!("start: executed={}", dir.path("death").display());
    let mut command = dir.tool("svscan", ["scan"]);
    let _svscan =
        Process::start(command.env("UPKEEP_KILL_AT", at).env("UPKEEP_REFUSE", "record-first"));
    let mut lines = vec![service.said.line(), service.said.line()];
    if !lines.contains(&"two".to_owned()) {
        lines.push(service.said.line());
    }
    assert!(lines.contains(&"two".to_owned()), "{lines:?}");
}

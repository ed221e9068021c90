//! A service in a pid name space of its own. Debian's s6 is too old for it.

use crate::adopt::{dies, history, kill, parent_of, supervise_of, supervised_by_another};
use crate::support::{Changes, Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::process::Command;

/// Whether name spaces can be had here.
pub(crate) fn permitted() -> bool {
    let done = Command::new("unshare").args(["--pid", "--fork", "true"]).output();
    !testing_originals() && done.is_ok_and(|done| done.status.success())
}

/// A service that says which process it is, and obeys.
fn first_process(dir: &Dir, name: &str) -> Service {
    let more = "trap 'echo HUP >$said' HUP\ntrap 'exit 3' TERM";
    let service = Service::new(dir, name, more);
    dir.file(format!("{name}/flag-newpidns"), "");
    service
}

/// Waits until a process is on record, and answers its number.
fn recorded(service: &mut Service, before: u32) -> u32 {
    assert_eq!(service.said.line(), "up 1");
    service.until("the process", |seen| ![0, before].contains(&seen.pid)).pid
}

#[test]
fn it_is_the_first_process_and_is_known_by_its_other_number() {
    if !permitted() {
        return;
    }
    let dir = Dir::new();
    let mut service = first_process(&dir, "s");
    let supervise = service.supervise(&dir);
    let pid = recorded(&mut service, 0);
    supervised(&service.path);
    assert_eq!(parent_of(pid), supervise.pid());
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    assert_eq!(numbers.split_whitespace().collect::<Vec<_>>(), [&pid.to_string(), "1"]);
    let own = |of: &str| fs::read_link(format!("/proc/{of}/ns/pid")).unwrap();
    assert_ne!(own(&pid.to_string()), own("self"));
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    service.svc(&dir, "-r");
    let next = recorded(&mut service, pid);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    assert_eq!(history(&service.path), ([1, 3], 2));
    assert_ne!(pid, next);
    dir.nobody_is_left();
}

#[test]
fn the_next_supervise_takes_it_up() {
    if !permitted() {
        return;
    }
    for refused in ["", "pidfs", "stat", "pidfd"] {
        let dir = Dir::new();
        let mut service = first_process(&dir, "scan/s");
        let mut command = dir.tool("svscan", ["scan"]);
        let svscan = Process::start(command.env("UPKEEP_REFUSE", refused));
        let pid = recorded(&mut service, 0);
        supervised(&service.path);
        let first = supervise_of(&service);
        kill(first);
        supervised_by_another(&service, first);
        assert_eq!(service.seen().unwrap().pid, pid, "without {refused}");
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), "HUP", "without {refused}");
        kill(pid);
        recorded(&mut service, pid);
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        assert!(service.said.is_silent());
        dir.nobody_is_left();
    }
}

/// Its parent has no number that it could see: it has to notice otherwise.
#[test]
fn without_its_supervise_it_does_not_begin() {
    if !permitted() {
        return;
    }
    let dir = Dir::new();
    let mut service = first_process(&dir, "scan/s");
    let go = dir.fifo("go");
    let at = format!("start: recorded@={}", go.path().display());
    let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at));
    let made = service.path.join("supervise");
    Changes::of(&[&service.path]).until("it", || made.is_dir().then_some(()));
    let pid = service.until("the record", |seen| seen.pid != 0).pid;
    let supervise = parent_of(pid);
    kill(supervise);
    dies(supervise);
    go.say("on");
    let next = service.until("the next", |seen| ![0, pid].contains(&seen.pid)).pid;
    go.say("on");
    assert_eq!(recorded(&mut service, pid), next);
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    assert!(service.said.is_silent());
    dir.nobody_is_left();
}

#[test]
fn where_there_is_none_to_be_had_it_is_tried_again() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = first_process(&dir, "s");
    let mut command = dir.tool("supervise", ["s"]);
    let mut supervise = Process::start(command.env("UPKEEP_REFUSE", "newpid"));
    let words = "supervise: warning: unable to fork for s by flag-newpidns, \
                 trying again in 5 seconds: permission denied";
    assert_eq!(supervise.complains("flag-newpidns"), words);
    supervised(&service.path);
    assert_eq!(service.seen().unwrap().pid, 0);
    fs::remove_file(service.path.join("flag-newpidns")).unwrap();
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

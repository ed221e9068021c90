//! `notification-fd`: a service says that it is ready, as in s6.

use crate::adopt::{kill, parent_of, supervise_of, supervised_by_another};
use crate::support::{Dir, Service, supervised, testing_originals};
use std::fs;

/// A service that says that it is ready, as descriptor `number` has it, when
/// it is told by HUP; and then `then`.
fn with_fd(dir: &Dir, name: &str, number: u32, then: &str) -> Service {
    let trap = format!("trap 'echo >&{number}; {then} echo said >$said' HUP");
    // The script's own FIFO is out of the way.
    let service = Service::new(dir, name, &trap);
    let run = fs::read_to_string(service.path.join("run")).unwrap();
    let run = run.replace("exec 3<>", "exec 9<>").replace("<&3", "<&9");
    dir.script(format!("{name}/run"), run.strip_prefix("#!/bin/sh\n").unwrap());
    fs::write(service.path.join("notification-fd"), format!("{number}\n")).unwrap();
    service
}

/// Whether it is ready, and whether it is still to say so, as on record.
fn ready(service: &Service) -> (bool, bool) {
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    (record[96..108] != [0; 12], record[69] & 8 != 0)
}

fn until_ready(service: &Service) {
    service.until("ready", |_| ready(service) == (true, false));
}

const UP: &str = "up (pid N) N seconds";
const NOT_READY: &str = "up (pid N) N seconds, not ready";

#[test]
fn without_the_file_it_is_ready_when_it_runs() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    service.up();
    assert_eq!(ready(&service), (true, false));
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), UP);
}

#[test]
fn it_says_so_itself() {
    if testing_originals() {
        return;
    }
    // Also where one of supervise's own descriptors is, and out of the way.
    for number in [3, 4, 5, 6, 7] {
        let dir = Dir::new();
        let mut service = with_fd(&dir, "s", number, &format!("exec {number}>&-;"));
        let supervise = service.supervise(&dir);
        let mut before = 0;
        for _ in 0..2 {
            let pid = service.up();
            assert_ne!(pid, before);
            before = pid;
            supervised(&service.path);
            assert_eq!(ready(&service), (false, true), "descriptor {number}");
            assert_eq!(service.svstat(&dir), NOT_READY);
            service.svc(&dir, "-h");
            assert_eq!(service.said.line(), "said");
            until_ready(&service);
            assert_eq!(service.svstat(&dir), UP);
            // The next process has to say it again.
            service.svc(&dir, "-k");
        }
        service.up();
        service.svc(&dir, "-d");
        service.until("the end", |seen| seen.pid == 0);
        assert_eq!(ready(&service), (false, false));
        service.svc(&dir, "-x");
        assert_eq!(supervise.finish().code, 0);
    }
}

/// Whatever it says while no supervise listens is heard by the next one.
#[test]
fn it_is_heard_whoever_is_killed() {
    if testing_originals() {
        return;
    }
    for then in ["", "exec 3>&-;"] {
        let dir = Dir::new();
        let mut service = with_fd(&dir, "scan/s", 3, then);
        let svscan = dir.start("svscan", ["scan"]);
        let pid = service.up();
        supervised(&service.path);
        let first = parent_of(pid);
        kill(first);
        supervised_by_another(&service, first);
        assert_eq!(service.svstat(&dir), NOT_READY);
        let second = service.until("a process", |seen| seen.pid == pid).pid;
        assert_eq!(second, pid);
        // Nobody starts the next one, and it speaks meanwhile.
        svscan.signal(rustix::process::Signal::STOP);
        kill(supervise_of(&service));
        kill_with(pid, rustix::process::Signal::HUP);
        assert_eq!(service.said.line(), "said");
        svscan.signal(rustix::process::Signal::CONT);
        until_ready(&service);
        supervised(&service.path);
        assert_eq!(service.svstat(&dir), UP);
        svscan.signal(rustix::process::Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        assert!(service.said.is_silent());
    }
}

fn kill_with(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn supervise_executes_itself_anew_and_still_hears() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_fd(&dir, "s", 3, "exec 3>&-;");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for _ in 0..3 {
        service.svc(&dir, "-e");
    }
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "said");
    until_ready(&service);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn what_is_no_descriptor_is_reported_and_the_service_runs() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    fs::write(service.path.join("notification-fd"), "1\n").unwrap();
    let mut supervise = dir.start("supervise", ["s"]);
    let words = "supervise: warning: unable to use s/notification-fd, using none: \
                 no such value: 1";
    assert_eq!(supervise.complains("notification-fd"), words);
    service.up();
    assert_eq!(ready(&service), (true, false));
    supervised(&service.path);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// A daemon that closes the descriptor and says nothing: it is not ready, and
/// supervise waits without spinning.
#[test]
fn one_that_says_nothing_is_not_ready() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "exec 4>&-");
    fs::write(service.path.join("notification-fd"), "4").unwrap();
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    // A round of its loop later it has seen the end.
    service.svc(&dir, "-o");
    service.until("once", |seen| seen.want == 0);
    let listens = || {
        let fds = fs::read_dir(format!("/proc/{}/fd", supervise.pid())).unwrap();
        fds.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.ends_with("supervise/notify")))
    };
    assert!(!listens());
    assert_eq!(service.svstat(&dir), NOT_READY);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

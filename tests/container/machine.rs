//! A machine's process 1. In a pid name space, reboot(2) ends that: whoever
//! waits sees HUP for a restart, and INT for a machine that stops.

use super::send;
use crate::support::container::{Plan, Who, both};
use crate::support::{Dir, Process, Service, program, supervised};
use std::os::unix::fs::symlink;

const RESTARTED: i32 = 129;
const STOPPED: i32 = 130;

/// Nobody may not end a machine, nor may root in most containers: then it is
/// only process 1 that ends.
fn seen(who: Who, code: i32) -> i32 {
    if who == Who::Root { code } else { 0 }
}

#[test]
fn its_signals() {
    both(|who| {
        for (number, code) in [
            (2, RESTARTED),
            (15, RESTARTED),
            (39, RESTARTED),
            (12, STOPPED),
            (30, STOPPED),
            (37, STOPPED),
            (38, STOPPED),
        ] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/a", "trap 'echo ended >$said; exit' TERM");
            let container = Plan::new(&dir, who).start("svscan", ["-m", "scan"]);
            service.up();
            send(&container, number);
            assert_eq!(service.said.line(), "ended");
            let done = container.process.finish();
            assert_eq!((done.code, done.err().as_str()), (seen(who, code), ""), "{number}");
            dir.nobody_is_left();
        }
    });
}

/// None of its signals is the command's, which is told to end all the same.
#[test]
fn a_command_beside_it() {
    both(|who| {
        for (number, code) in [(2, RESTARTED), (12, STOPPED), (30, STOPPED), (39, RESTARTED)] {
            let dir = Dir::new();
            let script = "trap 'echo told; exit 3' TERM; trap 'echo other' HUP; sleep 1000 &
                echo up; while :; do wait; done";
            let args = ["-m", "scan", "--", "sh", "-c", script];
            dir.mkdir("scan");
            let mut container = Plan::new(&dir, who).start("svscan", args);
            container.process.prints("up");
            // What is the command's has told it of no end.
            send(&container, 1);
            container.process.prints("other");
            send(&container, number);
            container.process.prints("told");
            assert_eq!(container.process.finish().code, seen(who, code), "{number}");
        }
    });
}

/// What ends a container before its command runs is nothing to a machine.
#[test]
fn a_signal_before_its_command_runs() {
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        dir.script("scan/late/run", "read go <../../gate; echo >&5; exec sleep 1000");
        dir.file("scan/late/notification-fd", "5");
        let script = "echo begun; sleep 1000 & wait";
        let args = ["-m", "-v", "scan", "--", "sh", "-c", script];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        supervised(&dir.path("scan/late"));
        send(&container, 3);
        container.process.complains("signal 3 not forwarded");
        gate.say("go");
        container.process.prints("begun");
        send(&container, 38);
        assert_eq!(container.process.finish().code, seen(who, STOPPED));
    });
}

#[test]
fn a_stop_that_does_not_say_how_it_ends() {
    both(|who| {
        for command in [&[][..], &["--", "sh", "-c", "trap 'exit 3' USR1; sleep 1000 & wait"]] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/a", "");
            let args = [&["-m", "-k", "USR1", "scan"][..], command].concat();
            let container = Plan::new(&dir, who).start("svscan", args);
            service.up();
            send(&container, 10);
            assert_eq!(container.process.finish().code, seen(who, STOPPED));
        }
    });
}

#[test]
fn its_command() {
    both(|who| {
        for (option, word, code) in [
            ("--reboot", "reboot", RESTARTED),
            ("--poweroff", "poweroff", STOPPED),
            ("--halt", "halt", STOPPED),
        ] {
            let dir = Dir::new();
            let mut said = dir.fifo("said");
            dir.script("scan/.svscan/finish", &format!("echo $* >{}", said.path().display()));
            let mut service = Service::new(&dir, "scan/a", "");
            let container = Plan::new(&dir, who).start("svscan", ["-m", "scan"]);
            service.up();
            let done = container.start("svscan", [option]).finish();
            assert_eq!((done.code, done.err().as_str()), (0, ""));
            assert_eq!(said.line(), format!("0 {word}"));
            assert_eq!(container.process.finish().code, seen(who, code));
        }
    });
}

#[test]
fn the_first_signal_says_how_it_ends() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/a", "trap 'echo term >$said' TERM");
        let container = Plan::new(&dir, who).start("svscan", ["-m", "-t", "1000", "scan"]);
        service.up();
        send(&container, 38);
        assert_eq!(service.said.line(), "term");
        // The second one hurries.
        send(&container, 2);
        assert_eq!(container.process.finish().code, seen(who, STOPPED));
    });
}

#[test]
fn only_process_1_is_a_machines() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let done = dir.run("svscan", ["-m", "."]);
    let said = "svscan: fatal: only process 1 can be a machine's\n";
    assert_eq!((done.code, done.err().as_str()), (111, said));
    symlink(program("svscan"), dir.path("init")).unwrap();
    let done = Process::start(&mut dir.command(dir.path("init"))).finish();
    assert_eq!((done.code, done.err().as_str()), (111, said));
}

#[test]
fn an_essential_service_ends_it() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/main/run", "exit 7");
        dir.file("scan/main/restart", "never");
        dir.file("scan/main/essential", "");
        let done = Plan::new(&dir, who).start("svscan", ["-m", "scan"]).process.finish();
        assert_eq!(done.code, seen(who, STOPPED), "{}", done.err());
    });
}

#[test]
fn a_renewed_one_is_the_same() {
    both(|who| {
        let dir = Dir::new();
        let mut first = Service::new(&dir, "scan/first", "");
        let container = Plan::new(&dir, who).start("svscan", ["-m", "scan"]);
        let pid = first.up();
        send(&container, 10);
        let mut late = Service::new(&dir, "late", "");
        // The others are somebody's who writes.
        for path in [&late.path, late.said.path(), &dir.path("late.hold")] {
            who.owns(path);
        }
        std::fs::rename(dir.path("late"), dir.path("scan/late")).unwrap();
        late.path = dir.path("scan/late");
        late.up();
        assert_eq!(first.seen().unwrap().pid, pid);
        send(&container, 39);
        assert_eq!(container.process.finish().code, seen(who, RESTARTED));
    });
}

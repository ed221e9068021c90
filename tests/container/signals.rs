//! `svscan -- command`: which signals are the command's, and which it gets.

use super::{UNREAD, hearing, send};
use crate::support::container::{Plan, both};
use crate::support::{Dir, Process};
use rustix::process::Signal;

/// Signals that a process gets for its own faults, cannot have, or has from
/// its terminal and its children only.
const NOT_FORWARDED: [u8; 14] = [4, 5, 6, 7, 8, 9, 11, 17, 19, 21, 22, 31, 32, 33];

#[test]
fn every_signal_is_the_commands() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let plan = Plan::new(&dir, who);
        let mut container = plan.start("svscan", ["--", "sh", "-c", &command]);
        container.process.prints("hears");
        for number in (1..=64).filter(|number| !NOT_FORWARDED.contains(number)) {
            send(&container, number);
            container.process.prints(&format!("got {number}."));
        }
    });
}

#[test]
fn messages_that_nobody_reads_are_no_signals() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let svscan = dir.path("programs/svscan");
        let words = ["-c", UNREAD, "sh", svscan.to_str().unwrap()];
        let args = [&words[..], &["-v", "--", "sh", "-c", &command]].concat();
        let mut container = Plan::new(&dir, who).start("sh", args);
        container.process.prints("hears");
        for number in [10, 12, 13, 15] {
            send(&container, number);
            assert_eq!(container.process.prints("got"), format!("got {number}."));
        }
        container.signal(Signal::KILL);
        assert!(!container.process.finish().out().contains("got"));
    });
}

#[test]
fn signals_are_rewritten_and_dropped() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let rewrites = ["-r", "TERM=QUIT", "--rewrite=1:SIGRTMIN+2", "-r", "INT=0"];
        let args = [&rewrites[..], &["-v", "--", "sh", "-c", &command]].concat();
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("hears");
        container.signal(Signal::INT);
        container.signal(Signal::TERM);
        let line = container.process.complains("forwarded");
        assert_eq!(line, "svscan: info: signal 15 forwarded as 3");
        container.process.prints("got 3.");
        container.signal(Signal::HUP);
        container.process.prints("got 36.");
        container.signal(Signal::KILL);
        assert!(!container.process.finish().out().contains("got 2."));
    });
}

#[test]
fn a_signal_for_the_group() {
    both(|who| {
        for (option, expected) in [("-g", true), ("-s", false)] {
            let dir = Dir::new();
            let hold = dir.hold("hold");
            let script = format!(
                "exec 3<>{}; (trap 'echo child; exit' USR1; echo up; until [ \"$no\" ]; do read no <&3; done) & \
                 trap 'echo parent; wait; exit 9' USR1; echo up; wait",
                hold.path().display()
            );
            let args = [option, "--", "sh", "-c", &script];
            let mut container = Plan::new(&dir, who).start("svscan", args);
            container.process.prints("up");
            container.process.prints("up");
            container.signal(Signal::USR1);
            if expected {
                container.process.prints("child");
            } else {
                container.process.prints("parent");
                hold.say("go");
            }
            let done = container.process.finish();
            assert_eq!((done.code, done.out().contains("child")), (9, false));
        }
    });
}

/// What nohup says is heeded, and not undone for the command.
#[test]
fn a_signal_that_was_ignored_before() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let svscan = crate::support::program("svscan");
    let script = "trap '' HUP; exec \"$@\"";
    let args = ["-c", script, "sh", svscan.to_str().unwrap(), "--", "sh", "-c", &command];
    let mut process = Process::start(dir.command("sh").args(args));
    process.prints("hears");
    process.signal(Signal::HUP);
    process.signal(Signal::USR1);
    // Signals are handed on in order.
    assert_eq!(process.prints("got"), "got 10.");
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

/// Process 1 was not started in the background by anybody.
#[test]
fn process_1_hears_what_was_ignored_before() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let svscan = dir.path("programs/svscan");
        let words = ["-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh", svscan.to_str().unwrap()];
        let args = [&words[..], &["--", "sh", "-c", &command]].concat();
        let mut container = Plan::new(&dir, who).start("sh", args);
        container.process.prints("hears");
        for number in [1, 2, 3] {
            send(&container, number);
            container.process.prints(&format!("got {number}."));
        }
    });
}

/// But what was asked for by name is.
#[test]
fn the_stop_signal_was_ignored_before() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let svscan = crate::support::program("svscan");
    let words = ["-c", "trap '' INT; exec \"$@\"", "sh", svscan.to_str().unwrap()];
    let args = [&words[..], &["-k", "INT", "--", "sh", "-c", &command]].concat();
    let mut process = Process::start(dir.command("sh").args(args));
    process.prints("hears");
    process.signal(Signal::INT);
    process.signal(Signal::USR1);
    assert_eq!(process.prints("got"), "got 2.");
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

#[test]
fn a_dropped_stop_is_dropped_where_nothing_else_is_stopped() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let args = ["-r", "TERM=0", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("hears");
        container.signal(Signal::TERM);
        container.signal(Signal::USR1);
        assert_eq!(container.process.prints("got"), "got 10.");
        container.signal(Signal::KILL);
        container.process.finish();
    });
}

/// C libraries keep two signals for themselves.
#[test]
fn signals_that_the_library_hides() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let args = ["-r", "32=USR1", "-r", "33=USR2", "--", "sh", "-c", &command];
    let mut process = dir.start("svscan", args);
    process.prints("hears");
    let pid = rustix::process::Pid::from_raw(process.pid().cast_signed()).unwrap();
    for (number, got) in [(32, "got 10."), (33, "got 12.")] {
        upkeep_sys::signals::send(upkeep_sys::signals::Whom::One(pid), number).unwrap();
        assert_eq!(process.prints("got"), got);
    }
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

#[test]
fn a_command_that_has_left_its_group() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = "$| = 1; $SIG{USR1} = sub { exit 6 };
        setpgrp(0, getpgrp(getppid())) or die; print qq(up\n); sleep 1000";
    let mut process = dir.start("svscan", ["-g", "--", "perl", "-e", script]);
    process.prints("up");
    process.signal(Signal::USR1);
    assert_eq!(process.finish().code, 6);
}

//! Stopping: who is told first, who is killed when, and that nothing is left.

use super::hearing;
use crate::support::container::{Plan, Who, both};
use crate::support::{Dir, Service, supervised};
use rustix::process::Signal;
use std::fs;

const DEAF: &str = "trap '' TERM";

#[test]
fn the_command_first_and_then_the_services() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/a", "trap 'echo ended >$said; exit' TERM");
        let said = service.said.path().display().to_string();
        let script =
            format!("trap 'echo command >{said}; exit 3' TERM; echo up; sleep 1000 & wait");
        for signal in [Signal::TERM, Signal::POWER] {
            let rewrite = ["-r", "PWR=TERM"];
            let args = [&rewrite[..], &["scan", "--", "sh", "-c", &script]].concat();
            let dir_of = Plan::new(&dir, who);
            let mut container = dir_of.start("svscan", args);
            service.up();
            container.process.prints("up");
            container.signal(signal);
            assert_eq!(service.said.line(), "command");
            assert_eq!(service.said.line(), "ended");
            let done = container.process.finish();
            assert_eq!((done.code, done.err().as_str()), (3, ""));
            dir.nobody_is_left();
        }
    });
}

#[test]
fn another_signal_may_begin_it() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/a", "");
        let script =
            "trap 'exit 4' 37; trap 'echo term' TERM; echo up; sleep 1000 & while :; do wait; done";
        let args = ["-k", "SIGRTMIN+3", "scan", "--", "sh", "-c", script];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        service.up();
        container.process.prints("up");
        container.signal(Signal::TERM);
        container.process.prints("term");
        super::send(&container, 37);
        assert_eq!(container.process.finish().code, 4);
    });
}

#[test]
fn what_does_not_hear_is_killed() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/deaf", DEAF);
        let mut logger = Service::new(&dir, "scan/deaf/log", DEAF);
        let script = format!("{DEAF}; echo up; sleep 1000 & while :; do wait; done");
        let args = ["-t", "0.2", "scan", "--", "sh", "-c", &script];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        service.up();
        logger.up();
        container.process.prints("up");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 137);
        dir.nobody_is_left();
    });
}

#[test]
fn services_alone_have_a_time_too() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/deaf", DEAF);
        let container = Plan::new(&dir, who).start("svscan", ["-t", "0.1", "scan"]);
        service.up();
        supervised(&service.path);
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
        dir.nobody_is_left();
    });
}

/// Nothing but the second signal can end this in time.
#[test]
fn the_second_signal_hurries() {
    both(|who| {
        for (first, second) in [
            (Signal::TERM, Some(Signal::TERM)),
            (Signal::INT, Some(Signal::POWER)),
            (Signal::QUIT, None),
        ] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/deaf", "trap 'echo term >$said' TERM");
            let container = Plan::new(&dir, who).start("svscan", ["-t", "1000", "scan"]);
            service.up();
            supervised(&service.path);
            container.signal(first);
            if let Some(second) = second {
                assert_eq!(service.said.line(), "term");
                container.signal(second);
            }
            assert_eq!(container.process.finish().code, 0);
        }
    });
}

#[test]
fn the_second_signal_kills_the_command() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/a", "");
        let command = hearing(&dir);
        let args = ["-t", "1000", "scan", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        service.up();
        container.process.prints("hears");
        container.signal(Signal::TERM);
        container.process.prints("got 15.");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 137);
    });
}

/// Only what is told can end these in time.
const LONG: [&str; 2] = ["-t", "1000"];

#[test]
fn a_command_that_was_stopped_hears_it() {
    // Another process says when it has.
    let script = "trap 'exit 4' TERM
        (kill -STOP $$; until grep -q '^State:.T' /proc/$$/status; do :; done; echo stopped) &
        while :; do wait; done";
    both(|who| {
        for signal in [Signal::TERM, Signal::POWER] {
            let dir = Dir::new();
            dir.mkdir("scan");
            let rest = ["-r", "PWR=TERM", "scan", "--", "sh", "-c", script];
            let args = [&LONG[..], &rest].concat();
            let mut container = Plan::new(&dir, who).start("svscan", args);
            container.process.prints("stopped");
            container.signal(signal);
            assert_eq!(container.process.finish().code, 4);
        }
    });
}

#[test]
fn a_stop_that_is_dropped_on_the_way_is_told_otherwise() {
    let script = "trap 'exit 4' TERM; echo up; sleep 1000 & wait";
    both(|who| {
        for (dropped, signal) in [("TERM=0", Signal::TERM), ("PWR=0", Signal::POWER)] {
            let dir = Dir::new();
            dir.mkdir("scan");
            let rest = ["-r", dropped, "scan", "--", "sh", "-c", script];
            let args = [&LONG[..], &rest].concat();
            let mut container = Plan::new(&dir, who).start("svscan", args);
            container.process.prints("up");
            container.signal(signal);
            assert_eq!(container.process.finish().code, 4, "{dropped}");
        }
    });
}

#[test]
fn signals_that_nobody_else_can_hear_any_more() {
    both(|who| {
        for signal in [Signal::INT, Signal::QUIT] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/deaf", "trap 'echo term >$said' TERM");
            let gate = dir.fifo("gate");
            let script = format!("read go <{}; exit 3", gate.path().display());
            let args = [&LONG[..], &["scan", "--", "sh", "-c", &script]].concat();
            let container = Plan::new(&dir, who).start("svscan", args);
            service.up();
            gate.say("go");
            assert_eq!(service.said.line(), "term");
            container.signal(signal);
            assert_eq!(container.process.finish().code, 3);
            dir.nobody_is_left();
        }
    });
}

#[test]
fn signals_that_nobody_else_can_hear_yet() {
    both(|who| {
        for (signals, code) in [(&[Signal::QUIT][..], 131), (&[Signal::INT, Signal::INT], 130)] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/deaf", "trap 'echo term >$said' TERM");
            dir.file("scan/deaf/notification-fd", "5");
            let args = [&LONG[..], &["scan", "--", "echo", "begun"]].concat();
            let container = Plan::new(&dir, who).start("svscan", args);
            service.up();
            supervised(&service.path);
            for (index, signal) in signals.iter().enumerate() {
                if index > 0 {
                    assert_eq!(service.said.line(), "term");
                }
                container.signal(*signal);
            }
            let done = container.process.finish();
            assert_eq!((done.code, done.out().as_str()), (code, ""));
        }
    });
}

#[test]
fn a_command_alone_with_a_time() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let args = ["--grace=0.1", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("hears");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 137);
    });
}

/// Where nobody kills what is left of a container, what is in its group goes all
/// the same.
#[test]
fn a_command_is_killed_with_its_group() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let hold = dir.fifo("hold");
    let script = format!(
        "trap '' TERM; exec 3<>{}; (echo up; read no <&3) & read no <&3",
        hold.path().display()
    );
    let mut process = dir.start("svscan", ["-t", "0.1", "--", "sh", "-c", &script]);
    process.prints("up");
    process.signal(Signal::TERM);
    // Its end is that of all who have its output.
    assert_eq!(process.finish().code, 137);
    assert_eq!(dir.processes(), []);
}

#[test]
fn lines_are_read_to_the_last() {
    const LINES: usize = 20_000;
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::with_script(
            &dir,
            "scan/s",
            &format!(
                "trap 'n=0; while [ $n -lt {LINES} ]; do n=$((n+1)); echo $n; done; exit' TERM
                 echo up $$ >$said; sleep 1000 >/dev/null & wait"
            ),
        );
        dir.script("scan/s/log/run", "cat >../../../got; echo end >>../../../got");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        service.up();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
        let got = fs::read_to_string(dir.path("got")).unwrap();
        assert_eq!(got.lines().count(), LINES + 1);
        assert!(got.ends_with(&format!("{LINES}\nend\n")));
    });
}

#[test]
fn what_has_left_its_service_does_not_stay() {
    both(|who| {
        let dir = Dir::new();
        let stray = "setsid sh -c 'trap \"\" TERM; echo stray >'$said'; sleep 1000 & while :; do wait; done' &";
        let mut service = Service::new(&dir, "scan/s", stray);
        let container = Plan::new(&dir, who).start("svscan", ["-v", "scan"]);
        let lines = [service.said.line(), service.said.line()];
        assert!(lines.contains(&"stray".to_owned()), "{lines:?}");
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!(done.code, 0);
        assert!(done.err().contains(", exit code 137"), "{}", done.err());
        dir.nobody_is_left();
    });
}

#[test]
fn a_thousand_services_are_stopped_and_nothing_is_left() {
    const SERVICES: usize = 1000;
    let dir = Dir::new();
    let said = dir.fifo("said");
    let run = dir.script("run", &format!("echo up >{}; exec sleep 1000", said.path().display()));
    for number in 0..SERVICES {
        let service = dir.mkdir(format!("scan/{number}"));
        std::os::unix::fs::symlink(&run, service.join("run")).unwrap();
    }
    let mut said = said;
    let who = if rustix::process::geteuid().is_root() { Who::Root } else { Who::Nobody };
    let container = Plan::new(&dir, who).start("svscan", ["scan"]);
    for _ in 0..SERVICES {
        assert_eq!(said.line(), "up");
    }
    assert_eq!(container.processes().len(), 1 + 2 * SERVICES);
    container.signal(Signal::TERM);
    let done = container.process.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    dir.nobody_is_left();
}

//! `svscan dir -- command`: services beside a main command.

use super::{hearing, send};
use crate::support::container::{Container, Plan, both};
use crate::support::{Dir, Process, Service, supervised};
use rustix::process::Signal;
use std::io::Write;
use std::process::Stdio;

/// A service that says what it does with TERM.
fn service(dir: &Dir, name: &str) -> Service {
    Service::new(dir, &format!("scan/{name}"), "trap 'echo ended >$said; exit' TERM")
}

#[test]
fn its_end_is_everybodys() {
    both(|who| {
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
            let dir = Dir::new();
            let mut service = service(&dir, "a");
            let gate = dir.fifo("gate");
            let script = format!("read go <{}; {script}", gate.path().display());
            let args = ["scan", "--", "sh", "-c", &script];
            let container = Plan::new(&dir, who).start("svscan", args);
            service.up();
            gate.say("go");
            assert_eq!(service.said.line(), "ended");
            let done = container.process.finish();
            assert_eq!((done.code, done.err().as_str()), (code, ""), "{script}");
            dir.nobody_is_left();
        }
    });
}

#[test]
fn a_command_that_is_not_there() {
    both(|who| {
        let dir = Dir::new();
        service(&dir, "a");
        let plan = Plan::new(&dir, who).environment(&["PATH=/usr/bin:/bin"]);
        let done = plan.start("svscan", ["scan", "--", "nowhere"]).process.finish();
        assert_eq!(done.code, 127, "{}", done.err());
        dir.nobody_is_left();
    });
}

#[test]
fn without_a_command_behind_the_mark_services_are_alone() {
    both(|who| {
        let dir = Dir::new();
        let mut service = service(&dir, "a");
        let container = Plan::new(&dir, who).start("svscan", ["scan", "--"]);
        service.up();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

#[test]
fn it_waits_until_services_are_ready() {
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        dir.script(
            "scan/late/run",
            &format!("read go <{}; echo >&5; exec sleep 1000", gate.path().display()),
        );
        dir.file("scan/late/notification-fd", "5");
        // One that is down, and one that is over, are not waited for.
        dir.script("scan/down/run", "exit 1");
        dir.file("scan/down/down", "");
        dir.script("scan/over/run", "exit 3");
        dir.file("scan/over/restart", "never");
        let mut plain = Service::new(&dir, "scan/plain", "");
        let args = ["scan", "--", "sh", "-c", "echo begun; exit 5"];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        plain.up();
        let done = container.start("svwait", ["-f", "scan/over"]).finish();
        assert_eq!(done.code, 0, "{}", done.err());
        // The one that it waits for is the only other child of process 1.
        let children = |container: &Container<'_>| {
            let path = format!("/proc/{0}/task/{0}/children", container.pid());
            std::fs::read_to_string(path).unwrap().split_whitespace().count()
        };
        assert_eq!(children(&container), 4);
        gate.say("go");
        container.process.prints("begun");
        assert_eq!(container.process.finish().code, 5);
    });
}

#[test]
fn services_that_are_not_ready_in_time() {
    both(|who| {
        for (option, code) in [("warn", 5), ("stop", 111), ("ignore", 5)] {
            let dir = Dir::new();
            dir.script("scan/late/run", "exec sleep 1000");
            dir.file("scan/late/notification-fd", "5");
            let args = ["-y", "0.2", "-x", option, "scan", "--", "sh", "-c", "exit 5"];
            let done = Plan::new(&dir, who).start("svscan", args).process.finish();
            let said = if option == "ignore" {
                ""
            } else {
                "svscan: warning: late is not ready in time\n"
            };
            assert_eq!((done.code, done.err().as_str()), (code, said), "{option}");
        }
    });
}

#[test]
fn no_time_at_all() {
    both(|who| {
        // Nothing has to be waited for.
        for ready in ["0", "0.000001"] {
            let dir = Dir::new();
            dir.mkdir("scan");
            let args = ["-y", ready, "-x", "stop", "scan", "--", "sh", "-c", "exit 5"];
            let done = Plan::new(&dir, who).start("svscan", args).process.finish();
            assert_eq!((done.code, done.err().as_str()), (5, ""), "{ready}");
        }
        // Nothing is.
        for option in ["warn", "stop", "ignore"] {
            let dir = Dir::new();
            dir.script("scan/late/run", "exec sleep 1000");
            dir.file("scan/late/notification-fd", "5");
            let args = ["-y", "0", "-x", option, "scan", "--", "sh", "-c", "exit 5"];
            let done = Plan::new(&dir, who).start("svscan", args).process.finish();
            assert_eq!((done.code, done.err().as_str()), (5, ""), "{option}");
        }
    });
}

#[test]
fn the_input_is_the_commands_and_not_the_services() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::with_script(
            &dir,
            "scan/s",
            "read line; echo \"up $$ [$line]\" >$said; exec sleep 1000",
        );
        let args = ["scan", "--", "sh", "-c", "read line; echo \"[$line]\"; pwd; exit 2"];
        let container = Plan::new(&dir, who).start_with("svscan", args, |command| {
            command.stdin(Stdio::piped());
        });
        assert!(service.said.line().ends_with(" []"));
        let mut process = container.process;
        process.stdin().write_all(b"a line\n").unwrap();
        let done = process.finish();
        let here = dir.path("").display().to_string();
        assert_eq!(done.out(), format!("[a line]\n{}\n", here.trim_end_matches('/')));
        assert_eq!(done.code, 2);
    });
}

#[test]
fn its_signals_start_no_clock() {
    both(|who| {
        let dir = Dir::new();
        let mut service = service(&dir, "a");
        let command = hearing(&dir);
        let args = ["scan", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        service.up();
        container.process.prints("hears");
        for number in [1, 2, 3, 10, 12, 14, 37] {
            send(&container, number);
            container.process.prints(&format!("got {number}."));
        }
        assert!(service.said.is_silent());
        container.signal(Signal::KILL);
        container.process.finish();
    });
}

/// They would end it: it has no handlers yet.
#[test]
fn what_comes_before_it_runs_is_not_kept_for_it() {
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        dir.script("scan/late/run", "read go <../../gate; echo >&5; exec sleep 1000");
        dir.file("scan/late/notification-fd", "5");
        let command = hearing(&dir);
        let args = ["-v", "scan", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        supervised(&dir.path("scan/late"));
        let early = [1, 10, 12, 14, 18, 28, 34, 37, 64];
        for number in early {
            send(&container, number);
            let line = container.process.complains("signal");
            let said = format!("signal {number} not forwarded, the command does not run");
            assert_eq!(line, format!("svscan: info: {said}"));
        }
        gate.say("go");
        container.process.prints("hears");
        send(&container, 10);
        assert_eq!(container.process.prints("got"), "got 10.");
        container.signal(Signal::KILL);
        let out = container.process.finish().out();
        assert!(!out.contains("got"), "{out}");
    });
}

#[test]
fn outside_of_a_container_it_is_the_same() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = service(&dir, "a");
    let mut command = dir.tool("svscan", ["scan", "--", "sh", "-c", "echo up; read no; exit 6"]);
    let mut svscan = Process::start(command.stdin(Stdio::piped()));
    let stdin = svscan.stdin();
    service.up();
    svscan.prints("up");
    drop(stdin);
    assert_eq!(service.said.line(), "ended");
    assert_eq!(svscan.finish().code, 6);
}

//! Essential services: everything ends with one that is over, as it ended.

use crate::support::container::{Plan, both};
use crate::support::{Dir, Process, Service, supervised};
use rustix::process::Signal;

#[test]
fn its_end_is_everybodys() {
    both(|who| {
        for (script, restart, code) in [
            ("exit 0", "never", 0),
            ("exit 7", "never", 7),
            ("kill -KILL $$", "never", 137),
            ("exit 0", "on-failure", 0),
        ] {
            let dir = Dir::new();
            let mut other = Service::new(&dir, "scan/other", "trap 'echo ended >$said; exit' TERM");
            let gate = dir.fifo("gate");
            dir.script("scan/main/run", &format!("read go <{}; {script}", gate.path().display()));
            dir.file("scan/main/restart", restart);
            dir.file("scan/main/essential", "");
            let container = Plan::new(&dir, who).start("svscan", ["scan"]);
            other.up();
            gate.say("go");
            assert_eq!(other.said.line(), "ended");
            let done = container.process.finish();
            let said = "svscan: info: main is over, and essential\n";
            assert_eq!((done.code, done.err().as_str()), (code, said), "{script} {restart}");
            dir.nobody_is_left();
        }
    });
}

#[test]
fn one_that_gives_up() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/main/run", "exit 9");
        dir.file("scan/main/restart-limit", "1 60");
        dir.file("scan/main/essential", "");
        let done = Plan::new(&dir, who).start("svscan", ["scan"]).process.finish();
        assert_eq!(done.code, 9, "{}", done.err());
    });
}

#[test]
fn a_oneshot_that_fails() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/once/up", "exit 3");
        dir.file("scan/once/type", "oneshot");
        dir.file("scan/once/restart", "never");
        dir.file("scan/once/essential", "");
        let done = Plan::new(&dir, who).start("svscan", ["scan"]).process.finish();
        assert_eq!(done.code, 3, "{}", done.err());
    });
}

#[test]
fn the_command_is_told_to_end() {
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        dir.script("scan/main/run", &format!("read go <{}; exit 8", gate.path().display()));
        dir.file("scan/main/restart", "never");
        dir.file("scan/main/essential", "");
        let script = "trap 'echo told; exit 2' QUIT; echo up; sleep 1000 & while :; do wait; done";
        let args = ["-r", "TERM=QUIT", "scan", "--", "sh", "-c", script];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("up");
        gate.say("go");
        container.process.prints("told");
        assert_eq!(container.process.finish().code, 8);
    });
}

#[test]
fn the_command_is_not_started_without_it() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/main/run", "exit 8");
        dir.file("scan/main/restart", "never");
        dir.file("scan/main/essential", "");
        dir.script("scan/never/run", "exec sleep 1000");
        dir.file("scan/never/notification-fd", "5");
        let args = ["-y", "1000", "scan", "--", "echo", "begun"];
        let done = Plan::new(&dir, who).start("svscan", args).process.finish();
        assert_eq!((done.code, done.out().as_str()), (8, ""), "{}", done.err());
    });
}

#[test]
fn what_is_told_to_be_down_does_not_count() {
    both(|who| {
        let dir = Dir::new();
        let mut main = Service::new(&dir, "scan/main", "");
        dir.file("scan/main/essential", "");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        main.up();
        let down = container.start("svc", ["-d", "scan/main"]).finish();
        assert_eq!(down.code, 0);
        main.until("the end", |seen| seen.pid == 0);
        let up = container.start("svc", ["-u", "scan/main"]).finish();
        assert_eq!(up.code, 0);
        main.up();
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    });
}

#[test]
fn one_that_becomes_essential() {
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        let mut main = Service::new(&dir, "scan/main", "");
        dir.script("scan/other/run", &format!("read go <{}; exit 4", gate.path().display()));
        dir.file("scan/other/restart", "never");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        main.up();
        dir.file("scan/other/essential", "");
        container.signal(Signal::ALARM);
        gate.say("go");
        assert_eq!(container.process.finish().code, 4);
    });
}

/// Where the kernel tells nothing, it is looked.
#[test]
fn without_being_told() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("scan/late/run", "exec sleep 1000");
    dir.file("scan/late/down", "");
    dir.script("scan/main/run", "read go <../../gate; exit 7");
    dir.file("scan/main/restart", "never");
    dir.file("scan/main/essential", "");
    let gate = dir.fifo("gate");
    let hold = dir.fifo("hold");
    let script = format!("echo up; read no <{}", hold.path().display());
    let mut command = dir.tool("svscan", ["scan", "--", "sh", "-c", &script]);
    let mut svscan = Process::start(command.env("UPKEEP_REFUSE", "inotify"));
    svscan.prints("up");
    gate.say("go");
    svscan.complains("main is over, and essential");
    assert_eq!(svscan.finish().code, 7);
}

/// The records are where they are, on a read-only file system too.
#[test]
fn with_the_state_elsewhere() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/main/run", "read go <../../gate; exit 7");
        dir.file("scan/main/restart", "never");
        dir.file("scan/main/essential", "");
        let gate = dir.fifo("gate");
        let plan = Plan::new(&dir, who).read_only(dir.path("scan")).tmpfs("/run", "64k");
        let plan = plan.tmpfs("/dev/shm", "64k");
        let args = ["scan", "--", "sh", "-c", "echo up; exec sleep 1000"];
        let mut container = plan.start("svscan", args);
        container.process.prints("up");
        gate.say("go");
        assert_eq!(container.process.finish().code, 7);
    });
}

/// A svscan that is killed, or executed anew, is told all the same.
#[test]
fn one_that_is_over_before_svscan_looks() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("scan/main/run", "exit 6");
    dir.file("scan/main/restart", "never");
    let svscan = dir.start("svscan", ["scan"]);
    supervised(&dir.path("scan/main"));
    let done = dir.run("svwait", ["-f", "scan/main"]);
    assert_eq!(done.code, 0, "{done:?}");
    drop(svscan);
    dir.file("scan/main/essential", "");
    let mut svscan = dir.start("svscan", ["scan"]);
    svscan.complains("main is over, and essential");
    assert_eq!(svscan.finish().code, 6);
}

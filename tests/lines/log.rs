//! The log directory of all that have no logger of their own.

use super::{Halves, called, end};
use crate::support::container::{Plan, both};
use crate::support::{
    Changes, Dir, Process, Service, deadline, readable, supervised, testing_originals,
};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;

/// What is logged, without its stamps; a logger that is killed leaves an old log
/// behind.
fn logged(dir: &Dir) -> Vec<String> {
    let entries = fs::read_dir(dir.path("logs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n == "current" || n.starts_with('@')).collect();
    names.sort();
    // One may just be getting another name.
    let text = |name| fs::read_to_string(dir.path("logs").join(name)).unwrap_or_default();
    let text: String = names.into_iter().map(text).collect();
    text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn all_is_logged_and_nothing_shown() {
    both(|who| {
        let dir = Dir::new();
        let trap = "trap 'echo bye; exit' TERM; echo out; echo err >&2";
        let mut a = Service::new(&dir, "scan/a", trap);
        let mut b = Service::new(&dir, "scan/b", trap);
        let container = Plan::new(&dir, who).start("svscan", ["-L", "logs", "scan"]);
        a.up();
        b.up();
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.out().as_str(), done.err().as_str()), (0, "", ""));
        let mut lines = logged(&dir);
        lines.sort();
        assert_eq!(lines, ["a: bye", "a: err", "a: out", "b: bye", "b: err", "b: out"]);
        dir.nobody_is_left();
    });
}

#[test]
fn all_is_shown_and_logged_too() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut a = Service::new(&dir, "scan/a", "echo out; echo err >&2");
    let log = format!("--log={}", dir.path("logs").display());
    let mut svscan = dir.start("svscan", ["-l", &log, "scan"]);
    a.up();
    // What svscan says itself is there, and shown.
    std::os::unix::fs::symlink("nowhere", dir.path("scan/dangling")).unwrap();
    let line = svscan.complains("dangling");
    let (out, err) = end(&dir, svscan);
    assert_eq!(out, "out\n");
    assert!(err.is_empty() || err.lines().all(|line| line == "err" || line.contains("dangling")));
    let lines = logged(&dir);
    for line in ["a: out", "a: err", &line] {
        assert!(lines.iter().any(|logged| logged == line), "{line}: {lines:?}");
    }
}

#[test]
fn no_line_is_lost_when_the_logger_or_svscan_is_killed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("logs");
    let changes = Changes::of(&[&dir.path("logs")]);
    let mut a = Halves::new(&dir, "a", "echo one", "echo two");
    let mut svscan = dir.start("svscan", ["-L", "logs", "scan"]);
    let has = |line: &str| logged(&dir).iter().filter(|logged| *logged == line).count();
    let wait = |line: &str, count| {
        changes.until(line, || (has(line) == count).then_some(()));
    };
    assert_eq!(a.service.said.line(), "half");
    wait("a: one", 1);
    let loggers = called(&dir, "multilog");
    assert_eq!(loggers.len(), 1);
    kill_process(Pid::from_raw(loggers[0]).unwrap(), Signal::KILL).unwrap();
    a.go.say("");
    wait("a: two", 1);
    a.service.up();
    supervised(&a.service.path);
    // Its logger goes on with the next one, or for itself.
    svscan.signal(Signal::KILL);
    assert_eq!(svscan.ends(), 137);
    svscan = dir.start("svscan", ["-L", "logs", "scan"]);
    a.service.svc(&dir, "-t");
    assert_eq!(a.service.said.line(), "half");
    wait("a: one", 2);
    assert_eq!(called(&dir, "multilog").len(), 1);
    let (out, err) = end(&dir, svscan);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    assert_eq!((has("a: one"), has("a: two")), (2, 1));
}

#[test]
fn a_directory_that_cannot_be_made() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("scan");
    let done = dir.run("svscan", ["-L", "no/where", "scan"]);
    let words = "svscan: fatal: unable to use log directory no/where: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

#[test]
fn svscan_anew_waits_for_the_logger_that_it_finds() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut a = Service::new(&dir, "scan/a", "trap 'echo bye; exit' TERM");
    let svscan = dir.start("svscan", ["-L", "logs", "scan"]);
    a.up();
    supervised(&a.path);
    let logger = called(&dir, "multilog");
    let lines = Pid::from_raw(called(&dir, "svlines")[0]).unwrap();
    let old = pidfd_open(lines, PidfdFlags::empty()).unwrap();
    svscan.signal(Signal::USR1);
    assert!(readable(&old, deadline()), "the old svlines stays");
    assert_eq!(called(&dir, "multilog"), logger);
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
    assert_eq!(logged(&dir), ["a: bye"]);
}

/// Whoever has started the logger, and however often it was killed.
#[test]
fn the_last_lines_are_logged_by_a_logger_anew() {
    if testing_originals() {
        return;
    }
    for is_ours in [true, false] {
        let dir = Dir::new();
        let script = "trap 'echo bye; exit' TERM; echo one";
        let mut a = Service::new(&dir, "scan/a", script);
        let changes = Changes::of(&[&dir.mkdir("logs")]);
        let svscan = dir.start("svscan", ["-L", "logs", "scan"]);
        a.up();
        supervised(&a.path);
        changes.until("a line", || logged(&dir).contains(&"a: one".to_owned()).then_some(()));
        if !is_ours {
            let lines = Pid::from_raw(called(&dir, "svlines")[0]).unwrap();
            let old = pidfd_open(lines, PidfdFlags::empty()).unwrap();
            svscan.signal(Signal::USR1);
            assert!(readable(&old, deadline()), "the old svlines stays");
        }
        let logger = Pid::from_raw(called(&dir, "multilog")[0]).unwrap();
        let pidfd = pidfd_open(logger, PidfdFlags::empty()).unwrap();
        kill_process(logger, Signal::KILL).unwrap();
        assert!(readable(&pidfd, deadline()));
        assert_eq!(end(&dir, svscan), (String::new(), String::new()));
        assert_eq!(logged(&dir), ["a: one", "a: bye"], "{is_ours}");
    }
}

/// Nobody would read what goes into the pipe.
#[test]
fn a_directory_that_is_somebody_elses() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("scan");
    let changes = Changes::of(&[&dir.mkdir("logs")]);
    let input = dir.fifo("in");
    let mut command = dir.command("sh");
    let script = "exec 4<>in; exec \"$0\" ./logs <in";
    let multilog = crate::support::program("multilog");
    let multilog = Process::start(command.args(["-c", script]).arg(multilog));
    // It has the lock before it has this.
    changes.until("the log", || dir.path("logs/current").exists().then_some(()));
    let done = dir.run("svscan", ["-n", "-L", "logs", "scan"]);
    let words = "svscan: fatal: unable to use log directory logs: another process uses it\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
    // What was left there is no reason not to say it again.
    let done = dir.run("svscan", ["-n", "-L", "logs", "scan"]);
    assert_eq!((done.code, done.err().as_str()), (111, words));
    multilog.signal(Signal::TERM);
    assert_eq!(multilog.finish().code, 0);
    drop(input);
}

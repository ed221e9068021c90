//! What a main command waits for, where services wait for each other: all that
//! can come up, and no more.

use crate::support::container::{Container, Plan, both};
use crate::support::{Dir, Process, Service, supervised};

/// Longer than any test: only what ends the waiting itself lets a command begin.
const LONG: [&str; 2] = ["-y", "100000"];

fn needs(dir: &Dir, name: &str, other: &str) {
    dir.script(format!("scan/{name}/run"), "exec sleep 1000");
    dir.file(format!("scan/{name}/needs/{other}"), "");
}

/// A service that fails for good, and is never ready.
fn failed(dir: &Dir, name: &str) {
    dir.script(format!("scan/{name}/run"), "exit 1");
    dir.file(format!("scan/{name}/restart-limit"), "1 60");
    dir.file(format!("scan/{name}/notification-fd"), "5");
}

/// One that is ready when its gate says so, and leaves a file first.
fn late(dir: &Dir, name: &str) {
    let script = "read go <../../NAME.gate; echo >../../ready; echo >&5; exec sleep 1000";
    dir.script(format!("scan/{name}/run"), &script.replace("NAME", name));
    dir.file(format!("scan/{name}/notification-fd"), "5");
}

/// The end, and those that are named because they do not come up: in one line.
fn left_out(dir: &Dir, container: Container<'_>, named: &[&str], code: i32) {
    let done = container.process.finish();
    let start = "svscan: warning: not waiting for what cannot come up: ";
    let err = done.err();
    let lines: Vec<_> = err.lines().filter_map(|line| line.strip_prefix(start)).collect();
    let mut names: Vec<_> = lines.iter().flat_map(|line| line.split(' ')).collect();
    names.sort_unstable();
    assert_eq!((done.code, names.as_slice()), (code, named), "{err}");
    assert!(lines.len() <= 1 && !err.contains("in time"), "{err}");
    dir.nobody_is_left();
}

const COMMAND: [&str; 5] = ["scan", "--", "sh", "-c", "[ -e ready ] && exit 6; exit 5"];

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&LONG[..], more, &COMMAND].concat()
}

/// That one does not come up, however long somebody waits.
fn stays_away(dir: &Dir, container: &Container<'_>, name: &str) {
    supervised(&dir.path("scan").join(name));
    let done = container.start("svwait", ["-U", "-t", "400", &format!("scan/{name}")]).finish();
    assert_eq!(done.code, 99, "{done:?}");
}

#[test]
fn a_circle() {
    both(|who| {
        let all = ["a", "b", "c"];
        for (word, named, code) in [("warn", &all[..], 5), ("ignore", &[], 5), ("stop", &all, 111)]
        {
            let dir = Dir::new();
            needs(&dir, "a", "b");
            needs(&dir, "b", "a");
            needs(&dir, "c", "a");
            let mut fine = Service::new(&dir, "scan/fine", "");
            let container = Plan::new(&dir, who).start("svscan", args(&["-x", word]));
            fine.up();
            left_out(&dir, container, named, code);
        }
    });
}

#[test]
fn a_need_that_is_not_there() {
    both(|who| {
        for need in ["failed", "nobody", "web"] {
            let dir = Dir::new();
            failed(&dir, "failed");
            needs(&dir, "web", need);
            let container = Plan::new(&dir, who).start("svscan", args(&[]));
            left_out(&dir, container, &["web"], 5);
        }
    });
}

/// What one only wants, or follows, holds up nobody when it has failed.
#[test]
fn a_wish_that_has_failed() {
    both(|who| {
        let dir = Dir::new();
        failed(&dir, "failed");
        for tie in ["wants", "after"] {
            late(&dir, tie);
            dir.file(format!("scan/{tie}/{tie}/failed"), "");
        }
        let gates = [dir.fifo("wants.gate"), dir.fifo("after.gate")];
        let container = Plan::new(&dir, who).start("svscan", args(&[]));
        gates.iter().for_each(|gate| gate.say("go"));
        left_out(&dir, container, &[], 6);
    });
}

/// What cannot be read may name anybody.
#[test]
fn needs_that_cannot_be_read() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/web/run", "exec sleep 1000");
        std::os::unix::fs::symlink("needs", dir.path("scan/web/needs")).unwrap();
        let container = Plan::new(&dir, who).start("svscan", args(&[]));
        left_out(&dir, container, &["web"], 5);
    });
}

#[test]
fn what_is_on_its_way_is_waited_for() {
    both(|who| {
        let dir = Dir::new();
        needs(&dir, "a", "b");
        needs(&dir, "b", "a");
        late(&dir, "late");
        let gate = dir.fifo("late.gate");
        let container = Plan::new(&dir, who).start("svscan", args(&[]));
        stays_away(&dir, &container, "a");
        gate.say("go");
        left_out(&dir, container, &["a", "b"], 6);
    });
}

/// Each comes up because the one before has, down ones too, which are called.
#[test]
fn a_chain() {
    both(|who| {
        let dir = Dir::new();
        late(&dir, "a");
        dir.file("scan/a/down", "");
        needs(&dir, "b", "a");
        dir.file("scan/b/down", "");
        late(&dir, "c");
        dir.file("scan/c/wants/b", "");
        needs(&dir, "d", "c");
        let gates = [dir.fifo("a.gate"), dir.fifo("c.gate")];
        let container = Plan::new(&dir, who).start("svscan", args(&[]));
        stays_away(&dir, &container, "d");
        gates[0].say("go");
        std::fs::remove_file(dir.path("ready")).unwrap_or_default();
        stays_away(&dir, &container, "d");
        gates[1].say("go");
        left_out(&dir, container, &[], 6);
    });
}

#[test]
fn a_need_that_is_told_to_be_down() {
    both(|who| {
        let dir = Dir::new();
        late(&dir, "db");
        needs(&dir, "web", "db");
        let _gate = dir.fifo("db.gate");
        let container = Plan::new(&dir, who).start("svscan", args(&[]));
        supervised(&dir.path("scan/db"));
        for words in [&["svwait", "-u", "scan/db"][..], &["svc", "-d", "scan/db"]] {
            let done = container.start(words[0], &words[1..]).finish();
            assert_eq!(done.code, 0, "{done:?}");
        }
        left_out(&dir, container, &["web"], 5);
    });
}

/// Where the kernel tells nothing, it is looked.
#[test]
fn without_being_told() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    needs(&dir, "a", "b");
    needs(&dir, "b", "a");
    let mut command = dir.tool("svscan", args(&[]));
    let mut svscan = Process::start(command.env("UPKEEP_REFUSE", "inotify"));
    let line = svscan.complains("not waiting for what cannot come up: ");
    assert!(line.ends_with(": a b") || line.ends_with(": b a"), "{line}");
    assert_eq!(svscan.finish().code, 5);
}

//! A reader that does not read, or that has gone: only those who write wait.

use super::{Halves, called, end};
use crate::support::container::{Plan, both};
use crate::support::{Dir, Process, Service, Terminal, program, supervised, testing_originals};
use rustix::process::Signal;

#[test]
fn svscan_does_not_wait_for_a_stuck_reader() {
    both(|who| {
        let dir = Dir::new();
        let flood = "echo up $$ >$said; exec yes a line without end";
        let mut flood = Service::with_script(&dir, "scan/flood", flood);
        let mut other = Halves::new(&dir, "other", ":", "echo complaint >&2; echo line");
        let mut container = Plan::new(&dir, who).start("svscan", ["-n", "scan"]);
        flood.said.line();
        assert_eq!(other.service.said.line(), "half");
        other.go.say("");
        // What goes elsewhere is not held up.
        assert_eq!(container.process.complains("complaint"), "other: complaint");
        supervised(&other.service.path);
        let done = container.start("svstat", ["scan/other"]).finish();
        assert!(done.out().contains(": up"), "{}", done.out());
        container.signal(Signal::TERM);
        // The last words of somebody whom nobody listens to are not waited for.
        let line = container.process.complains("last lines");
        assert_eq!(line, "svscan: warning: unable to write the last lines of services in time");
        let done = container.process.finish();
        assert_eq!(done.code, 0, "{}", done.err());
        // Its last line may be half of one.
        let out = done.out();
        let whole = out.rsplit_once('\n').unwrap().0;
        let known = ["flood: a line without end", "other: line"];
        assert!(whole.lines().all(|line| known.contains(&line)));
        dir.nobody_is_left();
    });
}

/// Nor for a terminal at which nobody is.
#[test]
fn a_stuck_terminal_holds_up_nothing_else() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    let flood = "echo up $$ >$said; exec yes a line without end";
    let mut flood = Service::with_script(&dir, "scan/flood", flood);
    let mut other = Halves::new(&dir, "other", ":", "echo complaint >&2");
    let mut command = dir.command("sh");
    let script = format!("exec {} -n scan >&0 </dev/null", program("svscan").display());
    let mut svscan = Process::start(command.args(["-c", &script]).stdin(slave));
    flood.said.line();
    terminal.draws("flood: a line without end", "\n");
    assert_eq!(other.service.said.line(), "half");
    other.go.say("");
    assert_eq!(svscan.complains("complaint"), "other: complaint");
    supervised(&flood.path);
    supervised(&other.service.path);
    svscan.signal(Signal::TERM);
    let line = svscan.complains("last lines");
    assert_eq!(line, "svscan: warning: unable to write the last lines of services in time");
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// A line that is longer than the room of which a full pipe tells.
#[test]
fn long_lines_hold_up_nothing_else() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let flood = "echo up $$ >$said; exec yes \"$(head -c 13000 /dev/zero | tr '\\0' y)\"";
    let mut flood = Service::with_script(&dir, "scan/flood", flood);
    let mut other = Halves::new(&dir, "other", "echo one >&2", "echo two >&2");
    let mut svscan = dir.start("svscan", ["-n", "-L", "logs", "scan"]);
    flood.said.line();
    assert_eq!(svscan.complains("one"), "other: one");
    assert_eq!(other.service.said.line(), "half");
    other.go.say("");
    assert_eq!(svscan.complains("two"), "other: two");
    supervised(&flood.path);
    supervised(&other.service.path);
    // The next one's output is not that of the one that is stuck.
    svscan.signal(Signal::KILL);
    let mut next = dir.start("svscan", ["-l", "scan"]);
    assert!(next.prints("y").starts_with('y'));
    for service in [&flood, &other.service] {
        service.svc(&dir, "-d");
    }
    next.signal(Signal::TERM);
    assert_eq!(next.finish().code, 0);
    drop(svscan);
}

#[test]
fn a_reader_that_has_gone_is_said_once() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut talker = Service::new(&dir, "scan/talker", "echo 1; echo 2 >&2");
    // A pipe that nobody reads any more.
    let mut command = dir.command("sh");
    let svscan = program("svscan");
    let script = format!(
        "mkfifo gone; exec 4<>gone 5>gone 4<&-; exec {} -l scan >&5 5>&-",
        svscan.display()
    );
    let mut svscan = Process::start(command.args(["-c", &script]));
    talker.up();
    let words = "svlines: warning: unable to write to standard output, dropping lines: broken pipe";
    assert_eq!(svscan.complains("unable"), words);
    for _ in 0..3 {
        talker.svc(&dir, "-t");
        talker.up();
    }
    let (_, err) = end(&dir, svscan);
    assert!(err.lines().all(|line| line == "2"), "{err}");
}

#[test]
fn a_trickle_comes_through_beside_floods() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let flood = |n| {
        let script = "echo up $$ >$said; exec yes a flood of lines";
        Service::with_script(&dir, &format!("scan/flood{n}"), script)
    };
    let mut floods: Vec<_> = (0..3).map(flood).collect();
    let mut trickle = Halves::new(&dir, "trickle", "echo drop one", "echo drop two");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    floods.iter_mut().for_each(|flood| drop(flood.said.line()));
    assert_eq!(svscan.prints("drop one"), "trickle: drop one");
    assert_eq!(trickle.service.said.line(), "half");
    trickle.go.say("");
    assert_eq!(svscan.prints("drop two"), "trickle: drop two");
    // One that is killed has no part in that.
    assert_eq!(called(&dir, "svlines").len(), 1);
    for flood in &floods {
        flood.svc(&dir, "-d");
    }
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

//! The scripts in `control`, which stand in for signals in a directory for
//! runit, beside Debian's runsv where it is installed.

use crate::adopt::kill;
use crate::support::{Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::path::Path;

/// A service that says which signals it gets.
fn service(dir: &Dir) -> Service {
    let signals = ["TERM", "CONT", "HUP", "ALRM", "INT", "QUIT", "USR1", "USR2"];
    let traps = signals.map(|s| format!("trap 'echo {s} >$said' {s}\n"));
    Service::new(dir, "s", &traps.concat())
}

/// Scripts for the letters, which say that they run and end with the code in
/// the file `code`.
fn scripts(dir: &Dir, said: &Path, letters: &str) {
    for letter in letters.chars() {
        let body = format!(
            "read code <code\necho script {letter} $# $0 ${{PWD##*/}} >{}\nexit $code",
            said.display()
        );
        dir.script(format!("s/control/{letter}"), &body);
    }
}

fn script(letter: char) -> String {
    format!("script {letter} 0 control/{letter} s")
}

fn tell(service: &Service, letter: &str) {
    fs::write(service.path.join("supervise/control"), letter).unwrap();
}

fn until_stat(service: &Service, stat: &str) {
    let file = service.path.join("supervise/stat");
    service.until(stat, |_| fs::read_to_string(&file).is_ok_and(|s| s.trim_end() == stat));
}

/// Each letter with scripts that succeed and with scripts that fail: what is
/// said by whom, and what the status is then.
fn sequence(supervise: &Path) {
    let dir = Dir::new();
    let mut service = service(&dir);
    scripts(&dir, service.said.path(), "tdxpckhaiq12");
    dir.file("s/code", "0\n");
    let process = Process::start(dir.command(supervise).arg("s"));
    service.up();
    supervised(&service.path);
    for (code, letter, scripts, signals, stat) in [
        ("0", "t", "t", "", "run"),
        ("0", "p", "p", "", "run, paused"),
        ("0", "c", "c", "", "run"),
        ("0", "d", "td", "CONT", "run, want down"),
        ("0", "u", "", "", "run"),
        ("0", "h", "h", "", "run"),
        ("0", "a", "a", "", "run"),
        ("0", "i", "i", "", "run"),
        ("0", "q", "q", "", "run"),
        ("0", "1", "1", "", "run"),
        ("0", "2", "2", "", "run"),
        ("1", "h", "h", "HUP", "run"),
        ("1", "a", "a", "ALRM", "run"),
        ("1", "i", "i", "INT", "run"),
        ("1", "q", "q", "QUIT", "run"),
        ("1", "1", "1", "USR1", "run"),
        ("1", "2", "2", "USR2", "run"),
        ("1", "t", "t", "TERM", "run, got TERM"),
        ("1", "p", "p", "", "run, paused, got TERM"),
        ("1", "c", "c", "CONT", "run, got TERM"),
        ("1", "d", "td", "TERM CONT", "run, got TERM, want down"),
        ("1", "o", "", "", "run, got TERM, want down"),
        ("0", "x", "tx", "CONT", "run, got TERM, want exit"),
    ] {
        dir.file("s/code", format!("{code}\n"));
        tell(&service, letter);
        let mut expected: Vec<_> = scripts.chars().map(script).collect();
        expected.extend(signals.split_whitespace().map(String::from));
        let mut lines: Vec<_> = expected.iter().map(|_| service.said.line()).collect();
        let who = supervise.display();
        if let [first, ..] = expected.as_slice() {
            assert_eq!(&lines[0], first, "{who}: {letter} {code}");
        }
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected, "{who}: {letter} {code}");
        until_stat(&service, stat);
    }
    dir.file("s/code", "1\n");
    process.signal(Signal::TERM);
    let mut lines: Vec<_> = (0..4).map(|_| service.said.line()).collect();
    lines.sort();
    assert_eq!(lines, ["CONT".to_string(), "TERM".to_string(), script('t'), script('x')]);
    tell(&service, "k");
    assert_eq!(service.said.line(), script('k'));
    assert_eq!(process.ends(), 0);
    assert!(service.said.is_silent());
}

#[test]
fn they_stand_in_for_signals_as_in_runit() {
    if testing_originals() {
        return;
    }
    sequence(&crate::support::program("supervise"));
    let runsv = Path::new("/usr/bin/runsv");
    if runsv.exists() {
        sequence(runsv);
    }
}

/// A service with a `control/t` that says so and takes until it is told.
fn with_slow_script(dir: &Dir, more: &str) -> (Service, crate::support::Fifo) {
    let go = dir.fifo("go");
    let service = service(dir);
    let said = service.said.path().display();
    let body =
        format!("echo asked >{said}\n{more}\nread code <{}; exit $code", go.path().display());
    dir.script("s/control/t", &body);
    (service, go)
}

/// Nothing waits for a script but what was asked for after it, and a KILL does
/// not.
#[test]
fn supervise_waits_for_none() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut service, go) = with_slow_script(&dir, "");
    let supervise = dir.start("supervise", ["s"]);
    service.up();
    supervised(&service.path);
    for (code, lines) in [("0", ["HUP"].as_slice()), ("1", &["TERM", "HUP"])] {
        service.svc(&dir, "-t");
        assert_eq!(service.said.line(), "asked");
        service.svc(&dir, "-ho");
        assert!(service.said.is_silent(), "overtaken");
        until_stat(&service, "run, want down");
        go.say(code);
        let mut said: Vec<_> = lines.iter().map(|_| service.said.line()).collect();
        said.sort();
        let mut lines = lines.to_vec();
        lines.sort_unstable();
        assert_eq!(said, lines);
        service.svc(&dir, "-u");
    }
    until_stat(&service, "run, got TERM");
    // More than there is room for, and all of it counts.
    service.svc(&dir, "-t");
    assert_eq!(service.said.line(), "asked");
    tell(&service, &format!("{}q", "h1".repeat(100)));
    go.say("0");
    let mut missing = vec!["HUP", "USR1", "QUIT"];
    while !missing.is_empty() {
        let line = service.said.line();
        missing.retain(|name| *name != line);
    }
    service.svc(&dir, "-k");
    let pid = loop {
        if let Some(pid) = service.said.line().strip_prefix("up ") {
            break pid.parse().unwrap();
        }
    };
    service.until("it is up", |seen| seen.pid == pid);
    // Dead, it is sent nothing, and the next process neither.
    service.svc(&dir, "-th");
    assert_eq!(service.said.line(), "asked");
    service.svc(&dir, "-k");
    let next = service.up();
    assert_ne!(next, pid);
    go.say("1");
    until_stat(&service, "run");
    assert!(service.said.is_silent());
    // supervise leaves with the script, not before it.
    service.svc(&dir, "-x");
    assert_eq!(service.said.line(), "asked");
    service.svc(&dir, "-k");
    service.until("the end", |seen| seen.pid == 0);
    service.svc(&dir, "-u");
    go.say("0");
    assert_eq!(supervise.finish().code, 0);
    assert!(service.said.is_silent());
}

#[test]
fn one_that_takes_too_long_is_killed_and_has_failed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut service, _go) = with_slow_script(&dir, "sleep 1000 & ");
    dir.file("s/timeout-control", "1000\n");
    let mut supervise = dir.start("supervise", ["s"]);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-t");
    assert_eq!(service.said.line(), "asked");
    assert_eq!(service.said.line(), "TERM");
    let words = "supervise: warning: s/control/t has taken too long and was killed";
    assert_eq!(supervise.complains("too long"), words);
    until_stat(&service, "run, got TERM");
    dir.until_gone(|line| line.contains("sleep 1000"));
    // A deadline for the service does not ask, and one of a script that is
    // there and cannot be executed is none.
    dir.script("s/control/k", "exit 0");
    dir.file("s/timeout-kill", "1000");
    kill(service.seen().unwrap().pid);
    service.up();
    fs::remove_file(service.path.join("control/t")).unwrap();
    dir.file("s/control/t", "#!/bin/sh\nexit 0\n");
    service.svc(&dir, "-kx");
    let mut lines = [service.said.line(), service.said.line()];
    lines.sort();
    assert_eq!(lines, ["CONT", "TERM"]);
    assert_eq!(supervise.finish().code, 0);
}

/// Killed while a script runs, supervise leaves word that a stop was under way,
/// unless there was something else since.
#[test]
fn the_next_supervise_carries_the_stop_out() {
    if testing_originals() {
        return;
    }
    for (letters, again) in [("-d", true), ("-dh", true), ("-du", false), ("-t", false)] {
        let dir = Dir::new();
        let (mut service, go) = with_slow_script(&dir, "");
        let first = dir.start("supervise", ["s"]);
        let pid = service.up();
        supervised(&service.path);
        service.svc(&dir, letters);
        assert_eq!(service.said.line(), "asked");
        let want = if again { b'd' } else { b'u' };
        service.until("the want", |seen| seen.want == want);
        let mark = || fs::read(service.path.join("supervise/status")).unwrap()[69] & 2 != 0;
        service.until("the mark", |_| mark() == again);
        kill(first.pid());
        assert_ne!(first.ends(), 0);
        go.say("0");
        let second = dir.start("supervise", ["s"]);
        supervised(&service.path);
        if again {
            assert_eq!(service.said.line(), "asked");
            go.say("1");
            let mut lines = [service.said.line(), service.said.line()];
            lines.sort();
            assert_eq!(lines, ["CONT", "TERM"]);
            until_stat(&service, "run, got TERM, want down");
            service.until("no mark", |_| !mark());
        } else {
            until_stat(&service, "run");
            assert_eq!(service.seen().unwrap().pid, pid);
            assert!(service.said.is_silent());
        }
        kill(second.pid());
    }
}

/// Without cgroups too, a script is not one of the service's processes.
#[test]
fn a_tree_is_ended_without_the_script() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut service, go) = (service(&dir), dir.fifo("go"));
    let said = service.said.path().display();
    let body = format!(
        "trap 'echo wrong >{said}' TERM\necho asked >{said}\nread code <{}\necho done >{said}",
        go.path().display()
    );
    dir.script("s/control/h", &body);
    dir.file("s/kill-mode", "tree\n");
    let mut command = dir.tool("supervise", ["s"]);
    let supervise = Process::start(command.env("UPKEEP_REFUSE", "cgroup"));
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "asked");
    service.svc(&dir, "-k");
    service.up();
    go.say("0");
    assert_eq!(service.said.line(), "done");
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "asked");
    service.svc(&dir, "-t");
    go.say("0");
    let mut lines = [service.said.line(), service.said.line()];
    lines.sort();
    assert_eq!(lines, ["TERM", "done"]);
    service.svc(&dir, "-xk");
    assert_eq!(supervise.finish().code, 0);
}

/// Killed at any step of a stop, it is carried out all the same.
#[test]
fn whoever_is_killed_a_stop_is_carried_out() {
    if testing_originals() {
        return;
    }
    for point in ["down: intended", "script: started", "signal: sent", "status: written"] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "trap 'exit 0' TERM");
        let said = service.said.path().display();
        dir.script("scan/s/control/t", &format!("echo asked >{said}; exit 1"));
        let at = format!("{point}={}", dir.path("death").display());
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at));
        service.up();
        supervised(&service.path);
        dir.file("death", "");
        service.svc(&dir, "-d");
        service.until(point, |seen| (seen.pid, seen.want) == (0, b'd'));
        assert_eq!(service.said.line(), "asked", "{point}");
        assert!(!dir.path("death").exists(), "{point}: nobody came there");
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
    }
}

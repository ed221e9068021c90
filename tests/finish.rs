//! `finish`: when it runs, with what arguments, and what its end means; beside
//! the suites it comes from.

use crate::adopt::{history, kill, parent_of, supervised_by_another};
use crate::support::{Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;

/// A service that ends as it is told on the FIFO `go`, and a `finish` that
/// says what it is told.
fn with_finish(dir: &Dir, name: &str, more: &str) -> Service {
    let service = Service::new(dir, name, "trap 'exit 7' HUP");
    dir.script(
        format!("{name}/finish"),
        &format!("said={}\necho finish $# \"$@\" >$said\n{more}", service.said.path().display()),
    );
    service
}

#[test]
fn it_runs_after_each_end_and_is_told_which() {
    if testing_originals() {
        return;
    }
    for (s6, killed) in [(false, "-1"), (true, "256")] {
        let dir = Dir::new();
        let mut service = with_finish(&dir, "service", "");
        if s6 {
            fs::write(service.path.join("timeout-finish"), "60000\n").unwrap();
        }
        let supervise = service.supervise(&dir);
        let mut pid = service.up();
        supervised(&service.path);
        for (letter, code, signal) in [("-h", "7", "0"), ("-k", killed, "9")] {
            service.svc(&dir, letter);
            let words = format!("finish 4 {code} {signal} service {pid}");
            assert_eq!(service.said.line(), words);
            let next = service.up();
            assert_ne!(next, pid);
            pid = next;
        }
        service.svc(&dir, "-dx");
        assert_eq!(service.said.line(), format!("finish 4 {killed} 15 service {pid}"));
        assert_eq!(supervise.finish().code, 0);
        assert_eq!(service.seen().unwrap().pid, 0);
    }
}

#[test]
fn as_long_as_it_runs_nothing_is_started() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let go = dir.fifo("go");
    let more = format!("read go <{}", go.path().display());
    let mut service = with_finish(&dir, "s", &more);
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-k");
    assert_eq!(service.said.line(), format!("finish 4 -1 9 s {pid}"));
    service.until("finish", |seen| seen.pid != pid);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, finishing, want up");
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    assert_eq!((record[19], record[68]), (2, 5));
    // It is not the service that is ready.
    assert_eq!(record[96..108], [0; 12]);
    // d is for afterwards, and so is u: what tidies up is let do so.
    service.svc(&dir, "-d");
    service.until("down is wanted", |seen| seen.want == b'd');
    service.svc(&dir, "-u");
    service.until("up is wanted", |seen| seen.want == b'u');
    assert!(service.said.is_silent());
    go.say("on");
    service.up();
    service.svc(&dir, "-dx");
    service.said.line();
    go.say("on");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn one_that_takes_too_long_is_killed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let hold = dir.fifo("hold");
    let more = format!("exec 3<>{}; read nothing <&3", hold.path().display());
    let mut service = with_finish(&dir, "s", &more);
    fs::write(service.path.join("timeout-finish"), "1000").unwrap();
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-k");
    service.said.line();
    service.up();
    // Without a limit it is killed by whoever wants that.
    fs::write(service.path.join("timeout-finish"), "0").unwrap();
    service.svc(&dir, "-dx");
    service.said.line();
    service.svc(&dir, "-k");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn with_125_it_says_never_again() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_finish(&dir, "s", "exit 125");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), format!("finish 4 7 0 s {pid}"));
    let seen = service.until("the end", |seen| seen.pid == 0);
    assert_eq!(seen.want, b'd');
    // Until it is told to.
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-dx");
    service.said.line();
    assert_eq!(supervise.finish().code, 0);
}

/// Killed at every step of it: it runs once for each end, and nothing beside
/// it.
#[test]
fn whoever_is_killed_it_runs_once() {
    if testing_originals() {
        return;
    }
    for point in ["start: child^", "start: recorded^", "status: written"] {
        let dir = Dir::new();
        let mut service = with_finish(&dir, "scan/s", "");
        let at = format!("{point}={}", dir.path("death").display());
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at));
        let pid = service.up();
        supervised(&service.path);
        dir.file("death", "");
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), format!("finish 4 7 0 s {pid}"), "{point}");
        let next = service.up();
        assert!(!dir.path("death").exists(), "{point}: nobody came there");
        supervised(&service.path);
        svscan.signal(Signal::TERM);
        assert_eq!(service.said.line(), format!("finish 4 -1 15 s {next}"), "{point}");
        assert_eq!(svscan.finish().code, 0);
        assert!(service.said.is_silent(), "{point}");
        dir.nobody_is_left();
    }
}

#[test]
fn the_next_supervise_waits_for_it_and_runs_what_is_due() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let go = dir.fifo("go");
    let more = format!("read go <{}", go.path().display());
    let mut service = with_finish(&dir, "scan/s", &more);
    let svscan = dir.start("svscan", ["scan"]);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-h");
    service.said.line();
    let finish = service.until("finish", |seen| ![0, pid].contains(&seen.pid)).pid;
    let supervise = parent_of(finish);
    kill(supervise);
    supervised_by_another(&service, supervise);
    assert_eq!(service.seen().unwrap().pid, finish);
    go.say("on");
    let next = service.up();
    // Dead with its supervise, so that nobody knows how.
    let supervise = parent_of(next);
    svscan.signal(Signal::STOP);
    kill(supervise);
    kill(next);
    svscan.signal(Signal::CONT);
    let line = service.said.line();
    assert!(line.starts_with("finish 4 ") && line.ends_with(&format!(" s {next}")), "{line}");
    go.say("on");
    service.up();
    assert_eq!(history(&service.path).1, 3);
    svscan.signal(Signal::TERM);
    service.said.line();
    go.say("on");
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// What happens in the directory `s` under another suite's program and under
/// ours: each line that is said, with the numbers of processes left out.
fn under(program: &[&str], s6: bool) -> Vec<String> {
    let dir = Dir::new();
    let said = dir.fifo("said");
    let mut service = Service { path: dir.path("s"), said };
    let to = service.said.path().display().to_string();
    // The third ends as a service that crashed, the fourth stays.
    dir.script(
        "s/run",
        &format!(
            "n=$(cat n 2>/dev/null); echo $((n + 1)) >n; echo run $n >{to}
            case $n in '') exit 3;; 1) kill -9 $$;; 2) exit 0;; esac
            trap 'exit 9' HUP; exec 3<>hold; while :; do read nothing <&3; done"
        ),
    );
    dir.script("s/finish", &format!("echo finish \"$1\" \"$2\" \"$(cat n)\" >{to}"));
    dir.hold("s/hold");
    if s6 {
        dir.file("s/timeout-finish", "60000");
    }
    let mut command = if program.is_empty() {
        dir.tool("supervise", [""; 0])
    } else {
        let mut command = dir.command(program[0]);
        command.args(&program[1..]);
        command
    };
    let process = Process::start(command.arg("s"));
    let mut lines: Vec<_> = (0..7).map(|_| service.said.line()).collect();
    process.signal(Signal::TERM);
    if s6 {
        lines.push(service.said.line());
    }
    let _ = process.ends();
    lines
}

#[test]
fn the_same_as_in_runit() {
    if testing_originals() || crate::support::originals().is_none() {
        return;
    }
    assert_eq!(under(&[], false), under(&["runsv"], false));
}

#[test]
fn the_same_as_in_s6() {
    let there = std::path::Path::new("/usr/bin/s6-supervise").exists();
    if testing_originals() || crate::support::originals().is_none() || !there {
        return;
    }
    assert_eq!(under(&[], true), under(&["s6-supervise"], true));
}

/// Signals are for the service: what tidies up after it is not told them, as in
/// runit and s6.
#[test]
fn it_is_not_told_what_is_for_the_service() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let go = dir.fifo("go");
    let more = format!(
        "trap 'echo trapped >$said' TERM HUP ALRM INT QUIT USR1 USR2 WINCH\nread go <{}",
        go.path().display()
    );
    let mut service = with_finish(&dir, "s", &more);
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-k");
    service.said.line();
    service.until("finish", |seen| ![0, pid].contains(&seen.pid));
    service.svc(&dir, "-thaiq12wl");
    // The last letter is heard by now, and so are those before it.
    service.svc(&dir, "-d");
    service.until("the last letter", |seen| seen.want == b'd');
    go.say("on");
    service.until("the end", |seen| seen.pid == 0);
    assert!(service.said.is_silent());
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
}

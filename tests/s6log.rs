//! s6-log: signals, readiness, what s6's loses, and being killed.

use super::multilog_killed::{complaint, filled, lines};
use super::support::{
    Changes, Dir, Process, Random, Service, program, programs, s6, testing_originals,
};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{ChildStdin, Stdio};

fn start(dir: &Dir, words: &[&str]) -> (Process, ChildStdin, Changes) {
    let log = dir.mkdir("log");
    let mut process = Process::start(dir.tool("s6-log", words).stdin(Stdio::piped()));
    let stdin = process.stdin();
    (process, stdin, Changes::of(&[&log]))
}

fn text(path: impl AsRef<Path>) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The old logs, the oldest first.
fn old(log: &Path) -> Vec<String> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@')).collect();
    names.sort();
    names
}

/// All logs of a directory together, the oldest first. One that is renamed
/// meanwhile is left out: whoever waits looks again.
fn logged(log: &Path) -> Vec<u8> {
    let names = old(log).into_iter().chain(["current".to_owned()]);
    names.flat_map(|name| fs::read(log.join(name)).unwrap_or_default()).collect()
}

#[test]
fn term_and_hangup_end_it() {
    for signal in [Signal::TERM, Signal::HUP] {
        let dir = Dir::new();
        let (process, mut stdin, changes) = start(&dir, &["./log"]);
        let current = dir.path("log/current");
        stdin.write_all(b"one\n").unwrap();
        changes.until("the line", || (text(&current) == "one\n").then_some(()));
        process.signal(signal);
        assert_eq!(process.finish().code, 0);
        assert_eq!(fs::metadata(current).unwrap().mode() & 0o777, 0o744);
    }
}

#[test]
fn with_p_only_a_hangup_does() {
    let dir = Dir::new();
    let (process, mut stdin, changes) = start(&dir, &["-p", "./log"]);
    let current = dir.path("log/current");
    stdin.write_all(b"one\n").unwrap();
    changes.until("the line", || (text(&current) == "one\n").then_some(()));
    process.signal(Signal::TERM);
    stdin.write_all(b"two\n").unwrap();
    changes.until("the line", || (text(&current) == "one\ntwo\n").then_some(()));
    process.signal(Signal::HUP);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn alarm_begins_a_new_log() {
    let dir = Dir::new();
    let (process, mut stdin, changes) = start(&dir, &["./log", "-", "./empty"]);
    let log = dir.path("log");
    stdin.write_all(b"one\n").unwrap();
    changes.until("the line", || (text(log.join("current")) == "one\n").then_some(()));
    process.signal(Signal::ALARM);
    let name = changes.until("an old log", || old(&log).pop());
    assert_eq!(text(log.join(&name)), "one\n");
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    assert_eq!(old(&dir.path("empty")).len(), 0);
    // Their names count leap seconds.
    let name = name.strip_prefix("@4").unwrap();
    let label = i64::from_str_radix(&name[..15], 16).unwrap();
    let closed = fs::metadata(dir.path("log/current")).unwrap().ctime();
    assert!((30..=45).contains(&(label - closed + 5)), "{label} {closed}");
}

#[test]
fn it_says_when_it_is_ready() {
    let dir = Dir::new();
    let mut said = dir.fifo("ready");
    let shell = "exec s6-log -d 5 ./log 5>ready";
    let path = format!("{}:/usr/bin:/bin", programs().display());
    let mut command = dir.command("sh");
    command.args(["-c", shell]).env("PATH", path).stdin(Stdio::piped());
    let mut process = Process::start(&mut command);
    let stdin = process.stdin();
    assert_eq!(said.line(), "");
    assert!(dir.path("log/current").exists());
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn what_the_original_loses_or_cuts() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let long = "long".repeat(20_000);
    let (process, mut stdin, _) = start(&dir, &["s4096", "-^x", "./log", "f", "./rest"]);
    // Without a newline at the end, and longer than any limit.
    write!(stdin, "one\n{long}x\nx{long}\ntwo").unwrap();
    drop(stdin);
    let done = process.finish();
    assert_eq!((done.code, done.err()), (0, String::new()));
    assert_eq!(logged(&dir.path("log")), format!("one\n{long}x\ntwo\n").as_bytes());
    assert_eq!(logged(&dir.path("rest")), format!("x{long}\n").as_bytes());
    // The long line is in one file.
    assert_eq!(old(&dir.path("log")).len(), 1);
}

#[test]
fn a_line_is_printed_as_often_as_that_is_asked_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (process, mut stdin, _) = start(&dir, &["1", "pb", "1"]);
    let long = "long".repeat(500);
    write!(stdin, "one\n{long}\ntwo").unwrap();
    drop(stdin);
    let done = process.finish();
    assert_eq!((done.code, done.out()), (0, format!("one\nb one\n{long}\ntwo\n")));
}

#[test]
fn the_rest_of_a_line_is_waited_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (process, mut stdin, changes) = start(&dir, &["-t", "1", "./log"]);
    let log = dir.path("log");
    stdin.write_all(b"one\nhalf").unwrap();
    changes.until("the line", || (text(log.join("current")) == "one\n").then_some(()));
    process.signal(Signal::TERM);
    assert_eq!(process.finish().code, 0);
    assert_eq!(text(log.join("current")), "one\nhalf\n");
    drop(stdin);
}

#[test]
fn a_log_run_for_s6_works_as_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let main = dir.mkdir("scan/s/log/main");
    let _service = Service::with_script(&dir, "scan/s", "echo one; echo two; exec sleep 1000");
    dir.script("scan/s/log/run", "exec s6-log -bp n20 s1000000 T ./main");
    let changes = Changes::of(&[&main]);
    let mut command = dir.tool("svscan", ["scan"]);
    let path = format!("{}:/usr/bin:/bin", programs().display());
    let svscan = Process::start(command.env("PATH", path));
    let lines = changes.until("the lines", || {
        let text = text(main.join("current"));
        (text.lines().count() == 2).then_some(text)
    });
    for (line, wanted) in lines.lines().zip(["  one", "  two"]) {
        assert_eq!(&line[29..], wanted);
    }
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

/// Every point at which it can be killed.
const POINTS: [&str; 25] = [
    "marking",
    "recovering",
    "recover: opened",
    "recovered",
    "noting",
    "noted: writing",
    "begun",
    "written",
    "ending",
    "ended",
    "rotate: synced",
    "rotate: renamed",
    "rotate: created",
    "rotate: finished",
    "archive: linked",
    "archive: removed",
    "rotated",
    "settled",
    "noted: taking",
    "taken",
    "closing",
    "closed",
    "forgetting",
    "start: locked",
    "start: ready",
];

const SCRIPT: [&str; 7] = ["s4096", "n9999", "./log", "-x", "?cat", "./other", "=status"];

fn run(dir: &Dir, s6_log: &Path, from: &OwnedFd, kill_at: Option<&str>) -> i32 {
    let mut command = dir.command(s6_log);
    if let Some(point) = kill_at {
        let path = dir.file("kill", "");
        command.env("UPKEEP_KILL_AT", format!("{point}={}", path.display()));
    }
    let stdin = Stdio::from(from.try_clone().unwrap());
    Process::start(command.args(SCRIPT).stdin(stdin)).finish().code
}

fn without_x(input: &[u8]) -> Vec<u8> {
    // A long line is judged by its beginning.
    let all = input.split_inclusive(|&b| b == b'\n');
    all.filter(|line| !line[..line.len().min(1000)].contains(&b'x')).flatten().copied().collect()
}

#[test]
fn killed_at_every_step_it_loses_nothing() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    for (number, point) in POINTS.into_iter().enumerate() {
        let dir = Dir::new();
        let mut input = lines(&mut Random::new(number as u64 + 1), 0, 20_000);
        input.extend(b"and the beginning of a line");
        let from = filled(&input);
        for _ in 0..3 {
            if run(&dir, &program("s6-log"), &from, Some(point)) == 0 {
                break;
            }
            reached.insert(point);
        }
        assert_eq!(run(&dir, &program("s6-log"), &from, None), 0);
        input.push(b'\n');
        for (log, wanted) in [("log", input.clone()), ("other", without_x(&input))] {
            if let Some(complaint) = complaint(&logged(&dir.path(log)), &wanted) {
                panic!("{log}, {point}: {complaint}");
            }
        }
    }
    assert_eq!(reached, BTreeSet::from(POINTS));
}

/// What is killed at a point leaves directories that s6's goes on with, and
/// the other way round.
#[test]
fn s6s_takes_turns_with_it() {
    let Some(s6) = s6().filter(|_| !testing_originals()) else { return };
    let theirs = s6.join("s6-log");
    for (number, point) in POINTS.into_iter().enumerate() {
        let dir = Dir::new();
        let mut random = Random::new(number as u64);
        let mut all = Vec::new();
        // Longer lines are cut by s6's, and too many come at once for it.
        let mut more = |size| {
            let mut lines = Vec::new();
            while lines.len() < size {
                let (at, x) = (all.len() + lines.len(), ["x", ""][random.below(2)]);
                writeln!(lines, "{at} {x}{}", "-".repeat(random.below(300))).unwrap();
            }
            all.extend(&lines);
            lines
        };
        let from = filled(&more(9000));
        run(&dir, &program("s6-log"), &from, Some(point));
        // Where previous and current are left it gives both one name, fails,
        // and has only current left then.
        if run(&dir, &theirs, &from, None) != 0 {
            assert_eq!(run(&dir, &theirs, &from, None), 0, "{point}");
        }
        assert_eq!(run(&dir, &program("s6-log"), &filled(&more(7000)), None), 0);
        let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        fcntl_setpipe_size(&into, 1 << 20).unwrap();
        let mut command = dir.command(&theirs);
        let process = Process::start(command.args(SCRIPT).stdin(Stdio::from(from)));
        let input = more(3000);
        let mut into = fs::File::from(into);
        into.write_all(&input).unwrap();
        let changes = Changes::of(&[&dir.path("log"), &dir.path("other")]);
        let wanted = without_x(&input);
        changes.until("the last lines", || {
            let ends = |log: &str, text: &[u8]| logged(&dir.path(log)).ends_with(text);
            (ends("log", &input) && ends("other", &wanted)).then_some(())
        });
        process.signal(Signal::KILL);
        process.finish();
        drop(into);
        assert_eq!(run(&dir, &program("s6-log"), &filled(&more(3000)), None), 0);
        for (log, wanted) in [("log", all.clone()), ("other", without_x(&all))] {
            let found = logged(&dir.path(log));
            let found: BTreeSet<_> = found.split_inclusive(|&b| b == b'\n').collect();
            let mut wanted = wanted.split_inclusive(|&b| b == b'\n');
            assert!(wanted.all(|line| found.contains(line)), "lines lost in {log}, {point}");
        }
    }
}

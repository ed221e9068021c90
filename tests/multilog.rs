//! multilog: what each directive does, signals, and what users see of it.

use super::support::{Changes, Dir, Finished, Process, testing_originals};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{ChildStdin, Stdio};

/// Starts multilog with a pipe to write to, and a log directory to watch.
fn start(dir: &Dir, script: &[&str]) -> (Process, ChildStdin, Changes) {
    let log = dir.mkdir("log");
    let mut process = Process::start(dir.tool("multilog", script).stdin(Stdio::piped()));
    let stdin = process.stdin();
    (process, stdin, Changes::of(&[&log]))
}

fn give(dir: &Dir, script: &[&str], input: impl AsRef<[u8]>) -> Finished {
    let mut process = Process::start(dir.tool("multilog", script).stdin(Stdio::piped()));
    // What does not fit into the pipe must not wait for the end.
    let mut stdin = process.stdin();
    let input = input.as_ref().to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let finished = process.finish();
    writer.join().unwrap();
    finished
}

pub(super) fn text(path: impl AsRef<Path>) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The old logs, the oldest first.
pub(super) fn old(log: &Path) -> Vec<String> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut old: Vec<_> = names.filter(|name| name.starts_with('@')).collect();
    old.sort();
    old
}

pub(super) fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_line_goes_into_the_log() {
    let dir = Dir::new();
    let done = give(&dir, &["./log"], "one\n\nthree without an end");
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(text(dir.path("log/current")), "one\n\nthree without an end\n");
    assert_eq!(mode(dir.path("log")), 0o700);
    assert_eq!(mode(dir.path("log/current")), 0o744);
    assert_eq!(mode(dir.path("log/lock")), 0o600);
    assert_eq!(mode(dir.path("log/state")), 0o644);
    assert_eq!(fs::read_dir(dir.path("log")).unwrap().count(), 3);
}

#[test]
fn a_clean_log_goes_on() {
    let dir = Dir::new();
    give(&dir, &["./log"], "one\n");
    fs::write(dir.path("log/state"), "kept").unwrap();
    give(&dir, &["./log"], "two\n");
    assert_eq!(text(dir.path("log/current")), "one\ntwo\n");
    assert_eq!(text(dir.path("log/state")), "kept");
}

#[test]
fn stamps() {
    let dir = Dir::new();
    give(&dir, &["t", "./log"], "one\n\ntwo");
    let log = text(dir.path("log/current"));
    let lines: Vec<_> = log.lines().collect();
    let ends: Vec<_> = lines.iter().map(|line| &line[25..]).collect();
    assert_eq!(ends, [" one", " ", " two"]);
    for line in lines {
        assert!(line.starts_with("@4000000") && line[1..25].bytes().all(|b| b.is_ascii_hexdigit()));
    }
    // Anywhere else, or in another case, it means nothing.
    give(&dir, &["x", "t", "./other"], "one\n");
    assert_eq!(text(dir.path("other/current")), "one\n");
}

#[test]
fn selection_is_in_the_order_of_the_script() {
    let dir = Dir::new();
    let script =
        ["./all", "-*", "+*fatal*", "./fatal", "+*: w*", "-fatal", "./some", "+*", "./more"];
    give(&dir, &script, "a: fatal\nb: warn\nfatal\nrest\n");
    assert_eq!(text(dir.path("all/current")), "a: fatal\nb: warn\nfatal\nrest\n");
    assert_eq!(text(dir.path("fatal/current")), "a: fatal\nfatal\n");
    assert_eq!(text(dir.path("some/current")), "a: fatal\nb: warn\n");
    assert_eq!(text(dir.path("more/current")), "a: fatal\nb: warn\nfatal\nrest\n");
}

#[test]
fn alerts_are_cut_at_200_bytes() {
    let dir = Dir::new();
    let (short, long) = ("s".repeat(200), "l".repeat(201));
    let done = give(&dir, &["-x*", "e"], format!("{short}\nx not this\n{long}\n"));
    assert_eq!(done.err(), format!("{short}\n{}...\n", "l".repeat(200)));
}

#[test]
fn a_status_file_holds_the_last_selected_line() {
    let dir = Dir::new();
    give(&dir, &["-no*", "=status"], format!("{}\nyes\nno\n", "a".repeat(3000)));
    let status = fs::read(dir.path("status")).unwrap();
    assert_eq!(status.len(), 1001);
    assert!(status.starts_with(b"yes\n") && status[3..].iter().all(|&b| b == b'\n'));
    assert_eq!(mode(dir.path("status")), 0o600);
}

#[test]
fn a_status_file_is_not_touched_without_a_line() {
    let dir = Dir::new();
    dir.file("status", "before");
    give(&dir, &["-*", "=status"], "one\n");
    assert_eq!(text(dir.path("status")), "before");
}

#[test]
fn sizes_and_numbers_are_for_what_follows() {
    let dir = Dir::new();
    let input: String = (0..4000).map(|n| format!("{n:09}\n")).collect();
    give(&dir, &["s4096", "n3", "./small", "s20000", "n5", "./large"], &input);
    let sizes = |log: &str| -> Vec<u64> {
        let log = dir.path(log);
        old(&log).iter().map(|name| fs::metadata(log.join(name)).unwrap().size()).collect()
    };
    let (small, large) = (sizes("small"), sizes("large"));
    assert_eq!((small.len(), large.len()), (2, 2));
    assert!(small.iter().all(|size| (2096..=4096).contains(size)), "{small:?}");
    assert!(large.iter().all(|size| (18000..=20000).contains(size)), "{large:?}");
    let together: String = old(&dir.path("large"))
        .iter()
        .map(|name| text(dir.path("large").join(name)))
        .chain([text(dir.path("large/current"))])
        .collect();
    assert!(together == input);
}

#[test]
fn a_long_line_is_judged_by_its_beginning() {
    let dir = Dir::new();
    let line = format!("{}end", "a".repeat(1000));
    give(
        &dir,
        &["s99999", "./all", "-*end", "./log", "-a*", "./none"],
        format!("{line}\nshort end\n"),
    );
    assert_eq!(text(dir.path("log/current")), format!("{line}\n"));
    assert_eq!(text(dir.path("none/current")), "");
}

#[test]
fn bytes_are_bytes() {
    let dir = Dir::new();
    let every: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    give(&dir, &["s16777215", "-\u{ff}*", "./log"], &every);
    let mut wanted = every;
    wanted.push(b'\n');
    assert!(fs::read(dir.path("log/current")).unwrap() == wanted);
}

#[test]
fn the_processor_hands_its_state_on() {
    let dir = Dir::new();
    let input: String = (0..1000).map(|n| format!("{n:09}\n")).collect();
    // It counts its runs in its state, and runs in the log directory.
    let processor = "!read n <&4; n=$((n+1)); echo $n >&5; echo run $n; pwd; wc -c";
    give(&dir, &["s4096", processor, "./log"], &input);
    let log = dir.path("log");
    for (number, name) in old(&log).iter().enumerate() {
        assert!(name.ends_with(".s"));
        let made = text(log.join(name));
        assert!(made.starts_with(&format!("run {}\n{}\n", number + 1, log.display())), "{made}");
        assert_eq!(mode(log.join(name)), 0o744);
    }
    assert_eq!(text(dir.path("log/state")), format!("{}\n", old(&log).len()));
    assert!(!dir.path("log/previous").exists() && !dir.path("log/newstate").exists());
}

#[test]
fn the_processor_gets_signals_again() {
    let dir = Dir::new();
    let processor = "!trap 'echo got it' TERM; kill -TERM $$";
    let done = give(&dir, &["s4096", processor, "./log"], "x".repeat(5000));
    assert_eq!(done.code, 0);
    let log = dir.path("log");
    assert_eq!(text(log.join(&old(&log)[0])), "got it\n");
}

#[test]
fn a_failing_processor_is_tried_again() {
    let dir = Dir::new();
    let (mut process, mut stdin, _) = start(&dir, &["s4096", "!test -e go && cat", "./log"]);
    stdin.write_all(&[b'a'; 5000]).unwrap();
    assert_eq!(
        process.complains("processor"),
        "multilog: warning: processor failed in ./log, pausing"
    );
    dir.file("log/go", "");
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    let log = dir.path("log");
    assert_eq!(text(log.join(&old(&log)[0])), "a".repeat(4096));
    assert_eq!(text(dir.path("log/current")), format!("{}\n", "a".repeat(904)));
}

#[test]
fn nobody_else_may_use_the_directory() {
    let dir = Dir::new();
    let (_first, mut stdin, changes) = start(&dir, &["./log"]);
    stdin.write_all(b"one\n").unwrap();
    changes.until("the line", || (text(dir.path("log/current")) == "one\n").then_some(()));
    let second = dir.run("multilog", ["./log"]);
    assert_eq!(second.code, 111);
    assert_eq!(
        second.err(),
        "multilog: fatal: unable to lock directory ./log: temporary failure\n"
    );
}

#[test]
fn term_between_lines() {
    let dir = Dir::new();
    let (process, mut stdin, changes) = start(&dir, &["./log"]);
    stdin.write_all(b"one\n").unwrap();
    changes.until("the line", || (text(dir.path("log/current")) == "one\n").then_some(()));
    process.signal(Signal::TERM);
    // The original does not hear it if it comes just before a read.
    let stdin = (!testing_originals()).then_some(stdin);
    assert_eq!(process.ends(), 0);
    assert_eq!(mode(dir.path("log/current")), 0o744);
    drop(stdin);
}

#[test]
fn term_in_the_middle_of_a_line() {
    // The original may look for the signal only after another read.
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("log");
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut into = fs::File::from(into);
    let stdin = Stdio::from(from.try_clone().unwrap());
    let changes = Changes::of(&[&dir.path("log")]);
    let process = Process::start(dir.tool("multilog", ["./log"]).stdin(stdin));
    into.write_all(b"one\nhalf a line").unwrap();
    changes.until("the line", || (text(dir.path("log/current")) == "one\n").then_some(()));
    process.signal(Signal::TERM);
    into.write_all(b", and the rest\nfor the next logger\n").unwrap();
    assert_eq!(process.ends(), 0);
    assert_eq!(text(dir.path("log/current")), "one\nhalf a line, and the rest\n");
    let mut left = [0; 100];
    let n = rustix::io::read(&from, &mut left).unwrap();
    assert_eq!(&left[..n], b"for the next logger\n");
}

#[test]
fn alarm_begins_a_new_log() {
    // The original does not hear it if it comes just before a read.
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (process, mut stdin, changes) = start(&dir, &["./log", "-*", "./empty"]);
    stdin.write_all(b"one\n").unwrap();
    changes.until("the line", || (text(dir.path("log/current")) == "one\n").then_some(()));
    process.signal(Signal::ALARM);
    let name = changes.until("an old log", || {
        old(&dir.path("log")).pop().filter(|_| text(dir.path("log/current")).is_empty())
    });
    assert_eq!(text(dir.path("log").join(name)), "one\n");
    stdin.write_all(b"two\n").unwrap();
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    assert_eq!(text(dir.path("log/current")), "two\n");
    assert_eq!(old(&dir.path("empty")).len(), 0);
}

#[test]
fn dash_h_is_a_pattern_beside_others() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    give(&dir, &["-h*", "./log"], "hidden\nshown\n");
    give(&dir, &["--help", "-h", "./log"], "--help\nh\n");
    assert_eq!(text(dir.path("log/current")), "shown\n--help\n");
    for alone in ["-h", "--help"] {
        let done = dir.run("multilog", [alone]);
        assert_eq!((done.code, done.out().starts_with("usage: multilog")), (0, true));
    }
    assert!(dir.run("multilog", ["--version"]).out().starts_with("multilog (upkeep) "));
}

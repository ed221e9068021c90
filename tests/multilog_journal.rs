//! What a multilog knows of the one that was killed before it, and what it
//! must not take for that: another pipe, another script, another multilog in
//! between, a lock file that is somebody else's.

use super::support::{Changes, Dir, Process, originals, testing_originals};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Stdio;

/// A pipe of which both ends stay open.
struct Pipe {
    from: OwnedFd,
    into: File,
}

impl Pipe {
    fn with(text: &str) -> Self {
        let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut into = File::from(into);
        into.write_all(text.as_bytes()).unwrap();
        Self { from, into }
    }

    fn end(&self) -> Stdio {
        Stdio::from(self.from.try_clone().unwrap())
    }

    /// What is in it when its writer has gone.
    fn closed(self) -> Stdio {
        drop(self.into);
        Stdio::from(self.from)
    }
}

/// Lets multilog be killed at the point.
fn kill_at(point: &str, dir: &Dir, script: &[&str], stdin: Stdio) {
    let path = dir.file("kill", "");
    let mut command = dir.tool("multilog", script);
    command.env("UPKEEP_KILL_AT", format!("{point}={}", path.display())).stdin(stdin);
    assert_eq!(Process::start(&mut command).finish().code, 137, "{point}");
}

fn run(dir: &Dir, script: &[&str], stdin: Stdio) {
    let done = Process::start(dir.tool("multilog", script).stdin(stdin)).finish();
    assert_eq!((done.code, done.err()), (0, String::new()));
}

/// All logs together, the oldest first. One that is renamed meanwhile is left
/// out: whoever waits looks again.
fn logged(log: &Path) -> String {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@') || n == "current").collect();
    names.sort();
    names.iter().map(|name| fs::read_to_string(log.join(name)).unwrap_or_default()).collect()
}

#[test]
fn lines_that_are_all_the_same_are_all_different() {
    if testing_originals() {
        return;
    }
    for point in ["begun", "settled", "noted: taking", "taken"] {
        let dir = Dir::new();
        let mut pipe = Pipe::with("");
        for _ in 0..5 {
            pipe.into.write_all(b"tick\n").unwrap();
            kill_at(point, &dir, &["./log"], pipe.end());
        }
        // It is killed while it takes what was written before.
        pipe.into.write_all(b"tick\ntick\n").unwrap();
        run(&dir, &["./log"], pipe.closed());
        assert_eq!(logged(&dir.path("log")), "tick\n".repeat(7), "{point}");
    }
}

#[test]
fn another_pipe_does_not_go_on_with_a_line() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut pipe = Pipe::with("one\nha");
    kill_at("noted: holding", &dir, &["./log"], pipe.end());
    // Whether it was taken or not, it is in the journal.
    pipe.into.write_all(b"lf").unwrap();
    kill_at("noted: holding", &dir, &["./log"], pipe.end());
    drop(pipe);
    run(&dir, &["./log"], Pipe::with("two\n").closed());
    assert_eq!(logged(&dir.path("log")), "one\nhalf\ntwo\n");
    // What is no pipe does not, either, and leaves nothing of itself behind.
    let pipe = Pipe::with("half");
    kill_at("taken", &dir, &["./log"], pipe.end());
    for _ in 0..2 {
        let file = File::open(dir.file("input", "three\nfour")).unwrap();
        kill_at("closing", &dir, &["./log"], Stdio::from(file));
    }
    run(&dir, &["./log"], Pipe::with("five\n").closed());
    let wanted = "one\nhalf\ntwo\nhalf\nthree\nfour\nthree\nfour\nfive\n";
    assert_eq!(logged(&dir.path("log")), wanted);
}

#[test]
fn with_another_pipe_nothing_is_undone() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    kill_at("written", &dir, &["./log"], Pipe::with("one\ntwo\n").end());
    run(&dir, &["./log"], Pipe::with("one\ntwo\n").closed());
    assert_eq!(logged(&dir.path("log")), "one\ntwo\none\ntwo\n");
}

#[test]
fn another_script_loses_nothing() {
    if testing_originals() {
        return;
    }
    let input: String = (0..1000).map(|n| format!("line number {n:09}\n")).collect();
    for (point, twice) in [("settled", false), ("noted: taking", false), ("rotated", true)] {
        let dir = Dir::new();
        let size = if twice { "s4096" } else { "s999999" };
        let pipe = Pipe::with(&input);
        kill_at(point, &dir, &[size, "n99", "./log"], pipe.end());
        run(&dir, &[size, "n98", "./log", "./more"], pipe.closed());
        let log = logged(&dir.path("log"));
        if twice {
            let mut next = 0;
            for line in log.lines() {
                next += usize::from(line == format!("line number {next:09}"));
            }
            assert_eq!(next, 1000, "{point}");
        } else {
            assert!(log == input, "{point}");
        }
    }
}

#[test]
fn a_long_line_goes_on_where_it_went() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = ["t", "-* b*", "./log", "-*", "+* b*", "./other"];
    let long = "b".repeat(1500);
    let mut pipe = Pipe::with(&format!("a\n{long}"));
    kill_at("taken", &dir, &script, pipe.end());
    pipe.into.write_all(format!("{long}\na\n{long}").as_bytes()).unwrap();
    kill_at("written", &dir, &script, pipe.end());
    run(&dir, &script, pipe.closed());
    let without_stamps = |log: &str| {
        let log = logged(&dir.path(log));
        log.split_inclusive('\n').map(|line| line[26..].to_owned()).collect::<String>()
    };
    assert_eq!(without_stamps("log"), "a\na\n");
    assert_eq!(without_stamps("other"), format!("{long}{long}\n{long}\n"));
}

#[test]
fn term_takes_no_more_than_the_line_it_is_in() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let mut pipe = Pipe::with("one\nha");
    kill_at("taken", &dir, &["./log"], pipe.end());
    kill_at("taken", &dir, &["./log"], pipe.end());
    let changes = Changes::of(&[&log]);
    let process = Process::start(dir.tool("multilog", ["./log"]).stdin(pipe.end()));
    // Of the two before, one had written, and the other nothing.
    changes.until("the start", || (fs::read_dir(&log).unwrap().count() == 5).then_some(()));
    process.signal(Signal::TERM);
    pipe.into.write_all(b"lf\nfor the next").unwrap();
    assert_eq!(process.ends(), 0);
    assert_eq!(logged(&log), "one\nhalf\n");
    run(&dir, &["./log"], pipe.closed());
    assert_eq!(logged(&log), "one\nhalf\nfor the next\n");
}

#[test]
fn another_multilog_in_between_is_noticed() {
    let Some(originals) = originals().filter(|_| !testing_originals()) else { return };
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let mut pipe = Pipe::with("one\nha");
    kill_at("taken", &dir, &["./log"], pipe.end());
    kill_at("taken", &dir, &["./log"], pipe.end());
    let changes = Changes::of(&[&log]);
    let mut original = dir.command(originals.join("multilog"));
    let original = Process::start(original.arg("./log").stdin(pipe.end()));
    pipe.into.write_all(b"lf\n").unwrap();
    changes.until("what is left", || (logged(&log) == "one\nlf\n").then_some(()));
    original.signal(Signal::KILL);
    original.ends();
    pipe.into.write_all(b"two\n").unwrap();
    run(&dir, &["./log"], pipe.closed());
    assert_eq!(logged(&log), "one\nlf\ntwo\n");
}

#[test]
fn a_lock_that_holds_something_else_keeps_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (log, text) in [("text", b"mine".to_vec()), ("page", vec![b'm'; 4096])] {
        dir.file(format!("{log}/lock"), &text);
        run(&dir, &[&format!("./{log}")], Pipe::with("one\nhalf").closed());
        assert_eq!(logged(&dir.path(log)), "one\nhalf\n");
        assert!(fs::read(dir.path(log).join("lock")).unwrap() == text);
    }
    dir.file("elsewhere", "");
    dir.mkdir("link");
    symlink("../elsewhere", dir.path("link/lock")).unwrap();
    run(&dir, &["./link"], Pipe::with("one\n").closed());
    assert_eq!(logged(&dir.path("link")), "one\n");
    assert_eq!(fs::metadata(dir.path("elsewhere")).unwrap().size(), 0);
    // Whatever is in the place of a journal, it is not believed.
    for seed in 0_u64..20 {
        let mut words: Vec<u64> =
            (1..513).map(|n| (n * (seed + 3)).wrapping_mul(0x9e37_79b9)).collect();
        words[0] = u64::from_le_bytes(*b"upkeepJ1");
        words[1] = seed;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        dir.file("journal/lock", &bytes);
        run(&dir, &["./journal"], Pipe::with("one\n").closed());
    }
    assert_eq!(logged(&dir.path("journal")), "one\n".repeat(20));
}

#[test]
fn a_lock_that_is_cut_while_it_is_held() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let mut pipe = Pipe::with("one\n");
    let changes = Changes::of(&[&log]);
    let process = Process::start(dir.tool("multilog", ["./log"]).stdin(pipe.end()));
    changes.until("a line", || (logged(&log) == "one\n").then_some(()));
    assert_eq!(fs::metadata(log.join("lock")).unwrap().size(), 4096);
    File::create(log.join("lock")).unwrap();
    pipe.into.write_all(b"two\nha").unwrap();
    changes.until("another line", || (logged(&log) == "one\ntwo\n").then_some(()));
    pipe.into.write_all(b"lf\n").unwrap();
    drop(pipe);
    assert_eq!(process.finish().code, 0);
    assert_eq!(logged(&log), "one\ntwo\nhalf\n");
}

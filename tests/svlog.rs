//! svlog and logs as loggers write them: found as services, followed while
//! they are rotated, and read whatever has happened to them.

use super::support::{Dir, Process, deadline, program, readable, testing_originals};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use upkeep_core::tai::Tai64n;

mod find;
mod follow;
mod trouble;

fn label(unix: i64) -> String {
    String::from_utf8(Tai64n::from_unix(unix, 0).label().to_vec()).unwrap()
}

/// What is shown without stamps, by a run that has nothing to complain about.
fn shown(dir: &Dir, args: &[&str]) -> String {
    let done = dir.run("svlog", [&["-t", "none"], args].concat());
    assert_eq!((done.code, done.err()), (0, String::new()), "{args:?}");
    done.out()
}

/// Reads numbered lines until the last has come; each has to come once, and in
/// its place.
fn assert_numbered(svlog: &mut Command, last: u64, write: impl FnOnce() + Send) {
    let mut child = svlog.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let all = std::thread::scope(|scope| {
        scope.spawn(write);
        let (mut held, mut next, mut buffer) = (Vec::new(), 0, vec![0; 65536]);
        while next <= last {
            assert!(readable(&output, deadline()), "nothing comes after {next}");
            let len = output.read(&mut buffer).unwrap();
            assert!(len > 0, "ended after {next}");
            held.extend_from_slice(&buffer[..len]);
            let whole = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in String::from_utf8(held.drain(..whole).collect()).unwrap().lines() {
                let number = line.split(' ').next().unwrap();
                assert_eq!(number.parse(), Ok(next), "{line:?}");
                next += 1;
            }
        }
        held
    });
    assert_eq!(all, b"");
    drop(output);
    // Nobody reads it any more: it does not wait for the next line to end.
    assert!(child.wait().is_ok());
}

/// Numbered lines to a logger, until it has ended.
fn feed(mut logger: Command, lines: u64) {
    let mut child = logger.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut block = Vec::new();
    for number in 0..=lines {
        block.extend_from_slice(format!("{number} is the number of this line\n").as_bytes());
        if number % 500 == 0 || number == lines {
            input.write_all(&block).unwrap();
            block.clear();
        }
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn archives(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.as_encoded_bytes().starts_with(b"@")).count()
}

#[test]
fn multilog_is_followed_through_a_thousand_rotations() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("log");
    let last = 110_000;
    let mut svlog = dir.tool("svlog", ["-f", "-n", "all", "-t", "none", "log/"]);
    let logger = dir.tool("multilog", ["t", "s4096", "n5000", "./log"]);
    assert_numbered(&mut svlog, last, || feed(logger, last));
    assert!(archives(&dir.path("log")) > 1000);
    assert_eq!(shown(&dir, &["log"]).lines().count(), 110_001);
}

#[test]
fn a_logger_whose_archives_are_compressed_is_followed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("log");
    let last = 4000;
    let mut svlog = dir.tool("svlog", ["-f", "-n", "all", "-t", "none", "log"]);
    dir.file("log/current", "");
    let logger = dir.tool("multilog", ["t", "s4096", "n500", "!gzip", "./log"]);
    assert_numbered(&mut svlog, last, || feed(logger, last));
    assert!(archives(&dir.path("log")) > 30);
    let all = shown(&dir, &["log"]);
    assert_eq!(all.lines().count(), 4001);
    let reverse = shown(&dir, &["-r", "log"]);
    assert!(all.lines().rev().eq(reverse.lines()));
    assert!(shown(&dir, &["-n", "100", "log"]).lines().eq(all.lines().skip(3901)));
}

#[test]
fn the_loggers_of_others_are_followed() {
    if testing_originals() {
        return;
    }
    let last = 20_000;
    for logger in ["svlogd", "s6-log"] {
        let original = Path::new("/usr/bin").join(logger);
        if !original.exists() {
            continue;
        }
        let dir = Dir::new();
        dir.file("log/config", "s4096\nn5000\n");
        let mut command = dir.command(original);
        if logger == "svlogd" {
            command.args(["-ttt", "log"]).stderr(Stdio::null());
        } else {
            command.args(["t", "s4096", "n5000", "./log"]);
        }
        let mut svlog = dir.tool("svlog", ["-f", "-n", "all", "-t", "none", "log/"]);
        assert_numbered(&mut svlog, last, || feed(command, last));
        let count = archives(&dir.path("log"));
        assert!(count > 50, "{logger}: {count}");
    }
}

#[test]
fn several_are_followed_as_they_come() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("a/current", format!("{} 0\n", label(10)));
    dir.file("b/current", format!("{} 1\n", label(20)));
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "-t", "none", "a", "b", "c/"]));
    assert_eq!(svlog.prints("0"), "a 0");
    assert_eq!(svlog.prints("1"), "b 1");
    for (log, number) in [("c", 5), ("a", 4), ("c", 3), ("b", 2)] {
        dir.mkdir(log);
        let path = dir.path(format!("{log}/current"));
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{} {number}", label(30 - number)).unwrap();
        assert_eq!(svlog.prints(&number.to_string()), format!("{log} {number}"));
    }
    assert!(svlog.runs());
    // An end that is said ends it.
    drop(svlog);
    let done =
        dir.run("svlog", ["-f", "-t", "none", "-U", "1970-01-01T00:00:15Z", "-n", "all", "a"]);
    assert_eq!((done.code, done.out()), (0, "0\n".to_owned()));
}

#[test]
fn standard_input_is_a_log() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines: String = (0..10).map(|number| format!("{} {number}\n", label(number))).collect();
    let run = |args: &[&str]| {
        let mut command = dir.tool("svlog", [&["-t", "none"], args].concat());
        let mut svlog = Process::start(command.stdin(Stdio::piped()));
        svlog.stdin().write_all(lines.as_bytes()).unwrap();
        let done = svlog.finish();
        assert_eq!((done.code, done.err()), (0, String::new()));
        done.out().lines().collect::<String>()
    };
    assert_eq!(run(&["-"]), "0123456789");
    assert_eq!(run(&["-r", "-n", "3", "-"]), "987");
    assert_eq!(run(&["-n", "3", "-"]), "789");
    assert_eq!(run(&["-f", "-n", "all", "-"]), "0123456789");
    let (since, until) = (label(4), label(6));
    assert_eq!(run(&["-S", &since, "-U", &until, "-"]), "456");
    // A file may be compressed there, too.
    dir.file("log", &lines);
    let packed = dir.command("gzip").args(["-c", "log"]).output().unwrap();
    dir.file("packed", packed.stdout);
    let file = fs::File::open(dir.path("packed")).unwrap();
    let done = Process::start(dir.tool("svlog", ["-n1", "-t", "none", "-"]).stdin(file)).finish();
    assert_eq!(done.out(), "9\n");
}

/// The times of what other people's tools write are found by bisection, too.
#[test]
fn times_are_found_in_what_every_logger_writes() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let debian = |name: &str| Some(Path::new("/usr/bin").join(name)).filter(|it| it.exists());
    let loggers = [
        ("a", Some(program("multilog")), &["t", "./a"][..]),
        ("b", debian("svlogd"), &["-tt", "b"]),
        ("c", debian("svlogd"), &["-ttt", "c"]),
        ("d", debian("s6-log"), &["T", "./d"]),
    ];
    for (log, logger, args) in loggers {
        let Some(logger) = logger else { continue };
        dir.mkdir(log);
        let mut command = dir.command(logger);
        command.args(args).stderr(Stdio::null());
        feed_one(&mut command, "old\n");
        feed_one(&mut command, "new\n");
        assert_eq!(shown(&dir, &["-S", "1 hour ago", log]), "old\nnew\n");
        assert_eq!(shown(&dir, &["-U", "1 hour ago", log]), "");
        let stamped = dir.run("svlog", ["-t", "raw", "-n", "1", log]).out();
        let stamped = stamped.trim_end().trim_end_matches("new").trim_end().to_owned();
        assert_eq!(shown(&dir, &["-S", &stamped, log]), "new\n", "{stamped}");
    }
}

fn feed_one(logger: &mut Command, line: &str) {
    let mut child = logger.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{logger:?}");
}

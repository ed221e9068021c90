//! What is followed: standard input, FIFOs, files of every kind, and what is not
//! there.

use super::super::support::{Dir, Process, testing_originals};
use super::{label, shown};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Stdio;

fn append(dir: &Dir, name: &str, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(dir.path(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn standard_input_is_followed_as_it_comes() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for args in [&["-f", "-"][..], &["-f", "-n", "0", "-"], &["-f", "-S", "now", "-"]] {
        let mut svlog = Process::start(dir.tool("svlog", args).stdin(Stdio::piped()));
        let mut input = svlog.stdin();
        for word in ["one", "two"] {
            writeln!(input, "{word}").unwrap();
            assert_eq!(svlog.prints(word), word);
        }
        drop(input);
        assert_eq!(svlog.ends(), 0);
    }
    let mut command = dir.tool("svlog", ["-f", "-n", "3", "-"]);
    let done = Process::start(command.stdin(Stdio::piped())).finish();
    let expected =
        "svlog: fatal: the last lines of standard input are not known before it ends\n".to_owned();
    assert_eq!((done.code, done.err()), (100, expected));
}

#[test]
fn standard_input_begins_where_it_stands() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines: String = (1..5).map(|number| format!("{} {number}\n", label(number))).collect();
    dir.file("log", &lines);
    let begin = || {
        let mut file = fs::File::open(dir.path("log")).unwrap();
        file.seek(SeekFrom::Start(28)).unwrap();
        file
    };
    for (args, expected) in [
        (&["-"][..], "2\n3\n4\n"),
        (&["-r", "-"], "4\n3\n2\n"),
        (&["-n", "9", "-"], "2\n3\n4\n"),
        (&["-S", "1970-01-01", "-"], "2\n3\n4\n"),
        (&["-rU", &label(1), "-"], ""),
    ] {
        let mut command = dir.tool("svlog", [&["-t", "none"], args].concat());
        let done = Process::start(command.stdin(begin())).finish();
        assert_eq!((done.code, done.out().as_str()), (0, expected), "{args:?}");
    }
    // It may grow.
    let mut command = dir.tool("svlog", ["-f", "-t", "none", "-"]);
    let mut svlog = Process::start(command.stdin(begin()));
    assert_eq!(svlog.prints(""), "2");
    svlog.prints("4");
    append(&dir, "log", "five\n");
    assert_eq!(svlog.prints("five"), "five");
}

#[test]
fn a_fifo_is_followed_whoever_writes_to_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log/current", "here\n");
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.path("fifo"), 0o600.into()).unwrap();
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "fifo", "log"]));
    // Nobody has opened it.
    assert_eq!(svlog.prints("here"), "log  here");
    for number in 0..20 {
        let mut writer = fs::OpenOptions::new().write(true).open(dir.path("fifo")).unwrap();
        writeln!(writer, "{number}\nmore {number}").unwrap();
        drop(writer);
        assert_eq!(svlog.prints("more"), format!("fifo more {number}"));
    }
}

#[test]
fn a_file_that_is_written_anew_is_read_anew() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log", "one\ntwo\n");
    for args in [&["-f", "log"][..], &["-f", "-n", "1", "log"]] {
        fs::write(dir.path("log"), "one\ntwo\n").unwrap();
        let mut svlog = Process::start(&mut dir.tool("svlog", args));
        svlog.prints("two");
        // When it looks again, it is longer than it was.
        svlog.signal(Signal::STOP);
        fs::write(dir.path("log"), "three and more\nfour\n").unwrap();
        svlog.signal(Signal::CONT);
        assert_eq!(svlog.prints("three"), "three and more");
        assert_eq!(svlog.prints(""), "four");
        append(&dir, "log", "five\n");
        assert_eq!(svlog.prints(""), "five");
    }
}

#[test]
fn what_is_waited_for_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("empty");
    dir.file("log/current", "");
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "log", "empty", "dir/file"]));
    assert_eq!(svlog.complains(""), "svlog: warning: empty has no log in it yet, waiting for one");
    let expected = "svlog: warning: dir/file is not there yet, waiting for it";
    assert_eq!(svlog.complains(""), expected);
    dir.file("dir/file", "now\n");
    assert_eq!(svlog.prints("now"), "dir/file now");
}

/// Nobody knows when it was written, but what comes is of now.
#[test]
fn times_of_what_has_no_stamps() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log", "old\n");
    let warning = "svlog: warning: no line of log has a stamp";
    for args in [&["-S", "today", "log"][..], &["-r", "-S", "today", "log"]] {
        let done = dir.run("svlog", args);
        assert_eq!((done.code, done.out(), done.err()), (0, String::new(), format!("{warning}\n")));
    }
    let mut command = dir.tool("svlog", ["-S", "today", "-"]);
    let done = Process::start(command.stdin(fs::File::open(dir.path("log")).unwrap())).finish();
    assert_eq!(done.err(), "svlog: warning: no line of standard input has a stamp\n");
    let mut piped = Process::start(command.stdin(Stdio::piped()));
    piped.stdin().write_all(b"old\n").unwrap();
    assert_eq!(piped.finish().err(), "svlog: warning: no line of standard input has a stamp\n");
    // What has stamps has nothing to say, nor has what is empty.
    dir.file("stamped", format!("{} old\n", label(1)));
    dir.file("empty", "");
    for name in ["stamped", "empty"] {
        assert_eq!(shown(&dir, &["-S", "today", name]), "");
    }
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "-S", "today", "log"]));
    assert_eq!(svlog.complains(""), warning);
    append(&dir, "log", "new\n");
    assert_eq!(svlog.prints("new"), "new");
    drop(svlog);
    // That is over.
    let done = dir.run("svlog", ["-f", "-U", "yesterday", "log", "nothing/there"]);
    assert_eq!(done.code, 0);
}

#[test]
fn what_cannot_be_read_is_called_by_its_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log/@400000000000000a00000000.s", "old\n");
    std::os::unix::fs::symlink("/proc/self/mem", dir.path("log/current")).unwrap();
    let done = dir.run("svlog", ["log"]);
    let expected = "svlog: warning: unable to read log/current: input/output error\n".to_owned();
    assert_eq!((done.code, done.out(), done.err()), (111, "old\n".to_owned(), expected));
}

/// What is read is at the first file while the second is removed.
#[test]
fn a_hole_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log/@400000000000000a00000000.s", "a line of the first file\n".repeat(100_000));
    let second = dir.file("log/@400000000000000b00000000.s", "second\n");
    dir.file("log/current", "current\n");
    let mut command = dir.tool("svlog", ["log"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 10]).unwrap();
    fs::remove_file(second).unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    output.read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(out.ends_with("file\ncurrent\n"));
    assert_eq!(err, "svlog: warning: files were removed before they were read\n");
    assert_eq!(child.wait().unwrap().code(), Some(111));
}

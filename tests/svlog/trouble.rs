//! What cannot be read, and what the kernel does not tell.

use super::super::support::{Dir, Process, program, testing_originals};
use super::label;
use std::fs;
use std::io::Write;

fn pack(dir: &Dir, name: &str, text: &str) {
    dir.file("text", text);
    let packed = dir.command("gzip").args(["-c", "text"]).output().unwrap();
    dir.file(name, packed.stdout);
}

#[test]
fn without_gzip_the_rest_is_shown() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names = [1, 2].map(|second| format!("log/{}.s.gz", label(second)));
    names.iter().for_each(|name| pack(&dir, name, "packed\n"));
    dir.file("log/current", "current\n");
    let mut command = dir.tool("svlog", ["log"]);
    let done = Process::start(command.env("PATH", dir.path("nothing"))).finish();
    assert_eq!((done.code, done.out()), (111, "current\n".to_owned()));
    assert_eq!(
        done.err(),
        format!(
            "svlog: warning: unable to read {} and what else is compressed as it is: there is no \
             gzip\n",
            names[0]
        )
    );
}

#[test]
fn what_is_cut_off_is_shown_as_far_as_it_is_there() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let name = format!("log/{}.s", label(1));
    let text: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    pack(&dir, &name, &text);
    let packed = fs::read(dir.path(&name)).unwrap();
    dir.file(&name, &packed[..packed.len() / 2]);
    dir.file("log/current", "current\n");
    for args in [&["log"][..], &["-r", "log"]] {
        let done = dir.run("svlog", args);
        let lines: Vec<_> = done.out().lines().map(str::to_owned).collect();
        assert!(done.code == 111 && lines.len() > 1000, "{}", done.err());
        assert!(lines.contains(&"current".to_owned()) && lines.contains(&"1000".to_owned()));
        let expected = format!("svlog: warning: unable to decompress all of {name}: gzip failed\n");
        assert_eq!(done.err(), expected);
    }
}

/// Where there is no inotify, it is looked four times a second.
#[test]
fn without_word_from_the_kernel_it_is_looked() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log/current", "one\n");
    let mut command = dir.tool("svlog", ["-f", "log"]);
    let mut svlog = Process::start(command.env("UPKEEP_REFUSE", "inotify"));
    assert_eq!(
        svlog.complains("unable"),
        "svlog: warning: unable to be told of changes, looking for them four times a second: \
         process cannot open more files"
    );
    svlog.prints("one");
    fs::rename(dir.path("log/current"), dir.path(format!("log/{}.s", label(1)))).unwrap();
    dir.file("log/current", "two\n");
    assert_eq!(svlog.prints("two"), "two");
}

#[test]
fn a_file_may_be_replaced_and_cut_off() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let path = dir.file("log", "one\n");
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "log"]));
    svlog.prints("one");
    fs::rename(&path, dir.path("log.1")).unwrap();
    dir.file("log", "second\n");
    svlog.prints("second");
    fs::write(&path, "third\n").unwrap();
    svlog.prints("third");
    // The end of a line comes with it or later.
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"fou").unwrap();
    file.write_all(b"rth\n").unwrap();
    assert_eq!(svlog.prints("fourth"), "fourth");
}

/// Whoever may make files may choose their names.
#[test]
fn no_message_tells_the_terminal_anything() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let evil = "\x1b]0;a\u{9b}m\u{202e}";
    dir.file("log/current", "current\n");
    dir.mkdir(format!("log/@400000000000000a00000000.{evil}"));
    dir.script("web/run", "exec sleep 1000");
    dir.script("web/log/run", &format!("exec multilog t './{evil}'"));
    let options = [&["-g", "\x1b("][..], &["-n", evil], &["-S", evil], &["-\x1b"]];
    let word = format!("--{evil}");
    let of_names = [&["log"][..], &["web"], &[evil]];
    for args in options.into_iter().chain(of_names).chain([&[word.as_str()][..]]) {
        let done = dir.run("svlog", [args, &["log"]].concat());
        let said = done.err();
        let is_safe = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(!said.is_empty() && said.chars().all(is_safe), "{args:?}: {said:?}");
    }
}

#[test]
fn one_file_that_cannot_be_opened_hides_no_other() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file(format!("log/{}.s", label(1)), "old\n");
    std::os::unix::fs::symlink("current", dir.path("log/current")).unwrap();
    dir.file("log/previous", "previous\n");
    let done = dir.run("svlog", ["log"]);
    let expected = "svlog: warning: unable to read log/current: symbolic link loop\n".to_owned();
    assert_eq!((done.code, done.out(), done.err()), (111, "old\nprevious\n".to_owned(), expected));
}

/// What is decompressed to be read from its end needs room for a while.
#[test]
fn where_no_room_is_it_goes_elsewhere() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    let name = format!("log/{}.s", label(1));
    pack(&dir, &name, &lines);
    dir.mkdir("disk");
    // Where it is may be below what is mounted over.
    dir.copy(program("svlog"), "svlog");
    let run = |more: &str| {
        let script = format!(
            "mount -t tmpfs -o size=64k none disk && {more} TMPDIR=disk exec ./svlog -n 2 log"
        );
        let mut command = dir.command("unshare");
        Process::start(command.args(["-m", "sh", "-c", &script])).finish()
    };
    let done = run("");
    if ["unshare", "mount"].iter().any(|program| done.err().starts_with(program)) {
        return;
    }
    assert_eq!((done.out().as_str(), done.err()), ("49998\n49999\n", String::new()));
    let done = run("mount --bind disk /var/tmp && mount --bind disk /tmp &&");
    let expected =
        format!("svlog: warning: unable to keep {name} in /tmp for a while: out of disk space\n");
    assert_eq!((done.code, done.err()), (111, expected));
}

#[test]
fn more_logs_than_the_soft_limit_has_descriptors() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names: Vec<_> = (0..100).map(|number| format!("log{number}")).collect();
    for name in &names {
        dir.file(format!("{name}/current"), "line\n");
    }
    let script = format!("ulimit -Sn 50; exec {} \"$@\"", program("svlog").display());
    let mut command = dir.command("sh");
    let done = Process::start(command.args(["-c", &script, "sh"]).args(&names)).finish();
    assert_eq!((done.code, done.err()), (0, String::new()));
    assert_eq!(done.out().lines().count(), 100);
}

/// However much is left to be shown.
#[test]
fn a_reader_that_goes_away_ends_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("log/current", "line\n".repeat(100_000));
    for args in [&["log"][..], &["-f", "-n", "all", "log"], &["-r", "log"]] {
        let mut svlog = Process::start(&mut dir.tool("svlog", args));
        svlog.prints("line");
        assert_eq!(svlog.left(), 0, "{args:?}");
    }
}

//! What becomes of logs and directories that are moved away or removed.

use super::{Logger, old_of};
use crate::multilog::{mode, text};
use crate::support::{Changes, Dir, Process, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

#[test]
fn without_changes_nothing_is_opened_anew() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["./log"]);
    log.log_line("one");
    let before = fs::metadata(log.log().join("current")).unwrap().ino();
    log.process.signal(Signal::HUP);
    log.log_line("two");
    let after = fs::metadata(log.log().join("current")).unwrap();
    assert_eq!((after.ino(), after.mode() & 0o7777), (before, 0o644));
    assert_eq!(log.end(), "");
}

#[test]
fn a_current_that_was_moved_is_made_anew() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["R1h", "s4096", "./log"]);
    log.log_line("one");
    fs::rename(log.log().join("current"), dir.path("taken")).unwrap();
    let above = Changes::of(&[&dir.path("")]);
    log.give("two\n");
    // What comes behind the signal must not be read together with it.
    above.until("two", || text(dir.path("taken")).contains("two").then_some(()));
    log.process.signal(Signal::HUP);
    log.log_line("three");
    let taken = text(dir.path("taken"));
    let new = text(log.log().join("current"));
    assert_eq!([&taken[..], &new[..]].concat(), "one\ntwo\nthree\n");
    assert_eq!(mode(dir.path("taken")), 0o744);
    // One that somebody has put there is gone on with, and has an age.
    fs::remove_file(log.log().join("current")).unwrap();
    dir.file("log/current", "x".repeat(4000) + "\n");
    log.process.signal(Signal::HUP);
    log.give(&("y".repeat(100) + "\n"));
    // It is full in the middle of the line.
    let old = log.until_old(1);
    let full = text(log.log().join(&old[0]));
    assert!(full.starts_with(&("x".repeat(4000) + "\ny")) && full.len() == 4096);
    assert_eq!(log.end(), "");
}

#[test]
fn a_directory_that_was_moved_is_made_anew() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["./log"]);
    log.log_line("one");
    fs::rename(log.log(), dir.path("moved")).unwrap();
    let changes = Changes::of(&[&dir.path("")]);
    log.process.signal(Signal::HUP);
    log.appears(&changes);
    log.log_line("two");
    assert_eq!(text(dir.path("moved/current")), "one\n");
    assert_eq!(mode(dir.path("moved/current")), 0o744);
    assert_eq!(text(dir.path("log/current")), "two\n");
    // The old one is free for others.
    let other = dir.run("multilog", ["./moved"]);
    assert_eq!((other.code, other.err().as_str()), (0, ""));
    let other = dir.run("multilog", ["./log"]);
    assert_eq!(other.code, 111);
    assert_eq!(log.end(), "");
    assert_eq!(mode(dir.path("log/current")), 0o744);
}

#[test]
fn if_the_new_one_cannot_be_had_the_old_one_goes_on() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["./log"]);
    log.log_line("one");
    fs::rename(log.log(), dir.path("moved")).unwrap();
    dir.file("log", "in the way");
    log.process.signal(Signal::HUP);
    let said = log.process.complains("unable");
    assert_eq!(
        said,
        "multilog: warning: unable to open directory ./log, going on in the old one: \
         not a directory"
    );
    log.give("two\n");
    let current = dir.path("moved/current");
    log.changes.until("two", || (text(&current) == "one\ntwo\n").then_some(()));
    // Somebody else has the new one.
    fs::remove_file(dir.path("log")).unwrap();
    dir.mkdir("log");
    let mut other = Process::start(dir.tool("multilog", ["./log"]).stdin(Stdio::piped()));
    let changes = Changes::of(&[&dir.path("log")]);
    changes.until("the other", || dir.path("log/current").exists().then_some(()));
    log.process.signal(Signal::HUP);
    let said = log.process.complains("unable");
    assert_eq!(
        said,
        "multilog: warning: unable to lock directory ./log, going on in the old one: \
         temporary failure"
    );
    drop(other.stdin());
    assert_eq!(other.finish().code, 0);
    assert_eq!(log.end(), "");
    assert_eq!(text(current), "one\ntwo\n");
}

#[test]
fn a_directory_that_was_removed_is_made_anew() {
    if testing_originals() {
        return;
    }
    for signal in [Signal::HUP, Signal::ALARM] {
        let dir = Dir::new();
        let mut log = Logger::start(&dir, &["./log"]);
        log.log_line("one");
        let changes = Changes::of(&[&dir.path("")]);
        fs::remove_dir_all(log.log()).unwrap();
        log.process.signal(signal);
        log.appears(&changes);
        log.log_line("two");
        assert_eq!(text(dir.path("log/current")), "two\n");
        let wanted = match signal {
            Signal::HUP => "",
            _ => {
                "multilog: warning: unable to find directory ./log, making a new one: \
                 file does not exist\n"
            }
        };
        assert_eq!(log.end(), wanted);
    }
}

#[test]
fn a_current_that_was_removed_is_noticed_when_it_is_full() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["s4096", "./log"]);
    log.log_line("one");
    fs::remove_file(log.log().join("current")).unwrap();
    log.give(&format!("{}\n", "x".repeat(99)).repeat(41));
    log.log_line("two");
    assert_eq!(
        log.end(),
        "multilog: warning: unable to find ./log/current, making a new one: \
         file does not exist\n"
    );
    assert_eq!(old_of(&dir, "log").len(), 0);
}

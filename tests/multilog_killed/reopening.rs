//! Killed while logs are opened anew that were moved away or removed.

use super::{Case, lines, logged, without_stamps};
use crate::support::{Changes, Dir, Random, testing_originals};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Where one can be killed whose current was moved away, and where if its
/// whole directory was.
const REOPENING: [(bool, &[&str]); 2] = [
    (false, &["reopen: cleared", "reopen: created", "reopen: ended"]),
    (
        true,
        &["reopen: copied", "reopen: claimed", "reopen: left", "reopen: moved", "reopen: ended"],
    ),
];

#[test]
fn at_every_step_of_opening_anew() {
    if testing_originals() {
        return;
    }
    for (whole, points) in REOPENING {
        for point in points {
            let dir = Dir::new();
            let log = dir.mkdir("log");
            let changes = Changes::of(&[&log]);
            let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            let mut into = File::from(into);
            let case = Case { dir: &dir, script: 1, from, size: None };
            let process = case.start(Some(point));
            into.write_all(b"one\ntwo\nand the beg").unwrap();
            let current = log.join("current");
            changes.until("two lines", || (logged(&log, true) == b"one\ntwo\n").then_some(()));
            if whole {
                fs::rename(&log, dir.path("moved")).unwrap();
            } else {
                fs::rename(&current, dir.path("moved")).unwrap();
            }
            process.signal(Signal::HUP);
            assert_eq!(process.ends(), 137, "{point}");
            into.write_all(b"inning\nfour\n").unwrap();
            drop(into);
            assert_eq!(case.start(None).finish().code, 0);
            let moved = dir.path(if whole { "moved/current" } else { "moved" });
            let mut all = logged_file(&moved);
            all.extend(logged(&log, true));
            assert_eq!(
                String::from_utf8(all).unwrap(),
                "one\ntwo\nand the beginning\nfour\n",
                "killed at {point}"
            );
        }
    }
}

#[test]
fn where_the_directory_is_removed_in_the_middle() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    for point in ["reopen: copied", "reopen: claimed", "reopen: left", "reopen: moved"] {
        let dir = Dir::new();
        let log = dir.mkdir("log");
        let changes = Changes::of(&[&log]);
        let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut into = File::from(into);
        let case = Case { dir: &dir, script: 1, from, size: None };
        let process = case.start(Some(point));
        into.write_all(b"one\n").unwrap();
        changes.until("a line", || (logged(&log, true) == b"one\n").then_some(()));
        fs::remove_dir_all(&log).unwrap();
        let input = lines(&mut Random::new(7), 0, 30_000);
        into.write_all(&input).unwrap();
        drop(into);
        if process.ends() == 137 {
            reached.insert(point);
            assert_eq!(case.start(None).finish().code, 0);
        }
        // What went into the removed one is gone with it.
        let left = logged(&log, true);
        assert!(left.len() > 20_000, "killed at {point}: {} bytes", left.len());
        assert!(input.ends_with(&left), "killed at {point}: a line is lost, or twice");
    }
    assert_eq!(reached.len(), 4, "never killed");
}

/// The lines of a file, whose stamps are left out.
fn logged_file(file: &Path) -> Vec<u8> {
    without_stamps(&fs::read(file).unwrap())
}

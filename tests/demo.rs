//! The demo: what a newcomer runs first.

use crate::support::{Dir, Process, ours, testing_originals};
use rustix::process::Signal;
use std::path::Path;

#[test]
fn the_demo_shows_its_services_and_leaves_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let mut command = dir.command(script);
    let mut demo = Process::start(command.arg(ours()).env("TMPDIR", dir.mkdir("tmp")));
    demo.prints("ticker/log: up (pid ");
    // The logger's lines, in local time.
    demo.prints(" tick ");
    demo.signal(Signal::TERM);
    let done = demo.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert!(done.out().ends_with("demo: every service is down, nothing is left\n"));
    dir.nobody_is_left();
    assert_eq!(std::fs::read_dir(dir.path("tmp")).unwrap().count(), 0);
}

/// As `make demo | head` has it.
#[test]
fn the_demo_leaves_nothing_when_nobody_reads_it_any_more() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    for front in ["", "trap '' PIPE; "] {
        let tmp = dir.mkdir("tmp");
        let pipe = format!("{front}{} {} | head -n 1", script.display(), ours().display());
        let mut command = dir.command("/bin/sh");
        let done = Process::start(command.args(["-c", &pipe]).env("TMPDIR", &tmp)).finish();
        assert!(done.out().starts_with("svscan over "), "{}", done.out());
        assert_eq!(done.err(), "", "{front}");
        dir.nobody_is_left();
        assert_eq!(std::fs::read_dir(tmp).unwrap().count(), 0);
    }
}

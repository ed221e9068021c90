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
    assert_eq!(dir.processes(), []);
    assert_eq!(std::fs::read_dir(dir.path("tmp")).unwrap().count(), 0);
}

//! What a script reads while it has nothing to do but to hear signals.
//!
//! A shell runs a trap when a command has ended, and a signal ends its `read`.
//! One that comes after the shell has looked for signals and before it reads
//! does neither: the trap runs when something has been read. So a test that
//! waits writes an empty line now and then.

use rustix::fs::{Mode, OFlags};
use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a test waits before it writes a line.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

thread_local! {
    /// The FIFOs of the test that this thread runs.
    static HOLDS: RefCell<Vec<(PathBuf, File)>> = const { RefCell::new(Vec::new()) };
}

/// Has this FIFO written to.
pub(super) fn add(fifo: PathBuf) {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(&fifo, flags, Mode::empty()).unwrap();
    HOLDS.with_borrow_mut(|holds| holds.push((fifo, file.into())));
}

/// Forgets those in this directory.
pub(super) fn forget(dir: &Path) {
    HOLDS.with_borrow_mut(|holds| holds.retain(|(fifo, _)| !fifo.starts_with(dir)));
}

/// Writes an empty line to each. One that is full has enough of them.
pub(super) fn nudge() {
    HOLDS.with_borrow_mut(|holds| {
        for (_, file) in holds {
            let _ = file.write(b"\n");
        }
    });
}

//! Messages: `tool: fatal: unable to <verb> <object>: <why>`, one line, one
//! system call, no allocation, and no panic when nobody listens.

use crate::{Exit, words};
use core::sync::atomic::{AtomicBool, Ordering};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, IoSlice};
use std::sync::Mutex;
use upkeep_sys::Args;

/// A program, as it speaks of itself.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Its name, as in the first word of every message.
    pub name: &'static str,
    /// What `--help` prints.
    pub help: &'static str,
}

/// As many parts as one message may have.
const PARTS: usize = 13;

impl Tool {
    /// Answers `--help`, `-h` and `--version` when they are the first
    /// argument: the three that every program knows.
    #[must_use]
    pub fn answer(&self, args: Args) -> Option<Exit> {
        self.answer_to(args.get(1)?.to_bytes())
    }

    /// The same for a first argument that is not in the vector any more.
    #[must_use]
    pub fn answer_to(&self, first: &[u8]) -> Option<Exit> {
        if first == b"-h" { Some(self.help()) } else { self.answer_long_to(first) }
    }

    /// The same for programs that have a meaning of their own for `-h`.
    #[must_use]
    pub fn answer_long(&self, args: Args) -> Option<Exit> {
        self.answer_long_to(args.get(1)?.to_bytes())
    }

    fn answer_long_to(&self, first: &[u8]) -> Option<Exit> {
        match first {
            b"--help" => Some(self.help()),
            b"--version" => {
                let version = env!("CARGO_PKG_VERSION").as_bytes();
                Some(print(&[self.name.as_bytes(), b" (upkeep) ", version, b"\n"]))
            }
            _ => None,
        }
    }

    /// Prints the help.
    #[must_use]
    pub fn help(&self) -> Exit {
        print(&[self.help.as_bytes()])
    }

    /// `tool: warning: <parts>`
    pub fn warn(&self, parts: &[&[u8]]) {
        self.line(b": warning: ", parts, None);
    }

    /// `tool: warning: <parts><why>`
    pub fn warn_os(&self, parts: &[&[u8]], why: Errno) {
        self.line(b": warning: ", parts, Some(why));
    }

    /// `tool: info: <parts>`
    pub fn info(&self, parts: &[&[u8]]) {
        self.line(b": info: ", parts, None);
    }

    /// `tool: pausing: <parts><why>`
    pub fn pausing_os(&self, parts: &[&[u8]], why: Errno) {
        self.line(b": pausing: ", parts, Some(why));
    }

    /// `tool: fatal: <parts>`, and the exit code for it.
    #[must_use]
    pub fn fatal(&self, parts: &[&[u8]]) -> Exit {
        self.line(b": fatal: ", parts, None);
        Exit::System
    }

    /// `tool: fatal: <parts><why>`, and the exit code for it.
    #[must_use]
    pub fn fatal_os(&self, parts: &[&[u8]], why: Errno) -> Exit {
        self.line(b": fatal: ", parts, Some(why));
        Exit::System
    }

    /// Standard output does not work, and the exit code for that.
    #[must_use]
    pub fn unwritable(&self, why: Errno) -> Exit {
        self.fatal_os(&[b"unable to write to standard output: "], why)
    }

    /// `tool: usage: <synopsis>`, and the exit code for it.
    #[must_use]
    pub fn usage(&self, synopsis: &str) -> Exit {
        self.line(b": usage: ", &[synopsis.as_bytes()], None);
        Exit::Usage
    }

    fn line(&self, kind: &[u8], parts: &[&[u8]], why: Option<Errno>) {
        let mut all: [&[u8]; PARTS] = [b""; PARTS];
        all[0] = self.name.as_bytes();
        all[1] = kind;
        for (slot, part) in all[2..PARTS - 2].iter_mut().zip(parts) {
            *slot = part;
        }
        all[PARTS - 2] = why.map_or("", words).as_bytes();
        all[PARTS - 1] = b"\n";
        say(rustix::stdio::stderr(), &all);
        if let Ok(copies) = COPIES.lock()
            && let Some(copies) = copies.as_ref()
        {
            say(copies.as_fd(), &all);
        }
    }
}

fn say(fd: BorrowedFd<'_>, parts: &[&[u8]]) {
    if !DROPS.load(Ordering::Relaxed) || has_room(fd) {
        // Nobody can be told that standard error does not work.
        let _ = put(fd, parts);
    }
}

static COPIES: Mutex<Option<OwnedFd>> = Mutex::new(None);

/// From now on each message is written there too.
pub fn copy_messages_to(fd: Option<OwnedFd>) {
    if let Ok(mut copies) = COPIES.lock() {
        *copies = fd;
    }
}

static DROPS: AtomicBool = AtomicBool::new(false);

/// From now on a message that standard error has no room for is dropped. For
/// programs that must go on when the reader of their messages is stuck.
pub fn drop_messages_rather_than_wait() {
    DROPS.store(true, Ordering::Relaxed);
}

fn has_room(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}

fn print(parts: &[&[u8]]) -> Exit {
    match put(rustix::stdio::stdout(), parts) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::System,
    }
}

/// Writes all the parts, at most `PARTS` of them, in one call where the
/// kernel allows.
pub fn put(fd: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<(), Errno> {
    let mut slices = [IoSlice::new(b""); PARTS];
    let used = parts.len().min(PARTS);
    for (slot, part) in slices.iter_mut().zip(parts) {
        *slot = IoSlice::new(part);
    }
    let mut left = &mut slices[..used];
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match rustix::io::writev(fd, left) {
            Ok(0) => return Err(Errno::IO),
            Ok(n) => IoSlice::advance_slices(&mut left, n),
            Err(Errno::INTR) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Writes all of `bytes`.
pub fn put_all(fd: impl AsFd, bytes: &[u8]) -> Result<(), Errno> {
    put(fd.as_fd(), &[bytes])
}

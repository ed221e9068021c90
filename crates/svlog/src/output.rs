//! Where what is shown is written to: standard output, or a pager. Collects it,
//! so that few calls are needed.

use crate::trouble;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use upkeep_cli::{Exit, put_all};
use upkeep_logdir::limit;
use upkeep_sys::exec;
use upkeep_sys::signals::{Signal, Signals, ignore_broken_pipes};

/// As much is collected.
const FULL: usize = 64 * 1024;

/// A shell's exit codes for a program that it could not run, which it has said.
const NO_PAGER: [i32; 2] = [126, 127];

/// A pager that runs.
#[derive(Debug)]
struct Pager {
    child: Child,
    input: ChildStdin,
    /// What the keyboard sends is the pager's: nobody ends before it does.
    _signals: Signals,
}

/// Collects, and writes.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) held: Vec<u8>,
    pager: Option<Pager>,
}

impl Output {
    /// Standard output. That nobody reads it is an answer and no signal.
    pub(crate) fn standard() -> Self {
        ignore_broken_pipes();
        Self { held: Vec::with_capacity(FULL), pager: None }
    }

    /// `$PAGER`, as a shell understands it, or less.
    pub(crate) fn paged() -> Result<Self, Exit> {
        let pager = exec::variable(b"PAGER").filter(|pager| !pager.is_empty());
        let pager = pager.unwrap_or(b"less");
        let unable = |why| trouble::fatal_os(&[b"unable to run pager ", pager, b": "], why);
        let signals = Signals::take(&[], &[Signal::INT, Signal::QUIT]).map_err(unable)?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(OsStr::from_bytes(pager)).stdin(Stdio::piped());
        if exec::variable(b"LESS").is_none() {
            // It shows colours, and a page that fits is left on the screen.
            command.env("LESS", "FRX");
        }
        let mut child = command
            .spawn()
            .map_err(|why| unable(Errno::from_io_error(&why).unwrap_or(Errno::IO)))?;
        limit::lower(&child);
        let input = child.stdin.take().ok_or_else(|| unable(Errno::PIPE))?;
        let pager = Some(Pager { child, input, _signals: signals });
        Ok(Self { pager, ..Self::standard() })
    }

    /// What is written to.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match &self.pager {
            Some(pager) => pager.input.as_fd(),
            None => rustix::stdio::stdout(),
        }
    }

    /// Writes what is held if it is enough.
    pub(crate) fn added(&mut self) -> Result<(), Errno> {
        if self.held.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Writes what is held. What cannot be written is dropped.
    pub(crate) fn flush(&mut self) -> Result<(), Errno> {
        let done = put_all(self.fd(), &self.held);
        self.held.clear();
        done
    }

    /// Waits until the pager has been left. Says whether there was one, if
    /// there had to be: whatever its end was otherwise, it has shown the lines.
    pub(crate) fn close(self) -> bool {
        let Some(Pager { mut child, input, .. }) = self.pager else { return true };
        drop(input);
        child.wait().is_ok_and(|status| !status.code().is_some_and(|code| NO_PAGER.contains(&code)))
    }
}

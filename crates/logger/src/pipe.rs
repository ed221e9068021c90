//! A pipe that is looked into without being emptied. It knows how much it is
//! told to take out, and not why.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::pipe::{PipeFlags, SpliceFlags};
use rustix::stdio::stdin;

/// Standard input, if it is a pipe.
pub(crate) struct Pipe {
    /// The copy that is read in the place of the pipe.
    from: OwnedFd,
    into: OwnedFd,
    /// Where what is taken out of the pipe goes.
    nowhere: OwnedFd,
    wide: bool,
}

/// How large a pipe is made through which much comes, or as it is allowed:
/// while one part of it is looked at, there must be room to write others.
const WIDE: [usize; 3] = [1024 * 1024, 512 * 1024, 256 * 1024];
/// That is much.
pub(crate) const MUCH: usize = 32 * 1024;

impl Pipe {
    /// Prepares to look into standard input, if that can be done.
    pub(crate) fn open() -> Result<Option<Self>> {
        if FileType::from_raw_mode(rustix::fs::fstat(stdin())?.st_mode) != FileType::Fifo {
            return Ok(None);
        }
        let (from, into) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let nowhere = rustix::fs::open(c"/dev/null", flags, Mode::empty())?;
        Ok(Some(Self { from, into, nowhere, wide: false }))
    }

    /// Shows at most the first `most` bytes, which stay in the pipe. They
    /// must be read before the next look.
    #[doc(alias = "tee")]
    pub(crate) fn look(&self, most: usize) -> Result<usize> {
        rustix::pipe::tee(stdin(), &self.into, most, SpliceFlags::NONBLOCK)
    }

    /// Much comes through this pipe.
    #[doc(alias = "F_SETPIPE_SZ")]
    pub(crate) fn widen(&mut self) {
        if !self.wide {
            self.wide = true;
            for pipe in [stdin(), self.into.as_fd()] {
                let now = rustix::pipe::fcntl_getpipe_size(pipe).unwrap_or(usize::MAX);
                // Refused to users who have many; less is seen at once then.
                let mut sizes = WIDE.iter().take_while(|size| **size > now);
                sizes.any(|size| rustix::pipe::fcntl_setpipe_size(pipe, *size).is_ok());
            }
        }
    }

    /// Reads what the last look showed, or a part of it.
    pub(crate) fn read(&self, into: &mut [u8]) -> Result<usize> {
        rustix::io::read(&self.from, into)
    }

    /// Moves the first `n` bytes, all of which the last look showed, to where
    /// that saw them, in one step that no signal interrupts; answers how many
    /// that are. They are to be dropped before the next look.
    #[doc(alias = "splice")]
    pub(crate) fn move_out(&self, n: usize) -> usize {
        if n == 0 {
            return 0;
        }
        // They have as much room there as they had when they were shown.
        rustix::pipe::splice(stdin(), None, &self.into, None, n, SpliceFlags::NONBLOCK).unwrap_or(0)
    }

    /// Drops the `n` bytes that were moved.
    pub(crate) fn drop_moved(&self, mut n: usize) {
        while n > 0 {
            let (from, to) = (self.from.as_fd(), self.nowhere.as_fd());
            match rustix::pipe::splice(from, None, to, None, n, SpliceFlags::NONBLOCK) {
                Ok(dropped @ 1..) => n -= dropped.min(n),
                Err(Errno::INTR) => {}
                // They can always be read.
                Ok(0) | Err(_) => {
                    let mut some = [0; 4096];
                    let len = n.min(some.len());
                    n -= rustix::io::read(&self.from, &mut some[..len]).unwrap_or(n).max(1).min(n);
                }
            }
        }
    }

    /// Takes the first `n` bytes out of the pipe.
    #[doc(alias = "splice")]
    pub(crate) fn take_out(&self, mut n: usize) {
        while n > 0 {
            let (from, to) = (stdin(), self.nowhere.as_fd());
            match rustix::pipe::splice(from, None, to, None, n, SpliceFlags::NONBLOCK) {
                Ok(0) => break,
                Ok(taken) => n -= taken.min(n),
                Err(Errno::INTR) => {}
                // Somebody else took it.
                Err(_) => break,
            }
        }
    }
}

//! Standard input. What comes through a pipe is looked at, put into the logs
//! and only then taken out of the pipe, so that a logger that is killed in
//! between has taken no line along: the next one finds it.

use crate::pipe::Pipe;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use std::collections::TryReserveError;
use upkeep_core::rotation::READ;
use upkeep_sys::signals::Signals;

/// As much is read at once: a multiple of what the original reads, so that
/// logs are cut in the same places.
const BATCH: usize = 64 * READ;
/// Room before each read for the line whose end has not come.
const BEGUN: usize = READ;

/// What a read brought.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// New bytes.
    Some,
    /// Nothing yet.
    Nothing,
    /// The end of the input.
    End,
}

/// Standard input, and what was read of it and is not used yet.
pub(crate) struct Input {
    kept: Kept,
    /// How many of the bytes were given out before.
    seen: usize,
    /// How many of them are still in the pipe; they are the last ones.
    left: usize,
    pipe: Option<Pipe>,
    leaving: bool,
}

/// Bytes that leave at the front. New ones always come to the same place.
struct Kept {
    /// The bytes are at the end of the first `BEGUN`, and behind them.
    buffer: Vec<u8>,
    start: usize,
}

impl Input {
    /// Makes the room, and finds out what standard input is.
    pub(crate) fn open() -> Result<Self, TryReserveError> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(BEGUN + BATCH)?;
        buffer.resize(BEGUN, 0);
        let kept = Kept { buffer, start: BEGUN };
        // What cannot be looked into is read.
        let pipe = Pipe::open(2 * BATCH).ok().flatten();
        Ok(Self { kept, seen: 0, left: 0, pipe, leaving: false })
    }

    /// What is there and not used, and how much of it was there before.
    pub(crate) fn bytes(&self) -> (&[u8], usize) {
        (self.kept.bytes(), self.seen)
    }

    /// Whether everything was used.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.bytes().is_empty()
    }

    /// From now on not a byte more is taken than it needs to end the line.
    pub(crate) fn leave(&mut self) {
        self.hold();
        self.pipe = None;
        self.leaving = true;
    }

    /// Waits until there may be something to read, or a signal; answers
    /// whether there may be a signal.
    pub(crate) fn wait(&self, signals: &Signals) -> bool {
        let mut fds =
            [PollFd::from_borrowed_fd(stdin(), PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        // What is left in the pipe would be found again and again; the next
        // look decides whether it is all there is.
        let timeout = (self.left > 0).then(Timespec::default);
        // If it fails, a look at everything does no harm.
        poll(&mut fds, timeout.as_ref()).is_err() || !fds[1].revents().is_empty()
    }

    /// Gets new bytes, after those that were not used.
    pub(crate) fn read(&mut self) -> Read {
        let buffer = &mut self.kept.buffer;
        let answer = if self.pipe.is_some() {
            self.look()
        } else if self.leaving {
            let mut byte = [0];
            rustix::io::read(stdin(), &mut byte).inspect(|&n| buffer.extend(&byte[..n]))
        } else {
            rustix::io::read(stdin(), rustix::buffer::spare_capacity(buffer))
        };
        match answer {
            Ok(1..) => Read::Some,
            Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
            // Nothing better than its end will come of it.
            Ok(0) | Err(_) => Read::End,
        }
    }

    /// Looks into the pipe. The answer is as if what is new had been read.
    fn look(&mut self) -> Result<usize, Errno> {
        let Some(pipe) = &mut self.pipe else { return Err(Errno::BADF) };
        // What is new ends with a whole read of the original's, and fits.
        let most = self.left + BATCH - READ;
        let there = pipe.look(most)?;
        if there == most {
            pipe.widen();
        }
        self.kept.forget_last(self.left);
        self.kept.align();
        while self.kept.buffer.len() < BEGUN + there {
            pipe.read(&mut self.kept.buffer)?;
        }
        let fresh = there.saturating_sub(self.left);
        self.left = there;
        if fresh == 0 && there > 0 {
            // The line will take a while to end, and nothing tells that the
            // pipe holds more than before: only that it holds something.
            self.hold();
            return Err(Errno::AGAIN);
        }
        Ok(fresh)
    }

    /// The first `n` bytes are in the logs and need not be kept.
    pub(crate) fn used(&mut self, n: usize) {
        let out_already = self.kept.bytes().len() - self.left;
        self.take_out(n.saturating_sub(out_already));
        self.kept.start += n;
        self.kept.align();
        self.seen = self.kept.bytes().len();
    }

    /// Takes everything that was read out of the pipe.
    fn hold(&mut self) {
        self.take_out(self.left);
    }

    fn take_out(&mut self, n: usize) {
        if let Some(pipe) = &self.pipe {
            pipe.take_out(n);
        }
        self.left = self.left.saturating_sub(n);
    }
}

impl Kept {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Moves the bytes in front of where the next ones come.
    fn align(&mut self) {
        let end = self.buffer.len();
        let len = end - self.start;
        self.buffer.resize(end.max(BEGUN), 0);
        self.buffer.copy_within(self.start..end, BEGUN - len);
        self.buffer.truncate(BEGUN);
        self.start = BEGUN - len;
    }

    /// The last `n` bytes will come again.
    fn forget_last(&mut self, n: usize) {
        self.buffer.truncate(self.buffer.len() - n);
    }
}

//! Standard input. What comes through a pipe is looked at, put into the logs
//! and only then taken out of the pipe, so that a logger that is killed in
//! between has taken no line along: the next one finds it.

use crate::ledger::Ledger;
use crate::pipe::{MUCH, Pipe};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use upkeep_core::digest;
use upkeep_core::rotation::READ;
use upkeep_sys::clock;
use upkeep_sys::pages::Pages;
use upkeep_sys::signals::Signals;

/// As much is read at once: a multiple of what the original reads, so that
/// logs are cut in the same places. Much, so that few calls move many bytes.
const BATCH: usize = 512 * READ;
/// When more of the room than this was used, it is given back after a while.
const CALM: usize = 16 * READ;
/// Room before each read for the line whose end has not come.
const BEGUN: usize = READ;
/// The kernel copies fastest what is as far from the beginning of a page here
/// as it is there.
const PAGE: usize = 4096;

/// What a read brought.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// New bytes.
    Some,
    /// Nothing new, and the beginning of a line that is still in the pipe.
    Begun,
    /// Nothing yet.
    Nothing,
    /// The end of the input.
    End,
}

/// What a wait brought.
#[derive(Clone, Copy)]
pub(crate) struct Woken {
    /// There may be something to read.
    pub(crate) input: bool,
    /// There may be a signal.
    pub(crate) signal: bool,
}

/// Standard input, and what was read of it and is not used yet.
pub(crate) struct Input {
    kept: Kept,
    /// How many of the bytes were given out before.
    seen: usize,
    /// How many of them are still in the pipe; they are the last ones.
    left: usize,
    /// Whether they were looked at before the first read.
    early: bool,
    pipe: Option<Pipe>,
    /// How far the next byte in the pipe is from the beginning of its page,
    /// where each page was full: that of a writer of much is.
    offset: usize,
    leaving: bool,
}

/// Bytes that leave at the front.
struct Kept {
    buffer: Pages,
    /// New bytes come here, behind those that are left.
    place: usize,
    start: usize,
    end: usize,
    /// As much of the buffer may have been written to.
    touched: usize,
}

impl Input {
    /// Makes the room, and finds out what standard input is.
    pub(crate) fn open() -> Result<Self, Errno> {
        let buffer = Pages::new(BEGUN + PAGE + BATCH)?;
        let place = place(0);
        let kept = Kept { buffer, place, start: place, end: place, touched: 0 };
        // What cannot be looked into is read.
        let pipe = Pipe::open().ok().flatten();
        Ok(Self { kept, seen: 0, left: 0, early: false, pipe, offset: 0, leaving: false })
    }

    /// The pipe, by device and inode, if it can be looked into.
    pub(crate) fn pipe(&self) -> Option<(u64, u64)> {
        let stat = self.pipe.as_ref().and_then(|_| rustix::fs::fstat(stdin()).ok())?;
        Some((stat.st_dev, stat.st_ino))
    }

    /// Looks at the first `len` bytes in the pipe before anything is read, and
    /// answers their digest if there are as many. They are what is read first
    /// then, unless they are forgotten.
    pub(crate) fn look_at_head(&mut self, len: u64) -> Option<u64> {
        let len = usize::try_from(len).ok().filter(|&len| len <= BATCH)?;
        self.forget_head();
        if let Some(pipe) = &mut self.pipe
            && len > 0
        {
            // As much as the one before saw.
            if len >= MUCH {
                pipe.widen();
            }
            self.left = pipe.look(len).unwrap_or(0);
            self.early = true;
            while self.kept.end < self.kept.place + self.left {
                self.kept.add(|room| pipe.read(room)).ok()?;
            }
        }
        let bytes = self.kept.bytes();
        (bytes.len() == len).then(|| digest::ends(bytes))
    }

    /// The bytes at the head of the pipe are in the logs already.
    pub(crate) fn take_head(&mut self, ledger: &Ledger) {
        self.take_out(self.left, ledger);
        self.forget_head();
    }

    /// The first read is to begin with another look.
    pub(crate) fn forget_head(&mut self) {
        self.kept.end = self.kept.place;
        self.left = 0;
        self.early = false;
    }

    /// Puts bytes that have been taken before those at the head of the pipe.
    pub(crate) fn hold_first(&mut self, bytes: &[u8]) {
        let place = self.kept.place;
        self.kept.start = place - bytes.len();
        self.kept.buffer[self.kept.start..place].copy_from_slice(bytes);
        self.seen = bytes.len();
    }

    /// What is there and not used, and how much of it was there before.
    pub(crate) fn bytes(&self) -> (&[u8], usize) {
        (self.kept.bytes(), self.seen)
    }

    /// The first `n` of these bytes: those that are out of the pipe, and those
    /// that are still in it.
    pub(crate) fn apart(&self, n: usize) -> (&[u8], &[u8]) {
        let bytes = self.kept.bytes();
        bytes[..n].split_at(n.min(bytes.len() - self.left))
    }

    /// Whether everything was used.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.bytes().is_empty()
    }

    /// From now on not a byte more is taken than it needs to end the line.
    pub(crate) fn leave(&mut self) {
        self.leaving = true;
    }

    /// Waits until there may be something to read, or a signal, or until the
    /// deadline.
    pub(crate) fn wait(&self, signals: &Signals, deadline: Option<u64>) -> Woken {
        let mut fds =
            [PollFd::from_borrowed_fd(stdin(), PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        // What is left in the pipe would be found again and again; the next
        // look decides whether it is all there is.
        let timeout = match deadline {
            _ if self.left > 0 => Some(Timespec::default()),
            deadline => deadline.map(clock::until),
        };
        // If it fails, a look at everything does no harm.
        let all = poll(&mut fds, timeout.as_ref()).is_err();
        let [input, signal] = fds.map(|fd| all || !fd.revents().is_empty());
        Woken { input: input || self.early, signal }
    }

    /// Whether much has come, and its room is still in use.
    pub(crate) fn is_spread(&self) -> bool {
        self.kept.touched > BEGUN + PAGE + CALM
    }

    /// Nothing will come for a while.
    pub(crate) fn rest(&mut self) {
        if self.kept.end <= BEGUN + PAGE + CALM {
            self.kept.buffer.give_back(self.kept.end);
            self.kept.touched = self.kept.end;
        }
    }

    /// Gets new bytes, after those that were not used.
    pub(crate) fn read(&mut self) -> Read {
        if core::mem::take(&mut self.early) {
            return Read::Some;
        }
        let answer = if self.pipe.is_some() {
            self.look()
        } else if self.leaving {
            self.kept.add(|room| rustix::io::read(stdin(), &mut room[..1]))
        } else {
            self.kept.add(|room| rustix::io::read(stdin(), room))
        };
        match answer {
            Ok(1..) => Read::Some,
            // The line will take a while to end, and nothing tells that the
            // pipe holds more than before: only that it holds something.
            Ok(0) if self.left > 0 => Read::Begun,
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
        if there >= MUCH {
            pipe.widen();
        }
        self.kept.forget_last(self.left);
        self.kept.move_to(place(self.offset));
        while self.kept.end < self.kept.place + there {
            self.kept.add(|room| pipe.read(room))?;
        }
        let before = core::mem::replace(&mut self.left, there);
        if self.leaving
            && let Some(end) = memchr::memchr(b'\n', self.kept.bytes())
        {
            let behind = self.kept.bytes().len() - end - 1;
            self.kept.forget_last(behind);
            self.left -= behind;
        }
        Ok(self.left.saturating_sub(before))
    }

    /// The first `n` bytes are in the logs and need not be kept.
    pub(crate) fn used(&mut self, n: usize, ledger: &Ledger) {
        let out_already = self.kept.bytes().len() - self.left;
        self.take_out(n.saturating_sub(out_already), ledger);
        self.kept.start += n;
        self.kept.move_to(place(self.offset));
        self.seen = self.kept.bytes().len();
    }

    /// Takes everything that was read out of the pipe.
    pub(crate) fn hold(&mut self, ledger: &Ledger) {
        self.take_out(self.left, ledger);
    }

    /// Takes the first `n` bytes of those that are left in the pipe.
    fn take_out(&mut self, n: usize, ledger: &Ledger) {
        if let Some(pipe) = &self.pipe
            && n > 0
        {
            ledger.take(pipe, n);
            self.left -= n;
            self.offset = (self.offset + n) % PAGE;
        }
    }
}

impl Kept {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Adds what `read` puts into the room behind the bytes.
    fn add(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let added = read(&mut self.buffer[self.end..self.place + BATCH])?;
        self.end += added;
        self.touched = self.touched.max(self.end);
        Ok(added)
    }

    /// The next bytes come to this place, and those that are kept before it.
    fn move_to(&mut self, place: usize) {
        let len = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, place - len);
        self.place = place;
        self.end = place;
        self.start = place - len;
    }

    /// The last `n` bytes will come again.
    fn forget_last(&mut self, n: usize) {
        self.end -= n;
    }
}

/// Where bytes come to that are so far from the beginning of a page.
const fn place(offset: usize) -> usize {
    BEGUN + (PAGE + offset - BEGUN) % PAGE
}

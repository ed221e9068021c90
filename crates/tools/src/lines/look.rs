//! Looking into pipes without emptying them, so that what is looked at stays
//! there until it has been written, whoever is killed before.

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::pipe::{
    PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, tee,
};

/// As much is looked at at once: what a pipe holds.
pub(crate) const SEEN: usize = 64 * 1024;

/// What is seen of one pipe at a time.
#[derive(Debug)]
pub(crate) struct Look {
    from: OwnedFd,
    into: OwnedFd,
    seen: Vec<u8>,
    len: usize,
    /// So much fits in there, however it was written.
    room: usize,
}

impl Look {
    pub(crate) fn new() -> Result<Self> {
        let (from, into) = pipe_with(PipeFlags::CLOEXEC)?;
        // A user who has many pipes gets small ones: less is seen at once then.
        let _ = fcntl_setpipe_size(&into, SEEN);
        let room = room_in(&into)?;
        Ok(Self { from, into, seen: vec![0; SEEN], len: 0, room })
    }

    /// What fits in `pipe` and is sure to be seen at once, and what it holds at
    /// least when nothing more does.
    pub(crate) fn room_in(&self, pipe: &OwnedFd) -> Result<(usize, usize)> {
        room_in(pipe).map(|room| (room.min(self.room), room))
    }

    /// Looks at what is at the front of `pipe`: how much that is, 0 if nobody
    /// writes any more, `AGAIN` if nothing is there now.
    pub(crate) fn at(&mut self, pipe: &OwnedFd) -> Result<usize> {
        self.len = 0;
        let shown = tee(pipe, &self.into, SEEN, SpliceFlags::NONBLOCK)?;
        while self.len < shown {
            match rustix::io::read(&self.from, &mut self.seen[self.len..shown]) {
                Ok(0) => return Err(Errno::IO),
                Ok(n) => self.len += n,
                Err(Errno::INTR) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(shown)
    }

    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen[..self.len]
    }

    /// Takes the first `n` bytes of what was seen out of `pipe`, and forgets
    /// what was seen.
    pub(crate) fn take(&mut self, pipe: impl AsFd, mut n: usize) {
        self.len = 0;
        while n > 0 {
            match rustix::io::read(&pipe, &mut self.seen[..n]) {
                Ok(0) => return,
                Ok(taken) => n -= taken.min(n),
                Err(Errno::INTR) => {}
                // Nothing can be wrong with a pipe that was looked into.
                Err(_) => return,
            }
        }
    }
}

/// Each page of a pipe may be half empty.
fn room_in(pipe: &OwnedFd) -> Result<usize> {
    fcntl_getpipe_size(pipe).map(|size| size / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    #[test]
    fn what_is_looked_at_stays_until_it_is_taken() {
        let (read, write) = pipe().unwrap();
        let mut look = Look::new().unwrap();
        assert_eq!(look.at(&read), Err(Errno::AGAIN));
        assert_eq!(rustix::io::write(&write, b"one two"), Ok(7));
        for _ in 0..2 {
            assert_eq!(look.at(&read), Ok(7));
            assert_eq!(look.seen(), b"one two");
        }
        look.take(&read, 4);
        assert_eq!(look.at(&read), Ok(3));
        assert_eq!(look.seen(), b"two");
        drop(write);
        assert_eq!(look.at(&read), Ok(3));
        look.take(&read, 3);
        assert_eq!(look.at(&read), Ok(0));
    }
}

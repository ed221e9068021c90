//! A pipe that is looked into without being emptied. It knows how much it is
//! told to take out, and not why.

use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::pipe::{PipeFlags, SpliceFlags};
use rustix::stdio::stdin;
use upkeep_sys::signals::Signals;

/// What it takes to look into a pipe.
pub(crate) struct Pipe {
    /// The copy that is read in the place of the pipe.
    from: OwnedFd,
    into: OwnedFd,
    /// Where what is taken out of the pipe goes.
    nowhere: OwnedFd,
    /// Tells of what is new in the pipe, though there be something old.
    news: OwnedFd,
    /// Whether a look that shows less than was asked for shows all there is.
    shows_all: bool,
    /// Whether there was no more when it was last looked into.
    dry: bool,
    /// Whether everybody who could write has closed it.
    closed: bool,
}

impl Pipe {
    /// Prepares to look into standard input, if it is a pipe.
    pub(crate) fn open(signals: &Signals) -> Result<Option<Self>> {
        if FileType::from_raw_mode(rustix::fs::fstat(stdin())?.st_mode) != FileType::Fifo {
            return Ok(None);
        }
        let size = rustix::pipe::fcntl_getpipe_size(stdin())?;
        let (from, into) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        // A user who has many pipes may not have large ones.
        let _ = rustix::pipe::fcntl_setpipe_size(&into, size);
        let shows_all = rustix::pipe::fcntl_getpipe_size(&into)? >= size;
        let null = OFlags::WRONLY | OFlags::CLOEXEC;
        let nowhere = rustix::fs::open(c"/dev/null", null, Mode::empty())?;
        let news = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let edges = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&news, stdin(), epoll::EventData::new_u64(0), edges)?;
        epoll::add(&news, signals, epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
        Ok(Some(Self { from, into, nowhere, news, shows_all, dry: false, closed: false }))
    }

    /// Waits for news; answers how many there are.
    pub(crate) fn wait(&mut self, timeout: Option<&Timespec>) -> usize {
        let nothing =
            epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(1) };
        let mut events = [nothing; 2];
        let n = epoll::wait(&self.news, &mut events, timeout).unwrap_or(1);
        for epoll::Event { flags, data } in events {
            if data.u64() == 0 {
                self.dry = false;
                self.closed |= flags.contains(epoll::EventFlags::HUP);
            }
        }
        n
    }

    /// Shows the first `most` bytes, which stay in the pipe. They must be
    /// read before the next look.
    #[doc(alias = "tee")]
    pub(crate) fn look(&mut self, most: usize) -> Result<usize> {
        self.dry = true;
        let there = rustix::pipe::tee(stdin(), &self.into, most, SpliceFlags::NONBLOCK)?;
        self.dry = self.shows_all && there < most;
        Ok(there)
    }

    /// Reads what the last look showed, or a part of it.
    pub(crate) fn read(&self, into: &mut Vec<u8>) -> Result<usize> {
        rustix::io::read(&self.from, rustix::buffer::spare_capacity(into))
    }

    /// Whether nothing that was not shown yet can be there without news.
    pub(crate) fn is_quiet(&self) -> bool {
        self.dry && !self.closed
    }

    /// Whether nobody can write anything behind what a look showed that
    /// showed nothing new.
    pub(crate) fn showed_the_last(&mut self) -> bool {
        self.dry = true;
        self.closed
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

//! Hearing that a service is ready: it writes a newline to a descriptor, as s6
//! has it. Behind the descriptor is a FIFO, which the service has open for
//! both, so that what it says while no supervise listens neither fails nor is
//! lost as long as it keeps the descriptor.

use crate::{names, place};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_sys::inherited;

/// supervise's end.
#[derive(Debug)]
pub struct Ear(OwnedFd);

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing that counts, so far.
    Nothing,
    /// That it is ready.
    Ready,
    /// That it has closed the descriptor.
    Closed,
}

const LISTEN: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Ear {
    /// A new one, in which nothing that was said to another can be, and the
    /// service's end.
    pub fn open() -> Result<(Self, OwnedFd)> {
        match place::unlink(names::NOTIFY) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(why) => return Err(why),
        }
        place::make_fifo(names::NOTIFY, Mode::from_raw_mode(0o600))?;
        let service = place::open(names::NOTIFY, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        Ok((Self(place::open(names::NOTIFY, LISTEN, Mode::empty())?), service))
    }

    /// The one that an earlier supervise had.
    #[must_use]
    pub fn again() -> Option<Self> {
        let stat = place::stat(names::NOTIFY).ok()?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
            return None;
        }
        let own = inherited::take(&stat, OFlags::RDONLY.bits());
        own.or_else(|| place::open(names::NOTIFY, LISTEN, Mode::empty()).ok()).map(Self)
    }

    /// What there is to hear.
    #[must_use]
    pub fn hear(&self) -> Heard {
        let mut said = [0; 256];
        loop {
            match rustix::io::read(&self.0, &mut said) {
                Ok(0) => return Heard::Closed,
                Ok(count) if said[..count].contains(&b'\n') => return Heard::Ready,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return Heard::Nothing,
            }
        }
    }

    /// Lets it survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        inherited::close_on_exec(&self.0, !survives)
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

//! Supervises that live already, left by a svscan that was killed or that has
//! become this one. They are not started again: they are left alone, told what
//! they are to do by their FIFO, and their end is noticed.

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Result;
use upkeep_core::record::{Boot, Stage};
use upkeep_core::scan::Ending;
use upkeep_servicedir::Elsewhere;

/// Notices the ends of supervises that are not children of this process.
#[derive(Debug)]
pub(crate) struct Found {
    epoll: OwnedFd,
}

impl Found {
    pub(crate) fn open() -> Result<Self> {
        epoll::create(CreateFlags::CLOEXEC).map(|epoll| Self { epoll })
    }

    /// Watches the supervise that has the other end of `ok`, until `ok` is
    /// closed.
    pub(crate) fn watch(&self, ok: &OwnedFd) -> Result<()> {
        let number = u64::from(ok.as_raw_fd().unsigned_abs());
        // That nobody reads any more is always told.
        epoll::add(&self.epoll, ok, EventData::new_u64(number), EventFlags::empty())
    }

    /// The descriptor of one that has ended, if one has.
    pub(crate) fn ended(&self) -> Option<i32> {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 1];
        let now = rustix::event::Timespec::default();
        let count = epoll::wait(&self.epoll, &mut events[..], Some(&now)).ok()?;
        let event = events[..count].first()?;
        i32::try_from(event.data.u64()).ok()
    }
}

impl AsFd for Found {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// How a supervise ended that nobody here has waited for: by its last words.
pub(crate) fn ending(there: Elsewhere<'_>, boot: &Boot) -> Ending {
    match there.record(boot) {
        Some(record) if record.own.stage == Stage::Over => Ending::Told,
        Some(_) | None => Ending::Killed,
    }
}

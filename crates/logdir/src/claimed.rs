//! A log directory that is locked and not yet looked into: what the last
//! multilog noted can be read, and everything is as it left it.

use crate::directory::inode;
use crate::journal::Journal;
use crate::place::Place;
use crate::recover::recover;
use crate::rotate::Rotation;
use crate::{LogDirectory, Settings, Voice, files, limit};
use rustix::fs::{Mode, OFlags};
use upkeep_cli::Exit;
use upkeep_core::journal::{Mark, Undo};
use upkeep_sys::point;
use upkeep_sys::signals::Mask;

/// A batch that is about to be written again.
#[derive(Clone, Copy, Debug)]
pub struct Again {
    /// The batch.
    pub id: u64,
    /// Whether it will come out the same.
    pub same: bool,
}

/// A locked log directory.
#[derive(Debug)]
pub struct Claimed {
    settings: Settings,
    mask: Mask,
    place: Place,
    journal: Option<Journal>,
}

impl Claimed {
    /// Opens the directory, making it if need be, and locks it. `mask` is the
    /// signal mask that a processor should find.
    pub fn new(settings: Settings, mask: Mask, voice: &mut Voice) -> Result<Self, Exit> {
        limit::raise();
        let place = Place::open(&settings).map_err(|refusal| refusal.report(&settings, voice))?;
        let journal = Journal::open(&place);
        point!("start: locked");
        Ok(Self { settings, mask, place, journal })
    }

    /// The journal, to note in it what happens to the input. If another
    /// multilog has been at work here since, one that does not know the
    /// journal, what it says is forgotten.
    #[must_use]
    pub fn journal(&self) -> Option<Journal> {
        let journal = self.journal.clone()?;
        if !journal.mark().is_some_and(|mark| mark.fits(self.current().map(|(file, _)| file))) {
            journal.forget();
        }
        Some(journal)
    }

    /// The input is noted in another directory.
    pub fn forget_input(&self) {
        if let Some(journal) = &self.journal {
            journal.forget();
        }
    }

    /// Undoes what was written here of a batch that will be written again,
    /// and recovers the directory, one of as many and itself.
    pub fn recover(
        self,
        again: Option<Again>,
        neighbours: usize,
        voice: &mut Voice,
    ) -> Result<LogDirectory, Exit> {
        let mut stored = Mark::default();
        if let Some(batch) = again {
            let mark = self.journal.as_ref().and_then(Journal::mark);
            let undo = Undo::of(batch.id, mark, self.current());
            if let Some(size) = undo.cut {
                self.cut(size);
            }
            point!("undone");
            stored = Mark { id: batch.id, done: undo.done, ..stored };
            if !batch.same {
                stored.done = 0;
            }
        }
        if let Some(journal) = &self.journal {
            journal.set_mark(&stored);
        }
        point!("recovering");
        let Self { settings, mask, place, journal } = self;
        let mut rotation = Rotation::new(place, settings, mask);
        let current =
            recover(&mut rotation, voice).map_err(|refusal| refusal.report(&settings, voice))?;
        point!("recovered");
        stored = Mark { file: inode(&current.fd), size: current.bytes, ..stored };
        if let Some(journal) = &journal {
            journal.set_mark(&stored);
        }
        LogDirectory::new(rotation, current, journal, stored, neighbours, voice)
    }

    /// Current's inode and size.
    fn current(&self) -> Option<(u64, u64)> {
        let stat = self.place.look(files::CURRENT).ok().flatten()?;
        Some((stat.st_ino, u64::try_from(stat.st_size).unwrap_or(0)))
    }

    fn cut(&self, size: u64) {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // What cannot be undone stays, and is there twice.
        let _ = rustix::fs::openat(self.place.fd(), files::CURRENT, flags, Mode::empty())
            .and_then(|fd| rustix::fs::ftruncate(&fd, size));
    }
}

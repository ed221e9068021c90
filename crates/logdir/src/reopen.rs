//! Somebody has moved things away: current, or the whole directory. What was
//! open is ended properly, and what has its name now is taken up. If that is
//! not possible, the old one goes on.

use crate::by_clock::ByClock;
use crate::directory::{LogDirectory, cut, inode};
use crate::journal::Journal;
use crate::place::{Place, Refusal};
use crate::recover::{Current, recover};
use crate::rotate::Rotation;
use crate::voice::Patience;
use crate::{Voice, files, modes};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, Result};
use upkeep_sys::point;

/// Another directory, ready to be written to.
struct Claimed {
    rotation: Rotation,
    current: Current,
    journal: Option<Journal>,
}

impl LogDirectory {
    /// Writes what there is, and then to what has the directory's name, and
    /// in it that of current. All that was given so far are whole batches.
    pub fn reopen(&mut self, voice: &mut Voice) {
        self.flush(voice);
        self.write_out(voice);
        if self.rotation.place.is_in_its_place() {
            let current = self.rotation.place.look(files::CURRENT);
            let same = |stat: &rustix::fs::Stat| stat.st_ino == self.stored.file;
            if current.is_ok_and(|stat| !stat.as_ref().is_some_and(same)) {
                self.open_current_anew(voice);
            }
        } else {
            match self.claim(voice) {
                Ok(claimed) => {
                    let old = self.move_to(claimed);
                    self.end_old(&old, voice);
                }
                Err(refusal) => {
                    let Refusal { verb, dir, file, why, .. } = refusal;
                    let unable = [verb, dir, refusal.slash(), file, b", going on in the old one: "];
                    voice.warn(&unable, why);
                }
            }
        }
        self.look_at_the_clock(voice);
    }

    /// When a log was to be ended, current was not there.
    pub(crate) fn find_current(&mut self, voice: &mut Voice) {
        let dir = self.rotation.place.name();
        if !self.rotation.place.is_removed() {
            voice.warn(&[b"unable to find ", dir, b"/current, making a new one: "], Errno::NOENT);
            let unable = [b"unable to create ", dir, b"/current, pausing: "];
            let place = &self.rotation.place;
            let opened =
                self.rotation.insist(voice, &unable, || place.unless_removed(open_current(place)));
            if let Some(current) = opened {
                self.current = current;
                return;
            }
        }
        voice.warn(&[b"unable to find directory ", dir, b", making a new one: "], Errno::NOENT);
        let mut patience = Patience::default();
        let claimed = loop {
            match self.claim(voice) {
                Ok(claimed) => break claimed,
                Err(refusal) => {
                    let Refusal { verb, dir, file, why, .. } = refusal;
                    let unable = [verb, dir, refusal.slash(), file, b", pausing: "];
                    voice.wait(&unable, why, &mut patience);
                }
            }
        };
        let is_new = claimed.current.bytes == 0;
        // What comes has been counted.
        let counted = self.cut.clone();
        self.move_to(claimed);
        self.cut = counted;
        if !is_new {
            // It has been counted for an empty one.
            self.end(voice);
        }
    }

    /// What has the directory's name now, made ready to be written to.
    fn claim(&self, voice: &mut Voice) -> core::result::Result<Claimed, Refusal> {
        let old = &self.rotation;
        let place = Place::open(&old.settings)?;
        // Whoever is killed from here on finds in it what was in hand.
        let journal =
            self.journal.as_ref().and_then(|journal| journal.copy_to(&place, &self.stored));
        let mut rotation = Rotation::new(place, old.settings, old.mask);
        rotation.stamps = old.stamps;
        rotation.compressor = old.compressor.of_another();
        match recover(&mut rotation, voice) {
            Ok(current) => {
                point!("reopen: claimed");
                Ok(Claimed { rotation, current, journal })
            }
            Err(refusal) => {
                if let Some(journal) = journal {
                    journal.forget();
                }
                Err(refusal)
            }
        }
    }

    /// Goes on there; the current that was open is the answer.
    fn move_to(&mut self, claimed: Claimed) -> OwnedFd {
        let Claimed { rotation, current, journal } = claimed;
        self.rotation.compressor.stop();
        self.rotation = rotation;
        let old = core::mem::replace(&mut self.current, current.fd);
        if let Some(own) = &self.journal {
            own.become_it(journal);
        }
        self.take_up(current.bytes);
        point!("reopen: moved");
        old
    }

    /// Current is another file.
    fn open_current_anew(&mut self, voice: &mut Voice) {
        // Nothing of it is known to the next multilog.
        self.stored.file = 0;
        self.stored.size = 0;
        self.note();
        point!("reopen: cleared");
        match open_current(&self.rotation.place) {
            Ok(new) => {
                point!("reopen: created");
                let bytes = rustix::fs::fstat(&new).map_or(0, |stat| stat.st_size);
                let old = core::mem::replace(&mut self.current, new);
                self.take_up(u64::try_from(bytes).unwrap_or(0));
                self.end_old(&old, voice);
            }
            Err(why) => {
                let dir = self.rotation.place.name();
                voice.warn(&[b"unable to open ", dir, b"/current, going on in the old one: "], why);
                self.take_up(self.cut.written());
            }
        }
    }

    /// Current, which holds as many bytes, is written to from now on.
    fn take_up(&mut self, bytes: u64) {
        self.is_another();
        let file = inode(&self.current);
        self.stored.file = file;
        self.stored.size = bytes;
        self.note();
        self.cut = cut(&self.rotation.settings, bytes);
        let works = self.rotation.settings.keeping.clock;
        self.by_clock = ByClock::new(works, &self.current, bytes, file, self.journal.as_ref());
    }

    /// Nothing more comes into what was current.
    fn end_old(&self, old: &OwnedFd, voice: &mut Voice) {
        self.rotation.sync(old, files::CURRENT, voice);
        // Whoever moved it may have what mode he likes.
        let _ = rustix::fs::fchmod(old, modes::FINISHED);
        point!("reopen: ended");
    }
}

fn open_current(place: &Place) -> Result<OwnedFd> {
    let current = place.append(files::CURRENT)?;
    rustix::fs::fchmod(&current, modes::OPEN)?;
    Ok(current)
}

//! Ending a log: current becomes previous, previous becomes an old log, by
//! way of the processor if there is one, and the oldest logs go. Each step
//! can be the last before a crash; recovery knows what to make of it.

use crate::compress::Compressor;
use crate::place::Place;
use crate::runit::Work;
use crate::voice::Patience;
use crate::{Settings, Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::{Errno, Result};
use upkeep_core::archives::{self, NAME, Stamps};
use upkeep_core::leap;
use upkeep_core::recovery::Ending;
use upkeep_core::tai::Tai64n;
use upkeep_core::treatment::Durability;
use upkeep_sys::clock;
use upkeep_sys::point;
use upkeep_sys::signals::Mask;

/// What rotating a log needs to know.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    /// The signal mask that the processor should find.
    pub(crate) mask: Mask,
    pub(crate) stamps: Stamps,
    pub(crate) compressor: Compressor,
    /// When the oldest log will be too old, on the monotonic clock.
    pub(crate) trim_at: Option<u64>,
    /// What goes on beside the logging, svlogd's way.
    pub(crate) work: Option<Work>,
}

/// Somebody has taken current away.
#[must_use]
pub(crate) struct Missing;

impl Rotation {
    /// In this place.
    pub(crate) fn new(place: Place, settings: Settings, mask: Mask) -> Self {
        let compressor = Compressor::new(settings.keeping.compression);
        // What the last one left is looked at first.
        let trims = settings.keeping.total.is_some()
            || settings.keeping.age.is_some()
            || settings.keeping.free.is_some();
        let trim_at = trims.then_some(0);
        Self { place, settings, mask, stamps: Stamps::default(), compressor, trim_at, work: None }
    }

    /// Does something until it works. When the disk is full and the directory
    /// may do something about it, it does that first.
    pub(crate) fn insist<T>(
        &self,
        voice: &mut Voice,
        parts: &[&[u8]],
        action: impl FnMut() -> Result<T>,
    ) -> T {
        voice.insist_or(parts, |voice, why| self.make_room(why, voice), action)
    }

    /// Ends `current`, which holds everything it was given, `size` bytes; a
    /// new one takes its place.
    pub(crate) fn rotate(
        &mut self,
        current: &mut OwnedFd,
        size: u64,
        voice: &mut Voice,
    ) -> core::result::Result<(), Missing> {
        // Who reads standard error finds things in the order they happened.
        voice.settle();
        if let Some(runit) = self.settings.runit {
            return self.rotate_as_runit(&runit, current, size, voice);
        }
        let dir = self.place.name();
        self.sync(current, files::CURRENT, voice);
        point!("rotate: synced");
        let renamed = self.insist(
            voice,
            &[b"unable to rename current to previous in directory ", dir, b", pausing: "],
            || match self.place.rename(files::CURRENT, files::PREVIOUS) {
                Err(Errno::NOENT) => Ok(false),
                other => other.map(|()| true),
            },
        );
        if !renamed {
            return Err(Missing);
        }
        point!("rotate: renamed");
        let unable = [b"unable to create ", dir, b"/current, pausing: "];
        let new = self.insist(voice, &unable, || {
            self.place.unless_removed(self.place.append(files::CURRENT))
        });
        let Some(new) = new else { return Err(Missing) };
        *current = new;
        self.insist(voice, &[b"unable to set mode of ", dir, b"/current, pausing: "], || {
            rustix::fs::fchmod(&*current, modes::OPEN)
        });
        point!("rotate: created");
        self.insist(voice, &[b"unable to set mode of ", dir, b"/previous, pausing: "], || {
            unless_gone(self.place.mark_finished(files::PREVIOUS))
        });
        if self.settings.durability != Durability::Kernel {
            // What is put on the disk from now on is to be found there, too.
            self.insist(voice, &[b"unable to write ", dir, b" to disk, pausing: "], || {
                rustix::fs::fsync(self.place.fd())
            });
        }
        point!("rotate: finished");
        match self.settings.processor {
            None => self.archive(files::PREVIOUS, Ending::Safe, voice),
            Some(processor) => self.process(processor, voice),
        }
        if self.place.is_removed() { Err(Missing) } else { Ok(()) }
    }

    fn process(&mut self, processor: &'static CStr, voice: &mut Voice) {
        if !self.run_until_it_succeeds(processor, voice) {
            return;
        }
        point!("process: done");
        let dir = self.place.name();
        let processed =
            self.insist(voice, &[b"unable to create ", dir, b"/processed, pausing: "], || {
                self.place.append(files::PROCESSED)
            });
        self.sync(&processed, files::PROCESSED, voice);
        self.insist(voice, &[b"unable to set mode of ", dir, b"/processed, pausing: "], || {
            rustix::fs::fchmod(&processed, modes::FINISHED)
        });
        point!("process: finished");
        let state =
            self.insist(voice, &[b"unable to create ", dir, b"/newstate, pausing: "], || {
                self.place.append(files::NEW_STATE)
            });
        self.sync(&state, files::NEW_STATE, voice);
        self.insist(voice, &[b"unable to remove ", dir, b"/previous, pausing: "], || {
            unless_gone(self.place.remove(files::PREVIOUS))
        });
        point!("process: removed");
        self.insist(
            voice,
            &[b"unable to rename newstate to state in directory ", dir, b", pausing: "],
            || self.place.rename(files::NEW_STATE, files::STATE),
        );
        point!("process: renamed");
        self.archive(files::PROCESSED, Ending::Safe, voice);
    }

    /// Makes `file` an old log, if it is there, and lets the oldest go.
    pub(crate) fn archive(&mut self, file: &CStr, ending: Ending, voice: &mut Voice) {
        let dir = self.place.name();
        let name = file.to_bytes();
        let found =
            self.insist(voice, &[b"unable to stat ", dir, b"/", name, b", pausing: "], || {
                self.place.look(file)
            });
        let Some(stat) = found else { return };
        // One that has a second name already was killed between the next two
        // steps: it is an old log.
        if stat.st_nlink == 1 {
            self.link(file, ending, voice);
        }
        point!("archive: linked");
        self.insist(voice, &[b"unable to remove ", dir, b"/", name, b", pausing: "], || {
            unless_gone(self.place.remove(file))
        });
        point!("archive: removed");
        self.trim(voice);
        self.compressor.look_soon();
    }

    fn link(&mut self, file: &CStr, ending: Ending, voice: &mut Voice) {
        let dir = self.place.name();
        let mut patience = Patience::default();
        let mut first = None;
        loop {
            let (seconds, nanos) = clock::wall();
            let moment = self.stamps.next(Tai64n::from_unix(seconds, nanos));
            let moment = if self.settings.s6.is_some() { leap::with(moment) } else { moment };
            let mut name = [0; NAME + 1];
            name[..NAME].copy_from_slice(&archives::name(moment, ending));
            match self.place.link(file, CStr::from_bytes_until_nul(&name).unwrap_or_default()) {
                // If it has gone, it has gone with the directory.
                Ok(()) | Err(Errno::NOENT) => return,
                // Somebody has taken that moment; the next one is free.
                Err(Errno::EXIST) => {}
                Err(why) if self.make_room(why, voice) => {}
                Err(why) => {
                    // It is the same trouble under another name.
                    let shown = &first.get_or_insert(name)[..NAME];
                    let unable = [b"unable to link to ", dir, b"/", shown, b", pausing: "];
                    voice.wait(&unable, why, &mut patience);
                }
            }
        }
    }

    /// Waits until everything written to `file` is on the disk.
    pub(crate) fn sync(&self, fd: &OwnedFd, file: &CStr, voice: &mut Voice) {
        let dir = self.place.name();
        self.insist(
            voice,
            &[b"unable to write ", dir, b"/", file.to_bytes(), b" to disk, pausing: "],
            || rustix::fs::fsync(fd),
        );
    }
}

/// Whoever removed it in the meantime meant the same.
pub(crate) fn unless_gone(removed: Result<()>) -> Result<()> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

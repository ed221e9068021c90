//! Ending a log: current becomes previous, previous becomes an old log, by
//! way of the processor if there is one, and the oldest logs go. Each step
//! can be the last before a crash; recovery knows what to make of it.

use crate::place::Place;
use crate::runit::{Svlogd, Work};
use crate::{Voice, files, modes, old};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use upkeep_core::archives::{self, NAME, Stamps};
use upkeep_core::recovery::Ending;
use upkeep_core::tai::Tai64n;
use upkeep_sys::clock;
use upkeep_sys::point;
use upkeep_sys::signals::Mask;

/// What rotating a log needs to know.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) place: Place,
    pub(crate) keep: u64,
    pub(crate) processor: Option<&'static CStr>,
    /// The signal mask that the processor should find.
    pub(crate) mask: Mask,
    pub(crate) stamps: Stamps,
    /// What is to be done svlogd's way, if anything is.
    pub(crate) runit: Option<Svlogd>,
    /// What goes on beside the logging.
    pub(crate) work: Option<Work>,
}

impl Rotation {
    /// Ends `current`, which holds everything it was given, `size` bytes; a
    /// new one takes its place.
    pub(crate) fn rotate(&mut self, current: &mut OwnedFd, size: u64, voice: &mut Voice) {
        // Who reads standard error finds things in the order they happened.
        voice.settle();
        if let Some(runit) = self.runit {
            return self.rotate_as_runit(&runit, current, size, voice);
        }
        let dir = self.place.name();
        self.sync(current, files::CURRENT, voice);
        point!("rotate: synced");
        voice.insist(
            &[b"unable to rename current to previous in directory ", dir, b", pausing: "],
            || self.place.rename(files::CURRENT, files::PREVIOUS),
        );
        point!("rotate: renamed");
        *current = voice.insist(&[b"unable to create ", dir, b"/current, pausing: "], || {
            self.place.append(files::CURRENT)
        });
        voice.insist(&[b"unable to set mode of ", dir, b"/current, pausing: "], || {
            rustix::fs::fchmod(&*current, modes::OPEN)
        });
        point!("rotate: created");
        voice.insist(&[b"unable to set mode of ", dir, b"/previous, pausing: "], || {
            self.place.mark_finished(files::PREVIOUS)
        });
        point!("rotate: finished");
        match self.processor {
            None => self.archive(files::PREVIOUS, Ending::Safe, voice),
            Some(processor) => self.process(processor, voice),
        }
    }

    fn process(&mut self, processor: &'static CStr, voice: &mut Voice) {
        self.run_until_it_succeeds(processor, voice);
        point!("process: done");
        let dir = self.place.name();
        let processed = voice
            .insist(&[b"unable to create ", dir, b"/processed, pausing: "], || {
                self.place.append(files::PROCESSED)
            });
        self.sync(&processed, files::PROCESSED, voice);
        voice.insist(&[b"unable to set mode of ", dir, b"/processed, pausing: "], || {
            rustix::fs::fchmod(&processed, modes::FINISHED)
        });
        point!("process: finished");
        let state = voice.insist(&[b"unable to create ", dir, b"/newstate, pausing: "], || {
            self.place.append(files::NEW_STATE)
        });
        self.sync(&state, files::NEW_STATE, voice);
        voice.insist(&[b"unable to remove ", dir, b"/previous, pausing: "], || {
            self.place.remove(files::PREVIOUS)
        });
        point!("process: removed");
        voice.insist(
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
        let found = voice.insist(&[b"unable to stat ", dir, b"/", name, b", pausing: "], || {
            self.place.look(file)
        });
        let Some(stat) = found else { return };
        // One that has a second name already was killed between the next two
        // steps: it is an old log.
        if stat.st_nlink == 1 {
            self.link(file, ending, voice);
        }
        point!("archive: linked");
        voice.insist(&[b"unable to remove ", dir, b"/", name, b", pausing: "], || {
            self.place.remove(file)
        });
        point!("archive: removed");
        old::remove_surplus(&self.place, self.keep, voice);
    }

    fn link(&mut self, file: &CStr, ending: Ending, voice: &mut Voice) {
        loop {
            let (seconds, nanos) = clock::wall();
            let moment = self.stamps.next(Tai64n::from_unix(seconds, nanos));
            let mut name = [0; NAME + 1];
            name[..NAME].copy_from_slice(&archives::name(moment, ending));
            let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
            match self.place.link(file, name) {
                Ok(()) => return,
                // Somebody has taken that moment; the next one is free.
                Err(Errno::EXIST) => {}
                Err(why) => {
                    let dir = self.place.name();
                    voice.pause(
                        &[b"unable to link to ", dir, b"/", name.to_bytes(), b", pausing: "],
                        Some(why),
                    );
                }
            }
        }
    }

    /// Waits until everything written to `file` is on the disk.
    pub(crate) fn sync(&self, fd: &OwnedFd, file: &CStr, voice: &mut Voice) {
        let dir = self.place.name();
        voice.insist(
            &[b"unable to write ", dir, b"/", file.to_bytes(), b" to disk, pausing: "],
            || rustix::fs::fsync(fd),
        );
    }
}

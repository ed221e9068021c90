//! svlogd's log directory: a full current gets its last name at once, and what
//! processes old logs does so beside the logging.

mod old;
mod work;

use crate::place::{Place, Refusal};
use crate::recover::Current;
use crate::rotate::{Missing, Rotation};
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use upkeep_cli::decimal;
use upkeep_core::archives::{self, NAME};
use upkeep_core::recovery::{Ending, Found};
use upkeep_core::tai::Tai64n;
use upkeep_sys::{clock, point};
pub(crate) use work::Work;

/// What svlogd wants to know of a directory beside its size.
#[derive(Clone, Copy, Debug)]
pub struct Svlogd {
    /// How near its size a log ends at a line's end.
    pub near: u64,
    /// How many old logs are kept; 0 is all.
    pub keep: u64,
    /// How many of them stay when the disk is full.
    pub least: u64,
    /// Whether it tells what it does.
    pub loud: bool,
}

/// The name of an old log, as the system wants it.
pub(crate) type Name = [u8; ROOM];
const ROOM: usize = NAME + 1;

pub(crate) fn as_name(name: &Name) -> &CStr {
    CStr::from_bytes_until_nul(name).unwrap_or_default()
}

/// The same log with another letter at its end.
pub(crate) fn with_letter(name: &Name, letter: u8) -> Name {
    let mut name = *name;
    name[NAME - 1] = letter;
    name
}

impl Svlogd {
    /// Tells what it does, if it tells.
    pub(crate) fn tell(&self, parts: &[&[u8]], voice: &mut Voice) {
        if self.loud {
            voice.info(parts);
        }
    }
}

impl Rotation {
    /// Ends `current`, which has `size` bytes; a new one takes its place.
    pub(crate) fn rotate_as_runit(
        &mut self,
        runit: &Svlogd,
        current: &mut OwnedFd,
        size: u64,
        voice: &mut Voice,
    ) -> Result<(), Missing> {
        self.wait_for_work(runit, voice);
        let ending =
            if self.settings.processor.is_some() { Ending::Unfinished } else { Ending::Safe };
        let name = self.free_name(ending, voice);
        let dir = self.place.name();
        self.finish_current(current, voice);
        point!("runit: finished");
        let (mut digits, blank) = ([0; 20], b" ");
        runit.tell(
            &[b"rename: ", dir, b"/current ", &name[..NAME], blank, decimal(size, &mut digits)],
            voice,
        );
        let renamed =
            self.insist(voice, &[b"unable to rename current: ", dir, b": "], || {
                match self.place.rename(files::CURRENT, as_name(&name)) {
                    Err(Errno::NOENT) => Ok(false),
                    other => other.map(|()| true),
                }
            });
        if !renamed {
            return Err(Missing);
        }
        point!("runit: renamed");
        let unable = [b"unable to create new current: ", dir, b": "];
        let new = self.insist(voice, &unable, || {
            self.place.unless_removed(self.place.append(files::CURRENT))
        });
        let Some(new) = new else { return Err(Missing) };
        *current = new;
        voice.insist(&[b"unable to set mode of current: ", dir, b": "], || {
            rustix::fs::fchmod(&*current, modes::OPEN)
        });
        point!("runit: created");
        let pending = self.settings.processor.is_some().then_some(&name);
        old::remove_oldest(&self.place, runit, pending, voice);
        if let Some(processor) = self.settings.processor {
            self.begin_work(runit, processor, name, voice);
        }
        Ok(())
    }

    /// Everything in current is on the disk, and marked so.
    pub(crate) fn finish_current(&self, current: &OwnedFd, voice: &mut Voice) {
        let dir = self.place.name();
        voice.insist(&[b"unable to fsync current logfile: ", dir, b": "], || {
            rustix::fs::fsync(current)
        });
        point!("runit: synced");
        voice.insist(&[b"unable to set mode of current: ", dir, b": "], || {
            rustix::fs::fchmod(current, modes::FINISHED)
        });
    }

    /// A name for an old log that nobody has.
    fn free_name(&mut self, ending: Ending, voice: &mut Voice) -> Name {
        loop {
            let (seconds, nanos) = clock::wall();
            let moment = self.stamps.next(Tai64n::from_unix(seconds, nanos));
            let mut name = [0; ROOM];
            name[..NAME].copy_from_slice(&archives::name(moment, ending));
            let dir = self.place.name();
            let found = voice.insist(&[b"unable to stat old logfile: ", dir, b": "], || {
                self.place.look(as_name(&name))
            });
            if found.is_none() {
                return name;
            }
        }
    }

    /// Gives what a killed svlogd left a name, and opens current.
    pub(crate) fn recover_as_runit(
        &mut self,
        runit: &Svlogd,
        voice: &mut Voice,
    ) -> Result<Current, Refusal> {
        let dir = self.place.name();
        let stat = match self.place.look(files::CURRENT) {
            Ok(stat) => stat,
            Err(why) => {
                let verb = b"unable to stat current: ";
                return Err(Refusal { verb, dir, file: b"", why, left: Some(dir) });
            }
        };
        self.conclude_interrupted(voice);
        let mut bytes = None;
        if let Some(stat) = stat {
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            if size > 0 && Found::with_mode(stat.st_mode) == Found::Open {
                let name = self.free_name(Ending::Unfinished, voice);
                voice.insist(&[b"unable to rename current: ", dir, b": "], || {
                    self.place.rename(files::CURRENT, as_name(&name))
                });
                point!("runit: put aside");
                old::remove_oldest(&self.place, runit, Some(&name), voice);
            } else {
                bytes = Some(size);
            }
        }
        let fd = voice.insist(&[b"unable to open current: ", dir, b": "], || {
            self.place.append(files::CURRENT)
        });
        voice.insist(&[b"unable to set mode of current: ", dir, b": "], || {
            rustix::fs::fchmod(&fd, modes::OPEN)
        });
        let what: &[u8] = if bytes.is_some() { b"append: " } else { b"new: " };
        runit.tell(&[what, dir, b"/current"], voice);
        Ok(Current { fd, bytes: bytes.unwrap_or(0) })
    }
}

/// Makes room on a full disk, if that is wanted and can be done; answers
/// whether it was.
pub(crate) fn make_room(place: &Place, runit: &Svlogd, why: Errno, voice: &mut Voice) -> bool {
    why == Errno::NOSPC
        && runit.least < runit.keep
        && old::remove_for_room(place, runit.least, voice)
}

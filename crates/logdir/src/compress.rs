//! Old logs are compressed in the background, one at a time however many
//! directories there are, by a program that gives way to everybody else. A
//! plain log is removed when there is a compressed one on the disk, and not
//! before, whatever is killed meanwhile. No log waits for it.

use crate::child::{Child, Failure};
use crate::place::Place;
use crate::rotate::unless_gone;
use crate::{LogDirectory, Voice, files};
use core::cell::RefCell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{FileType, RawDir, SeekFrom};
use rustix::io::Result;
use std::rc::Rc;
use upkeep_cli::decimal;
use upkeep_core::archives::Plain;
use upkeep_core::keeping::{Compression, Program};
use upkeep_core::recovery::Found;
use upkeep_sys::{clock, point};

/// When it is tried again, in seconds: at first, and in the end.
const SOON: u64 = 5;
const LATE: u64 = 300;
const SECOND: u64 = 1_000_000_000;

/// Compresses the old logs of one directory.
#[derive(Debug)]
pub(crate) struct Compressor {
    how: Option<Compression>,
    state: State,
    /// The one with which it did not work last. Those behind it come first.
    behind: Option<Plain>,
    /// How long is waited when it does not work.
    wait: u64,
    /// Whether somebody was told that it does not.
    said: bool,
    number: usize,
    slot: Slot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is nothing to do.
    Idle,
    /// There may be, from then on.
    Due(u64),
    /// The program runs for this log, or was ended by somebody who needed the
    /// room.
    Running(Plain),
}

/// Where the one program is that may run, and the number of the directory for
/// which it does.
type Slot = Rc<RefCell<Option<(usize, Child)>>>;

/// From now on one log at a time is compressed in all of these.
pub fn share_compressor(all: &mut [LogDirectory]) {
    let slot = Slot::default();
    for (number, directory) in all.iter_mut().enumerate() {
        let compressor = directory.compressor();
        compressor.number = number;
        compressor.slot = Rc::clone(&slot);
    }
}

impl Compressor {
    /// It looks first at what the last multilog left.
    pub(crate) fn new(how: Option<Compression>) -> Self {
        let state = if how.is_some() { State::Due(0) } else { State::Idle };
        let slot = Slot::default();
        Self { how, state, behind: None, wait: SOON, said: false, number: 0, slot }
    }

    /// The same for another directory, which takes this one's turn.
    pub(crate) fn of_another(&self) -> Self {
        Self { number: self.number, slot: Rc::clone(&self.slot), ..Self::new(self.how) }
    }

    /// There is another old log.
    pub(crate) fn look_soon(&mut self) {
        if self.how.is_some() && self.state == State::Idle {
            self.state = State::Due(0);
        }
    }

    /// When there is something to do, on the monotonic clock.
    pub(crate) fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Idle => None,
            // Whoever has the slot is waited for.
            State::Due(at) => self.slot.borrow().is_none().then_some(at),
            State::Running(_) => (!self.is_mine()).then_some(0),
        }
    }

    /// Starts the program, or sees whether it has ended.
    pub(crate) fn due(&mut self, place: &Place, voice: &mut Voice) {
        match self.state {
            State::Idle => {}
            State::Due(at) => {
                if at <= clock::monotonic() && self.slot.borrow().is_none() {
                    self.begin(place, voice);
                }
            }
            // This directory's next one comes after the others' next.
            State::Running(plain) => {
                let ended = if self.is_mine() {
                    self.look_after(place)
                } else {
                    Some(Err(Failure::System(rustix::io::Errno::NOSPC)))
                };
                match ended {
                    None => {}
                    Some(Ok(())) => self.state = State::Due(0),
                    Some(Err(failure)) => self.fail(place, plain, &failure, voice),
                }
            }
        }
    }

    /// Ends the program, if it runs and whatever for; what it wrote is gone.
    /// Says whether there was one.
    pub(crate) fn abandon(&self) -> bool {
        self.slot.take().map(|(_, child)| child.end()).is_some()
    }

    /// Ends it if it runs for this directory.
    pub(crate) fn stop(&mut self) {
        if self.is_mine() {
            self.abandon();
        }
        self.state = State::Idle;
    }

    fn is_mine(&self) -> bool {
        self.slot.borrow().as_ref().is_some_and(|(number, _)| *number == self.number)
    }

    /// How it ended, if it did.
    fn look_after(&self, place: &Place) -> Option<core::result::Result<(), Failure>> {
        let mut slot = self.slot.borrow_mut();
        let (_, child) = slot.as_mut()?;
        let ended = child.has_ended(place)?;
        *slot = None;
        Some(ended)
    }

    fn begin(&mut self, place: &Place, voice: &mut Voice) {
        let Some(how) = self.how else { return };
        loop {
            let plain = match next(place, self.behind) {
                Ok(Some(plain)) => plain,
                // Those with which it did not work have their turn again.
                Ok(None) if self.behind.take().is_some() => continue,
                Ok(None) => {
                    self.state = State::Idle;
                    self.wait = SOON;
                    self.said = false;
                    return;
                }
                Err(why) => {
                    let plain = Plain::default();
                    return self.fail(place, plain, &Failure::System(why), voice);
                }
            };
            let begun = if is_compressed(place, plain) {
                unless_gone(place.remove(plain.name())).map(|()| None).map_err(Failure::System)
            } else {
                Child::start(place, plain, how, self.said).map(Some)
            };
            match begun {
                Ok(None) => {}
                Ok(Some(child)) => {
                    self.slot.replace(Some((self.number, child)));
                    self.state = State::Running(plain);
                    point!("compress: started");
                    return;
                }
                Err(failure) => return self.fail(place, plain, &failure, voice),
            }
        }
    }

    fn fail(&mut self, place: &Place, plain: Plain, failure: &Failure, voice: &mut Voice) {
        // What there is of it takes room.
        let _ = place.remove(files::COMPRESSING);
        self.behind = Some(plain);
        self.state = State::Due(clock::monotonic() + self.wait * SECOND);
        if !core::mem::replace(&mut self.said, true) {
            let program = match self.how.map(|how| how.program) {
                Some(Program::Zstd) => &b"zstd"[..],
                Some(Program::Gzip) | None => b"gzip",
            };
            let mut digits = [0; 20];
            let (dir, name) = (place.name(), plain.name().to_bytes());
            let again: [&[u8]; 3] =
                [b", trying again in ", decimal(self.wait, &mut digits), b" seconds"];
            let [a, b, c] = again;
            match failure {
                Failure::System(why) => {
                    voice.warn(&[b"unable to compress ", dir, b"/", name, a, b, c, b": "], *why);
                }
                Failure::Run(why) => {
                    voice.warn(&[b"unable to run ", program, b" in ", dir, a, b, c, b": "], *why);
                }
                Failure::Program(what) => {
                    voice.caution(&[program, b" ", what, b" in ", dir, a, b, c]);
                }
            }
        }
        self.wait = (self.wait * 2).min(LATE);
    }
}

/// Removes the logs that were compressed and whose multilog was killed then,
/// before anybody counts them twice.
pub(crate) fn remove_twins(place: &Place) -> Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    rustix::fs::seek(place.fd(), SeekFrom::Start(0))?;
    let mut entries = RawDir::new(place.fd(), &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if let Some(plain) = Plain::of(entry.file_name())
            && is_compressed(place, plain)
        {
            unless_gone(place.remove(plain.name()))?;
            point!("compress: cleared");
        }
    }
    Ok(())
}

/// The oldest log that is not compressed, of those behind `behind`.
fn next(place: &Place, behind: Option<Plain>) -> Result<Option<Plain>> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut oldest = None;
    rustix::fs::seek(place.fd(), SeekFrom::Start(0))?;
    let mut entries = RawDir::new(place.fd(), &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let is_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
        if let Some(plain) = Plain::of(entry.file_name())
            && is_file
            && behind.is_none_or(|behind| behind < plain)
            && oldest.is_none_or(|oldest| plain < oldest)
        {
            oldest = Some(plain);
        }
    }
    Ok(oldest)
}

/// Whether it was compressed and its multilog was killed then.
fn is_compressed(place: &Place, plain: Plain) -> bool {
    [Program::Gzip, Program::Zstd].into_iter().any(|program| {
        let (name, _) = plain.compressed(program);
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        place.look(name).is_ok_and(|stat| {
            stat.is_some_and(|stat| {
                FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                    && Found::with_mode(stat.st_mode) == Found::Finished
                    && stat.st_size > 0
            })
        })
    })
}

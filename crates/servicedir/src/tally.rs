//! The ends of a service, in the file in which s6's programs look for them.
//! It is always whole: written beside and renamed.

use crate::keeper::Trouble;
use crate::{names, place};
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_core::tai::Tai64n;
use upkeep_core::tally::{SIZE, is_after};

type Answer = core::result::Result<(), Trouble>;

/// So many records are copied at once.
const TOGETHER: usize = 64;

/// Adds an end, and keeps so many of them all.
#[inline(never)]
pub fn note_death(record: &[u8; SIZE], keep: u32) -> Answer {
    let old = open().map_err(Trouble::because("open", names::DEATH_TALLY))?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NONBLOCK;
    let new =
        place::open(names::DEATH_TALLY_NEW, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o644))
            .map_err(Trouble::because("open", names::DEATH_TALLY_NEW))?;
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    if let Some(before) = keep.checked_sub(1) {
        let copied = old.map_or(Ok(()), |old| copy(&old, &new, before));
        copied
            .and_then(|()| write(&new, record))
            .map_err(Trouble::because("write", names::DEATH_TALLY_NEW))?;
    }
    place::rename(names::DEATH_TALLY_NEW, names::DEATH_TALLY)
        .map_err(Trouble::because("rename", names::DEATH_TALLY_NEW))
}

/// Whether an end after `since` is noted.
#[must_use]
pub fn is_noted(since: Tai64n) -> bool {
    let last = || -> Option<[u8; SIZE]> {
        let tally = open().ok()??;
        let count = fs::fstat(&tally).ok()?.st_size.cast_unsigned() / SIZE as u64;
        let mut last = [0; SIZE];
        let read = rustix::io::pread(&tally, &mut last, count.checked_sub(1)? * SIZE as u64);
        (read == Ok(SIZE)).then_some(last)
    };
    last().is_some_and(|last| is_after(&last, since))
}

/// Forgets them all.
pub fn forget_deaths() -> Answer {
    match place::unlink(names::DEATH_TALLY) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(why) => Err(Trouble::because("remove", names::DEATH_TALLY)(why)),
    }
}

fn open() -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match place::open(names::DEATH_TALLY, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Copies the last records, as many as are to be kept.
fn copy(old: &OwnedFd, new: &OwnedFd, keep: usize) -> Result<()> {
    let count = usize::try_from(fs::fstat(old)?.st_size).unwrap_or(0) / SIZE;
    let mut at = count - count.min(keep);
    let mut buffer = [0; TOGETHER * SIZE];
    while at < count {
        let here = &mut buffer[..SIZE * TOGETHER.min(count - at)];
        let read = rustix::io::pread(old, &mut *here, (at * SIZE) as u64)?;
        let whole = read / SIZE;
        if whole == 0 {
            break;
        }
        write(new, &here[..whole * SIZE])?;
        at += whole;
    }
    Ok(())
}

fn write(new: &OwnedFd, bytes: &[u8]) -> Result<()> {
    if rustix::io::write(new, bytes)? == bytes.len() { Ok(()) } else { Err(Errno::NOSPC) }
}

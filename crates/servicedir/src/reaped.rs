//! How a service ended whose supervise was dead: whoever waited for it leaves
//! word for the next supervise, which is not its parent and may be on a kernel
//! that does not tell it.

use crate::elsewhere::Elsewhere;
use crate::{names, place};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Result;

/// The process, when it was started, and its wait status.
const SIZE: usize = 16;

/// Leaves word of a process that is dead, before it is waited for.
pub fn leave_word(there: Elsewhere<'_>, pid: u32, started: u64, status: i32) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o600);
    let file = there.at(names::REAPED, |path| fs::open(path, flags, mode))?;
    let mut word = [0; SIZE];
    word[..4].copy_from_slice(&pid.to_le_bytes());
    word[4..12].copy_from_slice(&started.to_le_bytes());
    word[12..].copy_from_slice(&status.to_le_bytes());
    rustix::io::pwrite(&file, &word, 0).map(drop)
}

/// The wait status that was left for this process, in the current directory.
#[must_use]
pub fn word(pid: u32, started: u64) -> Option<i32> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = place::open(names::REAPED, flags, Mode::empty()).ok()?;
    let mut word = [0; SIZE];
    if rustix::io::read(&file, &mut word) != Ok(SIZE) {
        return None;
    }
    let (process, rest) = word.split_first_chunk::<4>()?;
    let (since, rest) = rest.split_first_chunk::<8>()?;
    let same = *process == pid.to_le_bytes() && *since == started.to_le_bytes();
    same.then_some(i32::from_le_bytes(*rest.first_chunk::<4>()?))
}

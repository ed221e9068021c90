//! A lock that lasts as long as anybody has a copy of the descriptor.

use rustix::fd::{AsFd, AsRawFd};
use rustix::io::{Errno, Result};

/// Locks the whole file for the open file behind `fd`, unless somebody else
/// has it locked: says which. Other than one by `flock` it is seen by those
/// who lock as POSIX has it.
#[doc(alias = "F_OFD_SETLK")]
pub fn lock_open_file(fd: impl AsFd) -> Result<bool> {
    // SAFETY: all of the structure are numbers, for which zeros are valid.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as _;
    lock.l_whence = libc::SEEK_SET as _;
    // SAFETY: reads the structure, which lives until it returns.
    let answer = unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    match answer {
        -1 => match crate::exec::last_errno() {
            Errno::AGAIN | Errno::ACCESS => Ok(false),
            why => Err(why),
        },
        _ => Ok(true),
    }
}

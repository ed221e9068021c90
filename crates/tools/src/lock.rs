//! The lock that a program is run with. Nothing else happens to the file.

use core::ffi::CStr;
use rustix::fd::IntoRawFd;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use upkeep_sys::Errno;

/// Why there is no lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLock {
    /// The file could not be opened.
    Open(Errno),
    /// It could not be locked; in time, if that was not waited for.
    Lock(Errno),
}

/// Locks `file`, which is made if it is not there, for as long as this process
/// and whoever inherits the descriptor from it live.
pub fn lock(file: &CStr, wait: bool) -> Result<(), NoLock> {
    let how = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::APPEND | OFlags::CREATE;
    let fd = open(file, how, Mode::RUSR | Mode::WUSR).map_err(NoLock::Open)?;
    let kind =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    flock(&fd, kind).map_err(NoLock::Lock)?;
    // Not closed: the program inherits it, and the lock with it.
    let _ = fd.into_raw_fd();
    Ok(())
}

//! The lock that a service has as long as it lives, whoever supervises it, as
//! s6 has it.

use crate::{names, place};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Result;
use upkeep_sys::held::lock_open_file;

/// The locked file, for the service; none if somebody has it locked.
pub fn lock_service() -> Result<Option<OwnedFd>> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CREATE | OFlags::CLOEXEC;
    let file = place::open(names::SERVICE_LOCK, flags, Mode::from_raw_mode(0o600))?;
    Ok(lock_open_file(&file)?.then_some(file))
}

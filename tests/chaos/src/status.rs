//! What supervise says of a service, read here on purpose without the code
//! under test.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, open};
use std::path::Path;

/// A status record, and what makes it this one and not the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The process, 0 for none.
    pub(crate) pid: i32,
    pub(crate) paused: bool,
    /// `u`, `d` or 0 for once.
    pub(crate) want: u8,
    /// Each record is a file of its own.
    pub(crate) id: (u64, i64, i64),
}

impl Status {
    /// The status in the service directory `dir`, if there is a whole one.
    pub(crate) fn read(dir: &Path) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = open(dir.join("supervise/status"), flags, Mode::empty()).ok()?;
        let mut bytes = [0; 18];
        if rustix::io::read(&file, &mut bytes).ok()? < bytes.len() {
            return None;
        }
        let stat = fstat(&file).ok()?;
        let time = i64::try_from(stat.st_ctime_nsec).unwrap_or(0);
        Some(Self {
            pid: i32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
            paused: bytes[16] != 0,
            want: bytes[17],
            id: (stat.st_ino, stat.st_ctime, time),
        })
    }
}

/// Whether somebody keeps the service in `dir`.
pub(crate) fn is_supervised(dir: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open(dir.join("supervise/ok"), flags, Mode::empty()).is_ok()
}

/// The FIFO that takes commands, if somebody reads it.
pub(crate) fn control(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open(dir.join("supervise/control"), flags, Mode::empty()).ok()
}

/// Whether all commands were taken.
pub(crate) fn is_heard(dir: &Path) -> bool {
    control(dir).is_some_and(|fd| matches!(rustix::io::ioctl_fionread(&fd), Ok(0)))
}

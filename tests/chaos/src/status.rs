//! What supervise says of a service, read here on purpose without the code
//! under test.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, open};
use std::path::Path;

/// The size of a record.
const RECORD: usize = 128;

/// A status record, and what makes it this one and not the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The process, 0 for none.
    pub(crate) pid: i32,
    pub(crate) paused: bool,
    /// `u`, `d` or 0 for once.
    pub(crate) want: u8,
    /// What is only for the next supervise.
    pub(crate) own: Own,
    /// Each record is a file of its own.
    pub(crate) id: (u64, i64, i64),
}

/// Of what supervise writes for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    /// How often the service was started.
    pub(crate) starts: u32,
    /// Whether the process is ready.
    pub(crate) ready: bool,
    /// Whether it is just being ended for its fault.
    pub(crate) blamed: bool,
    /// For which fault, or for which the last one was.
    pub(crate) fault: u8,
    /// Whether it is not started again because it has ended too often.
    pub(crate) given_up: bool,
    /// How the last process ended: 1 and its exit code, 2 and the signal, 3
    /// not known.
    pub(crate) last: (u8, u8),
    /// Where the service is.
    pub(crate) stage: u8,
    /// Whether it is about to go, and whether its process was told to.
    pub(crate) intent: bool,
    pub(crate) told: bool,
    /// Whether the process is still to say that it is ready.
    pub(crate) awaited: bool,
    /// Whether it has others started.
    pub(crate) calls: bool,
    /// Whether it is down though nobody told it to be.
    pub(crate) over: bool,
}

impl Own {
    /// From the bytes of a record.
    fn of(bytes: &[u8; RECORD]) -> Self {
        Self {
            starts: u32::from_le_bytes([bytes[88], bytes[89], bytes[90], bytes[91]]),
            ready: bytes[96..108] != [0; 12],
            blamed: bytes[69] & 32 != 0,
            fault: bytes[108] >> 4 & 7,
            given_up: bytes[108] & 7 == 3,
            last: (bytes[70] & 63, bytes[71]),
            stage: bytes[68],
            intent: bytes[69] & 2 != 0,
            told: bytes[69] & 16 != 0,
            awaited: bytes[69] & 8 != 0,
            calls: bytes[70] >> 6 != 0,
            over: bytes[108] & 7 != 0,
        }
    }
}

impl Status {
    /// The status in the service directory `dir`, if there is a whole one.
    pub(crate) fn read(dir: &Path) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = open(dir.join("supervise/status"), flags, Mode::empty()).ok()?;
        let mut bytes = [0; RECORD];
        if rustix::io::read(&file, &mut bytes).ok()? < bytes.len() {
            return None;
        }
        let stat = fstat(&file).ok()?;
        let time = i64::try_from(stat.st_ctime_nsec).unwrap_or(0);
        Some(Self {
            pid: i32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
            paused: bytes[16] != 0,
            want: bytes[17],
            own: Own::of(&bytes),
            id: (stat.st_ino, stat.st_ctime, time),
        })
    }

    /// Whether it is down because it has ended too often.
    pub(crate) const fn is_given_up(&self) -> bool {
        self.pid == 0 && self.want == b'd' && self.own.given_up
    }
}

/// The stages of a service, as far as they are asked for.
pub(crate) const DOWN: u8 = 0;
pub(crate) const WAITING: u8 = 1;
pub(crate) const UP: u8 = 2;
pub(crate) const OVER: u8 = 4;
pub(crate) const NEEDING: u8 = 8;
pub(crate) const THERE: u8 = 9;

impl Status {
    /// Whether what needs it may be started.
    pub(crate) const fn is_ready(&self) -> bool {
        let own = &self.own;
        let up = own.stage == UP && self.pid != 0 || own.stage == THERE;
        up && !own.awaited && !own.told && !own.intent
    }

    /// Whether nothing of it runs.
    pub(crate) const fn is_finished(&self) -> bool {
        matches!(self.own.stage, DOWN | WAITING | NEEDING | OVER)
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

//! The service that every suite runs: this program itself under the name
//! `run`. It says when it started and which process it is, says that it is
//! ready if its directory asks for that, and waits for a signal for ever.

use crate::failure::{Context, Failure};
use crate::wait::{deadline, first, now};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::process::{Pid, getpid};
use std::path::{Path, PathBuf};

/// Where a service in `scan/NAME` says that it started.
const REPORT: &str = "../../report";
/// In a directory of services whose suite knows readiness: the descriptor.
pub(crate) const READY: (&str, &str) = ("notification-fd", "3\n");
/// The size of what is said at a start. Less than PIPE_BUF: never torn.
const SIZE: usize = 16;

/// A start of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// On the monotonic clock, as the first thing the service did.
    pub(crate) when: u64,
    pub(crate) pid: Pid,
}

impl Start {
    fn encode(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.when.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.pid.as_raw_pid().to_le_bytes());
        bytes
    }

    fn decode(bytes: [u8; SIZE]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = bytes;
        let pid = Pid::from_raw(i32::from_le_bytes([i, j, k, l]))?;
        Some(Self { when: u64::from_le_bytes([a, b, c, d, e, f, g, h]), pid })
    }
}

/// Is the service. What fails here is seen as a start that was never said.
pub(crate) fn run() -> ! {
    let start = Start { when: now(), pid: getpid() };
    let say = |path: &str, what: &[u8]| {
        let fd = open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        fd.and_then(|fd| rustix::io::write(fd, what))
    };
    if Path::new(READY.0).exists() {
        let _ = say("/proc/self/fd/3", b"\n");
    }
    let _ = say(REPORT, &start.encode());
    loop {
        rustix::event::pause();
    }
}

/// The other end, where the starts are said.
pub(crate) struct Starts {
    fifo: OwnedFd,
    /// What was read and not asked for yet.
    held: std::collections::VecDeque<Start>,
}

impl Starts {
    /// For the tree in `root`.
    pub(crate) fn new(root: &Path) -> Result<Self, Failure> {
        let path: PathBuf = root.join("report");
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .unable(format_args!("make {}", path.display()))?;
        // Opened for both, so that it never is at its end.
        let fifo = open(&path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .unable(format_args!("open {}", path.display()))?;
        Ok(Self { fifo, held: std::collections::VecDeque::new() })
    }

    /// The next start; `alive` is a pidfd of what has to live until then.
    pub(crate) fn next(&mut self, alive: BorrowedFd<'_>) -> Result<Start, Failure> {
        loop {
            if let Some(start) = self.held.pop_front() {
                return Ok(start);
            }
            match first(&[self.fifo.as_fd(), alive], deadline())? {
                Some(0) => self.take()?,
                Some(_) => return Err(Failure::Failed("its svscan ended".to_owned())),
                None => return Err(Failure::Late("the start of a service".to_owned())),
            }
        }
    }

    fn take(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; 256 * SIZE];
        let n = rustix::io::read(&self.fifo, &mut buffer).unable("read what services say")?;
        let whole = buffer[..n].chunks_exact(SIZE).filter_map(|c| c.try_into().ok());
        self.held.extend(whole.filter_map(Start::decode));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn said_and_understood() {
        let start = Start { when: 0x0102_0304_0506_0708, pid: getpid() };
        assert_eq!(Start::decode(start.encode()), Some(start));
        assert_eq!(Start::decode([0; SIZE]), None);
    }
}

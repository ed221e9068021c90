//! The service that every suite runs: this program itself under the name
//! `run`. It says when it started and which process it is, says that it is
//! ready if its directory asks for that, and waits for a signal for ever. Only
//! where a file in its directory says so it does more.

use crate::descendants;
use crate::tree::Extra;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::process::{Pid, getpid};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{first, now};
use upkeep_sys::signals::{Signal, Signals};

/// Where a service in `scan/NAME` reports.
const REPORT: &str = "../../report";
/// In a directory of services whose suite knows readiness: the descriptor.
pub(crate) const READY: Extra = ("notification-fd", "3\n");
/// In the directory of a service that reports each ALRM.
pub(crate) const SIGNALS: Extra = (MORE, "signals\n");
/// In the directory of a service that says when it is told to end.
pub(crate) const ENDS: Extra = (MORE, "ends\n");
/// In the directory of a service that ends at once.
pub(crate) const ONCE: Extra = (MORE, "once\n");
/// What that ends with: whoever is above it has to pass it on.
pub(crate) const CODE: u8 = 7;
/// In the directory of a service that has descendants.
pub(crate) const DESCENDANTS: Extra = (MORE, "descendants\n");
/// Says what the service does besides.
const MORE: &str = "more";
/// The size of a report. Less than PIPE_BUF: never torn.
const SIZE: usize = 16;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A service started.
    Started,
    /// A command reached a service.
    Signalled,
    /// A descendant of a service started, the one of that number.
    Descends(u8),
    /// A service was told to end, and does.
    Ended,
}

/// What one process of a service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) what: What,
    /// On the monotonic clock; of a start, as the first thing a service did.
    pub(crate) when: u64,
    pub(crate) pid: Pid,
}

impl Report {
    /// This process, now.
    pub(crate) fn new(what: What) -> Self {
        Self { what, when: now(), pid: getpid() }
    }

    /// Says it. What fails here is seen as something that was never said.
    pub(crate) fn send(self) {
        write(REPORT, &self.encode());
    }

    fn encode(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.when.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.pid.as_raw_pid().to_le_bytes());
        (bytes[12], bytes[13]) = match self.what {
            What::Started => (0, 0),
            What::Signalled => (1, 0),
            What::Descends(number) => (2, number),
            What::Ended => (3, 0),
        };
        bytes
    }

    fn decode(bytes: [u8; SIZE]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, kind, number, ..] = bytes;
        let what = match kind {
            0 => What::Started,
            1 => What::Signalled,
            2 => What::Descends(number),
            3 => What::Ended,
            _ => return None,
        };
        let pid = Pid::from_raw(i32::from_le_bytes([i, j, k, l]))?;
        Some(Self { what, when: u64::from_le_bytes([a, b, c, d, e, f, g, h]), pid })
    }
}

fn write(path: &str, what: &[u8]) {
    let fd = open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let _ = fd.and_then(|fd| rustix::io::write(fd, what));
}

/// Is the service.
pub(crate) fn run() -> ExitCode {
    let start = Report::new(What::Started);
    if Path::new(READY.0).exists() {
        write("/proc/self/fd/3", b"\n");
    }
    let more = std::fs::read_to_string(MORE).unwrap_or_default();
    if more == SIGNALS.1 {
        // Before the start is said: who hears of it may send one.
        let signals = Signals::take(&[Signal::ALARM], &[]);
        start.send();
        signals.map_or_else(|_| for_ever(), |signals| report(&signals));
    }
    if more == ENDS.1 {
        let signals = Signals::take(&[Signal::TERM], &[]);
        start.send();
        return signals.map_or_else(|_| for_ever(), |signals| until_told(&signals));
    }
    start.send();
    if more == ONCE.1 {
        return ExitCode::from(CODE);
    }
    if more == DESCENDANTS.1 {
        descendants::start();
    }
    for_ever()
}

/// Until a signal ends it.
pub(crate) fn for_ever() -> ! {
    loop {
        rustix::event::pause();
    }
}

fn report(signals: &Signals) -> ! {
    loop {
        let _ = poll(&mut [PollFd::new(signals, PollFlags::IN)], None);
        while signals.next().is_some() {
            Report::new(What::Signalled).send();
        }
    }
}

fn until_told(signals: &Signals) -> ExitCode {
    while signals.next().is_none() {
        let _ = poll(&mut [PollFd::new(signals, PollFlags::IN)], None);
    }
    Report::new(What::Ended).send();
    ExitCode::SUCCESS
}

/// The other end, where the reports arrive.
pub(crate) struct Reports {
    fifo: OwnedFd,
    /// What was read and not asked for yet.
    held: VecDeque<Report>,
}

impl Reports {
    /// For the tree in `root`.
    pub(crate) fn new(root: &Path) -> Result<Self, Failure> {
        let path: PathBuf = root.join("report");
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .unable(format_args!("make {}", path.display()))?;
        // Opened for both, so that it never is at its end.
        let fifo = open(&path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .unable(format_args!("open {}", path.display()))?;
        Ok(Self { fifo, held: VecDeque::new() })
    }

    /// The next report; `alive` is a pidfd of what has to live until then.
    /// None: `until` came first.
    pub(crate) fn next(
        &mut self,
        alive: BorrowedFd<'_>,
        until: u64,
    ) -> Result<Option<Report>, Failure> {
        loop {
            if let Some(report) = self.held.pop_front() {
                return Ok(Some(report));
            }
            match first(&[self.fifo.as_fd(), alive], until)? {
                Some(0) => self.take()?,
                Some(_) => return Err(Failure::Failed("its svscan ended".to_owned())),
                None => return Ok(None),
            }
        }
    }

    /// All that was said until now, when nobody is left who could say more.
    pub(crate) fn rest(&mut self) -> Result<Vec<Report>, Failure> {
        while first(&[self.fifo.as_fd()], now())?.is_some() {
            self.take()?;
        }
        Ok(self.held.drain(..).collect())
    }

    fn take(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; 256 * SIZE];
        let n = rustix::io::read(&self.fifo, &mut buffer).unable("read what services say")?;
        let whole = buffer[..n].chunks_exact(SIZE).filter_map(|c| c.try_into().ok());
        self.held.extend(whole.filter_map(Report::decode));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn said_and_understood() {
        let all = [What::Started, What::Signalled, What::Descends(4), What::Ended];
        for what in all {
            let report = Report { what, when: 0x0102_0304_0506_0708, pid: getpid() };
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!(Report::decode([0; SIZE]), None);
        assert_eq!(Report::decode([9; SIZE]), None);
    }
}

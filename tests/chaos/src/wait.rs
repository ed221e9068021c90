//! The clock, and waiting until a descriptor has something or a moment comes.
//! Never waits without looking whether the guard is still there.

use crate::failure::{Context, Failure};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// A second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// A thousandth of it.
pub(crate) const MILLISECOND: u64 = 1_000_000;

/// The process whose end ends this one too.
static GUARD: OnceLock<OwnedFd> = OnceLock::new();

/// From now on every wait ends when `guard` does.
pub(crate) fn guarded_by(guard: Pid) -> Result<(), Failure> {
    let fd = pidfd_open(guard, PidfdFlags::empty()).unable("watch the guard")?;
    let _ = GUARD.set(fd);
    Ok(())
}

/// Nanoseconds on the clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// A deadline's length, as long as this machine needs it.
pub(crate) fn patient(length: u64) -> u64 {
    static FACTOR: OnceLock<u64> = OnceLock::new();
    let factor = FACTOR.get_or_init(|| {
        std::env::var("UPKEEP_PATIENCE").ok().and_then(|p| p.parse().ok()).unwrap_or(1)
    });
    length.saturating_mul((*factor).max(1))
}

/// Waits for the first of `fds` to be readable and says which. None: `until`
/// came first.
pub(crate) fn first(fds: &[BorrowedFd<'_>], until: u64) -> Result<Option<usize>, Failure> {
    let guard = GUARD.get().map(AsFd::as_fd);
    let mut polled: Vec<PollFd<'_>> = fds
        .iter()
        .copied()
        .chain(guard)
        .map(|f| PollFd::from_borrowed_fd(f, PollFlags::IN))
        .collect();
    loop {
        let left = until.saturating_sub(now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left / SECOND).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(left % SECOND).unwrap_or(0),
        };
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(why) => return Err(why).unable("wait"),
        }
    }
    match polled.iter().position(|p| !p.revents().is_empty()) {
        Some(at) if at < fds.len() => Ok(Some(at)),
        Some(_) | None => Err(Failure::Interrupted),
    }
}

/// Something that threads tell each other by: once rung, it can be read.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> Result<Self, Failure> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        eventfd(0, flags).map(Self).unable("make an event")
    }

    /// Another handle of the same bell.
    pub(crate) fn share(&self) -> Result<Self, Failure> {
        self.0.try_clone().map(Self).unable("share an event")
    }

    pub(crate) fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Whether it was rung since it was last silenced.
    pub(crate) fn silence(&self) -> bool {
        rustix::io::read(&self.0, &mut [0; 8]).is_ok()
    }

    /// Whether it was rung; it goes on ringing.
    pub(crate) fn rings(&self) -> Result<bool, Failure> {
        Ok(first(&[self.as_fd()], 0)?.is_some())
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

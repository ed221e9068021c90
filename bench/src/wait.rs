//! The clock, and waiting until a descriptor has something or a deadline is
//! reached. Never sleeps without looking whether the guard is still there.

use crate::failure::{Context, Failure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// A second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// A thousandth of it.
pub(crate) const MILLISECOND: u64 = 1_000_000;
/// How long anything may take before it counts as not working.
const PATIENCE: u64 = 120 * SECOND;

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

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "52 bits of nanoseconds are a month")]
pub(crate) fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// When patience ends, if something begins now.
pub(crate) fn deadline() -> u64 {
    now() + PATIENCE
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

/// Waits for `fd` to be readable, `what` says for what.
pub(crate) fn readable(fd: impl AsFd, what: &str) -> Result<(), Failure> {
    match first(&[fd.as_fd()], deadline())? {
        Some(_) => Ok(()),
        None => Err(Failure::Late(what.to_owned())),
    }
}

/// Waits for a moment to come: only where the measure itself is defined by
/// time passing.
pub(crate) fn until(moment: u64) -> Result<(), Failure> {
    first(&[], moment).map(drop)
}

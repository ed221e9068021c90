//! The clock, and waiting until a descriptor has something or a moment comes.
//! Never waits without looking whether the guard is still there.

use crate::failure::{Context, Failure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// A second.
pub const SECOND: u64 = 1_000_000_000;
/// A thousandth of it.
pub const MILLISECOND: u64 = 1_000_000;

/// The process whose end ends this one too.
static GUARD: OnceLock<OwnedFd> = OnceLock::new();

/// From now on every wait ends when `guard` does.
pub(crate) fn guarded_by(guard: Pid) -> Result<(), Failure> {
    let fd = pidfd_open(guard, PidfdFlags::empty()).unable("watch the guard")?;
    let _ = GUARD.set(fd);
    Ok(())
}

/// Nanoseconds on the clock that all processes share.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Waits for the first of `fds` to be readable and says which. None: `until`
/// came first. [`Failure::Interrupted`] if the guard is gone.
pub fn first(fds: &[BorrowedFd<'_>], until: u64) -> Result<Option<usize>, Failure> {
    let guard = GUARD.get().map(AsFd::as_fd);
    let all: Vec<BorrowedFd<'_>> = fds.iter().copied().chain(guard).collect();
    let found = unguarded(&all, until)?;
    if found == Some(fds.len()) { Err(Failure::Interrupted) } else { Ok(found) }
}

/// The same, for what has to be done even when the guard is gone.
pub(crate) fn unguarded(fds: &[BorrowedFd<'_>], until: u64) -> Result<Option<usize>, Failure> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().map(|f| PollFd::from_borrowed_fd(*f, PollFlags::IN)).collect();
    loop {
        let left = until.saturating_sub(now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left / SECOND).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(left % SECOND).unwrap_or(0),
        };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) => return Ok(polled.iter().position(|p| !p.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(why) => return Err(why).unable("wait"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_first_that_can_be_read_or_none_in_time() {
        let (silent, _end) = std::io::pipe().expect("a pipe");
        let (speaking, mut mouth) = std::io::pipe().expect("a pipe");
        mouth.write_all(b"x").expect("a byte");
        let found = first(&[silent.as_fd(), speaking.as_fd()], now() + 60 * SECOND);
        assert!(matches!(found, Ok(Some(1))));
        let until = now() + MILLISECOND;
        assert!(matches!(first(&[silent.as_fd()], until), Ok(None)));
        assert!(now() >= until);
    }
}

//! The two clocks: one that only goes forward, for deadlines, and the one
//! that people read, for stamps.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds on the clock that never goes back.
#[must_use]
pub fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Seconds since 1970 (before it: negative) and nanoseconds.
#[must_use]
pub fn wall() -> (i64, u32) {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec.saturating_add(set_forward()), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// By how many seconds a test has set the clock on the wall: what the file
/// says that UPKEEP_CLOCK names. A release build does not look.
#[cfg(debug_assertions)]
fn set_forward() -> i64 {
    use rustix::fs::{Mode, OFlags, open};

    let mut text = [0; 24];
    let said = crate::exec::variable(b"UPKEEP_CLOCK")
        .and_then(|file| open(file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok())
        .and_then(|file| rustix::io::read(&file, &mut text).ok())
        .and_then(|count| core::str::from_utf8(&text[..count]).ok()?.trim().parse().ok());
    said.unwrap_or(0)
}

#[cfg(not(debug_assertions))]
const fn set_forward() -> i64 {
    0
}

/// What is left until `deadline` (monotonic nanoseconds), as poll wants it.
#[must_use]
pub fn until(deadline: u64) -> Timespec {
    let left = deadline.saturating_sub(monotonic());
    Timespec {
        tv_sec: (left / 1_000_000_000).cast_signed(),
        tv_nsec: (left % 1_000_000_000).cast_signed(),
    }
}

/// Waits `seconds`, whatever signals come.
#[doc(alias = "poll")]
pub fn pause(seconds: u64) {
    pause_until(monotonic() + seconds * 1_000_000_000);
}

/// Waits until `deadline`, whatever signals come.
pub fn pause_until(deadline: u64) {
    while monotonic() < deadline {
        // Without descriptors there is only the time to wait for, and an
        // interruption to look at the clock again.
        let _ = rustix::event::poll(&mut [], Some(&until(deadline)));
    }
}

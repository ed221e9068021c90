//! The C library's idea of local time, which knows TZ and /etc/localtime.

use core::mem::MaybeUninit;

/// A moment as a clock on the wall shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The year, 2026.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
}

/// The local time `seconds` after 1970, or nothing if the year does not fit.
#[must_use]
pub fn local(seconds: i64) -> Option<Local> {
    let tm = broken_down(seconds)?;
    let small = |n: i32| u8::try_from(n).unwrap_or(0);
    Some(Local {
        year: i64::from(tm.tm_year) + 1900,
        month: small(tm.tm_mon + 1),
        day: small(tm.tm_mday),
        hour: small(tm.tm_hour),
        minute: small(tm.tm_min),
        second: small(tm.tm_sec),
    })
}

/// By how many seconds local time is ahead of UTC then; 0 where the year does
/// not fit.
#[must_use]
pub fn offset(seconds: i64) -> i32 {
    // A zone is less than a day, whoever made it.
    broken_down(seconds).and_then(|tm| i32::try_from(tm.tm_gmtoff).ok()).unwrap_or(0)
}

fn broken_down(seconds: i64) -> Option<libc::tm> {
    let mut tm = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are valid for the call; this process has one
    // thread, so the C library's time zone data is not raced for.
    unsafe {
        if libc::localtime_r(&raw const seconds, tm.as_mut_ptr()).is_null() {
            return None;
        }
        Some(tm.assume_init())
    }
}

//! Marks on a file, or on a directory: places in it, as in a file however
//! long, that an open descriptor has locked and that go with it. They need no
//! room on the disk and no name, and whoever opens the file can see them.

use core::ops::Range;
use rustix::fd::{AsFd, AsRawFd};
use rustix::io::Result;

/// The highest place there is.
pub const LAST: u64 = i64::MAX as u64;

/// Sets a mark at `place`, which goes when `file` is closed for good. Others
/// may have one there too.
#[doc(alias = "F_OFD_SETLK")]
pub fn set(file: impl AsFd, place: u64) -> Result<()> {
    control(file, libc::F_OFD_SETLK, libc::F_RDLCK, place..place + 1).map(drop)
}

/// Whether anybody else has a mark in `places`.
#[doc(alias = "F_OFD_GETLK")]
pub fn is_set(file: impl AsFd, places: Range<u64>) -> Result<bool> {
    if places.is_empty() {
        return Ok(false);
    }
    let found = control(file, libc::F_OFD_GETLK, libc::F_WRLCK, places)?;
    Ok(i32::from(found.l_type) != libc::F_UNLCK)
}

fn control(file: impl AsFd, call: i32, kind: i32, places: Range<u64>) -> Result<libc::flock> {
    // SAFETY: the record is plain numbers, for which zeros will do.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    // Constants of the kernel's that are all below 10.
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = places.start.min(LAST).cast_signed();
    lock.l_len = (places.end.min(LAST) - places.start.min(LAST)).cast_signed();
    // SAFETY: the record is the one that both calls take, and lives through
    // the call.
    if unsafe { libc::fcntl(file.as_fd().as_raw_fd(), call, &raw mut lock) } == -1 {
        return Err(crate::exec::last_errno());
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::OwnedFd;
    use rustix::fs::{Mode, OFlags, open};

    fn directory() -> OwnedFd {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(env!("CARGO_MANIFEST_DIR"), flags, Mode::empty()).unwrap()
    }

    #[test]
    fn marks_are_seen_by_others_until_they_go() {
        // Where no other run of this test looks.
        let at = 1_000_000_000 * u64::from(std::process::id());
        let (one, other) = (directory(), directory());
        set(&one, at + 7).unwrap();
        assert_eq!(is_set(&one, at..at + 9), Ok(false));
        assert_eq!(is_set(&other, at..at + 9), Ok(true));
        assert_eq!(is_set(&other, at..at + 7), Ok(false));
        assert_eq!(is_set(&other, at + 8..at + 9), Ok(false));
        assert_eq!(is_set(&other, at + 9..at + 9), Ok(false));
        // Another one of the same directory that is closed changes nothing.
        drop(directory());
        assert_eq!(is_set(&other, at + 7..LAST), Ok(true));
        drop(one);
        // A child of another test may have a copy until it has become its
        // program.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while is_set(&other, at..at + 9) == Ok(true) {
            assert!(std::time::Instant::now() < until, "the mark stays");
            std::thread::yield_now();
        }
    }
}

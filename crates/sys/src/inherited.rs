//! Descriptors that this program was given: those that it left open for itself
//! when it executed itself anew, found by what they are, and the standard ones.

use crate::refuse::refused;
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::fs::{FileType, MemfdFlags, OFlags, Stat};
use rustix::io::{Errno, FdFlags, Result, fcntl_getfd, fcntl_setfd};
use rustix::process::{Resource, getrlimit};

/// Where they are looked for.
const FIRST: i32 = 3;
const LAST: i32 = 31;

/// Takes the first descriptor that survived an exec and is the file that
/// `stat` is about, opened in the way that `mode` (of `O_ACCMODE`) says.
#[must_use]
pub fn take(stat: &Stat, mode: u32) -> Option<OwnedFd> {
    let is = |fd: BorrowedFd<'_>| {
        let found = rustix::fs::fstat(fd).ok()?;
        let opened = rustix::fs::fcntl_getfl(fd).ok()?.bits() & 3;
        Some((found.st_dev, found.st_ino) == (stat.st_dev, stat.st_ino) && opened == mode)
    };
    (FIRST..=LAST).find_map(|number| take_if(number, &is))
}

fn take_if(number: i32, is: &dyn Fn(BorrowedFd<'_>) -> Option<bool>) -> Option<OwnedFd> {
    // SAFETY: it is only looked at, and where it is not open, every call says
    // so.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    // What this program opened itself is closed on exec.
    if fcntl_getfd(fd).ok()?.contains(FdFlags::CLOEXEC) || !is(fd)? {
        return None;
    }
    // SAFETY: it survived an exec, so nothing in this program has it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    close_on_exec(&owned, true).ok()?;
    Some(owned)
}

/// Takes the descriptor with this number, if this program was started with it.
#[must_use]
pub fn take_number(number: i32) -> Option<OwnedFd> {
    take_if(number, &|_| Some(true))
}

/// Makes a mark that the program that this one executes in its place will find
/// if it is not closed on exec. Early, so that its number is low.
#[doc(alias = "memfd_create")]
pub fn make_mark(mark: &[u8]) -> Result<OwnedFd> {
    let file = rustix::fs::memfd_create(c"mark", MemfdFlags::CLOEXEC)?;
    // It is written whole, or there is no memory.
    if rustix::io::write(&file, mark)? == mark.len() { Ok(file) } else { Err(Errno::NOMEM) }
}

/// Takes this mark, if this process had left it open when it executed this
/// program. What else it was given is only looked at.
#[must_use]
pub fn take_mark(mark: &[u8]) -> Option<OwnedFd> {
    let is = |fd: BorrowedFd<'_>| {
        let stat = rustix::fs::fstat(fd).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
        // One that has a name in some directory is not of this kind.
        if !is_file || stat.st_nlink > 0 || usize::try_from(stat.st_size) != Ok(mark.len()) {
            return Some(false);
        }
        let mut found = [0; 64];
        let found = found.get_mut(..mark.len())?;
        Some(rustix::io::pread(fd, &mut *found, 0) == Ok(mark.len()) && found == mark)
    };
    (FIRST..=LAST).find_map(|number| take_if(number, &is))
}

/// Takes the first descriptor that survived an exec and stands for a directory
/// without being open for anything.
#[must_use]
pub fn take_directory() -> Option<OwnedFd> {
    let is = |fd: BorrowedFd<'_>| {
        let stat = rustix::fs::fstat(fd).ok()?;
        let flags = rustix::fs::fcntl_getfl(fd).ok()?;
        let is_one = FileType::from_raw_mode(stat.st_mode).is_dir();
        Some(is_one && flags.contains(OFlags::PATH))
    };
    (FIRST..=LAST).find_map(|number| take_if(number, &is))
}

/// One of the descriptors that every program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Standard input.
    Input = 0,
    /// Standard output.
    Output = 1,
    /// Standard error.
    Error = 2,
}

/// Closes it, so that the program that is run next has none.
pub fn close(standard: Standard) -> Result<()> {
    // SAFETY: nobody owns these, and whoever writes to one without it is told.
    if unsafe { libc::close(standard as i32) } == 0 {
        Ok(())
    } else {
        Err(crate::exec::last_errno())
    }
}

/// Whether a descriptor survives an exec.
pub fn close_on_exec(fd: impl AsFd, close: bool) -> Result<()> {
    fcntl_setfd(fd, if close { FdFlags::CLOEXEC } else { FdFlags::empty() })
}

/// Has every descriptor above `last` closed when the program runs, and not
/// before.
#[doc(alias = "close_range")]
pub fn close_above_on_exec(last: i32) {
    const CLOEXEC: libc::c_uint = 4;
    let from = last.unsigned_abs() + 1;
    // SAFETY: marks descriptors of this process, closes none.
    let marked = !refused(b"close-range")
        && unsafe { libc::syscall(libc::SYS_close_range, from, u32::MAX, CLOEXEC) } == 0;
    if marked {
        return;
    }
    // Before 5.11: as far as the limit on descriptors reaches.
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1024);
    for fd in last + 1..i32::try_from(limit.min(65536)).unwrap_or(1024) {
        // SAFETY: as above; where there is no descriptor there is no mark.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

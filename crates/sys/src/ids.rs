//! Becoming somebody else, for good.

use rustix::io::{Errno, Result};

fn check(answer: libc::c_int) -> Result<()> {
    if answer == 0 { Ok(()) } else { Err(crate::exec::last_errno()) }
}

/// Makes `gid` the only group of this process.
pub fn become_group(gid: u32) -> Result<()> {
    // SAFETY: the pointer is to one gid_t and the count says one.
    check(unsafe { libc::setgroups(1, &raw const gid) })?;
    // SAFETY: setgid has no memory arguments.
    check(unsafe { libc::setgid(gid) })
}

/// Makes `uid` the real, effective and saved user of this process.
pub fn become_user(uid: u32) -> Result<()> {
    // SAFETY: setuid has no memory arguments.
    check(unsafe { libc::setuid(uid) })
}

/// What a system call that reports trouble by -1 left behind.
pub(crate) fn errno_of(number: i32) -> Errno {
    Errno::from_raw_os_error(number)
}

//! Becoming somebody else, for good.

use rustix::io::{Errno, Result};

fn check(answer: libc::c_int) -> Result<()> {
    if answer == 0 { Ok(()) } else { Err(crate::exec::last_errno()) }
}

/// Makes `gid` the only group of this process.
pub fn become_group(gid: u32) -> Result<()> {
    set_groups(&[gid])?;
    set_group(gid)
}

/// Makes these the supplementary groups of this process.
#[doc(alias = "setgroups")]
pub fn set_groups(gids: &[u32]) -> Result<()> {
    // SAFETY: the pointer is to as many gid_t as the count says.
    check(unsafe { libc::setgroups(gids.len(), gids.as_ptr()) })
}

/// Makes `gid` the real, effective and saved group of this process.
#[doc(alias = "setgid")]
pub fn set_group(gid: u32) -> Result<()> {
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

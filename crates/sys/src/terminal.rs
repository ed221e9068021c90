//! Whose the terminal is. Numbers of process groups are the kernel's here, as
//! one that leads from outside the pid name space is 0.

use crate::signals::undisturbed;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::Pid;

/// Whether this process's group has the terminal, if it is one: whoever was
/// started in the background must not take it.
#[doc(alias = "tcgetpgrp")]
#[must_use]
pub fn is_ours(fd: BorrowedFd<'_>) -> bool {
    // SAFETY: takes a descriptor that is open, and answers with numbers.
    unsafe { libc::tcgetpgrp(fd.as_raw_fd()) == libc::getpgrp() }
}

/// Gives the terminal to the process group that this process leads. Where that
/// is not to be had, nothing changes.
#[doc(alias = "tcsetpgrp")]
pub fn give(fd: BorrowedFd<'_>, leader: Pid) {
    set_group(fd, leader.as_raw_pid());
}

/// Takes it back.
pub fn take_back(fd: BorrowedFd<'_>) {
    // SAFETY: answers with a number.
    set_group(fd, unsafe { libc::getpgrp() });
}

fn set_group(fd: BorrowedFd<'_>, group: i32) {
    // Whoever does not have it is stopped by TTOU for that.
    // SAFETY: takes a descriptor that is open, and a number.
    let _ = undisturbed(|| unsafe { libc::tcsetpgrp(fd.as_raw_fd(), group) });
}

//! Sessions and process groups: which one a process is in, and a signal for a
//! group that cannot reach another one that has got its number since.

use crate::refuse::refused;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Signal};

/// `PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9.
const TO_GROUP: libc::c_uint = 4;

/// Signals the process group whose number is the pid of the process that
/// `leader` is a pidfd of. `INVAL` and `NOSYS` come from kernels that cannot.
#[doc(alias = "pidfd_send_signal")]
pub fn signal(leader: BorrowedFd<'_>, signal: Signal) -> Result<()> {
    if refused(b"pidfd") {
        return Err(Errno::NOSYS);
    }
    // SAFETY: a descriptor, a number and flags; no siginfo is passed.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            leader.as_raw_fd(),
            signal.as_raw(),
            core::ptr::null::<libc::siginfo_t>(),
            TO_GROUP,
        )
    };
    if answer == 0 { Ok(()) } else { Err(crate::exec::last_errno()) }
}

/// The session of a process. None: there is no such process, or who began the
/// session is outside of this pid name space, as with what `docker exec` starts.
#[doc(alias = "getsid")]
#[must_use]
pub fn session_of(pid: Pid) -> Option<Pid> {
    // SAFETY: takes a number. rustix's takes it for granted that there is one.
    positive(unsafe { libc::getsid(pid.as_raw_pid()) })
}

/// The process group of a process; none as for `session_of`.
#[doc(alias = "getpgid")]
#[must_use]
pub fn group_of(pid: Pid) -> Option<Pid> {
    // SAFETY: takes a number. rustix's takes it for granted that there is one.
    positive(unsafe { libc::getpgid(pid.as_raw_pid()) })
}

/// 0 is one outside, and what is below it an error.
fn positive(number: i32) -> Option<Pid> {
    if number > 0 { Pid::from_raw(number) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use rustix::process::{PidfdFlags, pidfd_open};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Command, Stdio};

    #[test]
    fn the_group_is_reached_when_its_leader_has_gone() {
        // The leader ends at once; its child is left in the group.
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 1000 & read go"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let leader = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        drop(child.stdin.take());
        assert!(child.wait().unwrap().signal().is_none());
        match signal(leader.as_fd(), Signal::KILL) {
            Ok(()) => {}
            // Before 6.9; the number still belongs to the group that is left.
            Err(why) => {
                assert!([Errno::INVAL, Errno::NOSYS].contains(&why), "{why}");
                rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
            }
        }
        // At its end when nobody has it open any more.
        std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut Vec::new()).unwrap();
    }
}

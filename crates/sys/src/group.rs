//! A signal for a process group that cannot reach another group that has got
//! its number since.

use crate::refuse::refused;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::Signal;

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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
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

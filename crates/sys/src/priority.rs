//! Giving way to everybody else.

use rustix::process::Pid;

/// Lets a process run when nobody else wants to, and read and write when
/// nobody else does.
#[doc(alias = "setpriority")]
#[doc(alias = "ioprio_set")]
pub fn lower(pid: Pid) {
    const NICE: i32 = 19;
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_IDLE: libc::c_int = 3 << 13;
    // Raising a nice value is always allowed; a kernel without schedulers for
    // disks knows no classes, and nothing is lost.
    let _ = rustix::process::setpriority_process(Some(pid), NICE);
    // SAFETY: three numbers.
    unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, pid.as_raw_pid(), CLASS_IDLE) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_gives_way() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        lower(pid);
        assert_eq!(rustix::process::getpriority_process(Some(pid)), Ok(19));
        // SAFETY: two numbers.
        let class = unsafe { libc::syscall(libc::SYS_ioprio_get, 1, pid.as_raw_pid()) };
        assert_eq!(class >> 13, 3);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

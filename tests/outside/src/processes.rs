//! Processes as /proc shows them, and the end of those that are ours: by a
//! descriptor that was found to be of the process that was meant, never by a
//! number alone.

use crate::failure::{Context, Failure};
use crate::wait::unguarded;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};
use std::fs;

/// What one line of /proc/PID/stat says.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// The first bytes of its program's name.
    pub name: String,
    /// The kernel's letter: `R` running, `T` stopped, `Z` ended.
    pub state: u8,
    /// The number of its parent.
    pub parent: i32,
    /// The number of the process that began its session, 0 if that is outside
    /// of this pid name space.
    pub session: i32,
    /// User and system time, in the kernel's ticks of 10 ms.
    pub ticks: u64,
    /// In the same ticks since the machine started: with the number, what
    /// makes it this process and no other.
    pub started: u64,
}

impl Process {
    /// The process with this number now, if there is one.
    pub fn find(pid: i32) -> Option<Self> {
        parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Whether it had not ended when it was found.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    /// Whether the same process still has not ended.
    pub fn lives(&self) -> bool {
        Self::find(self.pid).is_some_and(|p| p.started == self.started && p.is_alive())
    }

    /// A descriptor of this very process, if it lives.
    pub fn open(&self) -> Option<OwnedFd> {
        self.hold().ok().flatten()
    }

    /// The same. None: it has ended.
    fn hold(&self) -> rustix::io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // What the descriptor was opened for had the number since before,
            // if the process that was meant still has it.
            Ok(fd) => Ok(self.lives().then_some(fd)),
            // The second one if it is just being waited for.
            Err(Errno::SRCH | Errno::INVAL) => Ok(None),
            Err(why) => Err(why),
        }
    }
}

fn parse(line: &[u8]) -> Option<Process> {
    let line = String::from_utf8_lossy(line);
    // The name may hold anything, a bracket too: its end is the last one.
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
        started: number(19)?,
    })
}

/// Every process that can be seen, in the order of their numbers.
pub fn all() -> Result<Vec<Process>, Failure> {
    let entries = fs::read_dir("/proc").unable("read /proc")?;
    let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    // It may have ended since it was listed.
    let mut found: Vec<Process> = numbers.filter_map(Process::find).collect();
    found.sort_unstable_by_key(|p| p.pid);
    Ok(found)
}

/// The children of a process, ended ones too, in the order of their numbers.
pub fn children(of: Pid) -> Result<Vec<Process>, Failure> {
    let mut found = all()?;
    found.retain(|p| p.parent == of.as_raw_pid());
    Ok(found)
}

/// Ends everything below this process, parents first, so that nobody is left
/// to start anything again; their children then are children of this one,
/// which has to be their subreaper. [`Failure::Late`] if somebody has not
/// ended when `until` comes.
pub fn end_all(until: u64) -> Result<(), Failure> {
    loop {
        let children = children(getpid())?;
        if children.is_empty() {
            return Ok(());
        }
        let mut ending = Vec::with_capacity(children.len());
        for child in children {
            let fd = child.hold().unable(format_args!("watch process {}", child.pid))?;
            if let Some(fd) = &fd {
                // Whether that was of use is seen below.
                let _ = pidfd_send_signal(fd, Signal::KILL);
            }
            ending.push((child.pid, fd));
        }
        for (pid, fd) in ending {
            if let Some(fd) = fd
                && unguarded(&[fd.as_fd()], until)?.is_none()
            {
                return Err(Failure::Late(format!("the end of process {pid}")));
            }
            if let Some(pid) = Pid::from_raw(pid) {
                // Another thread may have been quicker.
                let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{SECOND, now};
    use rustix::process::set_child_subreaper;
    use std::process::Command;

    #[test]
    fn a_name_with_brackets() {
        let line = b"42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 0 0 20 0 1 0 99 1 1";
        let found = parse(line).expect("a process");
        assert_eq!((found.pid, found.parent, found.name.as_str()), (42, 7, "a) b (c"));
        assert_eq!((found.state, found.ticks, found.started), (b'S', 11, 99));
        assert!(parse(b"42 (x").is_none());
    }

    #[test]
    fn this_process_itself() {
        let me = Process::find(getpid().as_raw_pid()).expect("this process");
        assert!(me.lives() && me.open().is_some());
        let other = Process { started: me.started + 1, ..me };
        assert!(!other.lives() && other.open().is_none());
    }

    #[test]
    fn nobody_below_is_left() {
        set_child_subreaper(Some(getpid())).expect("a subreaper");
        let script = "sleep 1000 & (sleep 1000 & sleep 1000) & wait";
        let mut shell = Command::new("/bin/sh").args(["-c", script]).spawn().expect("a shell");
        let mut ended = Command::new("/bin/true").spawn().expect("a process");
        let expected = [shell.id(), ended.id()];
        let found = children(getpid()).expect("children");
        assert!(found.iter().all(|c| expected.contains(&c.pid.cast_unsigned())));
        assert_eq!(found.len(), expected.len());
        assert!(end_all(now() + 60 * SECOND).is_ok());
        assert!(children(getpid()).is_ok_and(|c| c.is_empty()));
        // Waited for already.
        assert!(shell.wait().is_err() && ended.wait().is_err());
    }
}

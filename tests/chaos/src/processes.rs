//! Processes as /proc shows them, and signals to those that are ours: by a
//! descriptor that was found to be of the process that was meant, never by a
//! number alone.

use crate::failure::{Context, Failure};
use crate::wait::{SECOND, now, patient};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What one line of /proc/PID/stat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) name: String,
    pub(crate) state: u8,
    parent: i32,
    /// In the kernel's ticks since the machine started: with the number, what
    /// makes it this process and no other.
    pub(crate) started: u64,
}

impl Process {
    /// The process with this number now, if there is one.
    pub(crate) fn find(pid: i32) -> Option<Self> {
        parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    /// Whether the same process still has not ended.
    pub(crate) fn lives(&self) -> bool {
        Self::find(self.pid).is_some_and(|p| p.started == self.started && p.is_alive())
    }

    /// Where it works.
    pub(crate) fn directory(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()
    }

    /// The last of its arguments.
    pub(crate) fn last_argument(&self) -> Option<String> {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.trim_end_matches('\0').rsplit('\0').next().map(str::to_owned)
    }

    /// A descriptor of this very process.
    pub(crate) fn open(&self) -> Option<OwnedFd> {
        let fd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // What the descriptor was opened for had the number since before, if
        // the process that was meant still has it.
        self.lives().then_some(fd)
    }

    /// Sends it a signal, if it is there.
    pub(crate) fn signal(&self, signal: Signal) -> Option<OwnedFd> {
        let fd = self.open()?;
        pidfd_send_signal(&fd, signal).ok()?;
        Some(fd)
    }
}

fn parse(line: &[u8]) -> Option<Process> {
    let line = String::from_utf8_lossy(line);
    // The name may hold anything, a bracket too: its end is the last one.
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Every process below this one that has not ended.
pub(crate) fn below() -> Result<Vec<Process>, Failure> {
    let all: HashMap<i32, Process> = all()?.into_iter().map(|p| (p.pid, p)).collect();
    let me = getpid().as_raw_pid();
    let is_below = |process: &Process| {
        let mut at = process;
        // More generations than there are processes would be a circle.
        for _ in 0..64 {
            if at.parent == me {
                return true;
            }
            match all.get(&at.parent) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
    };
    Ok(all.values().filter(|p| p.is_alive() && is_below(p)).cloned().collect())
}

fn all() -> Result<Vec<Process>, Failure> {
    let entries = fs::read_dir("/proc").unable("read /proc")?;
    let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    // It may have ended since it was listed.
    Ok(numbers.filter_map(Process::find).collect())
}

/// Whether `process` works in `directory`.
pub(crate) fn works_in(process: &Process, directory: &Path) -> bool {
    process.directory().is_some_and(|d| d == directory)
}

/// Ends everything below this process, parents first, so that nobody is left
/// to start anything again; their children then are children of this one,
/// which has to be their subreaper.
pub(crate) fn end_all() -> Result<(), Failure> {
    let me = getpid().as_raw_pid();
    let until = now() + patient(60 * SECOND);
    loop {
        let mut children = all()?;
        children.retain(|p| p.parent == me);
        if children.is_empty() {
            return Ok(());
        }
        let ended: Vec<(i32, Option<OwnedFd>)> =
            children.iter().map(|c| (c.pid, c.signal(Signal::KILL))).collect();
        for (pid, fd) in ended {
            if let Some(fd) = fd {
                // Not wait::first: this has to be done when the guard is gone.
                let left = until.saturating_sub(now());
                let timeout = std::time::Duration::from_nanos(left).try_into().ok();
                let mut polled = [PollFd::new(&fd, PollFlags::IN)];
                while poll(&mut polled, timeout.as_ref()).is_err() {}
                if polled[0].revents().is_empty() {
                    return Err(Failure::Late(format!("the end of process {pid}")));
                }
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

    #[test]
    fn a_name_with_brackets() {
        let line = b"42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 0 0 20 0 1 0 99 1 1";
        let name = "a) b (c".to_owned();
        let expected = Process { pid: 42, name, state: b'S', parent: 7, started: 99 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b"42 (x"), None);
    }

    #[test]
    fn this_process_itself() {
        let me = Process::find(getpid().as_raw_pid()).expect("this process");
        assert!(me.lives() && me.open().is_some());
        let other = Process { started: me.started + 1, ..me };
        assert!(!other.lives() && other.open().is_none());
    }
}

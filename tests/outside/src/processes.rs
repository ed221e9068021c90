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
use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

/// Where processes are looked for, and so what their numbers mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Where this process is itself.
    #[default]
    Here,
    /// In the container whose process 1 has this number here, and by the
    /// numbers that they have there.
    Inside(i32),
}

impl Place {
    /// Its /proc, or a file there.
    pub fn proc(self, file: impl Display) -> PathBuf {
        match self {
            Self::Here => format!("/proc/{file}").into(),
            Self::Inside(first) => format!("/proc/{first}/root/proc/{file}").into(),
        }
    }

    /// The process with this number now, if there is one.
    pub fn find(self, pid: i32) -> Option<Process> {
        parse(self, &fs::read(self.proc(format_args!("{pid}/stat"))).ok()?)
    }

    /// Every process that can be seen, in the order of their numbers.
    pub fn all(self) -> Result<Vec<Process>, Failure> {
        let entries = fs::read_dir(self.proc("")).unable("read /proc")?;
        let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
        // It may have ended since it was listed.
        let mut found: Vec<Process> = numbers.filter_map(|pid| self.find(pid)).collect();
        found.sort_unstable_by_key(|p| p.pid);
        Ok(found)
    }
}

/// What one line of /proc/PID/stat says.
#[derive(Clone, Debug)]
pub struct Process {
    /// Where it was found.
    pub place: Place,
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
        Place::Here.find(pid)
    }

    /// Whether it had not ended when it was found.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    /// Whether the same process still has not ended.
    pub fn lives(&self) -> bool {
        self.place.find(self.pid).is_some_and(|p| p.started == self.started && p.is_alive())
    }

    /// A file of it in /proc.
    pub fn file(&self, name: &str) -> PathBuf {
        self.place.proc(format_args!("{}/{name}", self.pid))
    }

    /// The same process by the number that it has here.
    fn here(&self) -> rustix::io::Result<Option<Self>> {
        if self.place == Place::Here {
            return Ok(Some(self.clone()));
        }
        let all = Place::Here.all().map_err(|_| Errno::IO)?;
        let mut same = all.into_iter().filter(|p| p.started == self.started);
        Ok(same.find(|p| innermost(p) == Some(self.pid)))
    }

    /// A descriptor of this very process, if it lives.
    pub fn open(&self) -> Option<OwnedFd> {
        self.hold().ok().flatten()
    }

    /// The same. None: it has ended.
    fn hold(&self) -> rustix::io::Result<Option<OwnedFd>> {
        let Some(here) = self.here()? else { return Ok(None) };
        let Some(pid) = Pid::from_raw(here.pid) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // What the descriptor was opened for had the number since before,
            // if the process that was meant still has it.
            Ok(fd) => Ok((here.lives() && self.lives()).then_some(fd)),
            // The second one if it is just being waited for.
            Err(Errno::SRCH | Errno::INVAL) => Ok(None),
            Err(why) => Err(why),
        }
    }
}

/// The number of a process in the innermost namespace that it has one in.
fn innermost(process: &Process) -> Option<i32> {
    let status = fs::read_to_string(process.file("status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_whitespace().next_back()?.parse().ok()
}

fn parse(place: Place, line: &[u8]) -> Option<Process> {
    let line = String::from_utf8_lossy(line);
    // The name may hold anything, a bracket too: its end is the last one.
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Process {
        place,
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
    Place::Here.all()
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
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    #[test]
    fn a_name_with_brackets() {
        let line = b"42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 0 0 20 0 1 0 99 1 1";
        let found = parse(Place::Here, line).expect("a process");
        assert_eq!((found.pid, found.parent, found.name.as_str()), (42, 7, "a) b (c"));
        assert_eq!((found.state, found.ticks, found.started), (b'S', 11, 99));
        assert!(parse(Place::Here, b"42 (x").is_none());
    }

    #[test]
    fn this_process_itself() {
        let me = Process::find(getpid().as_raw_pid()).expect("this process");
        assert!(me.lives() && me.open().is_some());
        let other = Process { started: me.started + 1, ..me };
        assert!(!other.lives() && other.open().is_none());
    }

    /// What has children, or ends all there are, does so alone.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        set_child_subreaper(Some(getpid())).expect("a subreaper");
        alone
    }

    #[test]
    fn nobody_below_is_left() {
        let _alone = alone();
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

    #[test]
    fn a_process_of_a_container_by_its_own_number() {
        let _alone = alone();
        if crate::container::is_possible().is_err() {
            return;
        }
        let mut unshare = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--fork", "--pid", "--mount-proc", "--kill-child"]);
        let script = "echo; read line; exit 7";
        unshare.args(["sh", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut outer = unshare.spawn().expect("a container");
        let mut out = outer.stdout.take().expect("its output");
        out.read_exact(&mut [0; 1]).expect("that it runs");
        let here = crate::container::process_one(Pid::from_child(&outer)).expect("process 1");
        let place = Place::Inside(here.pid);
        let there = place.find(1).expect("process 1 by its own number");
        assert_eq!((there.pid, there.parent, there.started), (1, 0, here.started));
        assert_eq!(there.here().expect("a look").map(|p| p.pid), Some(here.pid));
        let held = there.open().expect("a descriptor of it");
        assert!(there.lives());
        drop(outer.stdin.take());
        assert!(unguarded(&[held.as_fd()], now() + 60 * SECOND).is_ok_and(|f| f.is_some()));
        assert_eq!(outer.wait().expect("its end").code(), Some(7));
        assert!(!there.lives() && there.open().is_none() && place.find(1).is_none());
    }
}

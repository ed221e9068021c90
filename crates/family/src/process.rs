//! Processes as /proc shows them, and a signal for one of them that cannot
//! reach another that has got its number since.

use crate::stat::{ENOUGH, Stat, number};
use crate::text::Text;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::{Errno, Result};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal,
};
use upkeep_sys::refuse::refused;

/// The processes of this pid namespace.
pub(crate) struct Proc {
    dir: OwnedFd,
    /// This process.
    pub(crate) me: u32,
}

impl Proc {
    /// Nothing where /proc is not mounted, or is another namespace's.
    pub(crate) fn open() -> Option<Self> {
        if refused(b"proc") {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = fs::open(c"/proc", flags, Mode::empty()).ok()?;
        let proc = Self { dir, me: getpid().as_raw_pid().unsigned_abs() };
        (fs::fstatfs(&proc.dir).is_ok_and(|is| is.f_type == fs::PROC_SUPER_MAGIC)
            && proc.read_stat(c"self/stat").is_ok_and(|stat| stat.pid == proc.me))
        .then_some(proc)
    }

    /// Calls `each` with every process there is, in the order of their
    /// numbers. One that is made meanwhile is seen if its number is still to
    /// come.
    pub(crate) fn each(&self, mut each: impl FnMut(u32)) -> Result<()> {
        fs::seek(&self.dir, SeekFrom::Start(0))?;
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut entries = RawDir::new(&self.dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let pid = number(entry?.file_name().to_bytes());
            if let Some(pid) = pid.and_then(|pid| u32::try_from(pid).ok()) {
                each(pid);
            }
        }
        Ok(())
    }

    /// What it is now.
    pub(crate) fn stat(&self, pid: u32) -> Result<Stat> {
        let path = Text::<32>::new().push_number(pid.into(), 10).push(b"/stat");
        self.read_stat(path.path().ok_or(Errno::SRCH)?)
    }

    fn read_stat(&self, path: &CStr) -> Result<Stat> {
        let mut line = [0; ENOUGH];
        let file = self.open_file(path)?;
        let n = rustix::io::read(&file, &mut line)?;
        Stat::parse(&line[..n]).ok_or(Errno::SRCH)
    }

    fn open_file(&self, path: &CStr) -> Result<OwnedFd> {
        fs::openat(&self.dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }

    /// Whether `entry` is in its environment, as far as that can be read.
    /// `AGAIN` says that it has none just now.
    pub(crate) fn has_variable(&self, stat: &Stat, entry: &[u8]) -> Result<bool> {
        let path = Text::<32>::new().push_number(stat.pid.into(), 10).push(b"/environ");
        let file = match self.open_file(path.path().ok_or(Errno::SRCH)?) {
            Err(Errno::NOENT | Errno::SRCH | Errno::ACCESS | Errno::PERM) => return Ok(false),
            answer => answer?,
        };
        if stat.between {
            return Err(Errno::AGAIN);
        }
        let mut search = Search { entry, matched: Some(0) };
        let mut buffer = [0; 1024];
        // As much as the kernel lets a program begin with.
        for _ in 0..6 * 1024 {
            match rustix::io::read(&file, &mut buffer) {
                Ok(n) if n > 0 => {
                    if search.ends_in(&buffer[..n]) {
                        return Ok(true);
                    }
                }
                Ok(_) | Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Whether this process descends from `pid`.
    pub(crate) fn is_above_us(&self, pid: u32) -> bool {
        self.is_above(pid, self.me)
    }

    /// Whether the process `below` descends from `pid`.
    pub(crate) fn is_above(&self, pid: u32, below: u32) -> bool {
        let mut at = below;
        // Far more generations than there can be.
        for _ in 0..4096 {
            match self.stat(at) {
                Ok(stat) if stat.parent == pid => return true,
                Ok(stat) if stat.parent > 1 => at = stat.parent,
                Ok(_) | Err(_) => return false,
            }
        }
        false
    }

    /// Signals the process `pid` if it is still the one that was started at
    /// `born`.
    pub(crate) fn send(&self, pid: u32, born: u64, signal: Signal) -> Result<()> {
        let is_it = || match self.stat(pid) {
            Ok(stat) => Ok(stat.born == born),
            Err(Errno::NOENT | Errno::SRCH) => Ok(false),
            Err(why) => Err(why),
        };
        match send_if(pid, signal, is_it) {
            Err(Errno::SRCH) => Ok(()),
            answer => answer,
        }
    }
}

/// Signals `pid` if `is_it` says that it still is who was meant. Held by a
/// pidfd it can no longer become somebody else; where there is none, only
/// little time is left for that.
pub(crate) fn send_if(
    pid: u32,
    signal: Signal,
    is_it: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let Some(pid) = Pid::from_raw(pid.cast_signed()).filter(|pid| !pid.is_init()) else {
        return Ok(());
    };
    let pidfd =
        if refused(b"pidfd") { Err(Errno::NOSYS) } else { pidfd_open(pid, PidfdFlags::empty()) };
    if pidfd.as_ref().err() == Some(&Errno::SRCH) || !is_it()? {
        return Ok(());
    }
    match pidfd.map(|pidfd| pidfd_send_signal(&pidfd, signal)) {
        // Not there, forbidden, or no descriptor to be had.
        Err(_) | Ok(Err(Errno::NOSYS | Errno::PERM)) => kill_process(pid, signal),
        Ok(answer) => answer,
    }
}

/// Looks for one entry in a row of entries with a NUL behind each, which comes
/// in pieces.
struct Search<'a> {
    entry: &'a [u8],
    /// How much of the entry at hand is as it should be; none if it is
    /// another.
    matched: Option<usize>,
}

impl Search<'_> {
    fn ends_in(&mut self, piece: &[u8]) -> bool {
        for &byte in piece {
            if byte == 0 {
                if self.matched == Some(self.entry.len()) {
                    return true;
                }
                self.matched = Some(0);
            } else {
                self.matched =
                    self.matched.filter(|&n| self.entry.get(n) == Some(&byte)).map(|n| n + 1);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn an_entry_is_found_however_it_is_cut() {
        let environ = b"A=1\0UPKEEP=12\0UPKEEP=1\0B=\0";
        for size in 1..environ.len() {
            let find = |entry: &[u8]| {
                let mut search = Search { entry, matched: Some(0) };
                environ.chunks(size).any(|piece| search.ends_in(piece))
            };
            assert!(find(b"UPKEEP=1") && find(b"UPKEEP=12") && find(b"A=1") && find(b"B="));
            assert!(!find(b"UPKEEP=") && !find(b"PKEEP=1") && !find(b"UPKEEP=123") && !find(b"C"));
        }
    }

    #[test]
    fn this_process_is_among_all_and_has_its_parents_above_it() {
        let proc = Proc::open().unwrap();
        let mut all = Vec::new();
        proc.each(|pid| all.push(pid)).unwrap();
        assert!(all.contains(&std::process::id()) && all.is_sorted());
        let parent = std::os::unix::process::parent_id();
        assert!(proc.is_above_us(parent) && !proc.is_above_us(proc.me));
        assert!(!proc.is_above_us(u32::MAX));
    }

    #[test]
    fn a_signal_is_for_who_was_meant_only() {
        let proc = Proc::open().unwrap();
        let mut child = Command::new("cat")
            .env("UPKEEP_X", "y")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stat = proc.stat(child.id()).unwrap();
        assert_eq!((stat.pid, stat.parent), (child.id(), proc.me));
        // Somebody else had its number before.
        proc.send(stat.pid, stat.born + 1, Signal::KILL).unwrap();
        assert!(child.try_wait().unwrap().is_none());
        proc.send(stat.pid, stat.born, Signal::KILL).unwrap();
        assert!(!child.wait().unwrap().success());
        proc.send(stat.pid, stat.born, Signal::KILL).unwrap();
    }
}

//! Processes as /proc shows them, and the end of those that are ours. Signals
//! only children that were not waited for yet, whose numbers cannot have gone
//! to anybody else.

use crate::failure::{Context, Failure};
use crate::wait::{deadline, now};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open, waitid,
};
use std::fs;

/// What one line of /proc/PID/stat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) name: String,
    parent: i32,
    /// User and system time, in the kernel's ticks of 10 ms.
    ticks: u64,
}

/// The parent of a process.
pub(crate) fn parent(of: Pid) -> Result<Process, Failure> {
    let look = |pid: i32| fs::read(format!("/proc/{pid}/stat")).ok().and_then(|l| parse(&l));
    let found = look(of.as_raw_pid()).and_then(|p| look(p.parent));
    found.ok_or("it is gone").unable(format_args!("find the parent of {}", of.as_raw_pid()))
}

/// The children of a process, in the order of their numbers.
pub(crate) fn children(of: Pid) -> Result<Vec<Process>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unable("read /proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else {
            continue;
        };
        // It may have ended since it was listed.
        let Ok(line) = fs::read(format!("/proc/{pid}/stat")) else { continue };
        found.extend(parse(&line).filter(|p| p.parent == of.as_raw_pid()));
    }
    found.sort_by_key(|p| p.pid);
    Ok(found)
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
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}

/// User and system time of a process in nanoseconds.
pub(crate) fn cpu(pid: i32) -> Result<u64, Failure> {
    // Exact where the kernel keeps it, else in steps of 10 ms.
    let exact = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok();
    if let Some(ns) = exact.and_then(|s| s.split_whitespace().next()?.parse().ok()) {
        return Ok(ns);
    }
    let line = fs::read(format!("/proc/{pid}/stat")).unable(format_args!("read stat of {pid}"))?;
    Ok(parse(&line).map_or(0, |p| p.ticks * 10_000_000))
}

/// Context switches of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    pub(crate) voluntary: u64,
    pub(crate) forced: u64,
}

/// How often a process was switched away from.
pub(crate) fn switches(pid: i32) -> Result<Switches, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .unable(format_args!("read status of {pid}"))?;
    Ok(Switches {
        voluntary: field(&text, "voluntary_ctxt_switches:").unwrap_or(0),
        forced: field(&text, "nonvoluntary_ctxt_switches:").unwrap_or(0),
    })
}

/// Memory of a process, in kB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) private_dirty: u64,
    pub(crate) proportional: u64,
}

/// What a process keeps in memory.
pub(crate) fn memory(pid: i32) -> Result<Memory, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .unable(format_args!("read smaps_rollup of {pid}"))?;
    let of = |name| field(&text, name).ok_or("missing").unable(format_args!("find {name}"));
    Ok(Memory { private_dirty: of("Private_Dirty:")?, proportional: of("Pss:")? })
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|l| l.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Ends everything below this process, parents first, so that nobody is left
/// to start anything again; their children then are children of this one,
/// which has to be their subreaper.
pub(crate) fn end_all() -> Result<(), Failure> {
    let until = deadline();
    loop {
        let children = children(getpid())?;
        if children.is_empty() {
            return Ok(());
        }
        let pids: Vec<Pid> = children.iter().filter_map(|c| Pid::from_raw(c.pid)).collect();
        for &pid in &pids {
            let _ = kill_process(pid, Signal::KILL);
        }
        for pid in pids {
            let fd = pidfd_open(pid, PidfdFlags::empty()).unable(format_args!("watch {pid:?}"))?;
            // Not wait::readable: this has to be done when the guard is gone.
            let left = until.saturating_sub(now());
            let timeout = std::time::Duration::from_nanos(left).try_into().ok();
            let mut polled = [PollFd::new(&fd, PollFlags::IN)];
            while poll(&mut polled, timeout.as_ref()) == Err(rustix::io::Errno::INTR) {}
            if polled[0].revents().is_empty() {
                return Err(Failure::Late(format!("the end of process {pid:?}")));
            }
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets() {
        let line = b"42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 0 0 20 0 1 0 99 1 1";
        let expected = Process { pid: 42, name: "a) b (c".to_owned(), parent: 7, ticks: 11 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b"42 (x"), None);
    }

    #[test]
    fn fields_are_found_at_the_beginning_of_a_line() {
        let text = "nonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t5\nPss:   394 kB\n";
        assert_eq!(field(text, "voluntary_ctxt_switches:"), Some(5));
        assert_eq!(field(text, "Pss:"), Some(394));
        assert_eq!(field(text, "Rss:"), None);
    }

    #[test]
    fn this_process_itself() {
        let above = rustix::process::getppid().map(Pid::as_raw_pid);
        assert_eq!(parent(getpid()).ok().map(|p| p.pid), above);
        let pid = getpid().as_raw_pid();
        assert!(memory(pid).is_ok_and(|m| m.private_dirty > 0 && m.proportional > 0));
        assert!(cpu(pid).is_ok() && switches(pid).is_ok());
    }
}

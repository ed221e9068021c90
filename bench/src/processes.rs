//! What a process costs, as /proc shows it, and whose child it is.

use rustix::process::Pid;
use std::fs;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;

/// The parent of a process.
pub(crate) fn parent(of: Pid) -> Result<Process, Failure> {
    let found = Process::find(of.as_raw_pid()).and_then(|p| Process::find(p.parent));
    found.ok_or("it is gone").unable(format_args!("find the parent of {}", of.as_raw_pid()))
}

/// User and system time of a process in nanoseconds.
pub(crate) fn cpu(pid: i32) -> Result<u64, Failure> {
    // Exact where the kernel keeps it, else in steps of 10 ms.
    let exact = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok();
    if let Some(ns) = exact.and_then(|s| s.split_whitespace().next()?.parse().ok()) {
        return Ok(ns);
    }
    let process = Process::find(pid).ok_or("it is gone");
    Ok(process.unable(format_args!("find process {pid}"))?.ticks * 10_000_000)
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
    /// What no other process has, dirty or not.
    pub(crate) private: u64,
    pub(crate) proportional: u64,
}

/// What a process keeps in memory.
pub(crate) fn memory(pid: i32) -> Result<Memory, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .unable(format_args!("read smaps_rollup of {pid}"))?;
    let of = |name| field(&text, name).ok_or("missing").unable(format_args!("find {name}"));
    let private_dirty = of("Private_Dirty:")?;
    let private = private_dirty + of("Private_Clean:")?;
    Ok(Memory { private_dirty, private, proportional: of("Pss:")? })
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|l| l.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getpid;

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
        assert!(memory(pid).is_ok_and(|m| m.private_dirty > 0
            && m.proportional > 0
            && m.private >= m.private_dirty));
        assert!(cpu(pid).is_ok() && switches(pid).is_ok());
    }
}

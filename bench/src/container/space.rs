//! A pid namespace with a program as its process 1, begun and ended from
//! outside. When it is dropped nothing of it is left: `unshare` has the kernel
//! kill process 1 with itself, and whoever drops the files ends `unshare`.

use crate::service::{Report, Reports, What};
use crate::tree::SAID;
use crate::wait::{deadline, readable};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use upkeep_outside::container::{Beginning, process_one};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::{self, Process};
use upkeep_outside::wait::now;

/// A container.
pub(crate) struct Space {
    /// Just before process 1 became the program.
    pub(crate) began: u64,
    /// `unshare`, which ends when it has waited for process 1.
    outer: Child,
    over: OwnedFd,
    reports: Reports,
    said: PathBuf,
}

impl Space {
    /// Has `command` run as process 1 in the directory `within`. `root` takes
    /// what is needed for that; this program is `exe`.
    pub(crate) fn start(
        root: &Path,
        exe: &Path,
        within: &Path,
        command: &Command,
    ) -> Result<Self, Failure> {
        let reports = Reports::new(root)?;
        let said = root.join(SAID);
        let out = File::create(&said).unable("make a file for messages")?;
        let also = out.try_clone().unable("share the file for messages")?;
        let (beginning, mut whole) = Beginning::prepare(root, exe, command)?;
        whole.current_dir(within).stdin(Stdio::null()).stdout(out).stderr(also);
        let outer = whole.spawn().unable(format_args!("run {whole:?}"))?;
        let over = pidfd_open(Pid::from_child(&outer), PidfdFlags::empty());
        let over = over.unable("watch unshare")?;
        let began = beginning.wait(over.as_fd(), deadline());
        let began = began.map_err(|why| because(&why, &said))?;
        let late = || Failure::Late("the beginning of process 1".to_owned());
        let began = began.ok_or_else(late)?;
        Ok(Self { began, outer, over, reports, said })
    }

    /// What is reported next of this kind.
    pub(crate) fn next(&mut self, what: What) -> Result<Report, Failure> {
        let limit = deadline();
        loop {
            match self.reports.next(self.over.as_fd(), limit) {
                Ok(Some(report)) if report.what == what => return Ok(report),
                Ok(Some(_)) => {}
                Ok(None) => {
                    let late = Failure::Late("the start of a service".to_owned());
                    return Err(because(&late, &self.said));
                }
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(why) => return Err(because(&why, &self.said)),
            }
        }
    }

    /// What was reported and not asked for, after the end.
    pub(crate) fn rest(&mut self) -> Result<Vec<Report>, Failure> {
        self.reports.rest()
    }

    /// Process 1, as it is called outside.
    pub(crate) fn first(&self) -> Result<Pid, Failure> {
        let first = process_one(Pid::from_child(&self.outer))?;
        Pid::from_raw(first.pid).ok_or("it is gone").unable("find process 1")
    }

    /// Everybody in it.
    pub(crate) fn all(&self) -> Result<Vec<Process>, Failure> {
        Ok(below(self.first()?.as_raw_pid(), processes::all()?))
    }

    /// Tells process 1 to end, and waits until it has been waited for. With how
    /// long that took.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<(u64, ExitStatus), Failure> {
        let first = pidfd_open(self.first()?, PidfdFlags::empty()).unable("watch process 1")?;
        let began = now();
        pidfd_send_signal(&first, signal).unable("signal process 1")?;
        let status = self.over()?;
        Ok((now() - began, status))
    }

    /// Waits until process 1 has ended and has been waited for. The kernel has
    /// ended everybody else by then.
    pub(crate) fn over(&mut self) -> Result<ExitStatus, Failure> {
        readable(&self.over, "the end of process 1").map_err(|why| because(&why, &self.said))?;
        self.outer.wait().unable("wait for unshare")
    }
}

/// This process and its descendants, of `all` there are.
fn below(first: i32, all: Vec<Process>) -> Vec<Process> {
    let mut found: Vec<i32> = vec![first];
    let mut seen = 0;
    while seen < found.len() {
        let parent = found[seen];
        found.extend(all.iter().filter(|p| p.parent == parent).map(|p| p.pid));
        seen += 1;
    }
    all.into_iter().filter(|p| found.contains(&p.pid)).collect()
}

/// With the last thing that was said, which mostly is the reason.
fn because(why: &Failure, said: &Path) -> Failure {
    if matches!(why, Failure::Interrupted) {
        return Failure::Interrupted;
    }
    let said = std::fs::read(said).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let last = said.lines().last().unwrap_or("nothing");
    Failure::Failed(format!("{why}; it said: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_outside::processes::Place;

    #[test]
    fn the_descendants_of_one() {
        let one = |pid, parent| Process {
            place: Place::Here,
            pid,
            name: "x".to_owned(),
            state: b'S',
            parent,
            session: 0,
            ticks: 0,
            started: 0,
        };
        let all = vec![one(1, 0), one(5, 1), one(6, 9), one(7, 1), one(8, 7), one(9, 8)];
        let found: Vec<i32> = below(7, all).iter().map(|p| p.pid).collect();
        assert_eq!(found, [6, 7, 8, 9]);
    }
}

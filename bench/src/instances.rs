//! The living processes of each service of a tree, and whether a command
//! reaches the right one. Signals no service itself.

use crate::bench::{answer, finish};
use crate::service::{Report, What};
use crate::tree::Tree;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, first, now};

/// How long a service may take to answer a command before it is sent again.
const ANSWER: u64 = 20 * MILLISECOND;
/// How often a service that is not under control is looked at.
const STEP: u64 = MILLISECOND;

/// A tree with what runs in it.
pub(crate) struct Instances<'t, 'a> {
    pub(crate) tree: &'t mut Tree<'a>,
    /// For each service directory, every process it was seen to start.
    of: Vec<Vec<Instance>>,
}

struct Instance {
    start: Report,
    pidfd: OwnedFd,
}

/// What became of a service whose supervisor went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A command reached the process that ran before, at that time.
    Reached(u64),
    /// It runs a second time, since then.
    Copied(u64),
}

impl<'t, 'a> Instances<'t, 'a> {
    /// Waits until every service runs once.
    pub(crate) fn new(tree: &'t mut Tree<'a>) -> Result<Self, Failure> {
        let starts = tree.all_started()?;
        let of = tree.dirs.iter().map(|_| Vec::new()).collect();
        let mut instances = Self { tree, of };
        starts.into_iter().for_each(|start| instances.note(start));
        if let Some(missing) = instances.of.iter().position(Vec::is_empty) {
            let dir = instances.tree.dirs[missing].display();
            return Err(Failure::Failed(format!("{dir}: not started, or not alive")));
        }
        Ok(instances)
    }

    /// The process that service had at first.
    pub(crate) fn pid(&self, service: usize) -> Pid {
        self.of[service][0].start.pid
    }

    /// When the last one started.
    pub(crate) fn last(&self) -> u64 {
        self.of.iter().flatten().map(|i| i.start.when).max().unwrap_or(0)
    }

    /// Takes down the start of a process, if it still lives.
    fn note(&mut self, start: Report) {
        let Ok(pidfd) = pidfd_open(start.pid, PidfdFlags::empty()) else { return };
        // A service works in its directory.
        let Ok(dir) = fs::read_link(format!("/proc/{}/cwd", start.pid.as_raw_pid())) else {
            return;
        };
        let service = self.tree.dirs.iter().position(|d| d.file_name() == dir.file_name());
        if let Some(service) = service {
            self.of[service].push(Instance { start, pidfd });
        }
    }

    /// Listens for one report, until then. Gives the process a command
    /// reached, and when.
    fn listen(&mut self, until: u64) -> Result<Option<Report>, Failure> {
        let Some(report) = self.tree.hear(until)? else { return Ok(None) };
        match report.what {
            What::Signalled => return Ok(Some(report)),
            What::Started => self.note(report),
            What::Descends(_) | What::Ended => {}
        }
        Ok(None)
    }

    /// A moment in which something may be reported.
    pub(crate) fn step(&mut self) -> Result<(), Failure> {
        self.listen(now() + STEP).map(drop)
    }

    /// Notes everything that is reported until then.
    pub(crate) fn watch(&mut self, until: u64) -> Result<(), Failure> {
        while now() < until {
            self.listen(until)?;
        }
        Ok(())
    }

    fn alive(&self, service: usize) -> Result<Vec<Report>, Failure> {
        let mut alive = Vec::new();
        for instance in &self.of[service] {
            if first(&[instance.pidfd.as_fd()], 0)?.is_none() {
                alive.push(instance.start);
            }
        }
        Ok(alive)
    }

    /// Whether the service still has the process it had at first, and only
    /// that, and its status says so.
    pub(crate) fn as_before(&self, service: usize) -> Result<bool, Failure> {
        let alive = self.alive(service)?;
        let same = matches!(alive[..], [one] if one.pid == self.pid(service));
        Ok(same && self.status(service)? == Some(self.pid(service).as_raw_pid()))
    }

    /// When the service began to run twice, if it does.
    pub(crate) fn copied(&self, service: usize) -> Result<Option<u64>, Failure> {
        Ok(self.alive(service)?.get(1).map(|second| second.when))
    }

    /// Whether the service is under control of somebody who knows its process,
    /// or runs twice. None: neither, yet.
    pub(crate) fn look(&mut self, service: usize) -> Result<Option<Outcome>, Failure> {
        if let Some(when) = self.copied(service)? {
            return Ok(Some(Outcome::Copied(when)));
        }
        let pid = self.pid(service);
        if !self.supervised(service) || self.status(service)? != Some(pid.as_raw_pid()) {
            return Ok(None);
        }
        finish(&mut self.tree.suite.alarm(&self.tree.dirs[service]))?;
        let limit = now() + ANSWER;
        while now() < limit {
            if let Some(heard) = self.listen(limit)?.filter(|r| r.pid == pid) {
                return Ok(Some(Outcome::Reached(heard.when)));
            }
        }
        Ok(None)
    }

    /// Whether somebody listens to commands for it. In every suite it is a
    /// FIFO of that name.
    fn supervised(&self, service: usize) -> bool {
        let control = self.tree.dirs[service].join("supervise/control");
        open(control, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).is_ok()
    }

    fn status(&self, service: usize) -> Result<Option<i32>, Failure> {
        let suite = self.tree.suite;
        let mut pid = None;
        for command in suite.status(std::slice::from_ref(&self.tree.dirs[service])) {
            pid = suite.pid_in(&answer(command)?);
        }
        Ok(pid)
    }
}

/// How many of the services something is true of.
#[expect(clippy::cast_precision_loss, reason = "some services")]
pub(crate) fn count(
    services: usize,
    mut of: impl FnMut(usize) -> Result<bool, Failure>,
) -> Result<f64, Failure> {
    let mut count = 0;
    for service in 0..services {
        count += usize::from(of(service)?);
    }
    Ok(count as f64)
}

/// Watches the parent of a process, which has to have that name.
pub(crate) fn keeper(of: Pid, name: &str) -> Result<OwnedFd, Failure> {
    let before = crate::processes::parent(of)?;
    let pid = Pid::from_raw(before.pid).filter(|_| before.name == name);
    let pid = pid.ok_or(before.name.as_str()).unable(format_args!("find a {name}"))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unable(format_args!("watch a {name}"))?;
    // Now that it is held its number cannot go to somebody else; it must not
    // have done so just before.
    let after = crate::processes::parent(of)?;
    if after.pid == before.pid { Ok(pidfd) } else { Err(Failure::Failed("it changed".to_owned())) }
}

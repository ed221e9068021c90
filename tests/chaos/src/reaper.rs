//! The end of every process below this one: somebody has to wait for it, and
//! what a supervise left behind when it was killed is ours.

use crate::wait::patient;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, WaitId, WaitIdOptions, WaitOptions, WaitStatus, pidfd_open, wait, waitid,
};
use std::collections::HashMap;
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;
use upkeep_outside::wait::{SECOND, first, now};

/// How processes ended whose end somebody wants to know.
#[derive(Default)]
struct Awaited {
    ends: HashMap<i32, Option<WaitStatus>>,
    over: bool,
}

/// Starts processes and waits for all.
#[derive(Default)]
pub(crate) struct Reaper {
    awaited: Mutex<Awaited>,
    changed: Condvar,
}

impl Reaper {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts a process whose end can be asked for.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<(Process, OwnedFd), Failure> {
        // Nothing is reaped meanwhile: the pid stays its.
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().unable(format_args!("run {command:?}"))?;
        let pid = Pid::from_child(&child);
        let fd = pidfd_open(pid, PidfdFlags::empty()).unable("watch a process")?;
        let process = Process::find(pid.as_raw_pid()).ok_or("it is not there");
        let process = process.unable("find a process")?;
        awaited.ends.insert(process.pid, None);
        drop(awaited);
        self.changed.notify_all();
        Ok((process, fd))
    }

    /// How it ended, once it has. None: it did not in time.
    pub(crate) fn end(
        &self,
        (process, fd): (&Process, &OwnedFd),
        within: u64,
    ) -> Result<Option<WaitStatus>, Failure> {
        if first(&[fd.as_fd()], now() + within)?.is_none() {
            return Ok(None);
        }
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = std::time::Duration::from_nanos(patient(60 * SECOND));
        let (mut awaited, _) = self
            .changed
            .wait_timeout_while(awaited, limit, |a| matches!(a.ends.get(&process.pid), Some(None)))
            .unwrap_or_else(PoisonError::into_inner);
        Ok(awaited.ends.remove(&process.pid).flatten())
    }

    /// Waits for everybody's end until `stop` and nobody is left.
    pub(crate) fn run(&self) {
        loop {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let there = waitid(WaitId::All, ended);
            let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
                if let Some(end) = awaited.ends.get_mut(&pid.as_raw_pid()) {
                    *end = Some(status);
                    self.changed.notify_all();
                }
            }
            if matches!(there, Err(Errno::CHILD)) {
                if awaited.over {
                    return;
                }
                // Without a child there is nothing below us; only a start
                // changes that. It may just have been made.
                let there = waitid(WaitId::All, ended | WaitIdOptions::NOHANG);
                if matches!(there, Err(Errno::CHILD)) {
                    drop(self.changed.wait(awaited));
                }
            }
        }
    }

    /// Lets `run` end when nobody is left.
    pub(crate) fn stop(&self) {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.changed.notify_all();
    }
}

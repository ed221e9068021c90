//! Waiting for the dead: supervises, services that have lost theirs, svhold,
//! svlines, the logger of all, and what else this process inherits.

use crate::svscan::found;
use crate::svscan::watch::Svscan;
use rustix::fs::CWD;
use rustix::process::{Pid, WaitOptions, waitpid};
use upkeep_core::record::Stage;
use upkeep_core::scan::{Ending, Event, Which};
use upkeep_servicedir::{Elsewhere, leave_word};
use upkeep_sys::process::{dead_child, started};

impl Svscan {
    pub(crate) fn reap(&mut self) {
        while let Some((pid, status)) = dead_child() {
            if let Some((index, which)) = self.roster.find_orphan(pid.as_raw_pid()) {
                self.pass_on(index, which, pid, status);
            }
            // Anybody else's child that we inherited is waited for, and that
            // is all.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            let helps = self.helper_ended(pid, status);
            if let Some((index, which)) = self.roster.take_pid(pid.as_raw_pid()) {
                self.ended(index, which, ending(status));
            } else if !self.course_ended(pid, status) && !helps {
                self.tell_reaped(pid, status);
            }
        }
    }

    /// Whether it was one of those that help.
    fn helper_ended(&mut self, pid: Pid, status: i32) -> bool {
        self.holder.ended(pid, status)
            || self.lines.as_mut().is_some_and(|lines| lines.helper.ended(pid, status))
            || self.catch.as_mut().is_some_and(|catch| catch.ended(pid, status))
    }

    /// Notices the ends of supervises that were found alive.
    pub(crate) fn notice_ends(&mut self) {
        while let Some(fd) = self.found.as_ref().and_then(found::Found::ended) {
            let Some((index, which)) = self.roster.take_found(fd) else { return };
            let ending = found::ending(self.elsewhere(index, which), &self.boot);
            self.ended(index, which, ending);
        }
    }

    fn ended(&mut self, index: usize, which: Which, ending: Ending) {
        if matches!(ending, Ending::Killed | Ending::Crashed) {
            // Its service lives on, and is ours to wait for.
            let record = self.elsewhere(index, which).record(&self.boot);
            let left = record.filter(|record| {
                matches!(record.own.stage, Stage::Preparing | Stage::Up | Stage::Finishing)
            });
            let pid = left.map_or(0, |record| record.own.process.pid);
            self.roster.set_orphan(index, which, pid);
        }
        self.look_for_log(index);
        self.feed(index, Event::Ended(which, ending));
    }

    /// The next supervise cannot wait for a process that is not its child.
    fn pass_on(&mut self, index: usize, which: Which, pid: Pid, status: i32) {
        let started = started(pid).map_or(0, |started| started.0);
        let pid = pid.as_raw_pid().unsigned_abs();
        // Without the word, the end is unknown, and the rest is the same.
        let _ = leave_word(self.elsewhere(index, which), pid, started, status);
        self.roster.set_orphan(index, which, 0);
    }

    pub(crate) fn elsewhere(&self, index: usize, which: Which) -> Elsewhere<'_> {
        let logger = match which {
            Which::Main => None,
            Which::Log => Some(self.roster.get(index).log),
        };
        Elsewhere { from: CWD, service: self.roster.name(index), logger }
    }
}

fn ending(status: i32) -> Ending {
    const KILL: i32 = 9;
    // What tells a supervise to leave; daemontools' dies of it.
    const TELLING: [i32; 4] = [1, 2, 3, 15];
    match (status >> 8 & 0xff, status & 0x7f) {
        (0, 0) => Ending::Told,
        (_, 0) => Ending::Refused,
        (_, KILL) => Ending::Killed,
        (_, signal) if TELLING.contains(&signal) => Ending::Told,
        (_, _) => Ending::Crashed,
    }
}

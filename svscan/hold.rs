//! The holder of pipes: a process that has the reading end of every pipe to a
//! logger, and to svlines, and nothing else to do, so that a pipe outlives even
//! the death of all others that hold it. It is started before the first pipe is
//! used, and again when it ends; nothing here waits for it but the end.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::{Signal, kill_process};
use upkeep_core::hold::Message;
use upkeep_core::whole::GONE;
use upkeep_servicedir::hold::{Teller, identify};
use upkeep_sys::clock;

const SECOND: u64 = 1_000_000_000;
/// When one that could not be started is tried again.
pub(crate) const LATER: u64 = 60 * SECOND;

impl Svscan {
    /// Has the pipe of a service held before anybody uses it.
    pub(crate) fn hold(&mut self, index: usize) {
        self.want_holder();
        self.tell_of(index);
    }

    /// There is something to hold that it was not told of.
    pub(crate) fn want_holder(&mut self) {
        self.holder.wanted = true;
        self.holder.untold = true;
        self.start_holder();
    }

    /// Does what is due: starts the holder, and tells it what it was not told.
    pub(crate) fn keep_holder(&mut self) {
        self.start_holder();
        self.holder.tick();
        if !self.holder.untold || !self.holder.listens() {
            return;
        }
        let mut all = self.looked;
        for index in 0..self.roster.len() {
            if !self.tell_of(index) {
                return;
            }
            let entry = self.roster.get(index);
            let service = &entry.service;
            let to_come = service.log.is_some() && service.listed && !service.leaving;
            all &= entry.pipe.is_some() || !to_come;
        }
        if !self.tell_of_streams() {
            return;
        }
        // What is not there yet is told of when it is.
        self.holder.untold = all && !self.holder.send(|line| line.tell(Message::Told));
    }

    /// Says whether nothing is left to tell of this service.
    fn tell_of(&mut self, index: usize) -> bool {
        let round = self.holder.round;
        let entry = self.roster.get_mut(index);
        let Some((read, _)) = entry.pipe.as_ref().filter(|_| entry.told != round) else {
            return true;
        };
        let told = self.holder.send(|line| line.hold(read.as_fd()));
        if told {
            entry.told = round;
        }
        told
    }

    /// The service is forgotten, and its pipe has to go with it. On the way out
    /// all go at once.
    pub(crate) fn let_go(&mut self, index: usize) {
        if let Some((read, _)) = &self.roster.get(index).pipe
            && !self.leaving
            && self.holder.is_there()
        {
            let say = |line: &Teller| line.tell(Message::LetGo(identify(read)?));
            if !self.holder.send(say) {
                // The next one will never have heard of it.
                self.holder.hang_up();
            }
        }
    }

    fn start_holder(&mut self) {
        let launcher = &self.launcher;
        let launch =
            |line: BorrowedFd<'_>, failed: &dyn Fn(Errno)| launcher.start_holder(line, failed);
        self.holder.start(launch, complain);
    }

    /// Everything has ended: ends the holder too. Not for ever: it has nothing
    /// to lose any more.
    pub(crate) fn end_holder(&mut self) {
        self.holder.send(|line| line.tell(Message::End));
        self.holder.wanted = false;
        let until = clock::monotonic() + GONE;
        self.reap();
        while let Some(pid) = self.holder.pid() {
            if until <= clock::monotonic() {
                // It has not been waited for, so the pid is its.
                let _ = kill_process(pid, Signal::KILL);
                return;
            }
            let timeout = clock::until(until);
            let _ = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], Some(&timeout));
            while self.signals.next().is_some() {}
            self.reap();
        }
    }
}

fn complain(why: Errno) {
    TOOL.warn_os(&[b"unable to start svhold, ", RISK, b": "], why);
}

const RISK: &[u8] = b"lines are lost where all that hold a pipe to a logger are killed at once";

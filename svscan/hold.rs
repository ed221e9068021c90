//! The holder of pipes: a process that has the reading end of every pipe to a
//! logger and nothing else to do, so that a pipe outlives even the death of
//! all others that hold it. It is started before the first pipe is used, and
//! again when it ends; nothing here waits for it but the end.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Signal, kill_process};
use upkeep_core::hold::Message;
use upkeep_core::scan::RETRY;
use upkeep_servicedir::hold::{Answer, Teller, identify};
use upkeep_sys::clock;

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts.
const BETWEEN: u64 = SECOND;
/// When one that could not be started is tried again.
const LATER: u64 = 60 * SECOND;
/// How long one may take to end when everything has ended.
const PATIENCE: u64 = SECOND;

/// What svscan knows of its holder.
pub(crate) struct Holder {
    /// 0 for none.
    pid: i32,
    line: Option<Teller>,
    /// Whether there is anything to hold.
    wanted: bool,
    /// Whether there may be a pipe that it was not told of in this round.
    untold: bool,
    /// Goes up when everything is to be told anew. 0 is none.
    round: u32,
    /// Whether the line is full.
    full: bool,
    started: u64,
    start_at: u64,
    /// When to tell everything again, if at all.
    again_at: Option<u64>,
    /// Whether it was said that there is none.
    complained: bool,
}

impl Holder {
    pub(crate) const fn new() -> Self {
        Self {
            pid: 0,
            line: None,
            wanted: false,
            untold: false,
            round: 0,
            full: false,
            started: 0,
            start_at: 0,
            again_at: None,
            complained: false,
        }
    }

    /// What to wait for on which descriptor.
    pub(crate) fn poll(&self) -> Option<PollFd<'_>> {
        let flags = if self.full { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        self.line.as_ref().map(|line| PollFd::new(line, flags))
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        let start = (self.wanted && self.line.is_none()).then_some(self.start_at);
        start.into_iter().chain(self.again_at).min()
    }

    /// Takes what it says, when poll says that it does, or that there is room.
    pub(crate) fn hear(&mut self) {
        self.full = false;
        match self.line.as_ref().map(Teller::answer) {
            Some(Answer::Again) => self.again_at = Some(clock::monotonic() + RETRY),
            Some(Answer::Gone) => self.hang_up(),
            Some(Answer::Nothing) | None => {}
        }
    }

    /// Nobody is there any more, or nobody who can be relied on. What is left
    /// of it goes when the next one has everything.
    fn hang_up(&mut self) {
        self.line = None;
        self.full = false;
        self.again_at = None;
        self.start_at = clock::monotonic().max(self.started) + BETWEEN;
    }

    /// A child has ended: whether it was this.
    pub(crate) fn ended(&mut self, pid: Pid, status: i32) -> bool {
        if self.pid != pid.as_raw_pid() {
            return false;
        }
        self.pid = 0;
        self.hang_up();
        let now = clock::monotonic();
        let refused = status & 0x7f == 0 && status != 0;
        // One that says why it cannot work does not sooner.
        self.start_at = if refused { now + LATER } else { now.max(self.started + BETWEEN) };
        self.complained = refused;
        true
    }

    /// Sends it something. A full line is no trouble: it is sent later.
    fn send(&mut self, what: impl Fn(&Teller) -> Result<()>) -> bool {
        let Some(line) = self.line.as_ref().filter(|_| !self.full) else { return false };
        match what(line) {
            Ok(()) => return true,
            Err(Errno::AGAIN) => self.full = true,
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => self.hang_up(),
            Err(_) => self.again_at = Some(clock::monotonic() + RETRY),
        }
        false
    }

    fn hold(&mut self, pipe: BorrowedFd<'_>) -> bool {
        self.send(|line| line.hold(pipe))
    }
}

impl Svscan {
    /// Has the pipe of a service held before anybody uses it.
    pub(crate) fn hold(&mut self, index: usize) {
        self.holder.wanted = true;
        self.holder.untold = true;
        self.start_holder();
        self.tell_of(index);
    }

    /// Does what is due: starts the holder, and tells it what it was not told.
    pub(crate) fn keep_holder(&mut self) {
        self.start_holder();
        if self.holder.again_at.is_some_and(|at| at <= clock::monotonic()) {
            self.tell_everything();
        }
        if !self.holder.untold || self.holder.full || self.holder.line.is_none() {
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
        // What is not there yet is told of when it is.
        self.holder.untold = all && !self.holder.send(|line| line.tell(Message::Told));
    }

    fn tell_everything(&mut self) {
        self.holder.again_at = None;
        self.holder.round = self.holder.round.wrapping_add(1).max(1);
        self.holder.untold = true;
    }

    /// Says whether nothing is left to tell of this service.
    fn tell_of(&mut self, index: usize) -> bool {
        let round = self.holder.round;
        let entry = self.roster.get_mut(index);
        let Some((read, _)) = entry.pipe.as_ref().filter(|_| entry.told != round) else {
            return true;
        };
        let told = self.holder.hold(read.as_fd());
        if told {
            entry.told = round;
        }
        told
    }

    /// The service is forgotten, and its pipe has to go with it. On the way out
    /// all go at once.
    pub(crate) fn let_go(&mut self, index: usize) {
        let Some((read, _)) = &self.roster.get(index).pipe else { return };
        if self.leaving || self.holder.line.is_none() {
            return;
        }
        let say = |line: &Teller| line.tell(Message::LetGo(identify(read)?));
        if !self.holder.send(say) {
            // The next one will never have heard of it.
            self.holder.hang_up();
        }
    }

    fn start_holder(&mut self) {
        let now = clock::monotonic();
        let holder = &mut self.holder;
        if !holder.wanted || holder.line.is_some() || now < holder.start_at {
            return;
        }
        let started = Teller::open().and_then(|(line, other)| {
            let pid = self.launcher.start_holder(other.as_fd(), &|why| {
                if !holder.complained {
                    complain(why);
                }
            })?;
            Ok((pid, line))
        });
        holder.started = now;
        match started {
            Ok((pid, line)) => {
                (holder.pid, holder.line) = (pid, Some(line));
                self.tell_everything();
            }
            Err(why) => {
                holder.start_at = now + RETRY;
                if !core::mem::replace(&mut holder.complained, true) {
                    complain(why);
                }
            }
        }
    }

    /// Everything has ended: ends the holder too. Not for ever: it has nothing
    /// to lose any more.
    pub(crate) fn end_holder(&mut self) {
        self.holder.send(|line| line.tell(Message::End));
        self.holder.wanted = false;
        let until = clock::monotonic() + PATIENCE;
        self.reap();
        while let Some(pid) = Pid::from_raw(self.holder.pid) {
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

//! A process that helps svscan: started, told things over a line, started again
//! when it ends, at most once a second. What it is told, and what it is for, is
//! not known here; nothing here waits for it.

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::Pid;
use upkeep_core::scan::RETRY;
use upkeep_servicedir::hold::{Answer, Teller};
use upkeep_sys::clock;

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts.
const BETWEEN: u64 = SECOND;

/// What svscan knows of it.
pub(crate) struct Helper {
    /// 0 for none.
    pid: i32,
    line: Option<Teller>,
    /// Whether there is anything for it to do.
    pub(crate) wanted: bool,
    /// Whether there may be something that it was not told in this round.
    pub(crate) untold: bool,
    /// Goes up when everything is to be told anew. 0 is none.
    pub(crate) round: u32,
    /// Whether the line is full.
    full: bool,
    started: u64,
    start_at: u64,
    /// When one that said why it cannot work is tried again.
    later: u64,
    /// When to tell everything again, if at all.
    again_at: Option<u64>,
    /// Whether it was said that there is none.
    pub(crate) complained: bool,
    /// Whether the last one ended of itself, and well.
    pub(crate) left: bool,
}

impl Helper {
    pub(crate) const fn new(later: u64) -> Self {
        Self {
            pid: 0,
            line: None,
            wanted: false,
            untold: false,
            round: 0,
            full: false,
            started: 0,
            start_at: 0,
            later,
            again_at: None,
            complained: false,
            left: false,
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

    pub(crate) const fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }

    /// Whether it can be told anything.
    pub(crate) const fn is_there(&self) -> bool {
        self.line.is_some()
    }

    /// Whether it can be told something now.
    pub(crate) const fn listens(&self) -> bool {
        self.line.is_some() && !self.full
    }

    /// What it says, when poll says that it does, or that there is room.
    pub(crate) fn hear(&mut self) -> Answer {
        self.full = false;
        let answer = self.line.as_ref().map_or(Answer::Nothing, Teller::answer);
        match answer {
            Answer::Again => self.again_at = Some(clock::monotonic() + RETRY),
            Answer::Gone => self.hang_up(),
            Answer::Done(_) | Answer::Nothing => {}
        }
        answer
    }

    /// Nobody is there any more, or nobody who can be relied on. What is left
    /// of it goes when the next one has everything.
    pub(crate) fn hang_up(&mut self) {
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
        self.start_at = if refused { now + self.later } else { now.max(self.started + BETWEEN) };
        self.complained = refused;
        self.left = status == 0;
        true
    }

    /// Sends it something. A full line is no trouble: it is sent later.
    pub(crate) fn send(&mut self, what: impl Fn(&Teller) -> Result<()>) -> bool {
        let Some(line) = self.line.as_ref().filter(|_| !self.full) else { return false };
        match what(line) {
            Ok(()) => return true,
            Err(Errno::AGAIN) => self.full = true,
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => self.hang_up(),
            Err(_) => self.again_at = Some(clock::monotonic() + RETRY),
        }
        false
    }

    /// Begins to tell everything anew.
    pub(crate) fn tell_everything(&mut self) {
        self.again_at = None;
        self.round = self.round.wrapping_add(1).max(1);
        self.untold = true;
    }

    /// It is told everything again, if that is due.
    pub(crate) fn tick(&mut self) {
        if self.again_at.is_some_and(|at| at <= clock::monotonic()) {
            self.tell_everything();
        }
    }

    /// Does not wait for the next start.
    pub(crate) fn hasten(&mut self) {
        self.start_at = 0;
    }

    /// Starts it by `launch`, if it is wanted and its time has come. The closure
    /// gets its end of the line, and what is to be called when the program
    /// cannot be executed; that, too, is said by `complain`, once.
    pub(crate) fn start(
        &mut self,
        launch: impl FnOnce(BorrowedFd<'_>, &dyn Fn(Errno)) -> Result<i32>,
        complain: fn(Errno),
    ) {
        let now = clock::monotonic();
        if !self.wanted || self.line.is_some() || now < self.start_at {
            return;
        }
        let complained = self.complained;
        let failed = |why| {
            if !complained {
                complain(why);
            }
        };
        let started =
            Teller::open().and_then(|(line, other)| Ok((launch(other.as_fd(), &failed)?, line)));
        self.started = now;
        match started {
            Ok((pid, line)) => {
                (self.pid, self.line) = (pid, Some(line));
                self.tell_everything();
            }
            Err(why) => {
                self.start_at = now + RETRY;
                if !core::mem::replace(&mut self.complained, true) {
                    complain(why);
                }
            }
        }
    }
}

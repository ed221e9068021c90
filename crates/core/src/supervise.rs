//! What supervise does when something happens: every phase with every event.
//!
//! The machine never waits. A service is started at most once a second; until
//! then it is `Waiting`, and a command that comes meanwhile takes effect at
//! once. Starting is the shell's work: the machine asks for it with
//! `Action::Start` and is told the outcome before anything else.
//!
//! All that it knows goes into the record and comes back by `resume`, so that
//! the next supervise goes on where this one was killed.

use crate::control::{Command, Signal};
use crate::record::{Boot, Identity, Outcome, Own, Stage};
use crate::status::Want;

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts of a service, in nanoseconds.
pub const BETWEEN_STARTS: u64 = SECOND;
/// When what the system refused is tried again, in nanoseconds.
pub const RETRY: u64 = 5 * SECOND;
/// When what a dead process left behind is looked for again, in nanoseconds.
pub const CLEAR_AGAIN: u64 = SECOND / 50;

/// Where the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No process, none due.
    Down,
    /// No process; one is due at this time.
    Waiting(u64),
    /// Asked for a process; the answer is the next event.
    Starting,
    /// This process.
    Up(u32),
    /// The process is dead, and what it left behind is looked for at this
    /// time.
    Clearing(u64),
    /// supervise is over.
    Gone,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A control byte came, or a signal that stands for one.
    Told(Command),
    /// The process that was asked for runs, and the record says so.
    Started(u32),
    /// It could not be made.
    NotStarted,
    /// The process is dead.
    Died(Outcome),
    /// Nothing is left of what it started.
    Cleared,
    /// Something is.
    NotCleared,
    /// Something has ended that may be what was left.
    Stirred,
    /// The status could not be written.
    NotAnnounced,
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The process has just ended: take the time for the status.
    Stamp,
    /// Write the status.
    Announce,
    /// Write the status with a mark that `d` is about to be carried out:
    /// whoever reads the mark has to carry it out again.
    Intend,
    /// Write the status that the machine will have when the process runs,
    /// start it, and say how it went.
    Start,
    /// Send the process a signal.
    Send(Signal),
    /// Kill what the process left behind, and say whether nothing is left.
    Clear,
    /// Execute supervise's own program anew.
    Renew,
    /// Leave.
    Exit,
}

/// Up to four actions.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    list: [Option<Action>; 4],
}

impl Actions {
    fn of(actions: &[Action]) -> Self {
        let mut list = [None; 4];
        for (slot, action) in list.iter_mut().zip(actions) {
            *slot = Some(*action);
        }
        Self { list }
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Action>, 4>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

/// What the service's directory says about ending it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Whether what the process leaves behind is to be ended with it.
    pub clears: bool,
    /// How long after `d` it is killed, in nanoseconds; 0 for never.
    pub kill_after: u64,
}

/// All that supervise knows of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Where the service is.
    pub phase: Phase,
    /// What was asked for.
    pub want: Want,
    /// Whether supervise leaves when the service is down.
    pub exiting: bool,
    /// Whether the process was stopped with `p`.
    pub paused: bool,
    /// Whether the process was sent TERM.
    pub terminating: bool,
    /// How it is ended; read anew for each process.
    pub plan: Plan,
    /// How often it was started.
    pub starts: u64,
    /// How the last process ended.
    pub last: Option<Outcome>,
    /// Before this time nothing is started.
    not_before: u64,
    /// When the process is killed, which was told to be down.
    kill_at: Option<u64>,
    /// When to try again to write the status.
    announce_at: Option<u64>,
}

impl Machine {
    /// A service with no process, which is to be up or not.
    #[must_use]
    pub const fn new(up: bool, now: u64) -> Self {
        Self {
            phase: if up { Phase::Waiting(now) } else { Phase::Down },
            want: if up { Want::Up } else { Want::Down },
            exiting: false,
            paused: false,
            terminating: false,
            plan: Plan { clears: false, kill_after: 0 },
            starts: 0,
            last: None,
            not_before: now,
            kill_at: None,
            announce_at: None,
        }
    }

    /// A service as a killed supervise left it: `own` and what its status
    /// says. It is for the caller to see whether its process still lives; a
    /// supervise that had left begins anew, which is no answer.
    #[must_use]
    pub fn resume(
        own: &Own,
        want: Want,
        paused: bool,
        terminating: bool,
        now: u64,
    ) -> Option<Self> {
        let phase = match own.stage {
            Stage::Down => Phase::Down,
            // A clock that cannot be right must not hold it up.
            Stage::Waiting => Phase::Waiting(own.deadline.min(now + RETRY)),
            Stage::Up => Phase::Up(own.process.pid),
            Stage::Clearing => Phase::Clearing(now),
            Stage::Over => return None,
        };
        let up = own.stage == Stage::Up;
        Some(Self {
            phase,
            want,
            exiting: own.exiting,
            paused,
            terminating,
            starts: own.starts,
            last: own.last,
            not_before: own.not_before.min(now + BETWEEN_STARTS),
            kill_at: Some(own.deadline).filter(|at| up && *at > 0),
            ..Self::new(false, now)
        })
    }

    /// What the next supervise needs to know, in the middle of a `d` or not.
    #[must_use]
    pub fn own(&self, boot: Boot, process: Identity, intent: bool) -> Own {
        let (stage, deadline) = match self.phase {
            Phase::Down => (Stage::Down, 0),
            Phase::Waiting(at) => (Stage::Waiting, at),
            // Nobody writes while the answer is not there; read, it would
            // mean that a start is due.
            Phase::Starting => (Stage::Waiting, 0),
            Phase::Up(_) => (Stage::Up, self.kill_at.unwrap_or(0)),
            Phase::Clearing(_) => (Stage::Clearing, 0),
            Phase::Gone => (Stage::Over, 0),
        };
        Own {
            boot,
            process,
            stage,
            exiting: self.exiting,
            intent,
            not_before: self.not_before,
            deadline,
            starts: self.starts,
            last: self.last,
        }
    }

    /// The process, 0 for none.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        match self.phase {
            Phase::Up(pid) => pid,
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Starting
            | Phase::Clearing(_)
            | Phase::Gone => 0,
        }
    }

    /// When `Tick` is due, if it is.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Waiting(at) | Phase::Clearing(at) => Some(at),
            Phase::Up(_) => self.kill_at,
            Phase::Down | Phase::Starting | Phase::Gone => None,
        };
        [phase, self.announce_at].into_iter().flatten().min()
    }

    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        use Action::{Announce, Clear, Exit, Intend, Renew, Send, Stamp, Start};
        let actions = match (self.phase, event) {
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Up)) => {
                self.want = Want::Up;
                return self.start_when_due(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Once)) => {
                self.want = Want::Once;
                return self.start_when_due(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                self.phase = Phase::Down;
                Actions::of(&[Announce])
            }
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Exit)) => {
                self.exiting = true;
                self.phase = Phase::Gone;
                Actions::of(&[Announce, Exit])
            }
            // Without a process these change nothing; daemontools writes its
            // status anyway, and a reader may wait for that.
            (
                Phase::Down | Phase::Waiting(_) | Phase::Clearing(_),
                Event::Told(Command::Pause | Command::Continue),
            ) => Actions::of(&[Announce]),
            (
                Phase::Down | Phase::Waiting(_) | Phase::Clearing(_),
                Event::Told(
                    Command::Hangup
                    | Command::Alarm
                    | Command::Interrupt
                    | Command::Terminate
                    | Command::Kill,
                ),
            ) => Actions::default(),

            (Phase::Up(_) | Phase::Clearing(_), Event::Told(Command::Up)) => {
                self.want = Want::Up;
                Actions::of(&[Announce])
            }
            (Phase::Up(_) | Phase::Clearing(_), Event::Told(Command::Once)) => {
                self.want = Want::Once;
                Actions::of(&[Announce])
            }
            (Phase::Up(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                self.paused = false;
                self.terminating = true;
                if self.plan.kill_after > 0 {
                    self.kill_at.get_or_insert(now + self.plan.kill_after);
                }
                Actions::of(&[Intend, Send(Signal::Terminate), Send(Signal::Continue), Announce])
            }
            (Phase::Clearing(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                Actions::of(&[Announce])
            }
            (Phase::Up(_) | Phase::Clearing(_), Event::Told(Command::Exit)) => {
                self.exiting = true;
                Actions::of(&[Announce])
            }
            (Phase::Up(_), Event::Told(Command::Pause)) => {
                self.paused = true;
                Actions::of(&[Announce, Send(Signal::Stop)])
            }
            (Phase::Up(_), Event::Told(Command::Continue)) => {
                self.paused = false;
                Actions::of(&[Announce, Send(Signal::Continue)])
            }
            (Phase::Up(_), Event::Told(Command::Terminate)) => {
                self.terminating = true;
                Actions::of(&[Send(Signal::Terminate), Announce])
            }
            (Phase::Up(_), Event::Told(Command::Hangup)) => Actions::of(&[Send(Signal::Hangup)]),
            (Phase::Up(_), Event::Told(Command::Alarm)) => Actions::of(&[Send(Signal::Alarm)]),
            (Phase::Up(_), Event::Told(Command::Interrupt)) => {
                Actions::of(&[Send(Signal::Interrupt)])
            }
            (Phase::Up(_), Event::Told(Command::Kill)) => Actions::of(&[Send(Signal::Kill)]),
            (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Clearing(_),
                Event::Told(Command::Renew),
            ) => Actions::of(&[Renew]),

            // The record that names the process was written before it ran.
            (Phase::Starting, Event::Started(pid)) => {
                self.phase = Phase::Up(pid);
                self.paused = false;
                self.terminating = false;
                self.kill_at = None;
                self.starts += 1;
                self.not_before = now + BETWEEN_STARTS;
                Actions::default()
            }
            // Nobody was told yet that the process before is dead.
            (Phase::Starting, Event::NotStarted) => {
                self.phase = Phase::Waiting(now + RETRY);
                Actions::of(&[Stamp, Announce])
            }

            (Phase::Up(_), Event::Died(outcome)) => {
                self.last = Some(outcome);
                self.kill_at = None;
                if self.plan.clears {
                    self.phase = Phase::Clearing(now);
                    Actions::of(&[Stamp, Announce, Clear])
                } else {
                    return self.after_death(&[Stamp, Announce], now);
                }
            }
            (Phase::Clearing(_), Event::Cleared) => return self.after_death(&[Announce], now),
            (Phase::Clearing(_), Event::NotCleared) => {
                self.phase = Phase::Clearing(now + CLEAR_AGAIN);
                Actions::default()
            }

            (Phase::Waiting(at), Event::Tick) if at <= now => {
                self.phase = Phase::Starting;
                Actions::of(&[Start])
            }
            (Phase::Clearing(at), Event::Tick) if at <= now => Actions::of(&[Clear]),
            (Phase::Clearing(_), Event::Stirred) => Actions::of(&[Clear]),
            (Phase::Down | Phase::Waiting(_) | Phase::Up(_), Event::Stirred) => Actions::default(),
            (Phase::Up(_), Event::Tick) if self.kill_at.is_some_and(|at| at <= now) => {
                self.kill_at = None;
                Actions::of(&[Send(Signal::Kill), Announce])
            }
            (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Clearing(_),
                Event::Tick,
            ) => match self.announce_at {
                Some(at) if at <= now => {
                    self.announce_at = None;
                    Actions::of(&[Announce])
                }
                Some(_) | None => Actions::default(),
            },
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Starting
                | Phase::Up(_)
                | Phase::Clearing(_),
                Event::NotAnnounced,
            ) => {
                self.announce_at = Some(now + RETRY);
                Actions::default()
            }

            // Impossible: the shell answers `Start` before it looks at
            // anything else.
            (
                Phase::Starting,
                Event::Told(_)
                | Event::Died(_)
                | Event::Cleared
                | Event::NotCleared
                | Event::Stirred
                | Event::Tick,
            )
            // Impossible: these answer `Start`, and only `Starting` asked.
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Clearing(_),
                Event::Started(_) | Event::NotStarted,
            )
            // Impossible: these answer `Clear`, and only `Clearing` asked.
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_),
                Event::Cleared | Event::NotCleared,
            )
            // Impossible: without a process none dies.
            | (Phase::Down | Phase::Waiting(_) | Phase::Clearing(_), Event::Died(_))
            // Over is over.
            | (
                Phase::Gone,
                Event::Told(_)
                | Event::Started(_)
                | Event::NotStarted
                | Event::Died(_)
                | Event::Cleared
                | Event::NotCleared
                | Event::Stirred
                | Event::NotAnnounced
                | Event::Tick,
            ) => Actions::default(),
        };
        (self, actions)
    }

    /// The process and what it left are dead; what was asked for decides.
    fn after_death(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        if self.exiting {
            self.phase = Phase::Gone;
            let mut all = Actions::of(news);
            if let Some(slot) = all.list.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(Action::Exit);
            }
            return (self, all);
        }
        match self.want {
            Want::Up => self.start_when_due(news, now),
            Want::Down | Want::Once => {
                self.phase = Phase::Down;
                (self, Actions::of(news))
            }
        }
    }

    /// Starts now if a second has passed since the last start. A state that
    /// ends before anybody can read it is not announced: the news is that of
    /// the new process.
    fn start_when_due(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        if self.not_before <= now {
            self.phase = Phase::Starting;
            return (self, Actions::of(&[Action::Start]));
        }
        self.phase = Phase::Waiting(self.not_before);
        (self, Actions::of(news))
    }
}

#[cfg(test)]
mod tests;

//! What supervise does when something happens: every phase with every event.
//!
//! The machine never waits. A service is started at most once a second; until
//! then it is `Waiting`, and a command that comes meanwhile takes effect at
//! once. Starting is the shell's work: the machine asks for it with
//! `Action::Start` and is told the outcome before anything else.

use crate::control::{Command, Signal};
use crate::status::Want;

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts of a service, in nanoseconds.
pub const BETWEEN_STARTS: u64 = SECOND;
/// When what the system refused is tried again, in nanoseconds.
pub const RETRY: u64 = 5 * SECOND;

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
    /// supervise is over.
    Gone,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A control byte came, or a signal that stands for one.
    Told(Command),
    /// The process that was asked for runs.
    Started(u32),
    /// It could not be made.
    NotStarted,
    /// The process is dead.
    Died,
    /// The status could not be written.
    NotAnnounced,
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The process has just changed: take the time for the status.
    Stamp,
    /// Write the status.
    Announce,
    /// Start a process and say how it went.
    Start,
    /// Send the process a signal.
    Send(Signal),
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
    /// Before this time nothing is started.
    not_before: u64,
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
            not_before: now,
            announce_at: None,
        }
    }

    /// The process, 0 for none.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        match self.phase {
            Phase::Up(pid) => pid,
            Phase::Down | Phase::Waiting(_) | Phase::Starting | Phase::Gone => 0,
        }
    }

    /// When `Tick` is due, if it is.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let start = match self.phase {
            Phase::Waiting(at) => Some(at),
            Phase::Down | Phase::Starting | Phase::Up(_) | Phase::Gone => None,
        };
        [start, self.announce_at].into_iter().flatten().min()
    }

    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        use Action::{Announce, Exit, Send, Stamp, Start};
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
                Phase::Down | Phase::Waiting(_),
                Event::Told(Command::Pause | Command::Continue),
            ) => Actions::of(&[Announce]),
            (
                Phase::Down | Phase::Waiting(_),
                Event::Told(
                    Command::Hangup
                    | Command::Alarm
                    | Command::Interrupt
                    | Command::Terminate
                    | Command::Kill,
                ),
            ) => Actions::default(),

            (Phase::Up(_), Event::Told(Command::Up)) => {
                self.want = Want::Up;
                Actions::of(&[Announce])
            }
            (Phase::Up(_), Event::Told(Command::Once)) => {
                self.want = Want::Once;
                Actions::of(&[Announce])
            }
            (Phase::Up(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                self.paused = false;
                self.terminating = true;
                Actions::of(&[Send(Signal::Terminate), Send(Signal::Continue), Announce])
            }
            (Phase::Up(_), Event::Told(Command::Exit)) => {
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

            (Phase::Starting, Event::Started(pid)) => {
                self.phase = Phase::Up(pid);
                self.paused = false;
                self.terminating = false;
                self.not_before = now + BETWEEN_STARTS;
                Actions::of(&[Stamp, Announce])
            }
            // Nobody was told yet that the process before is dead.
            (Phase::Starting, Event::NotStarted) => {
                self.phase = Phase::Waiting(now + RETRY);
                Actions::of(&[Stamp, Announce])
            }

            (Phase::Up(_), Event::Died) if self.exiting => {
                self.phase = Phase::Gone;
                Actions::of(&[Stamp, Announce, Exit])
            }
            (Phase::Up(_), Event::Died) => match self.want {
                Want::Up => return self.start_when_due(&[Stamp, Announce], now),
                Want::Down | Want::Once => {
                    self.phase = Phase::Down;
                    Actions::of(&[Stamp, Announce])
                }
            },

            (Phase::Waiting(at), Event::Tick) if at <= now => {
                self.phase = Phase::Starting;
                Actions::of(&[Start])
            }
            (Phase::Down | Phase::Waiting(_) | Phase::Up(_), Event::Tick) => {
                match self.announce_at {
                    Some(at) if at <= now => {
                        self.announce_at = None;
                        Actions::of(&[Announce])
                    }
                    Some(_) | None => Actions::default(),
                }
            }
            (
                Phase::Down | Phase::Waiting(_) | Phase::Starting | Phase::Up(_),
                Event::NotAnnounced,
            ) => {
                self.announce_at = Some(now + RETRY);
                Actions::default()
            }

            // Impossible: the shell answers `Start` before it looks at
            // anything else.
            (Phase::Starting, Event::Told(_) | Event::Died | Event::Tick)
            // Impossible: these answer `Start`, and only `Starting` asked.
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_),
                Event::Started(_) | Event::NotStarted,
            )
            // Impossible: without a process none dies.
            | (Phase::Down | Phase::Waiting(_), Event::Died)
            // Over is over.
            | (
                Phase::Gone,
                Event::Told(_)
                | Event::Started(_)
                | Event::NotStarted
                | Event::Died
                | Event::NotAnnounced
                | Event::Tick,
            ) => Actions::default(),
        };
        (self, actions)
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

//! What supervise does when something happens: every phase with every event.
//!
//! The machine never waits. A service is started at most once a second; until
//! then it is `Waiting`, and a command that comes meanwhile takes effect at
//! once. Starting is the shell's work: the machine asks for it with
//! `Action::Start` and is told the outcome before anything else.
//!
//! All that it knows goes into the record and comes back by `resume`, so that
//! the next supervise goes on where this one was killed.

mod death;
mod resume;
mod words;

use crate::control::{Command, Signal};
use crate::record::Outcome;
use crate::restart::{History, Policy, Reason};
use crate::status::Want;

pub use words::{Action, Actions, Event, Phase, Plan};

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts of a service, in nanoseconds.
pub const BETWEEN_STARTS: u64 = SECOND;
/// When what the system refused is tried again, in nanoseconds.
pub const RETRY: u64 = 5 * SECOND;
/// The exit code by which `finish` says that the service is not to be started
/// again.
const NEVER_AGAIN: u8 = 125;
/// When what a dead process left behind is looked for again, in nanoseconds.
pub const CLEAR_AGAIN: u64 = SECOND / 50;

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
    /// What is read anew for each process.
    pub plan: Plan,
    /// Whether the process has not said yet that it is ready, and is to.
    pub awaited: bool,
    /// Whether `finish` is done, or there is none, for the process that died.
    closed: bool,
    /// How often it was started.
    pub starts: u64,
    /// How the last process ended.
    pub last: Option<Outcome>,
    /// What decides whether and when it is started again.
    pub history: History,
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
            plan: Plan {
                says_ready: false,
                finishes: false,
                finish_within: 0,
                clears: false,
                kill_after: 0,
                restart: Policy::ALWAYS,
            },
            history: History {
                reason: Reason::None,
                failed: false,
                failures: 0,
                deaths: 0,
                window: 0,
                wait: 0,
            },
            awaited: false,
            closed: false,
            starts: 0,
            last: None,
            not_before: now,
            kill_at: None,
            announce_at: None,
        }
    }

    /// The process, or `finish`'s; 0 for none.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        match self.phase {
            Phase::Up(pid) | Phase::Finishing(pid) => pid,
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Starting
            | Phase::Closing
            | Phase::Clearing(_)
            | Phase::Gone => 0,
        }
    }

    /// When `Tick` is due, if it is.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Waiting(at) | Phase::Clearing(at) => Some(at),
            Phase::Up(_) | Phase::Finishing(_) => self.kill_at,
            Phase::Down | Phase::Starting | Phase::Closing | Phase::Gone => None,
        };
        [phase, self.announce_at].into_iter().flatten().min()
    }

    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        use Action::{
            Announce, Clear, Exit, Intend, KillLate, Renew, Send, Stamp, StampReady, Start,
        };
        let actions = match (self.phase, event) {
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Up)) => {
                self.told(Want::Up);
                return self.start_when_due(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_), Event::Told(Command::Once)) => {
                self.told(Want::Once);
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
                Phase::Down | Phase::Waiting(_) | Phase::Clearing(_) | Phase::Finishing(_),
                Event::Told(Command::Pause | Command::Continue),
            ) => Actions::of(&[Announce]),
            (
                Phase::Down | Phase::Waiting(_) | Phase::Clearing(_),
                Event::Told(
                    Command::Hangup
                    | Command::Alarm
                    | Command::Interrupt
                    | Command::Terminate
                    | Command::Kill
                    | Command::Quit
                    | Command::User1
                    | Command::User2
                    | Command::Window
                    | Command::Restart
                    | Command::Reload,
                ),
            ) => Actions::default(),

            (
                Phase::Up(_) | Phase::Clearing(_) | Phase::Finishing(_),
                Event::Told(Command::Up),
            ) => {
                self.told(Want::Up);
                Actions::of(&[Announce])
            }
            (
                Phase::Up(_) | Phase::Clearing(_) | Phase::Finishing(_),
                Event::Told(Command::Once),
            ) => {
                self.told(Want::Once);
                Actions::of(&[Announce])
            }
            (Phase::Up(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                self.paused = false;
                self.terminating = true;
                self.kill_in_time(now);
                Actions::of(&[Intend, Send(Signal::Down), Send(Signal::Continue), Announce])
            }
            (Phase::Up(_), Event::Told(Command::Restart)) => {
                self.paused = false;
                self.terminating = true;
                self.kill_in_time(now);
                Actions::of(&[Send(Signal::Down), Send(Signal::Continue), Announce])
            }
            (Phase::Finishing(_), Event::Told(Command::Restart)) => Actions::default(),
            // What tidies up after the process is let do so.
            (Phase::Clearing(_) | Phase::Finishing(_), Event::Told(Command::Down)) => {
                self.want = Want::Down;
                Actions::of(&[Announce])
            }
            (
                Phase::Up(_) | Phase::Clearing(_) | Phase::Finishing(_),
                Event::Told(Command::Exit),
            ) => {
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
            (Phase::Finishing(_), Event::Told(Command::Terminate)) => {
                Actions::of(&[Send(Signal::Terminate)])
            }
            (Phase::Up(_), Event::Told(Command::Terminate)) => {
                self.terminating = true;
                Actions::of(&[Send(Signal::Terminate), Announce])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Hangup)) => Actions::of(&[Send(Signal::Hangup)]),
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Alarm)) => Actions::of(&[Send(Signal::Alarm)]),
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Interrupt)) => {
                Actions::of(&[Send(Signal::Interrupt)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Quit)) => {
                Actions::of(&[Send(Signal::Quit)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::User1)) => {
                Actions::of(&[Send(Signal::User1)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::User2)) => {
                Actions::of(&[Send(Signal::User2)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Window)) => {
                Actions::of(&[Send(Signal::Window)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Reload)) => {
                Actions::of(&[Send(Signal::Reload)])
            }
            (Phase::Up(_) | Phase::Finishing(_), Event::Told(Command::Kill)) => Actions::of(&[Send(Signal::Kill)]),
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Up(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Told(Command::Renew),
            ) => Actions::of(&[Renew]),

            // The record that names the process was written before it ran.
            (Phase::Starting, Event::Started(pid)) => {
                self.phase = Phase::Up(pid);
                self.paused = false;
                self.terminating = false;
                self.kill_at = None;
                self.closed = false;
                self.awaited = self.plan.says_ready;
                self.starts += 1;
                self.not_before = now + BETWEEN_STARTS;
                Actions::default()
            }
            // Nobody was told yet that the process before is dead.
            (Phase::Starting, Event::NotStarted) => {
                self.phase = Phase::Waiting(now + RETRY);
                Actions::of(&[Stamp, Announce])
            }

            (Phase::Up(_), Event::Ready) if self.awaited => {
                self.awaited = false;
                Actions::of(&[StampReady, Announce])
            }
            // Said twice, or by one that has died since.
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Up(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Ready,
            ) => Actions::default(),

            (Phase::Up(_), Event::Died(outcome)) => {
                self.last = Some(outcome);
                self.awaited = false;
                self.kill_at = None;
                self.judge(outcome, now);
                return self.clear(now);
            }
            (Phase::Clearing(_), Event::Cleared) if self.closed => {
                return self.after_death(&[Announce], now);
            }
            (Phase::Clearing(_), Event::Cleared) => return self.close(&[Announce], now),
            (Phase::Closing, Event::Finishing(pid)) => {
                self.phase = Phase::Finishing(pid);
                let within = self.plan.finish_within;
                self.kill_at = Some(now + within).filter(|_| within > 0);
                Actions::default()
            }
            (Phase::Closing, Event::NotFinishing) => {
                self.closed = true;
                return self.after_death(&[Announce], now);
            }
            (Phase::Finishing(_), Event::Finished(outcome)) => {
                self.closed = true;
                self.kill_at = None;
                if outcome == Outcome::Exited(NEVER_AGAIN) && self.want == Want::Up {
                    self.history.reason = Reason::Finish;
                    self.want = Want::Down;
                }
                return self.clear(now);
            }
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
            (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Finishing(_),
                Event::Stirred,
            ) => Actions::default(),
            (Phase::Up(_) | Phase::Finishing(_), Event::Tick)
                if self.kill_at.is_some_and(|at| at <= now) =>
            {
                self.kill_at = None;
                let is_service = matches!(self.phase, Phase::Up(_));
                let kill = if is_service { KillLate } else { Send(Signal::Kill) };
                Actions::of(&[kill, Announce])
            }
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Up(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
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
                | Phase::Closing
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::NotAnnounced,
            ) => {
                self.announce_at = Some(now + RETRY);
                Actions::default()
            }

            // Impossible: the shell answers `Start` and `Finish` before it
            // looks at anything else.
            (
                Phase::Starting | Phase::Closing,
                Event::Told(_)
                | Event::Ready
                | Event::Died(_)
                | Event::Finished(_)
                | Event::Cleared
                | Event::NotCleared
                | Event::Stirred
                | Event::Tick,
            )
            | (Phase::Starting, Event::Finishing(_) | Event::NotFinishing)
            | (Phase::Closing, Event::Started(_) | Event::NotStarted)
            // Impossible: these answer `Start` and `Finish`, and nobody asked.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Up(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Started(_)
                | Event::NotStarted
                | Event::Finishing(_)
                | Event::NotFinishing,
            )
            // Impossible: these answer `Clear`, and only `Clearing` asked.
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Finishing(_),
                Event::Cleared | Event::NotCleared,
            )
            // Impossible: without a process none dies, and one that is not
            // the service's is not its.
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Finishing(_) | Phase::Clearing(_),
                Event::Died(_),
            )
            | (
                Phase::Down | Phase::Waiting(_) | Phase::Up(_) | Phase::Clearing(_),
                Event::Finished(_),
            )
            // Over is over.
            | (
                Phase::Gone,
                Event::Told(_)
                | Event::Started(_)
                | Event::NotStarted
                | Event::Ready
                | Event::Died(_)
                | Event::Finishing(_)
                | Event::NotFinishing
                | Event::Finished(_)
                | Event::Cleared
                | Event::NotCleared
                | Event::Stirred
                | Event::NotAnnounced
                | Event::Tick,
            ) => Actions::default(),
        };
        (self, actions)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

//! What supervise does when something happens: every phase with every event.
//!
//! The machine never waits. A service is started at most once a second; until
//! then it is `Waiting`, and a command that comes meanwhile takes effect at
//! once. Starting is the shell's work: the machine asks for it with
//! `Action::Start` and is told the outcome before anything else.
//!
//! All that it knows goes into the record and comes back by `resume`, so that
//! the next supervise goes on where this one was killed.

mod commands;
mod death;
mod follow;
mod health;
mod order;
mod prepare;
mod resume;
mod state;
mod words;

use crate::order::Calls;
use crate::record::Outcome;
use crate::restart::Reason;
use crate::status::Want;

pub use health::{Health, ReadyBy, Word};
pub use order::{Kind, Yielding};
pub use state::Machine;
pub use words::{Action, Actions, Before, Event, Phase, Plan};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;
/// The least time between two starts of a service, in nanoseconds.
pub const BETWEEN_STARTS: u64 = SECOND;
/// When what the system refused is tried again, in nanoseconds.
pub const RETRY: u64 = 5 * SECOND;
/// The exit code by which `finish` says that the service is not to be started
/// again.
const NEVER_AGAIN: u8 = 125;
/// When what a dead process left behind is looked for again, in nanoseconds.
pub const CLEAR_AGAIN: u64 = SECOND / 50;

impl Machine {
    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        use Action::{Announce, Clear, Follow, KillLate, Stamp, Start};
        let actions = match (self.phase, event) {
            (_, Event::Told(command)) => return self.command(command, now),

            // The record that names the process was written before it ran.
            (Phase::Starting, Event::Started(pid)) => {
                self.phase = Phase::Up(pid);
                self.paused = false;
                self.told = false;
                self.terminated = false;
                self.kill_at = None;
                self.closed = false;
                self.followed = false;
                self.begun = self.plan.kind == Kind::Lasting;
                self.prepared = false;
                self.calls = Calls::Nobody;
                self.begin_health(now);
                self.starts += 1;
                self.not_before = now + BETWEEN_STARTS;
                Actions::default()
            }
            // Nobody was told yet that the process before is dead.
            (Phase::Starting, Event::NotStarted) => {
                self.prepared = false;
                self.phase = Phase::Waiting(now + RETRY);
                Actions::of(&[Stamp, Announce])
            }

            // It goes when those have gone that need it.
            (Phase::There, Event::Lacking(_)) if self.yielding != Yielding::No => {
                Actions::default()
            }
            (Phase::Starting | Phase::Needing(_) | Phase::There, Event::Lacking(again)) => {
                return self.lacking(again);
            }
            (Phase::Needing(_), Event::Met) => return self.start_when_due(&[], now),
            (Phase::Needing(at), Event::Tick) if at.is_some_and(|at| at <= now) => {
                Actions::of(&[Action::Look])
            }
            (Phase::There, Event::Met) => Actions::default(),
            (_, Event::Aside) => return self.aside(now),
            (_, Event::Called) => return self.called(now),
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Event::Free) => {
                return self.free(now);
            }
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Event::Held(again)) => {
                if self.yielding != Yielding::No {
                    self.yielding = Yielding::Until(again);
                }
                Actions::default()
            }
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Event::Tick)
                if matches!(self.yielding, Yielding::Until(at) if at <= now) =>
            {
                self.yielding = Yielding::Until(u64::MAX);
                Actions::of(&[Action::Yield])
            }

            (Phase::Starting, Event::Preparing(pid)) => {
                self.phase = Phase::Preparing(pid);
                self.paused = false;
                self.told = false;
                self.terminated = false;
                self.kill_at = None;
                self.closed = true;
                self.not_before = now + BETWEEN_STARTS;
                Actions::default()
            }
            (Phase::Preparing(_), Event::Prepared(outcome)) => return self.prepared(outcome, now),
            // It is up without one, and nothing can end that but a command.
            (Phase::Starting, Event::NothingToRun) if self.plan.kind == Kind::Group => {
                return self.there();
            }
            (Phase::Starting, Event::NothingToRun) => {
                self.begun = true;
                self.prepared = false;
                self.want = Want::Once;
                self.phase = Phase::Down;
                Actions::of(&[Stamp, Announce])
            }

            (Phase::Up(_) | Phase::Following(_), Event::Said(word)) => self.said(word, now),
            // By one that has died since.
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Said(_),
            ) => Actions::default(),
            (Phase::Up(_), Event::Checked(succeeded)) => self.checked(succeeded, now),

            (Phase::Up(_), Event::Died(outcome)) if self.hands_over(outcome) => {
                return self.follow(outcome, now);
            }
            (Phase::Up(_), Event::Died(outcome)) => return self.died(outcome, now),
            (Phase::Up(old), Event::Main(pid)) if old == pid => Actions::default(),
            (Phase::Up(_) | Phase::Following(_), Event::Main(pid)) => {
                return self.found(pid, now);
            }
            (Phase::Following(_), Event::NotFound) => return self.not_found(now),
            (Phase::Following(_), Event::Lost) => return self.lost(now),
            (Phase::Following(_), Event::Stirred) => Actions::of(&[Follow]),
            // Said by one that has died since.
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Main(_),
            ) => Actions::default(),
            (Phase::Clearing(_), Event::Cleared) if self.closed => {
                return self.after_death(&[Announce], now);
            }
            (Phase::Clearing(_), Event::Cleared) => return self.close(&[Announce], now),
            (Phase::Closing, Event::Finishing(pid)) => {
                self.settle();
                self.phase = Phase::Finishing(pid);
                let within = self.plan.finish_within;
                self.kill_at = Some(now + within).filter(|_| within > 0);
                Actions::default()
            }
            (Phase::Closing, Event::NotFinishing) => {
                self.settle();
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
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Finishing(_),
                Event::Stirred,
            ) => Actions::default(),
            (
                Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::Finishing(_),
                Event::Tick,
            )
                if self.kill_at.is_some_and(|at| at <= now) =>
            {
                self.kill_at = None;
                Actions::of(&[KillLate, Announce])
            }
            (Phase::Following(at), Event::Tick) if at <= now => Actions::of(&[Follow]),
            (Phase::Up(_), Event::Tick) => match self.due(now) {
                Some(actions) => actions,
                None => self.announce_late(now),
            },
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Following(_)
                | Phase::Preparing(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Tick,
            ) => self.announce_late(now),
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Starting
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
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
                Event::Met
                | Event::Free
                | Event::Held(_)
                | Event::Said(_)
                | Event::Checked(_)
                | Event::Prepared(_)
                | Event::Died(_)
                | Event::Main(_)
                | Event::NotFound
                | Event::Lost
                | Event::Finished(_)
                | Event::Cleared
                | Event::NotCleared
                | Event::Stirred
                | Event::Tick,
            )
            | (Phase::Starting, Event::Finishing(_) | Event::NotFinishing)
            | (
                Phase::Closing,
                Event::Started(_)
                | Event::NotStarted
                | Event::Lacking(_)
                | Event::Preparing(_)
                | Event::NothingToRun,
            )
            // Impossible: these answer `Start` and `Finish`, and nobody asked.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Started(_)
                | Event::NotStarted
                | Event::Preparing(_)
                | Event::NothingToRun
                | Event::Finishing(_)
                | Event::NotFinishing,
            )
            // Impossible: these answer `Clear`, and only `Clearing` asked.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::Finishing(_),
                Event::Cleared | Event::NotCleared,
            )
            // Impossible: these answer `Follow`, and only `Following` asked.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::NotFound | Event::Lost,
            )
            // Impossible: no check outlives the process; without a process none
            // dies, and one that is not the service's is not its.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Following(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Checked(_) | Event::Died(_),
            )
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::Clearing(_),
                Event::Finished(_),
            )
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Prepared(_),
            )
            // Impossible: these answer `Look` and `Yield`, and nobody asked.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Lacking(_) | Event::Met,
            )
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::Preparing(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Event::Free | Event::Held(_),
            )
            // Over is over.
            | (
                Phase::Gone,
                Event::Started(_)
                | Event::NotStarted
                | Event::Lacking(_)
                | Event::Met
                | Event::Free
                | Event::Held(_)
                | Event::Preparing(_)
                | Event::Prepared(_)
                | Event::NothingToRun
                | Event::Said(_)
                | Event::Checked(_)
                | Event::Died(_)
                | Event::Main(_)
                | Event::NotFound
                | Event::Lost
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

    /// Writes the status that could not be written, if it is time to.
    fn announce_late(&mut self, now: u64) -> Actions {
        if self.announce_at.is_some_and(|at| at <= now) {
            self.announce_at = None;
            return Actions::of(&[Action::Announce]);
        }
        Actions::default()
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

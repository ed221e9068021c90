//! What runs before the service's process, and after the last one.

use super::{Action, Actions, Before, Kind, Machine, Phase};
use crate::record::Outcome;
use crate::restart::{History, Reason};
use crate::status::Want;

impl Machine {
    /// Whether another program has to run first.
    #[must_use]
    pub const fn prepares(&self) -> bool {
        match self.plan.before {
            Before::Nothing => false,
            Before::First => !self.begun,
            Before::Always => !self.prepared,
        }
    }

    /// What runs before the process has ended. If nobody can say how, it has to
    /// do it again.
    pub(super) fn prepared(mut self, outcome: Outcome, now: u64) -> (Self, Actions) {
        self.kill_at = None;
        self.paused = false;
        let is_first = self.plan.before == Before::First;
        if !is_first || outcome == Outcome::Exited(0) {
            self.begun |= is_first;
            if self.want != Want::Down && !self.exiting {
                self.prepared = true;
                self.phase = Phase::Starting;
                return (self, Actions::of(&[Action::Start]));
            }
            // What has come up goes down, though there was no process.
            self.closed = !is_first;
        } else if outcome != Outcome::Unknown && !self.told {
            self.last = Some(outcome);
            self.history = History { reason: Reason::Never, failed: true, wait: 0, ..self.history };
            self.want = Want::Down;
        }
        self.clear(now)
    }

    /// Whether nothing is going to be started after this.
    const fn is_over(&self) -> bool {
        self.exiting || !matches!(self.want, Want::Up)
    }

    /// Whether `stop` is to run now that there is no process.
    pub(super) fn stops(&self) -> bool {
        if self.plan.kind == Kind::Oneshot {
            return self.plan.stops && self.begun;
        }
        let fails = self.history.reason == Reason::Never;
        self.plan.stops && !self.plan.finishes && self.begun && self.is_over() && !fails
    }

    /// Nothing more than what is being done now follows on the last process.
    pub(super) const fn settle(&mut self) {
        if self.is_over() || matches!(self.plan.kind, Kind::Oneshot) {
            self.begun = false;
        }
    }

    /// There is no process, and there is to be none.
    pub(super) fn go_down(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        if self.stops() {
            self.closed = false;
            return self.close(news, now);
        }
        self.after_death(news, now)
    }
}

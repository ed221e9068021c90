//! What follows the end of a process, and what it takes to be started again.

use super::{Action, Actions, BETWEEN_STARTS, Kind, Machine, Phase, Yielding};
use crate::order::Calls;
use crate::record::Outcome;
use crate::restart::{End, History, Reason};
use crate::status::Want;

impl Machine {
    /// `u` or `o` came: what was before counts no more, unless it is what the
    /// process that runs goes on with.
    pub(super) fn wanted(&mut self, want: Want) {
        self.want = want;
        let goes = self.told || self.yielding != Yielding::No;
        let runs = self.pid() != 0 && !matches!(self.phase, Phase::Finishing(_));
        // What runs and stays has all that it needs.
        if goes || !(runs || matches!(self.phase, Phase::Following(_) | Phase::There)) {
            self.calls = Calls::All;
        }
        self.yielding = Yielding::No;
        if !matches!(self.phase, Phase::Up(_) | Phase::Following(_)) {
            self.history = History::default();
        }
    }

    /// The process is told to end, and is to do so in time.
    pub(super) fn end_in_time(&mut self, now: u64) {
        self.paused = false;
        self.told = true;
        self.health.ask_nothing();
        self.kill_in_time(now);
    }

    /// It is killed if it does not end in time, also when it is told again.
    pub(super) fn kill_in_time(&mut self, now: u64) {
        if self.plan.kill_after > 0 {
            self.kill_at.get_or_insert(now + self.plan.kill_after);
        }
    }

    /// The service's process is dead, and that was the service.
    pub(super) fn died(mut self, outcome: Outcome, now: u64) -> (Self, Actions) {
        self.last = Some(outcome);
        self.kill_at = None;
        self.yielding = Yielding::No;
        if self.has_done(outcome) {
            self.history = History::default();
        } else if !self.is_doubtful(outcome) {
            self.judge(outcome, now);
        }
        let first = self.end_health();
        let (machine, actions) = self.clear(now);
        (machine, actions.after(first))
    }

    /// The service's process is dead: whether there is to be another one is
    /// known from now on, also to the next supervise.
    fn judge(&mut self, outcome: Outcome, now: u64) {
        let ran = now.saturating_sub(self.not_before.saturating_sub(BETWEEN_STARTS));
        self.not_before = self.not_before.max(now);
        let end = End {
            outcome,
            blamed: self.health.blamed,
            told: self.told || self.want != Want::Up,
            at: now,
            ran,
            not_before: self.not_before,
        };
        self.history = self.plan.restart.after(&self.history, &end);
        if self.history.reason != Reason::None {
            self.want = Want::Down;
        }
    }

    /// A process is dead, the service's or `finish`'s: what it left is ended,
    /// if that is to be.
    pub(super) fn clear(mut self, now: u64) -> (Self, Actions) {
        if self.plan.clears {
            self.phase = Phase::Clearing(now);
            return (self, Actions::of(&[Action::Stamp, Action::Announce, Action::Clear]));
        }
        let news = [Action::Stamp, Action::Announce];
        if self.closed { self.after_death(&news, now) } else { self.close(&news, now) }
    }

    /// Has `finish` tidy up after the process, or `stop` after the service, if
    /// there is one.
    pub(super) fn close(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        if self.plan.kind == Kind::Oneshot && !self.begun && self.is_done() {
            self.begun = true;
            if self.want != Want::Down {
                self.closed = true;
                return self.there();
            }
        }
        if !self.plan.finishes && !self.stops() {
            self.closed = true;
            return self.after_death(news, now);
        }
        self.phase = Phase::Closing;
        let mut all = Actions::of(news);
        all.add(Action::Finish);
        (self, all)
    }

    /// The process and what it left are dead; what was asked for decides.
    pub(super) fn after_death(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        self.settle();
        if self.exiting {
            self.phase = Phase::Gone;
            let mut all = Actions::of(news);
            all.add(Action::Exit);
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

    /// Starts now if a second has passed since the last start, and the delay
    /// since the last end. A state that ends before anybody can read it is not
    /// announced: the news is that of the new process.
    pub(super) fn start_when_due(mut self, news: &[Action], now: u64) -> (Self, Actions) {
        let due = self.not_before.saturating_add(self.history.wait());
        if due <= now {
            self.phase = Phase::Starting;
            return (self, Actions::of(&[Action::Start]));
        }
        self.phase = Phase::Waiting(due);
        (self, Actions::of(news))
    }
}

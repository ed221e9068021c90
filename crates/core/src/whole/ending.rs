//! The machine of the whole from the first cause of the end on, and what is
//! due.

use super::{Action, Actions, DRAIN, End, Failure, GONE, Phase, Whole};

impl Whole {
    pub(super) fn command_ended(&mut self, code: u8, all: &mut Actions, now: u64) {
        if !core::mem::replace(&mut self.commanding, false) {
            return;
        }
        self.code.get_or_insert(code);
        match self.phase {
            Phase::Running | Phase::Parting => self.leave(all, now),
            // They have been told before.
            Phase::Leaving | Phase::Hurried | Phase::Killed => {}
            // It is not waited for any more.
            Phase::Finishing | Phase::Sweeping | Phase::Over => {}
            // It does not run yet.
            Phase::New | Phase::Preparing | Phase::Yielding | Phase::Rising => {}
        }
    }

    pub(super) fn essential_over(&mut self, code: u8, all: &mut Actions, now: u64) {
        match self.phase {
            Phase::Running if self.commanding => {
                self.code = Some(code);
                all.push(Action::EndCommand);
                self.part(now);
            }
            Phase::Rising | Phase::Running => {
                self.code = Some(code);
                self.leave(all, now);
            }
            // The end has another cause, or there are no services.
            Phase::New
            | Phase::Preparing
            | Phase::Yielding
            | Phase::Parting
            | Phase::Leaving
            | Phase::Hurried
            | Phase::Killed
            | Phase::Finishing
            | Phase::Sweeping
            | Phase::Over => {}
        }
    }

    pub(super) fn stop(&mut self, signal: u8, end: End, all: &mut Actions, now: u64) {
        let first = self.end.is_none() && self.phase != Phase::New;
        match self.phase {
            Phase::New | Phase::Sweeping | Phase::Over => return,
            Phase::Preparing => {
                self.phase = Phase::Yielding;
                self.never_began(signal);
                self.start_clock(now);
                self.due = self.hurry_at;
                all.push(Action::EndInit);
            }
            Phase::Yielding => {
                all.push(Action::KillInit);
                self.hurry_at = None;
                self.sooner(now);
            }
            Phase::Rising => {
                self.never_began(signal);
                self.leave(all, now);
            }
            // It is the command's, and nobody else's.
            Phase::Running if self.commanding && !self.plan.tree && self.plan.grace.is_none() => {
                return;
            }
            Phase::Running if self.commanding => {
                all.push(Action::EndCommand);
                self.part(now);
            }
            Phase::Running => self.leave(all, now),
            Phase::Parting | Phase::Leaving | Phase::Hurried => self.hurry(all, now),
            Phase::Killed => all.push(Action::KillServices),
            Phase::Finishing => {
                all.push(Action::KillFinish);
                self.hurry_at = None;
                self.sooner(now);
            }
        }
        if first {
            self.end = Some(end);
        }
    }

    /// The command was stopped before it was started: that is no success.
    fn never_began(&mut self, signal: u8) {
        if self.plan.command {
            self.code = Some(128_u8.wrapping_add(signal));
        }
    }

    pub(super) fn tick(&mut self, all: &mut Actions, now: u64) {
        match self.phase {
            Phase::Rising => self.go_without(Action::WarnOfServices, all, now),
            // The first time it is killed, the second time it is left.
            Phase::Yielding if self.hurry_at.is_some() => {
                self.hurry_at = None;
                all.push(Action::KillInit);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Yielding => self.finish(all, now),
            Phase::Parting => {
                all.push(Action::KillCommand);
                self.leave(all, now);
            }
            Phase::Leaving => self.hurry(all, now),
            Phase::Hurried => {
                self.phase = Phase::Killed;
                all.push(Action::KillServices);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Killed => self.finish(all, now),
            Phase::Finishing if self.hurry_at.is_some() => {
                self.hurry_at = None;
                all.push(Action::KillFinish);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Finishing => self.sweep(all, now),
            Phase::Sweeping => self.over(all),
            // Nothing is due there.
            Phase::New | Phase::Preparing | Phase::Running | Phase::Over => {}
        }
    }

    pub(super) fn start_clock(&mut self, now: u64) {
        if let (None, Some(grace)) = (self.hurry_at, self.plan.grace) {
            self.hurry_at = Some(now.saturating_add(grace));
        }
    }

    /// What was killed is waited for a moment; however often it is, not longer.
    fn sooner(&mut self, now: u64) {
        let moment = now.saturating_add(GONE);
        self.due = Some(self.due.map_or(moment, |due| due.min(moment)));
    }

    /// The command has its part of the time.
    fn part(&mut self, now: u64) {
        self.phase = Phase::Parting;
        self.start_clock(now);
        let until = now.saturating_add(self.plan.command_grace);
        self.due = self.hurry_at.map(|hurry_at| hurry_at.min(until));
    }

    pub(super) fn leave(&mut self, all: &mut Actions, now: u64) {
        self.phase = Phase::Leaving;
        self.start_clock(now);
        self.due = self.hurry_at;
        all.push(Action::LeaveServices);
    }

    fn hurry(&mut self, all: &mut Actions, now: u64) {
        if self.commanding {
            all.push(Action::KillCommand);
        }
        all.push(Action::HurryServices);
        if self.phase != Phase::Hurried {
            self.phase = Phase::Hurried;
            // Without a clock, it takes as long as it takes.
            self.due = self.plan.grace.map(|_| now.saturating_add(DRAIN));
        }
    }

    pub(super) fn finish(&mut self, all: &mut Actions, now: u64) {
        self.commanding = false;
        if !self.plan.tree {
            return self.sweep(all, now);
        }
        self.phase = Phase::Finishing;
        // What is left of the time, and enough to do something.
        let least = now.saturating_add(DRAIN);
        if self.plan.grace.is_some() {
            let until = self.hurry_at.map_or(least, |hurry_at| hurry_at.max(least));
            self.hurry_at = Some(until);
        }
        self.due = self.hurry_at;
        all.push(Action::RunFinish(self.code.unwrap_or(0)));
    }

    pub(super) fn finished(&mut self, code: u8, all: &mut Actions, now: u64) {
        if self.phase != Phase::Finishing {
            return;
        }
        if code != 0 {
            if self.plan.on_finish != Failure::Ignore {
                all.push(Action::WarnOfFinish(code));
            }
            if self.plan.on_finish == Failure::Stop && self.code.unwrap_or(0) == 0 {
                self.code = Some(code);
            }
        }
        self.sweep(all, now);
    }

    fn sweep(&mut self, all: &mut Actions, now: u64) {
        if !self.plan.sweeps {
            return self.over(all);
        }
        self.phase = Phase::Sweeping;
        self.due = Some(now.saturating_add(GONE));
        all.push(Action::Sweep);
    }

    pub(super) fn over(&mut self, all: &mut Actions) {
        self.phase = Phase::Over;
        self.due = None;
        let end = self.ending().unwrap_or(End::Code(self.code.unwrap_or(0)));
        all.push(Action::End(end));
    }
}

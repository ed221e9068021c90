//! From a machine to what is on record of it, and back: the next supervise
//! goes on where this one was killed.

use super::{BETWEEN_STARTS, Health, Machine, Phase, Plan, RETRY};
use crate::record::{Boot, Identity, Own, Record, Stage};
use crate::tai::Tai64n;

impl Machine {
    /// A service as a killed supervise left it, by its record, and what its
    /// directory says now. It is for the caller to see whether its process still
    /// lives; a supervise that had left begins anew, which is no answer.
    #[must_use]
    pub fn resume(Record { status, own }: &Record, plan: Plan, now: u64) -> Option<Self> {
        let mut history = own.history;
        history.wait = history.wait.min(plan.restart.patience());
        let longest = RETRY.max(BETWEEN_STARTS + history.wait());
        let phase = match own.stage {
            Stage::Down => Phase::Down,
            // A clock that cannot be right must not hold it up.
            Stage::Waiting => Phase::Waiting(own.deadline.min(now + longest)),
            Stage::Preparing => Phase::Preparing(own.process.pid),
            Stage::Up => Phase::Up(own.process.pid),
            Stage::Finishing => Phase::Finishing(own.process.pid),
            Stage::Clearing => Phase::Clearing(now),
            Stage::Over => return None,
        };
        let alive = matches!(own.stage, Stage::Preparing | Stage::Up | Stage::Finishing);
        let mut machine = Self {
            phase,
            want: status.want,
            exiting: own.exiting,
            paused: status.paused,
            told: own.told,
            terminated: status.terminating,
            plan,
            history,
            starts: own.starts,
            last: own.last,
            not_before: own.not_before.min(now + BETWEEN_STARTS),
            kill_at: Some(own.deadline).filter(|at| alive && *at > 0),
            closed: own.closed,
            begun: own.begun,
            health: Health::of(own, &plan),
            ..Self::new(false, now)
        };
        machine.resume_health(now);
        Some(machine)
    }

    /// What the next supervise needs to know, in the middle of a `d` or not.
    #[must_use]
    pub fn own(&self, boot: Boot, process: Identity, ready: Tai64n, intent: bool) -> Own {
        let (stage, deadline) = match self.phase {
            Phase::Down => (Stage::Down, 0),
            Phase::Waiting(at) => (Stage::Waiting, at),
            // Nobody writes while the answer is not there; read, it would
            // mean that a start is due.
            Phase::Starting => (Stage::Waiting, 0),
            Phase::Preparing(_) => (Stage::Preparing, self.kill_at.unwrap_or(0)),
            Phase::Up(_) => (Stage::Up, self.kill_at.unwrap_or(0)),
            Phase::Finishing(_) => (Stage::Finishing, self.kill_at.unwrap_or(0)),
            // The next supervise asks for `finish` again.
            Phase::Clearing(_) | Phase::Closing => (Stage::Clearing, 0),
            Phase::Gone => (Stage::Over, 0),
        };
        Own {
            boot,
            process,
            stage,
            exiting: self.exiting,
            intent,
            closed: self.closed,
            begun: self.begun,
            awaited: self.health.awaited || matches!(self.phase, Phase::Preparing(_)),
            blamed: self.health.blamed && matches!(self.phase, Phase::Up(_)),
            every: self.health.recorded(&self.plan),
            told: self.told,
            ready,
            not_before: self.not_before,
            deadline,
            starts: self.starts,
            last: self.last,
            history: self.history,
        }
    }
}

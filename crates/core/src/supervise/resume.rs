//! From a machine to what is on record of it, and back: the next supervise
//! goes on where this one was killed.

use super::{BETWEEN_STARTS, Health, Kind, Machine, Phase, Plan, RETRY, Yielding};
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
            // It is looked at once more.
            Stage::Needing => Phase::Needing(Some(now)),
            Stage::There => Phase::There,
            Stage::Preparing => Phase::Preparing(own.process.pid),
            Stage::Up => Phase::Up(own.process.pid),
            Stage::Following => Phase::Following(now),
            Stage::Finishing => Phase::Finishing(own.process.pid),
            Stage::Clearing => Phase::Clearing(now),
            Stage::Over => return None,
        };
        let kill_at = match own.stage {
            Stage::Preparing | Stage::Up | Stage::Finishing => own.deadline,
            // When that was due is not on record.
            Stage::Following if own.blamed => now + plan.patience(),
            Stage::Following if own.told && plan.kill_after > 0 => now + plan.kill_after,
            Stage::Following
            | Stage::Down
            | Stage::Waiting
            | Stage::Needing
            | Stage::There
            | Stage::Clearing
            | Stage::Over => 0,
        };
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
            followed: own.followed,
            follow_until: own.deadline.min(now + plan.follow_within),
            kill_at: Some(kill_at).filter(|at| *at > 0),
            closed: own.closed,
            // What ran has come up, also where that was not kept on record yet.
            begun: own.begun || own.stage == Stage::Up && plan.kind == Kind::Lasting,
            calls: own.calls,
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
            Phase::Needing(_) => (Stage::Needing, 0),
            Phase::There => (Stage::There, 0),
            // Nobody writes while the answer is not there; read, it would
            // mean that a start is due.
            Phase::Starting => (Stage::Waiting, 0),
            Phase::Preparing(_) => (Stage::Preparing, self.kill_at.unwrap_or(0)),
            Phase::Up(_) => (Stage::Up, self.kill_at.unwrap_or(0)),
            Phase::Following(_) => (Stage::Following, self.follow_until),
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
            intent: intent || self.yielding != Yielding::No,
            calls: self.calls,
            closed: self.closed,
            begun: self.begun,
            awaited: self.health.awaited || matches!(self.phase, Phase::Preparing(_)),
            blamed: self.health.blamed && matches!(self.phase, Phase::Up(_) | Phase::Following(_)),
            plainly: false,
            every: self.health.recorded(&self.plan),
            told: self.told,
            followed: self.followed,
            ready,
            not_before: self.not_before,
            deadline,
            starts: self.starts,
            last: self.last,
            history: self.history,
        }
    }
}

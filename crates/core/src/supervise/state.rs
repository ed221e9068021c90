//! All that the machine knows.

use super::{Before, Health, Kind, Phase, Plan, ReadyBy, Yielding};
use crate::order::Calls;
use crate::record::Outcome;
use crate::restart::{Fault, History, Policy, Reason};
use crate::status::Want;

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
    /// Whether the process was told to end.
    pub told: bool,
    /// Whether the process was sent TERM, which the shell says.
    pub terminated: bool,
    /// What is read anew for each process.
    pub plan: Plan,
    /// How the process does.
    pub health: Health,
    /// Whether `finish` is done, or there is none, for the process that died.
    pub(super) closed: bool,
    /// Whether the process is not the one that was started.
    pub followed: bool,
    /// Until when the next one is looked for while `Following`.
    pub(super) follow_until: u64,
    /// Whether the service has come up since it was down for good.
    pub(super) begun: bool,
    /// Whether what runs before the process has, for the one that is due.
    pub prepared: bool,
    /// Whether what it needs is started if that is down.
    pub calls: Calls,
    /// Whether it goes when those have gone that need it.
    pub yielding: Yielding,
    /// How often it was started.
    pub starts: u32,
    /// How the last process ended.
    pub last: Option<Outcome>,
    /// What decides whether and when it is started again.
    pub history: History,
    /// Before this time nothing is started.
    pub(super) not_before: u64,
    /// When the process is killed, which was told to be down.
    pub(super) kill_at: Option<u64>,
    /// When to try again to write the status.
    pub(super) announce_at: Option<u64>,
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
            told: false,
            terminated: false,
            plan: Plan {
                ready: ReadyBy::Run,
                ready_within: 0,
                life_every: 0,
                check_every: 0,
                check_within: 0,
                check_failures: 0,
                before: Before::Nothing,
                stops: false,
                finishes: false,
                finish_within: 0,
                clears: false,
                kill_after: 0,
                kind: Kind::Lasting,
                needed: false,
                exit_ends: false,
                follow_within: 0,
                restart: Policy::ALWAYS,
            },
            history: History {
                reason: Reason::None,
                fault: Fault::None,
                failed: false,
                failures: 0,
                deaths: 0,
                window: 0,
                wait: 0,
            },
            health: Health::UNKNOWN,
            closed: false,
            followed: false,
            follow_until: 0,
            begun: false,
            prepared: false,
            calls: if up { Calls::Idle } else { Calls::Nobody },
            yielding: Yielding::No,
            starts: 0,
            last: None,
            not_before: now,
            kill_at: None,
            announce_at: None,
        }
    }

    /// The process, or that of what runs before or after it; 0 for none.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        match self.phase {
            Phase::Preparing(pid) | Phase::Up(pid) | Phase::Finishing(pid) => pid,
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Needing(_)
            | Phase::Starting
            | Phase::Following(_)
            | Phase::There
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
            Phase::Up(_) => [self.kill_at, self.health.deadline()].into_iter().flatten().min(),
            Phase::Preparing(_) | Phase::Finishing(_) => self.kill_at,
            Phase::Following(at) => Some(self.kill_at.map_or(at, |kill| kill.min(at))),
            Phase::Needing(at) => at,
            Phase::Down | Phase::Starting | Phase::There | Phase::Closing | Phase::Gone => None,
        };
        let yields = match self.yielding {
            Yielding::Until(at) => Some(at).filter(|at| *at < u64::MAX),
            Yielding::No => None,
        };
        [phase, yields, self.announce_at].into_iter().flatten().min()
    }
}

//! Following a service whose `run` puts itself into the background: it exits
//! 0, and the service is what it has left behind. Whoever is followed and
//! exits 0 may have left something behind in its turn.

use super::{Action, Actions, Machine, Phase};
use crate::control::{Command, Signal};
use crate::record::Outcome;
use crate::status::Want;

/// What is looked for is looked for again after this time at first.
const AGAIN: u64 = 10_000_000;
/// And after this time at last.
const AGAIN_AT_LAST: u64 = 1_000_000_000;

impl Machine {
    /// Whether a process that ended this way may have left the service behind.
    /// How one ended that nobody has seen is not known. One that was found in
    /// the background and then told to end has ended.
    pub(super) const fn hands_over(&self, outcome: Outcome) -> bool {
        let has_ended = self.followed && self.told;
        self.plan.follow_within > 0
            && !has_ended
            && matches!(outcome, Outcome::Exited(0) | Outcome::Unknown)
    }

    /// It is looked for, and until then this is no end.
    pub(super) fn follow(mut self, outcome: Outcome, now: u64) -> (Self, Actions) {
        // How `run` ended is how nothing ended yet.
        if self.followed {
            self.last = Some(outcome);
        }
        self.paused = false;
        self.terminated = false;
        self.follow_until = now + self.plan.follow_within;
        self.phase = Phase::Following(now);
        let first = self.leave_health();
        let news = [Action::StampSwitch, Action::Announce, Action::Follow];
        (self, Actions::of(&news).after(first))
    }

    /// The service is this process from now on. One that was told to end is
    /// told again: it may not have heard.
    pub(super) fn found(mut self, pid: u32, now: u64) -> (Self, Actions) {
        use Action::{After, Announce, Intend, Send, StampSwitch, Wake};
        let looked_for = matches!(self.phase, Phase::Following(_));
        self.phase = Phase::Up(pid);
        self.followed = true;
        self.terminated = false;
        if looked_for {
            self.take_health(now);
        }
        let down = Send(Signal::Down);
        let actions = if self.told && self.want == Want::Down {
            self.kill_in_time(now);
            let last = After(self.told_to_go().unwrap_or(Command::Down));
            Actions::of(&[StampSwitch, Intend, down, Wake, last, Announce])
        } else if self.told {
            self.kill_in_time(now);
            Actions::of(&[StampSwitch, Announce, down, Wake, Announce])
        } else if self.health.blamed {
            self.kill_at.get_or_insert(now + self.plan.patience());
            Actions::of(&[StampSwitch, Announce, down, Wake, Announce])
        } else {
            Actions::of(&[StampSwitch, Announce])
        };
        (self, actions)
    }

    /// It is not there yet. The longer it takes, the more rarely it is looked
    /// for.
    pub(super) fn not_found(mut self, now: u64) -> (Self, Actions) {
        if self.follow_until <= now {
            return self.lost(now);
        }
        let waited = (now + self.plan.follow_within).saturating_sub(self.follow_until);
        let again = now + waited.clamp(AGAIN, AGAIN_AT_LAST);
        self.phase = Phase::Following(again.min(self.follow_until));
        (self, Actions::default())
    }

    /// It is not there, and nobody waits for it any more. If `run` is all that
    /// there has been, that is a failure, however it ended.
    pub(super) fn lost(self, now: u64) -> (Self, Actions) {
        let last = self.last.filter(|_| self.followed);
        self.died(last.unwrap_or(Outcome::Unknown), now)
    }
}

//! What runs before the service's process, in the world around the machine.

use super::*;

pub(in super::super) const PREPARING: [Letter; 12] = [
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Pause),
    Letter::Dies,
    Letter::Fails,
    Letter::ForkFails,
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Passes(SECOND),
];

impl World {
    /// Whatever process there is.
    pub(super) fn process(&self) -> Option<u32> {
        self.alive.or(self.finish).or(self.preparing)
    }

    pub(super) fn prepare(&mut self) {
        assert_eq!(self.anybody(), None, "prepared beside another");
        assert!(!self.must_stay_down && !self.machine.exiting, "prepared for nothing");
        assert!(!self.begun || self.plan.before == Before::Always, "prepared twice");
        if self.fork_fails {
            return self.feed(Event::NotStarted);
        }
        self.next_pid += 1;
        let pid = self.next_pid;
        let (will_be, _) = self.machine.step(Event::Preparing(pid), self.now);
        if !self.status_fails {
            self.record = record(&will_be, false);
            self.written = Some((pid, will_be.want, false));
        }
        self.locked = self.status_fails;
        self.preparing = Some(pid);
        self.feed(Event::Preparing(pid));
        if self.status_fails {
            self.feed(Event::NotAnnounced);
        }
    }

    /// Whether there is a process that can be paused.
    pub(super) fn is_stoppable(&self) -> bool {
        self.alive.or(self.preparing).is_some()
    }

    /// What has failed, and what has nothing to stop it, is over so.
    pub(super) fn forget_what_is_over(&mut self) {
        let down = self.machine.phase == Phase::Down && self.machine.want == Want::Down;
        self.begun &= !(down || self.machine.phase == Phase::Down && !self.without_run);
    }

    /// What has come up has been stopped, unless it has failed.
    pub(super) fn check_stopped(&self) {
        let machine = &self.machine;
        let is_down = self.gone || machine.phase == Phase::Down && machine.want == Want::Down;
        if is_down && self.plan.kind == Kind::Oneshot {
            assert!(!self.done || !self.plan.stops, "not undone: {self:?}");
        } else if is_down && self.plan.stops && machine.history.reason != Reason::Never {
            assert!(!self.begun, "not stopped: {self:?}");
        }
    }
}

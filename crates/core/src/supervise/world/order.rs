//! What it needs and who needs it, in the world around the machine.

use super::*;

pub(in super::super) const ORDER: [Letter; 15] = [
    Letter::Called,
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Restart),
    Letter::Dies,
    Letter::Done,
    Letter::Lacks,
    Letter::Loses,
    Letter::Needed,
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Passes(SECOND),
];

impl World {
    /// What it needs, or who needs it, is another way now, and it is told so.
    pub(super) fn turn(&mut self, letter: Letter) {
        if letter == Letter::Needed {
            // Nobody comes up that needs what is not there.
            let is_up = self.alive.is_some() || self.machine.phase == Phase::There;
            let goes = self.record.own.intent || self.machine.told;
            self.dependents = !self.dependents && is_up && !goes;
        } else {
            self.lacking = !self.lacking;
            self.told_down = self.lacking && letter == Letter::Loses;
        }
        self.machine.plan.needed = self.plan.needed && self.dependents;
        self.feed(Event::Told(Command::Look));
    }

    /// Whether what it needs is there.
    pub(super) fn look_around(&mut self) {
        let group = self.plan.kind == Kind::Group;
        if let Phase::Needing(_) = self.machine.phase {
            self.feed(if self.lacking { Event::Lacking(None) } else { Event::Met });
            return;
        }
        if self.told_down {
            self.feed(Event::Aside);
        }
        if self.machine.phase == Phase::There && self.lacking && group {
            self.feed(Event::Lacking(None));
        }
    }

    /// Whether those that need it are gone.
    pub(super) fn look_back(&mut self) {
        let late = self.status_fails || self.machine.announce_at.is_some();
        assert!(late || self.record.own.intent, "they cannot know");
        self.feed(if self.dependents { Event::Held(u64::MAX) } else { Event::Free });
    }

    /// The process of a oneshot has ended with 0, that of another one too.
    pub(super) fn ends_well(&mut self) {
        if self.plan.kind == Kind::Oneshot {
            self.done = true;
        } else {
            self.end();
        }
    }

    /// Nothing starts or stays without what it needs, and what waits is on
    /// record.
    pub(super) fn check_order(&self) {
        let machine = &self.machine;
        if let Phase::Needing(_) = machine.phase {
            assert!(self.lacking, "waits for what is there: {self:?}");
            assert_eq!(machine.yielding, Yielding::No);
        }
        if machine.phase == Phase::There {
            assert_ne!(self.plan.kind, Kind::Lasting);
            assert!(self.done || self.plan.kind == Kind::Group, "not done: {self:?}");
        }
        // Told to be down, it is, or ends, or waits for who needs it.
        let is_up = self.alive.is_some() || machine.phase == Phase::There;
        if machine.want == Want::Down && is_up && !machine.told {
            assert_ne!(machine.yielding, Yielding::No, "goes not down: {self:?}");
        }
        if machine.yielding != Yielding::No {
            assert!(is_up || self.hidden.is_some());
            assert!(self.dependents, "waits for nobody: {self:?}");
        }
        // What it needs was told to be down: it ends, or waits for others to.
        if self.told_down && is_up {
            assert!(machine.told || machine.yielding != Yielding::No, "stays: {self:?}");
        }
    }
}

//! The children of supervise that run beside the service: scripts, checks and
//! whoever is told of it. None of them is one of the service's.

use crate::supervise::keep::Supervise;
use rustix::process::Pid;
use upkeep_family::Spared;

/// As many can be for one script, a check, and one that was ended and has not
/// been waited for.
const OTHERS: usize = 3;

impl Supervise {
    /// This child was started beside the service.
    pub(crate) fn set_aside(&mut self, pid: Pid) {
        if let Some(slot) = self.asides.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(pid);
        }
        self.reach.spare(self.asides);
    }

    /// Whether there is room for one more of those that nobody waits for.
    pub(crate) fn has_room_aside(&self) -> bool {
        self.asides.iter().filter(|slot| slot.is_none()).count() > OTHERS
    }

    /// A child has ended and was waited for.
    pub(crate) fn aside_ended(&mut self, pid: Pid) {
        if let Some(slot) = self.asides.iter_mut().find(|slot| **slot == Some(pid)) {
            *slot = None;
            self.reach.spare(self.asides);
        }
    }

    /// Those that there are.
    pub(crate) const fn spared(&self) -> Spared {
        self.asides
    }
}

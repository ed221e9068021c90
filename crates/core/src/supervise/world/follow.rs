//! What a process leaves behind, in the world around the machine.

use super::*;

impl World {
    /// Also one that is looked for.
    pub(super) fn anybody(&self) -> Option<u32> {
        self.process().or(self.hidden)
    }

    /// Whether the process leaves nothing behind that counts.
    pub(super) const fn has_ended(&self) -> bool {
        self.machine.followed && self.machine.told
    }

    /// The process exits 0. What it leaves behind is the service, unless it was
    /// found there itself and then told to end.
    pub(super) fn leave(&mut self, pid: u32) {
        if self.has_ended() {
            self.end();
        } else {
            self.hidden = Some(pid + 1000);
        }
    }

    pub(super) fn look(&mut self) {
        let event = match self.hidden {
            Some(pid) if self.shows => {
                self.hidden = None;
                self.alive = Some(pid);
                Event::Main(pid)
            }
            Some(_) => Event::NotFound,
            None => Event::Lost,
        };
        let (after, _) = self.machine.step(event, self.now);
        if !matches!(after.phase, Phase::Up(_) | Phase::Following(_)) {
            // Not there in time: whatever it is, it is no service.
            self.hidden = None;
            self.end();
        }
        self.feed(event);
    }
}

//! Order among services: what has to be there before the process is started,
//! who has to be gone before it is ended, and what is up without a process.
//!
//! Whoever goes down and is needed says so on record first (the mark that `d`
//! is about to be carried out) and lets go those that need it; they step aside
//! and wait, still wanted up. What it needs is started by a service that was
//! told to come up, and by none that has stepped aside: a service that was told
//! to be down stays so.

use super::{Action, Actions, Event, Machine, Phase};
use crate::control::{Command, Signal};
use crate::order::Calls;
use crate::record::Outcome;
use crate::restart::History;
use crate::status::Want;

/// What a service is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A process that is kept up.
    #[default]
    Lasting,
    /// A process that runs to its end, and then the service is up until it is
    /// undone.
    Oneshot,
    /// None of its own: it is up when all that it needs is.
    Group,
}

impl Kind {
    /// Reads the content of the file `type`.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        match content.trim_ascii() {
            b"longrun" => Some(Self::Lasting),
            b"oneshot" => Some(Self::Oneshot),
            _ => None,
        }
    }
}

/// Why a service is ended that waits for those that need it to go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Yielding {
    /// It is not.
    #[default]
    No,
    /// It waits, and looks for them again at this time, or when there is news.
    Until(u64),
}

impl Machine {
    /// Something that it needs is not there yet; it is looked for at this time.
    pub(super) fn lacking(mut self, again: Option<u64>) -> (Self, Actions) {
        let news = !matches!(self.phase, Phase::Needing(_));
        if self.phase == Phase::There {
            self.calls = Calls::Nobody;
        }
        self.phase = Phase::Needing(again);
        let actions =
            if news { Actions::of(&[Action::Stamp, Action::Announce]) } else { Actions::default() };
        (self, actions)
    }

    /// It is up, and has no process.
    pub(super) fn there(mut self) -> (Self, Actions) {
        self.phase = Phase::There;
        self.calls = Calls::Nobody;
        self.told = false;
        self.prepared = false;
        use Action::{Announce, Look, Stamp, StampReady};
        // What it needs may have gone before this was on record.
        (self, Actions::of(&[Stamp, StampReady, Announce, Look]))
    }

    /// Whether a process that ended this way has done what there was to do.
    pub(super) fn has_done(&self, outcome: Outcome) -> bool {
        self.plan.kind == Kind::Oneshot && outcome == Outcome::Exited(0) && !self.health.blamed
    }

    /// Whether nobody can say if it has: then it has to be done again.
    pub(super) fn is_doubtful(&self, outcome: Outcome) -> bool {
        let ended = self.told || self.health.blamed;
        self.plan.kind == Kind::Oneshot && outcome == Outcome::Unknown && !ended
    }

    /// Whether the last process did, where what it left has been ended since.
    pub(super) fn is_done(&self) -> bool {
        self.last == Some(Outcome::Exited(0)) && self.history == History::default()
    }

    /// It is to go: for good, or because what it needs does. Who needs it goes
    /// first.
    pub(super) fn go(mut self, now: u64) -> (Self, Actions) {
        if self.plan.needed {
            self.yielding = Yielding::Until(u64::MAX);
            return (self, Actions::of(&[Action::Intend, Action::Yield]));
        }
        self.yielding = Yielding::No;
        self.leave(true, now)
    }

    /// Nobody that needs it is up any more, or is waited for any more.
    pub(super) fn free(mut self, now: u64) -> (Self, Actions) {
        if self.yielding == Yielding::No {
            return (self, Actions::default());
        }
        self.yielding = Yielding::No;
        self.leave(false, now)
    }

    /// The process is told to end, or what was done is undone.
    fn leave(mut self, intend: bool, now: u64) -> (Self, Actions) {
        use Action::{After, Announce, Intend, Send, Wake};
        let down = Send(Signal::Down);
        if self.phase == Phase::There {
            self.told = true;
            return self.go_down(&[Action::Stamp, Announce], now);
        }
        self.end_in_time(now);
        let mut actions = Actions::default();
        let told = self.told_to_go();
        if intend && told.is_some() {
            actions.add(Intend);
        }
        actions.add(down);
        actions.add(Wake);
        if let Some(command) = told {
            actions.add(After(command));
        }
        actions.add(Announce);
        (self, actions)
    }

    /// It is to stay after all, if what it needs does, or can be called back.
    pub(super) fn keep(&mut self, want: Want) -> Actions {
        let yielded = self.yielding != Yielding::No;
        self.wanted(want);
        let mut all = Actions::of(&[Action::Announce]);
        if yielded {
            all.add(Action::Look);
        }
        all
    }

    /// Somebody who depends on it was told to be up, and so it is to be. One that
    /// waits and has called others does not call them again: in a circle that
    /// would never end.
    pub(super) fn called(mut self, now: u64) -> (Self, Actions) {
        let goes = self.told || self.yielding != Yielding::No;
        let stays = match self.phase {
            Phase::Needing(_) => self.calls != Calls::Nobody,
            Phase::Waiting(_) => !goes,
            Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::There => {
                !goes && self.want != Want::Down
            }
            Phase::Finishing(_) | Phase::Clearing(_) => !goes && self.want == Want::Up,
            Phase::Down => false,
            Phase::Starting | Phase::Closing | Phase::Gone => true,
        };
        if stays || self.exiting {
            return (self, Actions::default());
        }
        if let Phase::Needing(_) = self.phase {
            self.calls = Calls::All;
            return (self, Actions::of(&[Action::Look]));
        }
        if self.want == Want::Up {
            // It goes all the same, and calls others when it is back.
            self.calls = Calls::All;
            return (self, Actions::of(&[Action::Announce]));
        }
        self.command(Command::Up, now)
    }

    /// What it needs goes, or was told to: it does not go down for good, but
    /// steps aside, and calls nobody back.
    pub(super) fn aside(mut self, now: u64) -> (Self, Actions) {
        match self.phase {
            // It goes anyway; what it was told since counts when it is gone.
            Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) if self.told => {
                (self, Actions::default())
            }
            Phase::Up(_) | Phase::Following(_) | Phase::There => {
                // One that was called back on its way calls others in its turn.
                if self.calls != Calls::All {
                    self.calls = Calls::Nobody;
                }
                self.go(now)
            }
            Phase::Preparing(_) => {
                self.calls = Calls::Nobody;
                self.end_in_time(now);
                let end = Action::Send(Signal::Terminate);
                (self, Actions::of(&[end, Action::Wake, Action::Announce]))
            }
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Needing(_)
            | Phase::Starting
            | Phase::Closing
            | Phase::Finishing(_)
            | Phase::Clearing(_)
            | Phase::Gone => (self, Actions::default()),
        }
    }

    /// What the mark on record says is to be carried out.
    #[must_use]
    pub fn intended(&self) -> Event {
        self.told_to_go().map_or(Event::Aside, Event::Told)
    }

    /// What it was told, if it is not to step aside only.
    pub(super) fn told_to_go(&self) -> Option<Command> {
        if self.exiting && self.plan.exit_ends {
            Some(Command::Exit)
        } else {
            Some(Command::Down).filter(|_| self.want == Want::Down)
        }
    }
}

//! What the machine of the whole is told, and what it says.

use super::End;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It begins.
    Begin,
    /// It goes on, in a program that was executed anew.
    Resume,
    /// `init` has ended with this code, or there is none.
    Prepared(u8),
    /// Every service that is wanted is ready, or over.
    Ready,
    /// Those that are neither will not be by themselves.
    Stuck,
    /// The command has ended with this code, or could not be started.
    CommandEnded(u8),
    /// An essential service is over, with this code.
    EssentialOver(u8),
    /// Everything is to stop, because of this signal; a machine ends so.
    Stop(u8, End),
    /// The same, at once.
    StopNow(u8, End),
    /// No service is left, and no logger.
    Empty,
    /// `finish` has ended with this code, or there is none.
    Finished(u8),
    /// Nothing is left.
    Swept,
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run `init`.
    RunInit,
    /// Tell it to end.
    EndInit,
    /// Kill it.
    KillInit,
    /// Say that it failed.
    WarnOfInit(u8),
    /// Start the services.
    StartServices,
    /// Say that not all of them are ready.
    WarnOfServices,
    /// Say which of them cannot be.
    WarnOfStuck,
    /// Start the command.
    StartCommand,
    /// Tell it to end, if the signal that begins the stop has not done that.
    EndCommand,
    /// Kill it, and its process group.
    KillCommand,
    /// Take the services down, loggers last.
    LeaveServices,
    /// Take them down at any price.
    HurryServices,
    /// Kill what is left of them.
    KillServices,
    /// Run `finish` with this code.
    RunFinish(u8),
    /// Kill it.
    KillFinish,
    /// Say that it failed.
    WarnOfFinish(u8),
    /// Kill everything.
    Sweep,
    /// End.
    End(End),
}

/// Up to four actions.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    list: [Option<Action>; 4],
}

impl Actions {
    pub(super) fn push(&mut self, action: Action) {
        if let Some(slot) = self.list.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(action);
        }
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Action>, 4>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

//! What the service's machine speaks of: where the service is, what can happen,
//! what is to be done.

use super::{Kind, ReadyBy, Word};
use crate::control::{Command, Signal};
use crate::record::Outcome;
use crate::restart::{Fault, Policy};

/// Where the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No process, none due.
    Down,
    /// No process; one is due at this time.
    Waiting(u64),
    /// No process; something that it needs is not there, and is looked for at
    /// this time, or when there is news of it.
    Needing(Option<u64>),
    /// Asked for a process; the answer is the next event.
    Starting,
    /// No process of the service, but this one, which runs before it.
    Preparing(u32),
    /// This process.
    Up(u32),
    /// The process has exited 0 and has left the service behind, which is
    /// looked for at this time.
    Following(u64),
    /// Up, and without a process.
    There,
    /// The process is dead; asked for `finish`, and the answer is the next
    /// event.
    Closing,
    /// The process is dead, and this one is `finish`.
    Finishing(u32),
    /// The process is dead, and what it left behind is looked for at this
    /// time.
    Clearing(u64),
    /// supervise is over.
    Gone,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A control byte came, or a signal that stands for one.
    Told(Command),
    /// The process that was asked for runs, and the record says so.
    Started(u32),
    /// It could not be made.
    NotStarted,
    /// Something that it needs is not there; it is to be looked for at this
    /// time, or when there is news of it.
    Lacking(Option<u64>),
    /// All that it needs is there.
    Met,
    /// What it needs goes down.
    Aside,
    /// Somebody who depends on it was told to be up.
    Called,
    /// Nobody that needs it is up.
    Free,
    /// Somebody is, or may be, and is to be looked for again at this time.
    Held(u64),
    /// What is to run before it runs first, and the record says so.
    Preparing(u32),
    /// That has ended.
    Prepared(Outcome),
    /// There is no program that could be the process.
    NothingToRun,
    /// The process says something of itself.
    Said(Word),
    /// The check that was asked for has ended, successfully or not, or could
    /// not be made; nothing if it was ended before it could tell.
    Checked(Option<bool>),
    /// The process is dead.
    Died(Outcome),
    /// The service is this process now.
    Main(u32),
    /// What is looked for is not there yet.
    NotFound,
    /// It never will be.
    Lost,
    /// The `finish` that was asked for runs, and the record says so.
    Finishing(u32),
    /// It could not be made.
    NotFinishing,
    /// It is dead.
    Finished(Outcome),
    /// Nothing is left of what it started.
    Cleared,
    /// Something is.
    NotCleared,
    /// Something has ended that may be what was left.
    Stirred,
    /// The status could not be written.
    NotAnnounced,
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The process has just ended: take the time for the status.
    Stamp,
    /// The process is another one now, or looked for: take the time for that.
    StampSwitch,
    /// The process is ready: take the time for that.
    StampReady,
    /// Write the status.
    Announce,
    /// Write the status with a mark that `d` is about to be carried out:
    /// whoever reads the mark has to carry it out again.
    Intend,
    /// Write the status that the machine will have when the process runs,
    /// start it, and say how it went; or start what `prepares` says is first.
    Start,
    /// As `Start`, for `finish`, or for `stop` where there is none.
    Finish,
    /// See whether what it needs is there, and say `Lacking`, `Met` or `Aside`.
    Look,
    /// See whether those that need it are gone, and say `Free` or `Held`.
    Yield,
    /// Send the process a signal, or have done what stands in for it.
    Send(Signal),
    /// Make a check, and say later how it went.
    Check,
    /// End the check that runs; nobody asks any more how it goes.
    StopCheck,
    /// Tell that the process is being ended for this.
    Blame(Fault),
    /// Let the process go on, so that it sees what was sent.
    Wake,
    /// Have done what is to follow on `d` or `x`.
    After(Command),
    /// Kill the process, which has not ended in time.
    KillLate,
    /// Kill what the process left behind, and say whether nothing is left.
    Clear,
    /// Look for the service's process, and say whether it is there.
    Follow,
    /// Execute supervise's own program anew.
    Renew,
    /// Leave.
    Exit,
}

/// Up to six actions.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    list: [Option<Action>; 6],
}

impl Actions {
    pub(super) fn of(actions: &[Action]) -> Self {
        let mut list = [None; 6];
        for (slot, action) in list.iter_mut().zip(actions) {
            *slot = Some(*action);
        }
        Self { list }
    }

    pub(super) fn add(&mut self, action: Action) {
        if let Some(slot) = self.list.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(action);
        }
    }
}

impl Actions {
    /// The same, with another one before them.
    pub(super) fn after(self, first: Option<Action>) -> Self {
        let mut all = Self::default();
        for action in first.into_iter().chain(self) {
            all.add(action);
        }
        all
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Action>, 6>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

/// Whether a program runs before the process is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Before {
    /// None does.
    #[default]
    Nothing,
    /// One does when the service comes up, and if it fails, the service does
    /// not: encore's `start`.
    First,
    /// One does each time, however it ends: runit's `control/u`.
    Always,
}

/// What the service's directory says about its process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How it is known that the process is ready.
    pub ready: ReadyBy,
    /// How long that may take, in nanoseconds; 0 for as long as it likes.
    pub ready_within: u64,
    /// How often the process is to give a sign of life, in nanoseconds; 0 for
    /// never.
    pub life_every: u64,
    /// How often its check is made when it is ready; 0 for never.
    pub check_every: u64,
    /// How long a check may take; 0 for as long as it likes.
    pub check_within: u64,
    /// After how many checks that failed in a row it is ended.
    pub check_failures: u8,
    /// What runs before the process.
    pub before: Before,
    /// Whether there is a `stop`, for when the service goes down for good.
    pub stops: bool,
    /// Whether there is a `finish`.
    pub finishes: bool,
    /// How long it may take, in nanoseconds; 0 for as long as it likes.
    pub finish_within: u64,
    /// Whether what the process leaves behind is to be ended with it.
    pub clears: bool,
    /// How long after `d` it is killed, in nanoseconds; 0 for never.
    pub kill_after: u64,
    /// What it is.
    pub kind: Kind,
    /// Whether there may be some that need it.
    pub needed: bool,
    /// Whether `x` ends it, as in runit; otherwise supervise waits for its end.
    pub exit_ends: bool,
    /// How long a service is looked for that `run` has left behind, in
    /// nanoseconds; 0 where `run` is the service.
    pub follow_within: u64,
    /// Whether and when it is started again when it ends by itself.
    pub restart: Policy,
}

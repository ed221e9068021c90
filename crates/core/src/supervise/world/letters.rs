//! What can happen in the world, and the words that are made of it.

use super::super::{SECOND, Word};
use crate::control::Command;

/// What the world does; time passes between any two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Letter {
    Told(Command),
    /// The process ends, or what runs before or after it, and that with success.
    Dies,
    /// What runs before it fails.
    Fails,
    Said(Word),
    /// The check that runs ends, successfully or not.
    CheckEnds(bool),
    /// Nothing is left behind any more, or something is again.
    Leftovers,
    ForkFails,
    StatusFails,
    /// supervise is killed, and the next one begins.
    Killed,
    /// The same, and the service with it.
    KilledBoth,
    /// Something that it needs is not there, or is again.
    Lacks,
    /// The same, and it was told to be down.
    Loses,
    /// Somebody who depends on it was told to be up.
    Called,
    /// Some that need it are up, or none is any more.
    Needed,
    /// The process has done what there was to do.
    Done,
    /// The process exits 0 and leaves the service behind.
    Forks,
    /// The same right after supervise was killed.
    ForksUnseen,
    /// It can be told which the service is, or cannot any more.
    Shows,
    Passes(u64),
}

pub(in super::super) const LETTERS: [Letter; 16] = [
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Pause),
    Letter::Told(Command::Continue),
    Letter::Told(Command::Kill),
    Letter::Told(Command::Restart),
    Letter::Dies,
    Letter::Said(Word::Ready),
    Letter::Leftovers,
    Letter::ForkFails,
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Passes(SECOND),
];

pub(in super::super) const SIGNS: [Letter; 15] = [
    Letter::Told(Command::Down),
    Letter::Told(Command::Up),
    Letter::Told(Command::Pause),
    Letter::Told(Command::Continue),
    Letter::Dies,
    Letter::Said(Word::Ready),
    Letter::Said(Word::Reloading),
    Letter::Said(Word::Stopping),
    Letter::Said(Word::Hung),
    Letter::CheckEnds(true),
    Letter::CheckEnds(false),
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Passes(SECOND),
];

pub(in super::super) const FOLLOWING: [Letter; 16] = [
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Restart),
    Letter::Told(Command::Kill),
    Letter::Dies,
    Letter::Said(Word::Ready),
    Letter::ForkFails,
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Forks,
    Letter::ForksUnseen,
    Letter::Shows,
    Letter::Passes(SECOND),
];

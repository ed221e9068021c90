//! Where what is read goes.

use crate::Entry;
use core::ops::ControlFlow;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use upkeep_core::tai::Tai64n;

/// Whether it has had enough, or why it cannot take any more.
pub type Flow = Result<ControlFlow<()>, Errno>;

/// Takes what is read.
pub trait Sink {
    /// The next line, in the order in which they are wanted.
    fn entry(&mut self, entry: &Entry<'_>) -> Flow;

    /// The next lines at once, not taken apart: with their newlines, whole but
    /// for the last one of a file, which may be torn. Only where `Wanted::blocks`
    /// asks for it.
    fn block(&mut self, source: usize, lines: &[u8]) -> Flow;

    /// Whether the line is one of those that `Wanted::last` counts.
    fn counts(&mut self, entry: &Entry<'_>) -> bool;

    /// Nothing more is there for now; what is held is to be shown.
    fn idle(&mut self) -> Result<(), Errno>;

    /// Where it goes in the end; nothing more is waited for when nobody reads
    /// that any more.
    fn output(&self) -> BorrowedFd<'_>;
}

/// Which lines are wanted, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// None before the first line of this moment or a later one.
    pub since: Option<Tai64n>,
    /// None from the first line of a later moment on.
    pub until: Option<Tai64n>,
    /// The last so many of those that count.
    pub last: Option<u64>,
    /// With `last`: so many lines before the first of them too, if none of
    /// them counts.
    pub before: u64,
    /// The newest first.
    pub reverse: bool,
    /// And what comes, for ever.
    pub follow: bool,
    /// Lines are wanted in blocks where one log alone is read forwards.
    pub blocks: bool,
}

//! A line of a log, as it is read.

use upkeep_core::tai::Tai64n;

/// A line. What it borrows is valid until the next one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// From which of the logs it is, by their order.
    pub source: usize,
    /// When it was written, if it is stamped. One that is not counts as
    /// written at the moment of the line before it.
    pub moment: Option<Tai64n>,
    /// The stamp with what separates it from the text.
    pub stamp: &'a [u8],
    /// The rest, without the newline.
    pub text: &'a [u8],
    /// Whether it has no newline at its end: the last line of a file, or a
    /// piece of one that is longer than is kept in memory.
    pub torn: bool,
}

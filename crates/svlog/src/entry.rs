//! A line of a log, as it is read.

use upkeep_core::stamp::{Reader, Stamp};
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

impl<'a> Entry<'a> {
    /// What a line says, which may or may not have its newline.
    #[must_use]
    pub fn of_line(source: usize, line: &'a [u8], stamps: &mut Stamps) -> Self {
        let (line, torn) = match line {
            [line @ .., b'\n'] => (line, false),
            line => (line, true),
        };
        let (moment, len) = stamps.of(line).map_or((None, 0), |it| (Some(it.moment), it.length));
        let (stamp, text) = line.split_at(len.min(line.len()));
        Self { source, moment, stamp, text, torn }
    }
}

/// Knows the stamps of lines.
#[derive(Clone, Debug)]
pub struct Stamps(Reader<fn(i64) -> i32>);

impl Stamps {
    /// As for `stamp::Reader`: `zone` says by how many seconds local time is
    /// ahead, and with `leaps` labels count leap seconds.
    #[must_use]
    pub const fn new(zone: fn(i64) -> i32, leaps: bool) -> Self {
        Self(Reader::new(zone, leaps))
    }

    pub(crate) fn of(&mut self, line: &[u8]) -> Option<Stamp> {
        self.0.read(line)
    }

    pub(crate) fn moment(&mut self, line: &[u8]) -> Option<Tai64n> {
        self.of(line).map(|stamp| stamp.moment)
    }
}

#[cfg(test)]
pub(crate) const UTC: Stamps = Stamps::new(|_| 0, false);

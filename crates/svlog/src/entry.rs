//! A line of a log, as it is read.

use upkeep_core::tai::{LABEL, Tai64n};

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
    pub fn of_line(source: usize, line: &'a [u8], leaps: bool) -> Self {
        let (line, torn) = match line {
            [line @ .., b'\n'] => (line, false),
            line => (line, true),
        };
        let (moment, len) = stamp_of(line, leaps).map_or((None, 0), |(at, len)| (Some(at), len));
        let (stamp, text) = line.split_at(len);
        Self { source, moment, stamp, text, torn }
    }
}

/// The moment of the stamp that a line begins with, and how long it is with
/// what separates it from the text.
pub(crate) fn stamp_of(line: &[u8], _leaps: bool) -> Option<(Tai64n, usize)> {
    let label: &[u8; LABEL] = line.first_chunk()?;
    let hex = label.strip_prefix(b"@")?;
    let mut packed = [0; 12];
    for (byte, pair) in packed.iter_mut().zip(hex.chunks_exact(2)) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    let len = LABEL + usize::from(line.get(LABEL) == Some(&b' '));
    Some((Tai64n::unpack(&packed), len))
}

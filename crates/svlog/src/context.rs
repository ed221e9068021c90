//! Lines around those that are chosen. Keeps only as many as may still be
//! wanted.

use crate::Entry;
use std::collections::VecDeque;
use upkeep_core::tai::Tai64n;

/// A line that is kept.
#[derive(Debug, Default)]
struct Held {
    source: usize,
    moment: Option<Tai64n>,
    line: Vec<u8>,
    stamp: usize,
    torn: bool,
}

impl Held {
    fn put(&mut self, entry: &Entry<'_>) {
        (self.source, self.moment, self.torn) = (entry.source, entry.moment, entry.torn);
        self.stamp = entry.stamp.len();
        self.line.clear();
        self.line.extend_from_slice(entry.stamp);
        self.line.extend_from_slice(entry.text);
    }

    fn entry(&self) -> Entry<'_> {
        let (stamp, text) = self.line.split_at(self.stamp);
        Entry { source: self.source, moment: self.moment, stamp, text, torn: self.torn }
    }
}

/// What is done with a line, in the order in which lines come.
#[derive(Debug)]
pub(crate) struct Context {
    before: usize,
    after: usize,
    held: VecDeque<Held>,
    /// So many more are wanted of those that come.
    due: usize,
    /// Whether one was left out since the last that was shown.
    gap: bool,
    any: bool,
}

impl Context {
    /// So many lines before and after each that is chosen.
    pub(crate) const fn new(before: usize, after: usize) -> Self {
        Self { before, after, held: VecDeque::new(), due: 0, gap: false, any: false }
    }

    /// Whether what is shown has to be parted.
    const fn parts(&self) -> bool {
        self.before > 0 || self.after > 0
    }

    /// A line is chosen: gives `show` what was kept for it. Says whether it is
    /// to be parted from what was shown before.
    pub(crate) fn choose(&mut self, mut show: impl FnMut(Option<&Entry<'_>>)) {
        if self.any && self.gap && self.parts() {
            show(None);
        }
        for held in self.held.drain(..) {
            show(Some(&held.entry()));
        }
        (self.any, self.gap, self.due) = (true, false, self.after);
    }

    /// A line is not chosen. Says whether it is to be shown nevertheless.
    pub(crate) fn pass(&mut self, entry: &Entry<'_>) -> bool {
        if self.due > 0 {
            self.due -= 1;
            return true;
        }
        if self.before == 0 {
            self.gap = true;
            return false;
        }
        let mut held = if self.held.len() == self.before {
            self.gap = true;
            self.held.pop_front().unwrap_or_default()
        } else {
            Held::default()
        };
        held.put(entry);
        self.held.push_back(held);
        false
    }

    /// How many of the next lines that are not chosen have to be passed in any
    /// case, and how many of the last.
    pub(crate) const fn asks(&self) -> (usize, usize) {
        (self.due, self.before)
    }

    /// Lines were left out that need not be passed.
    pub(crate) fn leave_out(&mut self) {
        self.gap = true;
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of lines of which those with an `x` are chosen.
    fn shown(before: usize, after: usize, lines: &str) -> String {
        let mut context = Context::new(before, after);
        let mut out = Vec::new();
        for text in lines.split(' ').map(str::as_bytes) {
            let entry = Entry { source: 0, moment: None, stamp: b"", text, torn: false };
            let mut show = |entry: Option<&Entry<'_>>| {
                out.push(entry.map_or("--".to_owned(), |e| String::from_utf8_lossy(e.text).into()));
            };
            if text[0] == b'x' {
                context.choose(&mut show);
                show(Some(&entry));
            } else if context.pass(&entry) {
                show(Some(&entry));
            }
        }
        out.join(" ")
    }

    #[test]
    fn as_grep_does() {
        for (before, after, lines, expected) in [
            (0, 0, "1 x2 3 x4", "x2 x4"),
            (0, 1, "1 x2 3 4 x5 x6 7 8", "x2 3 -- x5 x6 7"),
            (1, 0, "1 2 x3 4 5 x6", "2 x3 -- 5 x6"),
            (1, 0, "1 2 x3 4 x5", "2 x3 4 x5"),
            (1, 1, "1 x2 3 4 x5", "1 x2 3 4 x5"),
            (1, 1, "1 x2 3 4 5 x6", "1 x2 3 -- 5 x6"),
            (3, 0, "1 x2 x3 4 5 6 7 x8", "1 x2 x3 -- 5 6 7 x8"),
            (0, 9, "1 x2 3 4", "x2 3 4"),
            (9, 9, "1 2 3", ""),
        ] {
            assert_eq!(shown(before, after, lines), expected, "-B {before} -A {after} {lines}");
        }
    }
}

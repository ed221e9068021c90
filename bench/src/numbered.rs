//! Lines with numbers, and what became of them in a log.

use std::io::Write;

/// Bytes of a line with its end.
pub(crate) const LINE: usize = 80;
/// Bytes of a number and the space behind it.
const HEAD: usize = 11;
/// Twice the letters, so that every rotation of them is a piece of it. Another
/// number, another rotation: two halves of different lines do not fit.
const LETTERS: &[u8; 144] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=:/.-+_,;!\
abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=:/.-+_,;!";

/// Puts the line of that number behind what is in `out`.
pub(crate) fn write(number: usize, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = write!(out, "{number:010} ");
    let from = number % (LETTERS.len() / 2);
    out.extend_from_slice(&LETTERS[from..from + LINE - HEAD - 1]);
    out.push(b'\n');
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Numbers that are on no whole line.
    pub(crate) lost: usize,
    /// Whole lines whose number was on one before.
    pub(crate) doubled: usize,
    /// Lines that are no whole line.
    pub(crate) torn: usize,
}

/// Counts the lines of a log, file by file in their order.
pub(crate) struct Tally {
    seen: Vec<bool>,
    damage: Damage,
    /// The end of the file before, behind its last line feed.
    open: Vec<u8>,
}

impl Tally {
    /// For the numbers from 0 to `lines`.
    pub(crate) fn new(lines: usize) -> Self {
        Self { seen: vec![false; lines], damage: Damage::default(), open: Vec::new() }
    }

    /// The next file.
    pub(crate) fn file(&mut self, content: &[u8]) {
        let mut lines = content.split_inclusive(|&b| b == b'\n');
        if !self.open.is_empty() && !content.is_empty() {
            let head = lines.next().unwrap_or_default();
            let mut joined = std::mem::take(&mut self.open);
            joined.extend_from_slice(head);
            if number(&joined).is_some() || head.last() != Some(&b'\n') {
                self.line(&joined);
            } else {
                // Not two halves of one line: each stands for itself.
                self.damage.torn += 1;
                self.line(head);
            }
        }
        lines.for_each(|line| self.line(line));
    }

    fn line(&mut self, line: &[u8]) {
        if line.last() != Some(&b'\n') {
            self.open = line.to_vec();
            return;
        }
        match number(line).and_then(|n| self.seen.get_mut(n)) {
            Some(seen) if *seen => self.damage.doubled += 1,
            Some(seen) => *seen = true,
            None => self.damage.torn += 1,
        }
    }

    /// After the last file.
    pub(crate) fn end(mut self) -> Damage {
        self.damage.torn += usize::from(!self.open.is_empty());
        self.damage.lost = self.seen.iter().filter(|&&seen| !seen).count();
        self.damage
    }
}

/// The number of a line, if it is whole.
fn number(line: &[u8]) -> Option<usize> {
    let number = std::str::from_utf8(line.get(..HEAD - 1)?).ok()?.parse().ok()?;
    let mut whole = Vec::with_capacity(LINE);
    write(number, &mut whole);
    (whole == line).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: impl IntoIterator<Item = usize>) -> Vec<u8> {
        let mut out = Vec::new();
        numbers.into_iter().for_each(|n| write(n, &mut out));
        out
    }

    fn damage(count: usize, files: &[&[u8]]) -> (usize, usize, usize) {
        let mut tally = Tally::new(count);
        files.iter().for_each(|f| tally.file(f));
        let Damage { lost, doubled, torn } = tally.end();
        (lost, doubled, torn)
    }

    #[test]
    fn all_there_wherever_the_files_were_cut() {
        let all = lines(0..200);
        assert_eq!(all.len(), 200 * LINE);
        for cut in 0..3 * LINE {
            assert_eq!(damage(200, &[&all[..cut], &all[cut..]]), (0, 0, 0), "cut at {cut}");
            assert_eq!(damage(200, &[&all[..cut], b"", &all[cut..]]), (0, 0, 0));
        }
        assert_eq!(damage(200, &[&all[..90], &all[90..100], &all[100..]]), (0, 0, 0));
    }

    #[test]
    fn lost_and_doubled() {
        assert_eq!(damage(10, &[&lines(0..7)]), (3, 0, 0));
        assert_eq!(damage(10, &[&lines(0..7), &lines(5..10)]), (0, 2, 0));
        assert_eq!(damage(10, &[]), (10, 0, 0));
    }

    #[test]
    fn a_torn_line_is_one_and_not_there() {
        let all = lines(0..10);
        // The end of a line is missing, in the middle, between files, at the end.
        let gap = [&all[..LINE + 40], &all[3 * LINE..]].concat();
        assert_eq!(damage(10, &[&gap]), (3, 0, 1));
        assert_eq!(damage(10, &[&all[..LINE + 40], &all[3 * LINE..]]), (2, 0, 1));
        assert_eq!(damage(10, &[&all[..10 * LINE - 1]]), (1, 0, 1));
        // The beginning of the next one too: two halves.
        assert_eq!(damage(10, &[&all[..LINE + 40], &all[3 * LINE + 9..]]), (3, 0, 2));
        // Halves of the right length do not fit either.
        assert_eq!(damage(10, &[&all[..LINE + 40], &all[3 * LINE + 40..]]), (3, 0, 2));
        // A number that was never written.
        assert_eq!(damage(9, &[&all]), (0, 0, 1));
    }
}

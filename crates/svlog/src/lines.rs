//! Lines out of what is read in large pieces. Keeps no more of a line than
//! `LONGEST`: of a longer one it makes several, all but the last torn.

use core::ops::Range;
use memchr::{memchr, memrchr};

/// As much of a line as is kept in memory.
pub(crate) const LONGEST: usize = 1 << 20;
/// How much is read at once.
const ROOM: usize = 128 * 1024;

/// What has been read and not been taken yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Up to where there is no newline.
    looked: usize,
}

impl Lines {
    /// Takes the next line, if all of it is there or as much as is kept.
    pub(crate) fn take(&mut self) -> Option<Range<usize>> {
        let end = match memchr(b'\n', &self.buffer[self.looked..self.to]) {
            Some(end) => self.looked + end + 1,
            None if self.to - self.from >= LONGEST => self.to,
            None => {
                self.looked = self.to;
                return None;
            }
        };
        Some(self.take_to(end))
    }

    /// Takes all whole lines that are there, or as much of one as is kept.
    pub(crate) fn take_all(&mut self) -> Option<Range<usize>> {
        let end = match memrchr(b'\n', &self.buffer[self.looked..self.to]) {
            Some(end) => self.looked + end + 1,
            None if self.to - self.from >= LONGEST => self.to,
            None => {
                self.looked = self.to;
                return None;
            }
        };
        Some(self.take_to(end))
    }

    /// Takes what is left when there is nothing more to read.
    pub(crate) fn take_rest(&mut self) -> Option<Range<usize>> {
        (self.from < self.to).then(|| self.take_to(self.to))
    }

    fn take_to(&mut self, end: usize) -> Range<usize> {
        let line = self.from..end;
        (self.from, self.looked) = (end, end);
        line
    }

    /// What was taken, until there is something to be read.
    pub(crate) fn get(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// Forgets what is left.
    pub(crate) fn clear(&mut self) {
        (self.from, self.to, self.looked) = (0, 0, 0);
    }

    /// Where to read to, when no whole line is left. What was taken is gone.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let left = self.to - self.from;
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            self.looked -= self.from;
            (self.from, self.to) = (0, left);
        }
        if self.buffer.len() - left < ROOM / 2 {
            let larger = (self.buffer.len() * 2).clamp(ROOM, LONGEST + ROOM);
            self.buffer.resize(larger, 0);
        }
        &mut self.buffer[left..]
    }

    /// So much has been read.
    pub(crate) fn filled(&mut self, len: usize) {
        self.to += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(lines: &mut Lines, mut bytes: &[u8], step: usize, out: &mut Vec<Vec<u8>>) {
        loop {
            while let Some(line) = lines.take() {
                out.push(lines.get(line).to_vec());
            }
            if bytes.is_empty() {
                return;
            }
            let room = lines.room();
            let len = room.len().min(step).min(bytes.len());
            room[..len].copy_from_slice(&bytes[..len]);
            bytes = &bytes[len..];
            lines.filled(len);
        }
    }

    #[test]
    fn lines_come_whole_however_they_are_read() {
        let text = b"one\n\ntwo\0\xff\nthree\nrest";
        for step in 1..=text.len() {
            let (mut lines, mut out) = (Lines::default(), Vec::new());
            feed(&mut lines, text, step, &mut out);
            assert_eq!(out, [&b"one\n"[..], b"\n", b"two\0\xff\n", b"three\n"], "{step}");
            let rest = lines.take_rest().unwrap();
            assert_eq!(lines.get(rest), b"rest");
            assert_eq!(lines.take_rest(), None);
        }
    }

    #[test]
    fn all_whole_lines_at_once() {
        let mut lines = Lines::default();
        lines.room()[..9].copy_from_slice(b"one\ntwo\nx");
        lines.filled(9);
        let block = lines.take_all().unwrap();
        assert_eq!(lines.get(block), b"one\ntwo\n");
        assert_eq!(lines.take_all(), None);
        lines.room()[..2].copy_from_slice(b"y\n");
        lines.filled(2);
        let block = lines.take_all().unwrap();
        assert_eq!(lines.get(block), b"xy\n");
    }

    #[test]
    fn of_a_gigantic_line_pieces_come_and_little_is_kept() {
        let text = [&vec![b'x'; 5 * LONGEST][..], b"\nnext\n"].concat();
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        feed(&mut lines, &text, usize::MAX, &mut out);
        assert_eq!(out.concat(), text);
        assert_eq!(out.last().unwrap(), b"next\n");
        assert!(out.len() <= 7 && out.iter().all(|piece| piece.len() <= LONGEST + ROOM));
        assert!(lines.buffer.len() <= LONGEST + ROOM);
    }
}

//! What goes to a log and is not written yet.

use rustix::io::Result;
use upkeep_sys::newline::{BLOCK, newlines};
use upkeep_sys::pages::Pages;

/// The kernel copies fastest what is as far from the beginning of a page here
/// as it will be in the file.
const PAGE: usize = 4096;
/// As much room is worth a page more for that.
const MUCH: usize = 4 * PAGE;

/// The bytes, in their order. At first they only wait; those that have passed
/// belong to current, and can be written.
#[derive(Debug)]
pub(crate) struct Gathered {
    room: Pages,
    start: usize,
    passed: usize,
    end: usize,
}

impl Gathered {
    /// Room for at least `len` bytes.
    pub(crate) fn new(len: usize) -> Result<Self> {
        let more = if len < MUCH { 0 } else { PAGE };
        Ok(Self { room: Pages::new(len + more)?, start: 0, passed: 0, end: 0 })
    }

    /// How many bytes there can be.
    pub(crate) fn room(&self) -> usize {
        self.room.len() - self.start
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Those that belong to current.
    pub(crate) fn passed(&self) -> &[u8] {
        &self.room[self.start..self.passed]
    }

    /// The others.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.room[self.passed..self.end]
    }

    /// Whether there is room for `n` more.
    #[inline]
    pub(crate) fn fits(&self, n: usize) -> bool {
        n <= self.room.len() - self.end
    }

    #[inline]
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.room[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Adds whole lines, each behind `front`, as far as there is room. Answers
    /// how many bytes of `lines` these are, and how many there are more now.
    // In a place of its own it is made to be fast; in that of its caller it
    // would be made small.
    #[inline(never)]
    pub(crate) fn add_lines(&mut self, front: &[u8], lines: &[u8]) -> (usize, usize) {
        let (blocks, rest) = lines.as_chunks::<BLOCK>();
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let mut to = &mut self.room[self.end..];
        let (room, mut start) = (to.len(), 0);
        'all: for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let mut found = newlines(block);
            while found != 0 {
                let line = &lines[start..number * BLOCK + found.trailing_zeros() as usize + 1];
                if front.len() + line.len() > to.len() {
                    break 'all;
                }
                let (first, rest) = to.split_at_mut(front.len());
                let (second, rest) = rest.split_at_mut(line.len());
                copy(first, front);
                copy(second, line);
                to = rest;
                start += line.len();
                found &= found - 1;
            }
        }
        let made = room - to.len();
        self.end += made;
        (start, made)
    }

    /// The next `n` of those that wait belong to current.
    #[inline]
    pub(crate) const fn pass(&mut self, n: usize) {
        self.passed += n;
    }

    /// Those that belonged to current are in it, and the next ones come where
    /// it has this size.
    pub(crate) fn written(&mut self, size: u64) {
        let waiting = self.passed..self.end;
        let offset = (size % PAGE as u64) as usize;
        self.start = if self.room.len() < MUCH { 0 } else { offset };
        self.passed = self.start;
        self.end = self.start + waiting.len();
        self.room.copy_within(waiting, self.start);
    }

    /// Nothing will come for a while.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() {
            self.room.give_back(0);
        }
    }
}

/// Copies as many bytes as there are. With so few, a call would take most of
/// the time.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        64..=128 => copy_ends::<64>(to, from),
        32..64 => copy_ends::<32>(to, from),
        16..32 => copy_ends::<16>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first `N` bytes and the last, which may overlap.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No byte like another one near it.
    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|n| b'a' + (n % 23) as u8).collect()
    }

    #[test]
    fn every_length_is_copied_and_nothing_beside_it() {
        for len in 0..300 {
            let mut to = vec![b'.'; len + 2];
            copy(&mut to[1..=len], &text(len));
            let all = [b".", &text(len)[..], b"."].concat();
            assert_eq!(to, all, "{len}");
        }
    }

    #[test]
    fn lines_come_behind_their_front_as_far_as_there_is_room() {
        for len in 0..200 {
            let line = [&text(len)[..], b"\n"].concat();
            for front in [&b""[..], b"@400000006b0874b2282a513c ", &text(70)] {
                let one = [front, &line].concat();
                for whole in 0..4 {
                    for short in [0, 1, one.len() - 1] {
                        let room = (one.len() * (whole + 1)).saturating_sub(short).max(1);
                        let mut gathered = Gathered::new(room).unwrap();
                        let fits = room / one.len();
                        let taken = gathered.add_lines(front, &line.repeat(4));
                        let fits = fits.min(4);
                        assert_eq!(taken, (fits * line.len(), fits * one.len()));
                        assert_eq!(gathered.waiting(), one.repeat(fits));
                    }
                }
            }
        }
    }

    #[test]
    fn what_waits_stays_and_comes_as_far_into_a_page_as_the_file_is() {
        for (room, offset) in [(MUCH, 904), (MUCH - 1, 0)] {
            let mut gathered = Gathered::new(room).unwrap();
            gathered.add(b"passed, waiting");
            gathered.pass(8);
            assert_eq!(
                (gathered.passed(), gathered.waiting()),
                (&b"passed, "[..], &b"waiting"[..])
            );
            gathered.written(5000);
            assert_eq!((gathered.passed(), gathered.waiting()), (&b""[..], &b"waiting"[..]));
            assert_eq!(gathered.start, offset);
            assert!(gathered.room() >= room && gathered.fits(room - 7));
            assert!(!gathered.fits(gathered.room() - 6));
            gathered.pass(7);
            gathered.written(5007);
            assert!(gathered.is_empty());
        }
    }
}

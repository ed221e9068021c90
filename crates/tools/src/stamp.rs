//! Putting a stamp in front of every line. Knows no clock: the stamp is given,
//! and it is that of the moment when the piece of input came in.

use memchr::memchr;
use upkeep_core::tai::LABEL;

/// The stamp and the space behind it.
pub type Stamp = [u8; LABEL + 1];

/// Where in a line the last piece ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamper {
    within_line: bool,
}

impl Stamper {
    /// Gives `out` the bytes of `input` with `stamp` before each line that
    /// begins in it.
    #[inline]
    pub fn feed<E>(
        &mut self,
        stamp: &Stamp,
        mut input: &[u8],
        mut out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !input.is_empty() {
            if !self.within_line {
                out(stamp)?;
            }
            let newline = memchr(b'\n', input);
            let (line, rest) = input.split_at(newline.map_or(input.len(), |at| at + 1));
            out(line)?;
            self.within_line = newline.is_none();
            input = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_core::tai::Tai64n;

    fn stamp(second: i64) -> Stamp {
        let mut stamp = [b' '; LABEL + 1];
        stamp[..LABEL].copy_from_slice(&Tai64n::from_unix(second, 0).label());
        stamp
    }

    fn stamped(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut all, mut stamper) = (Vec::new(), Stamper::default());
        for (second, piece) in pieces.iter().enumerate() {
            let stamp = stamp(i64::try_from(second).unwrap());
            let written: Result<(), ()> = stamper.feed(&stamp, piece, |bytes| {
                all.extend_from_slice(bytes);
                Ok(())
            });
            written.unwrap();
        }
        all
    }

    #[test]
    fn every_line_has_the_stamp_of_its_first_byte() {
        let expected = [&stamp(0)[..], b"a", b"b\n", &stamp(1), b"c\n", &stamp(1), b"\n"].concat();
        assert_eq!(stamped(&[b"a", b"b\nc\n\n"]), expected);
    }

    #[test]
    fn a_line_without_end_gets_none() {
        assert_eq!(stamped(&[b"a"]), [&stamp(0)[..], b"a"].concat());
        assert_eq!(stamped(&[b""]), b"");
    }

    #[test]
    fn where_the_pieces_end_does_not_matter() {
        let text = b"one\n\ntwo\0\xff\nthree";
        for first in 0..text.len() {
            let (head, tail) = text.split_at(first);
            let mut whole = stamped(&[&[], text]);
            let mut parts = stamped(&[head, tail]);
            for all in [&mut whole, &mut parts] {
                // Second 0 and second 1 are 2^62 + 10 and 2^62 + 11.
                all.iter_mut().for_each(|b| *b = if *b == b'b' { b'a' } else { *b });
            }
            assert_eq!(parts, whole, "cut at {first}");
        }
    }

    #[test]
    fn a_failure_ends_it() {
        assert_eq!(Stamper::default().feed(&stamp(0), b"a\nb\n", |_| Err(5)), Err(5));
    }
}

//! The names of old logs: `@`, the 24 digits of the moment they were closed,
//! a dot and a letter. By name is by age, since the digits are in order.

use crate::keeping::Program;
use crate::recovery::Ending;
use crate::tai::{LABEL, Tai64n};
use core::ffi::CStr;

/// The size of a whole name.
pub const NAME: usize = LABEL + 2;
/// As long as any name in a directory can be.
const LONGEST: usize = 255;

/// The name of a log that was closed at `moment`.
#[must_use]
pub fn name(moment: Tai64n, ending: Ending) -> [u8; NAME] {
    let mut out = [b'.'; NAME];
    out[..LABEL].copy_from_slice(&moment.label());
    out[NAME - 1] = match ending {
        Ending::Safe => b's',
        Ending::Unfinished => b'u',
    };
    out
}

/// Whether a name is that of an old log, made here or by anybody else.
#[must_use]
pub fn is_archive(name: &[u8]) -> bool {
    name.first() == Some(&b'@') && name.len() >= LABEL
}

/// The name of an old log that was made here and is not compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plain {
    /// With the zero that ends it.
    name: [u8; NAME + 1],
}

/// The size of a compressed log's name, and of the zeros behind it.
const COMPRESSED: usize = NAME + 5;

impl Plain {
    /// This name, if it is one.
    #[must_use]
    pub fn of(name: &CStr) -> Option<Self> {
        let name: [u8; NAME + 1] = name.to_bytes_with_nul().try_into().ok()?;
        let (label, code) = name.split_at(LABEL);
        let is_one = label.starts_with(b"@")
            && label[1..].iter().all(u8::is_ascii_hexdigit)
            && (code == b".s\0" || code == b".u\0");
        is_one.then_some(Self { name })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.name).unwrap_or_default()
    }

    /// The name of what a program makes of it, and its size; there is a zero
    /// behind it.
    #[must_use]
    pub fn compressed(&self, program: Program) -> ([u8; COMPRESSED], usize) {
        let suffix: &[u8] = match program {
            Program::Gzip => b".gz",
            Program::Zstd => b".zst",
        };
        let mut out = [0; COMPRESSED];
        out[..NAME].copy_from_slice(&self.name[..NAME]);
        out[NAME..NAME + suffix.len()].copy_from_slice(suffix);
        (out, NAME + suffix.len())
    }
}

/// Stamps for names: true to the clock, except that none comes twice and none
/// goes back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamps {
    last: Tai64n,
}

impl Stamps {
    /// The next stamp, when the clock shows `now`.
    pub fn next(&mut self, now: Tai64n) -> Tai64n {
        let soonest = if self.last.nanos < 999_999_999 {
            Tai64n { nanos: self.last.nanos + 1, ..self.last }
        } else {
            Tai64n { seconds: self.last.seconds.wrapping_add(1), nanos: 0 }
        };
        self.last = now.max(soonest);
        self.last
    }
}

/// Goes through the names in a directory: how many old logs there are, and
/// which are the oldest. It knows as many of these as have room on a stack.
#[derive(Clone, Debug)]
pub struct Census {
    count: u64,
    oldest: [Name; KNOWN],
}

/// So many go at the most before there is another count.
const KNOWN: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Name {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Name {
    fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Default for Census {
    fn default() -> Self {
        Self { count: 0, oldest: [Name { bytes: [0; LONGEST], len: 0 }; KNOWN] }
    }
}

impl Census {
    /// Takes notice of one name; says whether it is that of an old log.
    pub fn see(&mut self, name: &[u8]) -> bool {
        if !is_archive(name) || name.len() > LONGEST {
            return false;
        }
        let known = self.known();
        let place = self.oldest[..known].partition_point(|older| older.get() < name);
        if place < KNOWN {
            let last = known.min(KNOWN - 1);
            self.oldest.copy_within(place..last, place + 1);
            let slot = &mut self.oldest[place];
            slot.bytes[..name.len()].copy_from_slice(name);
            slot.len = name.len();
        }
        self.count += 1;
        true
    }

    /// How many old logs there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The oldest of them, the very oldest first.
    pub fn oldest(&self) -> impl Iterator<Item = &[u8]> {
        self.oldest[..self.known()].iter().map(Name::get)
    }

    /// Whether there are more than those.
    #[must_use]
    pub const fn is_cut_off(&self) -> bool {
        self.count > KNOWN as u64
    }

    fn known(&self) -> usize {
        usize::try_from(self.count).unwrap_or(KNOWN).min(KNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_of_time() {
        let early = name(Tai64n::from_unix(1, 2), Ending::Unfinished);
        let late = name(Tai64n::from_unix(1, 3), Ending::Safe);
        assert_eq!(&early, b"@400000000000000b00000002.u");
        assert!(early < late && is_archive(&early));
        assert!(!is_archive(b"@400000000000000b0000000"));
        assert!(is_archive(b"@400000000000000b00000000"));
        assert!(!is_archive(b"current") && !is_archive(b""));
    }

    #[test]
    fn plain_ones_are_ours_and_not_compressed() {
        let plain = Plain::of(c"@400000000000000b00000002.s").unwrap();
        assert!(plain < Plain::of(c"@400000000000000b00000003.u").unwrap());
        for (program, wanted) in [
            (Program::Gzip, &b"@400000000000000b00000002.s.gz"[..]),
            (Program::Zstd, b"@400000000000000b00000002.s.zst"),
        ] {
            let (name, len) = plain.compressed(program);
            assert_eq!(&name[..len], wanted);
            assert_eq!(name[len], 0);
            assert!(is_archive(wanted) && plain.name().to_bytes() < wanted);
        }
        for other in [
            c"@400000000000000b00000002.s.gz",
            c"@400000000000000b00000002.t",
            c"@400000000000000b0000000x.s",
            c"@400000000000000b00000002",
            c"current",
            c"",
        ] {
            assert_eq!(Plain::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn stamps_only_go_forward() {
        let mut stamps = Stamps::default();
        let now = Tai64n::from_unix(5, 999_999_998);
        assert_eq!(stamps.next(now), now);
        assert_eq!(stamps.next(now), Tai64n::from_unix(5, 999_999_999));
        assert_eq!(stamps.next(Tai64n::from_unix(0, 0)), Tai64n::from_unix(6, 0));
        assert_eq!(stamps.next(Tai64n::from_unix(7, 7)), Tai64n::from_unix(7, 7));
    }

    #[test]
    fn the_oldest_come_first() {
        extern crate std;
        use std::vec::Vec;
        let mut census = Census::default();
        assert_eq!((census.count(), census.oldest().next()), (0, None));
        let mut all = Vec::new();
        for late in [50, 30, 90, 40, 60, 10, 70, 80, 20, 65, 5] {
            all.push(name(Tai64n::from_unix(late, 0), Ending::Safe));
            all.sort_unstable();
            assert!(census.see(&name(Tai64n::from_unix(late, 0), Ending::Safe)));
            assert!(!census.see(b"current") && !census.see(b"@short"));
            assert_eq!(census.count(), all.len() as u64);
            let known = &all[..all.len().min(KNOWN)];
            assert!(census.oldest().eq(known.iter().map(|name| &name[..])), "{late}");
            assert_eq!(census.is_cut_off(), all.len() > KNOWN);
        }
    }

    #[test]
    fn a_name_keeps_its_length() {
        let mut census = Census::default();
        let short = b"@400000000000000b00000002";
        let long = [&short[..], b".s.zst"].concat();
        extern crate std;
        assert!(census.see(&long) && census.see(short));
        assert!(census.oldest().eq([&short[..], &long]));
    }
}

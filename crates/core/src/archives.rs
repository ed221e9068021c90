//! The names of old logs: `@`, the 24 digits of the moment they were closed,
//! a dot and a letter. By name is by age, since the digits are in order.

use crate::recovery::Ending;
use crate::tai::{LABEL, Tai64n};

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
/// which is the oldest.
#[derive(Clone, Debug)]
pub struct Census {
    count: u64,
    oldest: [u8; LONGEST],
    len: usize,
}

impl Default for Census {
    fn default() -> Self {
        Self { count: 0, oldest: [0; LONGEST], len: 0 }
    }
}

impl Census {
    /// Takes notice of one name.
    pub fn see(&mut self, name: &[u8]) {
        if !is_archive(name) || name.len() > LONGEST {
            return;
        }
        if self.count == 0 || name < &self.oldest[..self.len] {
            self.oldest[..name.len()].copy_from_slice(name);
            self.len = name.len();
        }
        self.count += 1;
    }

    /// How many old logs must go so that there are fewer than `keep`.
    #[must_use]
    pub fn surplus(&self, keep: u64) -> u64 {
        (self.count + 1).saturating_sub(keep)
    }

    /// The oldest of them.
    #[must_use]
    pub fn oldest(&self) -> &[u8] {
        &self.oldest[..self.len]
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
    fn stamps_only_go_forward() {
        let mut stamps = Stamps::default();
        let now = Tai64n::from_unix(5, 999_999_998);
        assert_eq!(stamps.next(now), now);
        assert_eq!(stamps.next(now), Tai64n::from_unix(5, 999_999_999));
        assert_eq!(stamps.next(Tai64n::from_unix(0, 0)), Tai64n::from_unix(6, 0));
        assert_eq!(stamps.next(Tai64n::from_unix(7, 7)), Tai64n::from_unix(7, 7));
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut census = Census::default();
        assert_eq!((census.surplus(2), census.oldest()), (0, &b""[..]));
        for late in [5, 3, 9, 4] {
            census.see(&name(Tai64n::from_unix(late, 0), Ending::Safe));
            census.see(b"current");
            census.see(b"@short");
        }
        assert_eq!(census.oldest(), name(Tai64n::from_unix(3, 0), Ending::Safe));
        assert_eq!([2, 4, 5, 6, 10].map(|keep| census.surplus(keep)), [3, 1, 0, 0, 0]);
    }
}

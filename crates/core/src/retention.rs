//! Which old logs go, beside those that are too many: what all may take
//! together, how old one may become, how much of the file system is to stay
//! free. The oldest go first, and current never does. It looks at no file.

use crate::tai::{LABEL, Tai64n};

/// How much of the file system is to stay free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths of it.
    Percent(u8),
}

impl Floor {
    /// In bytes, where the file system has `whole` of them.
    #[must_use]
    pub fn bytes(self, whole: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                let bytes = u128::from(whole) * u128::from(percent) / 100;
                u64::try_from(bytes).unwrap_or(u64::MAX)
            }
        }
    }
}

/// What old logs may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fewer than this many.
    pub files: u64,
    /// At most so many bytes together.
    pub total: Option<u64>,
    /// Closed at most so many seconds ago.
    pub age: Option<u64>,
}

/// Why old logs are removed to make room, and when that ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// So many bytes must be free.
    pub free: u64,
    /// No fewer old logs than this are left for that.
    pub least: u64,
}

/// All old logs of a directory, and the file system's free bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// How many logs.
    pub files: u64,
    /// What is in them.
    pub bytes: u64,
    /// What is free.
    pub free: u64,
}

/// The oldest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oldest {
    /// When it was closed, in seconds since 1970.
    pub closed: i64,
    /// What is in it.
    pub bytes: u64,
    /// What its end would free.
    pub held: u64,
}

impl Limits {
    /// Whether the oldest has to go, when the clock shows `now`. For room it
    /// need not if its end makes none.
    #[must_use]
    pub fn end(&self, stock: &Stock, oldest: &Oldest, need: &Need, now: i64) -> bool {
        stock.files >= self.files
            || self.total.is_some_and(|total| stock.bytes > total)
            || self.left(oldest, now) == Some(0)
            || (stock.free < need.free && stock.files > need.least && oldest.held > 0)
    }

    /// In how many seconds the oldest is too old. One that was closed in the
    /// time to come is as young as one can be.
    #[must_use]
    pub fn left(&self, oldest: &Oldest, now: i64) -> Option<u64> {
        let age = now.saturating_sub(oldest.closed).max(0).unsigned_abs();
        // At its age it is not yet older than that.
        self.age.map(|most| (most + 1).saturating_sub(age))
    }
}

impl Stock {
    /// What is left without the oldest. A file system may take its time to
    /// say that something is free; it is counted here.
    #[must_use]
    pub const fn without(self, oldest: &Oldest) -> Self {
        Self {
            files: self.files.saturating_sub(1),
            bytes: self.bytes.saturating_sub(oldest.bytes),
            free: self.free.saturating_add(oldest.held),
        }
    }
}

/// When an old log was closed, in seconds since 1970, by its name: nothing if
/// what is behind the `@` is no label.
#[must_use]
pub fn closed(name: &[u8]) -> Option<i64> {
    let digits = name.get(1..LABEL)?.iter().map(|&digit| char::from(digit).to_digit(16));
    let mut seconds = 0_u64;
    for (place, digit) in digits.enumerate() {
        let digit = digit?;
        if place < 16 {
            seconds = seconds << 4 | u64::from(digit);
        }
    }
    Some(Tai64n { seconds, nanos: 0 }.to_unix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archives;
    use crate::recovery::Ending;

    const NOW: i64 = 1_000_000;

    fn limits() -> Limits {
        Limits { files: 100, total: None, age: None }
    }

    /// Old logs of these sizes, the oldest first and a second apart; what is
    /// left of them.
    fn left(sizes: &[u64], limits: Limits, need: Need, free: u64) -> usize {
        let bytes = sizes.iter().sum();
        let mut stock = Stock { files: sizes.len() as u64, bytes, free };
        let mut at = 0;
        while let Some(&bytes) = sizes.get(at) {
            let closed = NOW - i64::try_from(sizes.len() - at).unwrap();
            let oldest = Oldest { closed, bytes, held: bytes };
            if !limits.end(&stock, &oldest, &need, NOW) {
                break;
            }
            stock = stock.without(&oldest);
            at += 1;
        }
        sizes.len() - at
    }

    #[test]
    fn each_limit_alone() {
        let sizes = [50, 40, 30, 20, 10];
        let none = Need::default();
        for (files, wanted) in [(100, 5), (6, 5), (5, 4), (2, 1), (1, 0)] {
            assert_eq!(left(&sizes, Limits { files, ..limits() }, none, 0), wanted);
        }
        for (total, wanted) in [(150, 5), (149, 4), (100, 4), (60, 3), (10, 1), (9, 0), (0, 0)] {
            let limits = Limits { total: Some(total), ..limits() };
            assert_eq!(left(&sizes, limits, none, 0), wanted, "{total}");
        }
        for (age, wanted) in [(5, 5), (4, 4), (1, 1), (0, 0)] {
            let limits = Limits { age: Some(age), ..limits() };
            assert_eq!(left(&sizes, limits, none, 0), wanted, "{age}");
        }
        for (free, least, wanted) in
            [(0, 0, 5), (10, 0, 4), (50, 0, 4), (51, 0, 3), (999, 0, 0), (999, 3, 3), (999, 9, 5)]
        {
            assert_eq!(left(&sizes, limits(), Need { free, least }, 0), wanted, "{free} {least}");
        }
    }

    #[test]
    fn what_makes_no_room_stays() {
        let stock = Stock { files: 9, bytes: 900, free: 0 };
        let need = Need { free: 50, least: 0 };
        let oldest = Oldest { closed: NOW, bytes: 100, held: 0 };
        assert!(!limits().end(&stock, &oldest, &need, NOW));
        assert!(limits().end(&stock, &Oldest { held: 1, ..oldest }, &need, NOW));
        assert!(Limits { files: 9, ..limits() }.end(&stock, &oldest, &need, NOW));
    }

    #[test]
    fn an_age_is_not_reached_before_it_is_passed() {
        let limits = Limits { age: Some(60), ..limits() };
        let closed = |closed| Oldest { closed, ..Oldest::default() };
        assert_eq!(limits.left(&closed(NOW), NOW), Some(61));
        assert_eq!(limits.left(&closed(NOW - 60), NOW), Some(1));
        assert_eq!(limits.left(&closed(NOW - 61), NOW), Some(0));
        // Closed tomorrow, as a clock that was wrong has it.
        assert_eq!(limits.left(&closed(NOW + 86_400), NOW), Some(61));
        assert_eq!(limits.left(&closed(i64::MIN), i64::MAX), Some(0));
    }

    #[test]
    fn a_floor_is_a_part_or_a_number() {
        assert_eq!(Floor::Bytes(7).bytes(1000), 7);
        assert_eq!(Floor::Percent(5).bytes(1000), 50);
        assert_eq!(Floor::Percent(100).bytes(u64::MAX), u64::MAX);
    }

    #[test]
    fn names_say_when() {
        let name = archives::name(Tai64n::from_unix(12_345, 6), Ending::Safe);
        assert_eq!(closed(&name), Some(12_345));
        assert_eq!(closed(b"@4000000000003043zzzzzzzz.s"), None);
        assert_eq!(closed(b"@4000"), None);
    }
}

//! A limit to how many lines pass in a time. The time begins with the first
//! line that comes when none runs; what is over the limit until it ends is
//! left out and counted.

use crate::tai::Tai64n;

/// So many lines, in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At least 1.
    pub lines: u64,
    /// At least 1.
    pub seconds: u64,
}

/// What has come in the time that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// When it began, in nanoseconds since 1970; 0 if none runs.
    pub began: u64,
    /// How many lines have passed.
    pub passed: u64,
    /// How many were left out.
    pub left_out: u64,
}

impl Rate {
    /// Ends the time if it is over. Answers how many lines were left out in
    /// it, if any were.
    #[must_use]
    pub fn over(&mut self, limit: Limit, now: Tai64n) -> Option<u64> {
        // A clock that was put back would have it last for ever.
        if self.left(limit, now).is_some() { None } else { self.end() }
    }

    /// How many nanoseconds of the time are left; nothing if none runs, or if
    /// the clock was put back behind its beginning.
    #[must_use]
    pub fn left(&self, limit: Limit, now: Tai64n) -> Option<u64> {
        let passed = nanoseconds(now).checked_sub(self.began).filter(|_| self.began != 0)?;
        limit.seconds.saturating_mul(SECOND).checked_sub(passed).filter(|left| *left > 0)
    }

    /// Ends the time. Answers as `over`.
    #[must_use]
    pub fn end(&mut self) -> Option<u64> {
        Some(core::mem::take(self).left_out).filter(|&lines| lines > 0)
    }

    /// Whether a line passes that comes now, after `over`.
    #[must_use]
    pub fn admits(&mut self, limit: Limit, now: Tai64n) -> bool {
        if self.began == 0 {
            self.began = nanoseconds(now);
        }
        let passes = self.passed < limit.lines;
        self.passed += u64::from(passes);
        self.left_out += u64::from(!passes);
        passes
    }
}

const SECOND: u64 = 1_000_000_000;

/// Since 1970, and more than none.
fn nanoseconds(moment: Tai64n) -> u64 {
    let seconds = u64::try_from(moment.to_unix()).unwrap_or(0);
    seconds.saturating_mul(SECOND).saturating_add(moment.nanos.into()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tai64n {
        Tai64n::from_unix(i64::try_from(seconds).unwrap(), 5)
    }

    #[test]
    fn as_many_as_it_says() {
        let limit = Limit { lines: 2, seconds: 10 };
        let mut rate = Rate::default();
        // When a line comes, whether it passes, and what is said before it.
        for (when, passes, said) in [
            (100, true, None),
            (100, true, None),
            (109, false, None),
            (109, false, None),
            (110, true, Some(2)),
            (150, true, None),
            (150, true, None),
            (151, false, None),
            // The clock goes back.
            (20, true, Some(1)),
            (29, true, None),
            (29, false, None),
        ] {
            assert_eq!(rate.over(limit, at(when)), said, "{when}");
            assert_eq!(rate.admits(limit, at(when)), passes, "{when}");
        }
        assert_eq!([rate.end(), rate.end()], [Some(1), None]);
    }

    /// Whatever comes: of the lines in any run of the time no more pass than
    /// the limit, and each line has passed or is counted once.
    #[test]
    fn all_short_words_of_times() {
        let limit = Limit { lines: 2, seconds: 3 };
        for word in 0..4_u32.pow(7) {
            let mut rate = Rate::default();
            let (mut now, mut passed, mut said) = (100, 0, 0);
            for n in 0..7 {
                now += u64::from(word / 4_u32.pow(n) % 4);
                said += rate.over(limit, at(now)).unwrap_or(0);
                passed += u64::from(rate.admits(limit, at(now)));
                assert!(rate.passed <= 2 && rate.left(limit, at(now)).is_some(), "{word}");
            }
            assert_eq!(passed + said + rate.left_out, 7, "{word}");
        }
    }
}

//! When a log is ended by the clock on the wall: at an age, and where an hour,
//! a day, a week or a month ends. That clock may jump: a log that seems to
//! have begun later than now has begun now. It reads no clock and knows no
//! time zone.

/// The moment a log began and this one differ in this, and it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to that of the next.
    Month,
}

/// A moment on the clock on the wall where this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The seconds since 1970 that a clock would show which is set to the
    /// local time and knows no zones.
    pub seconds: i64,
    /// The day of the month, 1 to 31.
    pub day: u8,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// 1970 began on a Thursday.
const MONDAY: i64 = 4 * DAY;

impl Local {
    /// The date and the time of day.
    #[must_use]
    pub fn new(year: i64, month: u8, day: u8, second_of_day: u32) -> Self {
        // Years that begin in March end with the day that comes and goes.
        let (months, year) =
            if month > 2 { (i64::from(month) - 3, year) } else { (i64::from(month) + 9, year - 1) };
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = year * 365 + leaps + (153 * months + 2) / 5 + i64::from(day) - 1;
        Self { seconds: (days - 719_468) * DAY + i64::from(second_of_day), day }
    }
}

impl Period {
    /// The first moment of the period that `moment` is in.
    const fn begin(self, moment: Local) -> i64 {
        let Local { seconds, day } = moment;
        match self {
            Self::Hour => seconds - seconds.rem_euclid(HOUR),
            Self::Day => seconds - seconds.rem_euclid(DAY),
            Self::Week => seconds - (seconds - MONDAY).rem_euclid(WEEK),
            Self::Month => seconds - seconds.rem_euclid(DAY) - (day as i64 - 1) * DAY,
        }
    }

    /// How many seconds there are at least until the next one begins, if the
    /// clock is not set meanwhile.
    const fn left(self, moment: Local) -> u64 {
        let Local { seconds, .. } = moment;
        let left = match self {
            Self::Hour => HOUR - seconds.rem_euclid(HOUR),
            // How long a month is shows when it ends.
            Self::Day | Self::Month => DAY - seconds.rem_euclid(DAY),
            Self::Week => WEEK - (seconds - MONDAY).rem_euclid(WEEK),
        };
        left.unsigned_abs()
    }
}

/// What ends a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clockwork {
    /// Its age in seconds.
    pub age: Option<u64>,
    /// The end of a period.
    pub period: Option<Period>,
}

/// What the clock says of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is to be ended.
    End,
    /// It is to be looked at again after so many seconds at the latest, and
    /// it began then.
    Wait {
        /// How long.
        seconds: u64,
        /// When it is to be taken to have begun.
        begun: i64,
    },
}

impl Clockwork {
    /// Whether anything is asked of the clock.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.age.is_some() || self.period.is_some()
    }

    /// Judges a log whose first line came at `begun`, when the clock shows
    /// `now`, in seconds since 1970. `local` says what is shown where this
    /// is; if it cannot, that is what is shown in Greenwich.
    pub fn judge(&self, begun: i64, now: i64, local: impl Fn(i64) -> Local) -> Verdict {
        let begun = begun.min(now);
        let mut seconds = u64::MAX;
        if let Some(age) = self.age {
            let is = now.abs_diff(begun);
            if is >= age {
                return Verdict::End;
            }
            seconds = age - is;
        }
        if let Some(period) = self.period {
            let (then, now_there) = (local(begun), local(now));
            // In autumn an hour comes twice.
            let shift = (then.seconds - begun) != (now_there.seconds - now);
            if period.begin(then) != period.begin(now_there) || (period == Period::Hour && shift) {
                return Verdict::End;
            }
            seconds = seconds.min(period.left(now_there));
        }
        Verdict::Wait { seconds, begun }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_774_699_200; // 2026-03-28 12:00 in Greenwich, a Saturday

    /// Greenwich, with the day of the month by counting.
    fn greenwich(seconds: i64) -> Local {
        const OF_2026: i64 = 1_767_225_600;
        let (mut year, mut month, mut day) = (2026, 1_u8, 1_u8);
        for _ in 0..(seconds - OF_2026).div_euclid(DAY) {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + u8::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
        let of_day = u32::try_from(seconds.rem_euclid(DAY)).unwrap();
        let local = Local::new(year, month, day, of_day);
        assert_eq!(local, Local { seconds, day }, "{year}-{month}-{day}");
        local
    }

    /// Berlin in 2026: summer from March 29 to October 25, at 1:00 in Greenwich.
    fn berlin(seconds: i64) -> Local {
        let summer = (1_774_746_000..1_792_890_000).contains(&seconds);
        let local = greenwich(seconds + if summer { 2 * HOUR } else { HOUR });
        Local { seconds: local.seconds, ..local }
    }

    fn by(period: Period) -> Clockwork {
        Clockwork { age: None, period: Some(period) }
    }

    #[test]
    fn dates_are_counted() {
        for (year, month, day, seconds) in [
            (1970, 1, 1, 0),
            (2000, 2, 29, 951_782_400),
            (2026, 3, 28, NOON - 12 * HOUR),
            (1969, 12, 31, -DAY),
            (2100, 3, 1, 4_107_542_400),
        ] {
            assert_eq!(Local::new(year, month, day, 0).seconds, seconds, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn an_age_is_reached() {
        let clock = Clockwork { age: Some(100), period: None };
        let wait = |seconds, begun| Verdict::Wait { seconds, begun };
        assert_eq!(clock.judge(1000, 1000, greenwich), wait(100, 1000));
        assert_eq!(clock.judge(1000, 1099, greenwich), wait(1, 1000));
        assert_eq!(clock.judge(1000, 1100, greenwich), Verdict::End);
        // Set back, the clock begins to count anew; set forward, it ends once.
        assert_eq!(clock.judge(1000, 10, greenwich), wait(100, 10));
        assert_eq!(clock.judge(1000, 9_999_999, greenwich), Verdict::End);
        assert_eq!(clock.judge(9_999_999, 9_999_999, greenwich), wait(100, 9_999_999));
    }

    #[test]
    fn periods_end() {
        for (period, first, last) in [
            (Period::Hour, NOON, NOON + HOUR - 1),
            (Period::Day, NOON - 12 * HOUR, NOON + 12 * HOUR - 1),
            (Period::Week, NOON - 12 * HOUR - 5 * DAY, NOON + 12 * HOUR + DAY - 1),
            (Period::Month, NOON - 12 * HOUR - 27 * DAY, NOON + 12 * HOUR + 3 * DAY - 1),
        ] {
            let clock = by(period);
            let Verdict::Wait { seconds, .. } = clock.judge(first, last, greenwich) else {
                panic!("{period:?} ends early")
            };
            assert_eq!(seconds, 1);
            assert_eq!(clock.judge(first, last + 1, greenwich), Verdict::End, "{period:?}");
            assert_eq!(clock.judge(first - 1, first, greenwich), Verdict::End, "{period:?}");
        }
    }

    /// Lives through `days` days from `from` on, always writing and always
    /// looking when it was told to, and answers when logs ended.
    fn ends(clock: Clockwork, from: i64, until: i64) -> std::vec::Vec<i64> {
        let (mut now, mut begun) = (from, from);
        let mut ends = std::vec::Vec::new();
        while now < until {
            match clock.judge(begun, now, berlin) {
                Verdict::End => {
                    ends.push(now);
                    begun = now;
                }
                Verdict::Wait { seconds, begun: then } => {
                    assert!(seconds > 0);
                    begun = then;
                    now += i64::try_from(seconds.min(600)).unwrap();
                }
            }
        }
        ends
    }

    extern crate std;

    #[test]
    fn days_of_23_and_of_25_hours() {
        // From noon before, in Greenwich.
        let spring = ends(by(Period::Day), NOON, NOON + 3 * DAY);
        let midnight = NOON + 11 * HOUR;
        let hours = [0, 23, 23 + 24].map(|hours| midnight + hours * HOUR);
        assert_eq!(spring, hours);
        let noon = 1_792_843_200; // 2026-10-24 12:00
        let autumn = ends(by(Period::Day), noon, noon + 3 * DAY);
        let midnight = noon + 10 * HOUR;
        assert_eq!(autumn, [0, 25, 25 + 24].map(|hours| midnight + hours * HOUR));
        // And every hour ends, the one that comes twice too.
        for from in [NOON, noon] {
            let all = ends(by(Period::Hour), from + 1, from + DAY + 1);
            let wanted: std::vec::Vec<_> = (1..=24).map(|n| from + n * HOUR).collect();
            assert_eq!(all, wanted);
        }
    }

    /// All walks of jumps: whatever the clock does, there is one end for each
    /// look at the most, and always one within a period after it stands.
    #[test]
    fn a_clock_that_jumps() {
        const JUMPS: [i64; 7] = [0, 1, -1, 61, -HOUR, DAY, -40 * DAY];
        let clocks = [
            by(Period::Hour),
            by(Period::Day),
            Clockwork { age: Some(1800), period: None },
            Clockwork { age: Some(90_000), period: Some(Period::Day) },
        ];
        for clock in clocks {
            for walk in 0..JUMPS.len().pow(4) {
                let (mut now, mut begun) = (NOON + 1790, NOON);
                let mut rest = walk;
                for _ in 0..4 {
                    now += JUMPS[rest % JUMPS.len()];
                    rest /= JUMPS.len();
                    match clock.judge(begun, now, greenwich_fast) {
                        Verdict::End => {
                            begun = now;
                            let again = clock.judge(begun, now, greenwich_fast);
                            assert!(matches!(again, Verdict::Wait { seconds: 1.., .. }));
                        }
                        Verdict::Wait { seconds, begun: then } => {
                            assert!(seconds > 0 && then <= now);
                            begun = then;
                        }
                    }
                }
                let longest = if clock.period == Some(Period::Hour) { HOUR } else { DAY };
                assert_eq!(clock.judge(begun, now + longest, greenwich_fast), Verdict::End);
            }
        }
    }

    /// Greenwich without the month, for periods that need none.
    fn greenwich_fast(seconds: i64) -> Local {
        Local { seconds, day: 1 }
    }

    #[test]
    fn without_words_the_clock_ends_nothing() {
        let clock = Clockwork::default();
        assert!(!clock.is_set() && by(Period::Day).is_set());
        let wait = Verdict::Wait { seconds: u64::MAX, begun: 0 };
        assert_eq!(clock.judge(0, NOON, greenwich), wait);
    }
}

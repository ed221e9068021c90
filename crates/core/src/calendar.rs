//! Days, dates and times of day. Knows no time zone: whoever has one gives the
//! seconds by which its clock is ahead.

/// The seconds of a day.
pub const DAY: i64 = 86_400;
const OF_400_YEARS: i64 = 146_097;
/// The days from 0000-03-01 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// A date and a time of day, as one clock shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 0 to 9999.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 86399.
    pub second: u64,
}

impl Civil {
    /// What a clock shows so many seconds after its 1970 began, for the years
    /// that have four digits.
    #[must_use]
    pub fn at(seconds: i64) -> Option<Self> {
        let (year, month, day) = date(seconds.div_euclid(DAY))?;
        Some(Self { year, month, day, second: seconds.rem_euclid(DAY).cast_unsigned() })
    }
}

/// The year, month and day so many days after 1970 began. Counted from a
/// first of March, so that the day that some years have more is the last.
#[must_use]
pub fn date(days: i64) -> Option<(u64, u64, u64)> {
    let days = days.checked_add(TO_1970)?;
    let (era, day) = (days.div_euclid(OF_400_YEARS), days.rem_euclid(OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let year = u64::try_from(year).ok().filter(|year| *year < 10_000)?;
    let day = day - (153 * march + 2) / 5 + 1;
    Some((year, month.cast_unsigned(), day.cast_unsigned()))
}

/// The days from 1970 to a date, or nothing where no calendar has it.
#[must_use]
pub fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let most = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > most {
        return None;
    }
    let (year, month) =
        if month < 3 { (i64::from(year) - 1, month + 9) } else { (year.into(), month - 3) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = i64::from((153 * month + 2) / 5 + day - 1);
    Some(era * OF_400_YEARS + year * 365 + year / 4 - year / 100 + of_year - TO_1970)
}

/// The moment at which a clock shows what would be `local` seconds after 1970
/// if it were not ahead. `zone` says by how many seconds it is ahead at a
/// moment. What it shows twice is the first time; what it never shows, because
/// it was put forward, is as long after that as it would have been.
pub fn moment_of(local: i64, zone: &mut impl FnMut(i64) -> i32) -> i64 {
    // No clock is changed twice in two days.
    let before = i64::from(zone(local.saturating_sub(DAY)));
    let after = i64::from(zone(local.saturating_add(DAY)));
    let (first, second) = (local.saturating_sub(before), local.saturating_sub(after));
    if before == after || i64::from(zone(first)) == before || i64::from(zone(second)) != after {
        first
    } else {
        second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before_and_comes_back() {
        let mut last = date(-719_528).unwrap();
        assert_eq!(last, (0, 1, 1));
        for day in -719_527..200_000 {
            let next = date(day).unwrap();
            let (year, month, of_month) = last;
            let same = (year, month, of_month + 1);
            let fits = [same, (year, month + 1, 1), (year + 1, 1, 1)].contains(&next);
            assert!(fits && next.1 <= 12 && next.2 <= 31, "{last:?} {next:?}");
            let small = |n: u64| u32::try_from(n).unwrap();
            assert_eq!(days(small(next.0), small(next.1), small(next.2)), Some(day));
            last = next;
        }
        assert_eq!(last, (2517, 7, 31));
    }

    #[test]
    fn dates_that_are_none() {
        for (year, month, day) in [
            (2026, 0, 1),
            (2026, 13, 1),
            (2026, 1, 0),
            (2026, 1, 32),
            (2026, 2, 29),
            (2100, 2, 29),
            (2026, 4, 31),
        ] {
            assert_eq!(days(year, month, day), None, "{year} {month} {day}");
        }
        assert!(days(2024, 2, 29).is_some() && days(2000, 2, 29).is_some());
    }

    /// An hour ahead, and two between 1000000 and 2000000.
    fn summer(moment: i64) -> i32 {
        if (1_000_000..2_000_000).contains(&moment) { 7200 } else { 3600 }
    }

    #[test]
    fn clocks_that_are_changed() {
        for moment in [0, 999_999, 1_000_000, 1_500_000, 1_999_999, 2_003_600, 3_000_000] {
            let local = moment + i64::from(summer(moment));
            assert_eq!(moment_of(local, &mut summer), moment, "{moment}");
        }
        // Shown twice: the first time.
        assert_eq!(moment_of(2_000_000 + 3600, &mut summer), 2_000_000 - 3600);
        // Never shown.
        assert_eq!(moment_of(1_000_000 + 3600, &mut summer), 1_000_000);
        assert_eq!(moment_of(1_000_000 + 5400, &mut summer), 1_001_800);
        for end in [i64::MIN, i64::MAX] {
            let _ = moment_of(end, &mut summer);
        }
    }

    #[test]
    fn a_clock_that_is_behind() {
        for moment in [-1, 0, 86_399, 86_400] {
            assert_eq!(moment_of(moment - 18_000, &mut |_| -18_000), moment);
        }
    }
}

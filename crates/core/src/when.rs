//! Times as people say them: `2026-11-26 10:15`, `yesterday 14:00`, `2 hours
//! ago`, a label from a log. Reads no clock: now is given, and so is by how
//! many seconds local time is ahead.

mod date;
mod length;

use crate::stamp::decimals;
use crate::tai::{LABEL, Tai64n};
use core::fmt;

/// What can be said, for whoever said something else.
pub const EXAMPLES: &str = "\"2 hours ago\", -90s, today, \"yesterday 14:00\", monday, 10:15, \
    \"2026-11-26 10:15\", 2026-11-26T10:15:00Z, @1795688777";

/// What is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear<'a> {
    /// Nothing was said.
    Nothing,
    /// This word.
    Word(&'a [u8]),
    /// No calendar has this date, or no clock this time.
    Never(&'a [u8]),
    /// This number has no unit, such as in `2h`.
    NoUnit(&'a [u8]),
    /// This is one time too many.
    Second(&'a [u8]),
    /// It is too far away.
    Far,
}

impl Unclear<'_> {
    /// What is wrong, and the word that it is about, if it is about one.
    #[must_use]
    pub const fn parts(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Nothing => ("it is empty", b""),
            Self::Word(word) => ("unknown word ", word),
            Self::Never(word) => ("no calendar or clock has ", word),
            Self::NoUnit(word) => ("no unit such as h behind ", word),
            Self::Second(word) => ("one word too many: ", word),
            Self::Far => ("it is too far away", b""),
        }
    }
}

impl fmt::Display for Unclear<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, word) = self.parts();
        write!(out, "{what}{}", word.escape_ascii())
    }
}

impl core::error::Error for Unclear<'_> {}

/// The moment that `text` means, said at `now`. A length of time, with `ago` or
/// a minus or neither, is before now, and with a plus behind it. A day is its
/// beginning; a time of day is today's.
pub fn read(
    text: &[u8],
    now: Tai64n,
    mut zone: impl FnMut(i64) -> i32,
) -> Result<Tai64n, Unclear<'_>> {
    let text = text.trim_ascii();
    match text {
        [] => Err(Unclear::Nothing),
        [b'@', digits @ ..] => {
            label(text).or_else(|| since_1970(digits, 1)).ok_or(Unclear::Word(text))
        }
        [b'-', rest @ ..] => length::before(rest, now),
        [b'+', rest @ ..] => length::after(rest, now),
        text if text.eq_ignore_ascii_case(b"now") => Ok(now),
        text if length::is_one(text) => {
            since_1970(text, 9).map_or_else(|| length::before(text, now), Ok)
        }
        text => date::read(text, now, &mut zone),
    }
}

/// A label as it is in a log, in either case.
fn label(text: &[u8]) -> Option<Tai64n> {
    let digits = text.get(1..).filter(|_| text.len() == LABEL)?;
    let mut all = 0_u128;
    for digit in digits {
        all = all << 4 | u128::from(char::from(*digit).to_digit(16)?);
    }
    let [_, _, _, _, packed @ ..] = all.to_be_bytes();
    // TAI64 has no seconds beyond.
    Some(Tai64n::unpack(&packed)).filter(|at| at.nanos < 1_000_000_000 && at.seconds >> 63 == 0)
}

/// Seconds since 1970, of at least so many digits, with or without decimals.
fn since_1970(text: &[u8], least: usize) -> Option<Tai64n> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits);
    let (b"", nanos, _) = decimals(rest)? else { return None };
    // More would not fit, and nobody means them.
    (least..=18).contains(&digits).then(|| {
        let seconds = whole.iter().fold(0, |all, digit| all * 10 + i64::from(digit - b'0'));
        Tai64n::from_unix(seconds, nanos)
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// 2026-11-26 10:26:17.5 UTC, a Thursday; 11:26:17.5 where it is said.
    const NOW: Tai64n = Tai64n::from_unix(1_795_688_777, 500_000_000);
    const SECOND: i64 = 1;
    const MINUTE: i64 = 60;
    const HOUR: i64 = 3600;
    const DAY: i64 = 86_400;
    /// When that day began there.
    const TODAY: i64 = 1_795_647_600;

    /// As in Berlin in 2026.
    fn zone(moment: i64) -> i32 {
        if (1_774_746_000..1_792_890_000).contains(&moment) { 7200 } else { 3600 }
    }

    fn moment(text: &str) -> Result<Tai64n, Unclear<'_>> {
        read(text.as_bytes(), NOW, zone)
    }

    fn all(expected: Tai64n, texts: &[&str]) {
        for text in texts {
            assert_eq!(moment(text), Ok(expected), "{text}");
        }
    }

    fn unix(seconds: i64) -> Tai64n {
        Tai64n::from_unix(seconds, 0)
    }

    fn ago(seconds: i64) -> Tai64n {
        Tai64n::from_unix(NOW.to_unix() - seconds, NOW.nanos)
    }

    #[test]
    fn lengths_of_time() {
        all(NOW, &["now", " NOW ", "0s", "-0s", "0 seconds ago", "+0h"]);
        all(ago(2 * HOUR), &["2 hours ago", "2h ago", "-2h", "2h", "2 HOURS", "- 2 hrs", "120m"]);
        all(ago(90 * SECOND), &["90s", "-90s", "90 sec ago", "1m30s", "1.5 min ago", "1m 30s ago"]);
        all(ago(90 * MINUTE), &["1h30m ago", "1 hour, 30 minutes ago", "1.5h", "1h30min"]);
        all(ago(90 * MINUTE), &["1 hour and 30 minutes ago"]);
        all(ago(3 * DAY), &["3 days ago", "3d", "-3d", "72h"]);
        all(ago(14 * DAY), &["2 weeks ago", "2w", "14 day ago"]);
        all(ago(HOUR), &["an hour ago", "1 hour ago", "60 minutes ago"]);
        all(ago(MINUTE), &["a minute ago"]);
        all(ago(-5 * MINUTE), &["+5m", "+5 minutes", "+ 300 s"]);
        all(Tai64n::from_unix(NOW.to_unix(), 250_000_000), &["250ms", "0.25s ago"]);
        all(Tai64n::from_unix(NOW.to_unix() - 1, 999_999_999), &["500.000001ms"]);
    }

    #[test]
    fn days() {
        all(unix(TODAY), &["today", "Today 00:00", "2026-11-26", "midnight", "thursday", "THU"]);
        all(unix(TODAY - DAY), &["yesterday", "wednesday", "wed", "2026-11-25 0:00"]);
        all(unix(TODAY + DAY), &["tomorrow", "2026-11-27"]);
        all(unix(TODAY - 3 * DAY), &["monday", "mon", "last monday"]);
        all(unix(TODAY - 6 * DAY), &["friday", "fri"]);
        all(unix(TODAY - 4 * DAY + 9 * HOUR), &["sunday 9:00", "9:00 sunday", "sun 09:00:00"]);
        all(unix(TODAY - DAY + 14 * HOUR), &["yesterday 14:00", "yesterday, 14:00"]);
        all(unix(TODAY + 12 * HOUR), &["noon", "today noon", "12:00"]);
    }

    #[test]
    fn dates_and_times() {
        let at = unix(TODAY + 10 * HOUR + 15 * MINUTE);
        all(at, &["10:15", "10:15:00", "today 10:15", "2026-11-26 10:15", "2026-11-26T10:15:00"]);
        all(at, &["2026-11-26T09:15Z", "2026-11-26 09:15 UTC", "2026-11-26 09:15:00.000Z"]);
        all(at, &["2026-11-26T11:15:00+02:00", "2026-11-26 04:15 -05:00", "09:15 utc"]);
        all(at, &["2026-11-26_09:15:00.00000"]);
        all(unix(TODAY + 10 * HOUR + 15 * MINUTE + 30), &["10:15:30", "2026-11-26t10:15:30"]);
        let precise = Tai64n::from_unix(TODAY, 123_456_789);
        all(precise, &["00:00:00.123456789", "2026-11-25T23:00:00.123456789Z"]);
        all(precise, &[&std::format!("@{:x}075bcd15", crate::tai::EPOCH + TODAY as u64)]);
        all(precise, &["@1795647600.123456789", "1795647600.123456789"]);
        all(unix(1_234_567_890), &["@1234567890", "1234567890"]);
        all(Tai64n::from_unix(1_234_567_890, 500_000_000), &["@1234567890.5"]);
        all(unix(5), &["@5"]);
    }

    #[test]
    fn days_on_which_the_clock_is_changed() {
        // 25 hours long; 2:30 comes twice.
        let long = 1_792_879_200;
        all(unix(long), &["2026-10-25"]);
        all(unix(long + 25 * HOUR), &["2026-10-26"]);
        all(unix(long + 2 * HOUR + 30 * MINUTE), &["2026-10-25 02:30"]);
        all(unix(long + 4 * HOUR), &["2026-10-25 03:00"]);
        // 23 hours; 2:30 never comes.
        let short = 1_774_738_800;
        all(unix(short), &["2026-03-29"]);
        all(unix(short + 23 * HOUR), &["2026-03-30"]);
        all(unix(short + 2 * HOUR + 30 * MINUTE), &["2026-03-29 02:30", "2026-03-29 03:30"]);
        // Yesterday is the day before, not 24 hours before.
        let said = read(b"yesterday", unix(long + 25 * HOUR + 600), zone);
        assert_eq!(said, Ok(unix(long)));
    }

    #[test]
    fn what_is_unclear() {
        use Unclear::{Far, Never, NoUnit, Nothing, Second, Word};
        for (text, why) in [
            ("", Nothing),
            ("  ", Nothing),
            ("-", Nothing),
            ("ago", Word(b"ago")),
            ("yesterdai", Word(b"yesterdai")),
            ("2 houres ago", Word(b"houres")),
            ("2h agoo", Word(b"agoo")),
            ("2h ago 3m", Second(b"3m")),
            ("+2h ago", Second(b"ago")),
            ("5", NoUnit(b"5")),
            ("-5", NoUnit(b"5")),
            ("5 6h", NoUnit(b"5")),
            ("20261126", NoUnit(b"20261126")),
            ("1.h", Word(b"1.h")),
            ("2026-02-30", Never(b"2026-02-30")),
            ("2026-13-01 10:00", Never(b"2026-13-01")),
            ("25:00", Never(b"25:00")),
            ("10:60", Never(b"10:60")),
            ("10:15:61", Never(b"10:15:61")),
            ("2026-11-26T24:00", Never(b"2026-11-26T24:00")),
            ("2026-11-26T", Word(b"2026-11-26T")),
            ("2026-11-26x", Word(b"2026-11-26x")),
            ("2026-11", Word(b"2026-11")),
            ("10:15x", Word(b"10:15x")),
            ("10:15:", Word(b"10:15:")),
            ("10:1", Word(b"10:1")),
            ("10:15 11:15", Second(b"11:15")),
            ("today monday", Second(b"monday")),
            ("today UTC", Second(b"UTC")),
            ("10:15Z UTC", Second(b"UTC")),
            ("now 10:15", Word(b"now")),
            ("last", Word(b"last")),
            ("last 10:15", Word(b"last")),
            ("@", Word(b"@")),
            ("@12x", Word(b"@12x")),
            ("@1234567890123456789", Word(b"@1234567890123456789")),
            ("@c00000000000000000000000", Word(b"@c00000000000000000000000")),
            ("@400000000000000affffffff", Word(b"@400000000000000affffffff")),
            ("@40000000000000000000000g", Word(b"@40000000000000000000000g")),
            ("99999999999999999999w", Far),
            ("9999999999999w", Far),
            ("\u{1f600}", Word("\u{1f600}".as_bytes())),
        ] {
            assert_eq!(moment(text), Err(why), "{text}");
        }
    }

    #[test]
    fn what_is_said_about_it() {
        assert_eq!(moment("5").unwrap_err().to_string(), "no unit such as h behind 5");
        assert_eq!(moment("\x1b").unwrap_err().to_string(), "unknown word \\x1b");
    }

    #[test]
    fn the_examples_are_understood() {
        for example in EXAMPLES.split(", ") {
            assert!(moment(example.trim_matches('"')).is_ok(), "{example}");
        }
    }
}

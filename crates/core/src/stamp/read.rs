//! Recognising the stamp at the beginning of a line. What does not look exactly
//! as a logger writes it is no stamp, but text.

use super::{Kind, hex};
use crate::calendar::{self, DAY};
use crate::leap;
use crate::tai::{LABEL, Tai64n};

/// What the beginning of a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was written.
    pub moment: Tai64n,
    /// What it looks like.
    pub kind: Kind,
    /// How long it is, with the separator behind it. A line may end before
    /// that.
    pub length: usize,
}

/// As much of a date as stays the same for a minute: `2026-11-26T10:26`.
const MINUTE: usize = 16;

/// A minute that was worked out, as it is written and as it is meant.
#[derive(Clone, Copy, Debug)]
struct Minute {
    text: [u8; MINUTE],
    unix: i64,
}

impl Minute {
    const NONE: Self = Self { text: [0; MINUTE], unix: 0 };
}

/// Reads stamps, and remembers the last minute: the next line's is mostly the
/// same.
#[derive(Clone, Debug)]
pub struct Reader<Z> {
    zone: Z,
    leaps: bool,
    utc: Minute,
    local: Minute,
}

impl<Z: FnMut(i64) -> i32> Reader<Z> {
    /// `zone` says by how many seconds local time is ahead at a Unix time.
    /// `leaps` is for the labels of s6, which count leap seconds.
    pub const fn new(zone: Z, leaps: bool) -> Self {
        Self { zone, leaps, utc: Minute::NONE, local: Minute::NONE }
    }

    /// The stamp that a line begins with, if it does.
    #[inline]
    pub fn read(&mut self, line: &[u8]) -> Option<Stamp> {
        match line.first()? {
            b'@' => {
                let stamp = label(line)?;
                let moment = if self.leaps { leap::without(stamp.moment) } else { stamp.moment };
                Some(Stamp { moment, ..stamp })
            }
            b'0'..=b'9' => self.date(line).or_else(|| seconds(line)),
            _ => None,
        }
    }

    /// A stamp that is a date and a time of day.
    fn date(&mut self, line: &[u8]) -> Option<Stamp> {
        let (text, rest) = line.split_first_chunk::<MINUTE>()?;
        let between = text[10];
        if !matches!(between, b'T' | b't' | b'_' | b' ') {
            return None;
        }
        let (rest, second) = second(rest)?;
        let (rest, nanos, decimals) = decimals(rest)?;
        let (kind, behind, ahead) = match (between, decimals) {
            (b'_', 5) => (Kind::Underscore, rest, 0),
            (b' ', 9) => (Kind::Local, rest, 0),
            (b'T' | b't', _) => match zone(rest) {
                Some((behind, ahead)) => (Kind::Rfc, behind, ahead),
                None if decimals == 5 => (Kind::Tee, rest, 0),
                None => return None,
            },
            _ => return None,
        };
        let wide = usize::from(kind == Kind::Local && behind.starts_with(b"  "));
        let length = line.len() - behind.len() + separator(behind)? + wide;
        let minute = if kind == Kind::Local { self.local(text)? } else { self.utc(text)? };
        let moment = Tai64n::from_unix(minute + i64::from(second) - i64::from(ahead), nanos);
        Some(Stamp { moment, kind, length })
    }

    fn utc(&mut self, text: &[u8; MINUTE]) -> Option<i64> {
        if self.utc.text != *text {
            self.utc = Minute { text: *text, unix: minute(text)? };
        }
        Some(self.utc.unix)
    }

    fn local(&mut self, text: &[u8; MINUTE]) -> Option<i64> {
        if self.local.text != *text {
            let unix = calendar::moment_of(minute(text)?, &mut self.zone);
            self.local = Minute { text: *text, unix };
        }
        Some(self.local.unix)
    }
}

/// A label.
#[inline]
fn label(line: &[u8]) -> Option<Stamp> {
    let (label, behind) = line.split_first_chunk::<LABEL>()?;
    let [_, a, b, c, d, e, f, g, h, rest @ ..] = *label;
    let [i, j, k, l, m, n, o, p, nanos @ ..] = rest;
    let high = hex::number([a, b, c, d, e, f, g, h])?;
    let low = hex::number([i, j, k, l, m, n, o, p])?;
    let nanos = hex::number(nanos)?;
    // Beyond that there is no second, and TAI64 has no label.
    if nanos > 999_999_999 || high >> 31 != 0 {
        return None;
    }
    let moment = Tai64n { seconds: u64::from(high) << 32 | u64::from(low), nanos };
    Some(Stamp { moment, kind: Kind::Label, length: LABEL + separator(behind)? })
}

/// Seconds since 1970, which have nine digits since 1973, and nine decimals.
fn seconds(line: &[u8]) -> Option<Stamp> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(9..=11).contains(&digits) {
        return None;
    }
    let (whole, rest) = line.split_at(digits);
    let whole = whole.iter().fold(0, |all, digit| all * 10 + i64::from(digit - b'0'));
    let (behind, nanos, 9) = decimals(rest)? else { return None };
    let length = line.len() - behind.len() + separator(behind)?;
    Some(Stamp { moment: Tai64n::from_unix(whole, nanos), kind: Kind::Seconds, length })
}

/// The length of the separator: none where the line ends.
fn separator(behind: &[u8]) -> Option<usize> {
    match behind.first() {
        Some(b' ') => Some(1),
        Some(b'\n') | None => Some(0),
        Some(_) => None,
    }
}

/// The Unix time at which `2026-11-26T10:26` begins in UTC.
fn minute(text: &[u8; MINUTE]) -> Option<i64> {
    let [a, b, c, d, b'-', e, f, b'-', g, h, _, i, j, b':', k, l] = *text else { return None };
    let days = calendar::days(two(a, b)? * 100 + two(c, d)?, two(e, f)?, two(g, h)?)?;
    let (hour, minute) = (two(i, j)?, two(k, l)?);
    (hour < 24 && minute < 60).then(|| days * DAY + i64::from(hour * 3600 + minute * 60))
}

/// `:17`, and what is behind it. There are leap seconds.
fn second(text: &[u8]) -> Option<(&[u8], u32)> {
    let [b':', a, b, rest @ ..] = text else { return None };
    Some((rest, two(*a, *b).filter(|second| *second <= 60)?))
}

/// `.123`, up to nine digits: what is behind it, the nanoseconds, and how many
/// digits there were.
pub(crate) fn decimals(text: &[u8]) -> Option<(&[u8], u32, usize)> {
    let Some((b'.', rest)) = text.split_first() else { return Some((text, 0, 0)) };
    let (mut nanos, mut count) = (0, 0);
    while let Some(digit) = rest.get(count).filter(|byte| byte.is_ascii_digit()) {
        if count == 9 {
            return None;
        }
        nanos = nanos * 10 + u32::from(digit - b'0');
        count += 1;
    }
    let missing = u32::try_from(9 - count).ok()?;
    (count > 0).then(|| (&rest[count..], nanos * 10_u32.pow(missing), count))
}

/// `Z` or `+01:00`: what is behind it, and by how many seconds it is ahead.
pub(crate) fn zone(text: &[u8]) -> Option<(&[u8], i32)> {
    let (sign, text) = match text.split_first()? {
        (b'Z' | b'z', rest) => return Some((rest, 0)),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let [a, b, b':', c, d, rest @ ..] = text else { return None };
    let (hours, minutes) = (two(*a, *b)?, two(*c, *d)?);
    let ahead = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    (hours < 24 && minutes < 60).then_some((rest, sign * ahead))
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::leap;

    const HOUR: i32 = 3600;

    fn read(line: &[u8]) -> Option<Stamp> {
        Reader::new(|_| HOUR, false).read(line)
    }

    #[test]
    fn each_kind() {
        let at = |nanos| Tai64n::from_unix(1_795_688_777, nanos);
        let label = [&at(123_456_789).label()[..], b" text"].concat();
        for (line, nanos, kind, length) in [
            (&label[..], 123_456_789, Kind::Label, 26),
            (b"1795688777.123456789 text", 123_456_789, Kind::Seconds, 21),
            (b"2026-11-26T10:26:17Z text", 0, Kind::Rfc, 21),
            (b"2026-11-26T10:26:17.1Z text", 100_000_000, Kind::Rfc, 23),
            (b"2026-11-26t10:26:17.123456789z text", 123_456_789, Kind::Rfc, 31),
            (b"2026-11-26T11:26:17.123+01:00 text", 123_000_000, Kind::Rfc, 30),
            (b"2026-11-26T04:56:17-05:30 text", 0, Kind::Rfc, 26),
            (b"2026-11-26T10:26:17.00001Z text", 10_000, Kind::Rfc, 27),
            (b"2026-11-26_10:26:17.12345 text", 123_450_000, Kind::Underscore, 26),
            (b"2026-11-26T10:26:17.12345 text", 123_450_000, Kind::Tee, 26),
            (b"2026-11-26 11:26:17.123456789  text", 123_456_789, Kind::Local, 31),
            (b"2026-11-26 11:26:17.123456789 text", 123_456_789, Kind::Local, 30),
        ] {
            let stamp = Stamp { moment: at(nanos), kind, length };
            assert_eq!(read(line), Some(stamp), "{}", line.escape_ascii());
            assert_eq!(&line[length..], b"text");
            // The line may have no text, and no separator.
            let ended = line[..length].trim_ascii_end();
            assert_eq!(read(ended).map(|s| s.length), Some(ended.len()));
            let ended = [ended, b"\n"].concat();
            assert_eq!(read(&ended).map(|s| s.length), Some(ended.len() - 1));
            // But nothing else in its place, and nothing may be missing.
            let ended = [ended.trim_ascii_end(), b"x"].concat();
            assert_eq!(read(&ended), None, "{}", ended.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_stamp() {
        for line in [
            &b""[..],
            b"@",
            b"text",
            b" 2026-11-26T10:26:17Z text",
            b"@400000006a7dbb2e075bcd1",
            b"@400000006A7DBB2E075BCD15 text",
            b"@400000006a7dbb2effffffff text",
            b"@c00000006a7dbb2e00000000 text",
            b"@400000006a7dbb2e075bcd15: text",
            b"2026-11-26",
            b"2026-11-26T10:26:17 text",
            b"2026-11-26T10:26:17.Z text",
            b"2026-11-26T10:26:17.1234567890Z text",
            b"2026-11-26T10:26:17.123456 text",
            b"2026-11-26_10:26:17.123 text",
            b"2026-11-26 10:26:17.123 text",
            b"2026-11-26 10:26:17Z text",
            b"2026-11-26T24:26:17Z text",
            b"2026-11-26T10:60:17Z text",
            b"2026-11-26T10:26:61Z text",
            b"2026-11-31T10:26:17Z text",
            b"2026-13-26T10:26:17Z text",
            b"2026-11-26T10:26:17+24:00 text",
            b"2026-11-26T10:26:17+01:60 text",
            b"2026-11-26T10:26:17+0100 text",
            b"2026/11/26T10:26:17Z text",
            b"2026-1x-26T10:26:17Z text",
            b"1795688777 text",
            b"1795688777.123 text",
            b"12345678.123456789 text",
            b"123456789012.123456789 text",
        ] {
            assert_eq!(read(line), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_minute_that_is_remembered_is_the_right_one() {
        let mut reader = Reader::new(|moment| if moment < 1_795_688_760 { HOUR } else { 0 }, false);
        let mut at = |line: &[u8]| reader.read(line).map(|stamp| stamp.moment.to_unix());
        let utc = b"2026-11-26T10:26:17Z x";
        assert_eq!(at(utc), Some(1_795_688_777));
        assert_eq!(at(b"2026-11-26T11:26:18+01:00 x"), Some(1_795_688_778));
        assert_eq!(at(b"2026-11-26T10:26:17.00000 x"), Some(1_795_688_777));
        assert_eq!(at(b"2026-11-26_10:26:17.00000 x"), Some(1_795_688_777));
        // In local time the same minute is another one.
        assert_eq!(at(b"2026-11-26 10:26:17.000000000  x"), Some(1_795_688_777 - 3600));
        assert_eq!(at(b"2026-11-26 10:26:18.000000000  x"), Some(1_795_688_778 - 3600));
        assert_eq!(at(b"2026-11-26 10:27:18.000000000  x"), Some(1_795_688_838 - 3600));
        assert_eq!(at(b"2026-11-26 11:27:18.000000000  x"), Some(1_795_688_838 + 3600));
        assert_eq!(at(utc), Some(1_795_688_777));
        assert_eq!(at(b"2026-11-2xT10:26:17Z x"), None);
        assert_eq!(at(b"2026-12-31T23:59:60Z x"), Some(1_798_761_600));
        assert_eq!(at(utc), Some(1_795_688_777));
    }

    #[test]
    fn labels_with_leap_seconds() {
        let moment = Tai64n::from_unix(1_795_688_777, 1);
        let line = [&leap::with(moment).label()[..], b" x"].concat();
        let mut reader = Reader::new(|_| 0, true);
        assert_eq!(reader.read(&line).map(|stamp| stamp.moment), Some(moment));
        assert_eq!(read(&line).map(|stamp| stamp.moment.to_unix()), Some(1_795_688_804));
    }

    #[test]
    fn every_beginning_of_a_stamp_is_survived() {
        for line in [
            &b"@400000006a7dbb2e075bcd15 x"[..],
            b"1795688777.123456789 x",
            b"2026-11-26T11:26:17.123456789+01:00 x",
            b"2026-11-26 11:26:17.123456789  x",
        ] {
            for length in 0..line.len() {
                let _ = read(&line[..length]);
                for byte in [b' ', b'\n', b'9', b':', 0, 0xff] {
                    let mut damaged = line.to_vec();
                    damaged[length] = byte;
                    let _ = read(&damaged);
                }
            }
        }
    }
}

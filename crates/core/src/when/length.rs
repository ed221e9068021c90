//! Lengths of time: `2 hours ago`, `1h30m`, `90s`. A day has 24 hours here.

use super::Unclear;
use crate::stamp::decimals;
use crate::tai::Tai64n;

const SECOND: i128 = 1_000_000_000;

/// The units, each by all its names, and its nanoseconds.
const UNITS: [(&[&str], i128); 7] = [
    (&["us", "usec", "microsecond", "microseconds"], 1000),
    (&["ms", "msec", "millisecond", "milliseconds"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], SECOND),
    (&["m", "min", "mins", "minute", "minutes"], 60 * SECOND),
    (&["h", "hr", "hrs", "hour", "hours"], 3600 * SECOND),
    (&["d", "day", "days"], 86_400 * SECOND),
    (&["w", "week", "weeks"], 604_800 * SECOND),
];

/// Whether it begins as a length does: with `a`, or with a number that is no
/// part of a date or a time of day.
pub(super) fn is_one(text: &[u8]) -> bool {
    let word = word(text);
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    is_article(word) || digits > 0 && !matches!(word.get(digits), Some(b'-' | b':'))
}

/// So long before `now`; `ago` may be behind it.
pub(super) fn before(text: &[u8], now: Tai64n) -> Result<Tai64n, Unclear<'_>> {
    let (length, rest) = length(text)?;
    match word(rest) {
        b"" => shifted(now, -length),
        ago if ago.eq_ignore_ascii_case(b"ago") => match word(&rest[ago.len()..]) {
            b"" => shifted(now, -length),
            more => Err(Unclear::Second(more)),
        },
        other => Err(Unclear::Word(other)),
    }
}

/// So long after `now`.
pub(super) fn after(text: &[u8], now: Tai64n) -> Result<Tai64n, Unclear<'_>> {
    let (length, rest) = length(text)?;
    match word(rest) {
        b"" => shifted(now, length),
        ago if ago.eq_ignore_ascii_case(b"ago") => Err(Unclear::Second(ago)),
        other => Err(Unclear::Word(other)),
    }
}

/// The nanoseconds, and what is behind the last unit.
fn length(text: &[u8]) -> Result<(i128, &[u8]), Unclear<'_>> {
    let (mut all, mut rest) = (0_i128, skip(text));
    if rest.is_empty() {
        return Err(Unclear::Nothing);
    }
    let mut any = false;
    loop {
        let first = word(rest);
        if any && first.eq_ignore_ascii_case(b"and") {
            rest = skip(&rest[first.len()..]);
        }
        if !is_article(word(rest)) && !rest.first().is_some_and(u8::is_ascii_digit) {
            return if any { Ok((all, rest)) } else { Err(Unclear::Word(first)) };
        }
        let (one, behind) = number_and_unit(rest)?;
        all = all.checked_add(one).ok_or(Unclear::Far)?;
        (rest, any) = (skip(behind), true);
    }
}

/// `2 hours`, `2h`, `an hour`, and what is behind it.
fn number_and_unit(text: &[u8]) -> Result<(i128, &[u8]), Unclear<'_>> {
    let first = word(text);
    let (number, whole, nanos, rest) = if is_article(first) {
        (first, 1, 0, &text[first.len()..])
    } else {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = text.split_at(digits);
        let (rest, nanos, _) = decimals(rest).ok_or(Unclear::Word(first))?;
        let whole = number.iter().try_fold(0_i128, |all, digit| {
            all.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        });
        (number, whole.ok_or(Unclear::Far)?, i128::from(nanos), rest)
    };
    let rest = skip(rest);
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, behind) = rest.split_at(letters);
    if name.is_empty() {
        return Err(Unclear::NoUnit(number));
    }
    let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    let unit = UNITS.iter().find(|(names, _)| names.iter().any(is));
    let (_, unit) = unit.ok_or(Unclear::Word(name))?;
    let all = whole.checked_mul(*unit).ok_or(Unclear::Far)?;
    Ok((all + nanos * unit / SECOND, behind))
}

fn shifted(now: Tai64n, by: i128) -> Result<Tai64n, Unclear<'static>> {
    let now = i128::from(now.to_unix()) * SECOND + i128::from(now.nanos);
    let all = now.checked_add(by).ok_or(Unclear::Far)?;
    let seconds = i64::try_from(all.div_euclid(SECOND)).map_err(|_| Unclear::Far)?;
    let nanos = u32::try_from(all.rem_euclid(SECOND)).map_err(|_| Unclear::Far)?;
    // What TAI64 has no label for.
    if seconds.unsigned_abs() >> 61 != 0 {
        return Err(Unclear::Far);
    }
    Ok(Tai64n::from_unix(seconds, nanos))
}

fn is_article(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"a") || word.eq_ignore_ascii_case(b"an")
}

fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b','
}

/// Without what is between words.
fn skip(text: &[u8]) -> &[u8] {
    let between = text.iter().take_while(|byte| is_between(**byte)).count();
    &text[between..]
}

/// The first word.
fn word(text: &[u8]) -> &[u8] {
    let text = skip(text);
    let length = text.iter().position(|byte| is_between(*byte)).unwrap_or(text.len());
    &text[..length]
}

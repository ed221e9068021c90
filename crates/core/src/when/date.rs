//! Dates, days by name, times of day, and what is made of them.

use super::Unclear;
use crate::calendar::{self, DAY, moment_of};
use crate::stamp::{decimals, zone};
use crate::tai::Tai64n;

/// From a Monday on, which the fourth day of 1970 was.
const WEEK: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Seconds of a day, and nanoseconds.
type Time = (i64, u32);

/// What the words have said so far.
#[derive(Default)]
struct Said {
    /// Days since 1970.
    day: Option<i64>,
    time: Option<Time>,
    /// By how many seconds the clock is ahead that is meant.
    ahead: Option<i32>,
}

/// A date and a time of day, in either order, or one of them.
pub(super) fn read<'a>(
    text: &'a [u8],
    now: Tai64n,
    local: &mut impl FnMut(i64) -> i32,
) -> Result<Tai64n, Unclear<'a>> {
    let now = now.to_unix();
    let today = |ahead: i32| now.saturating_add(ahead.into()).div_euclid(DAY);
    let here = today(local(now));
    let mut said = Said::default();
    let mut words =
        text.split(|byte| byte.is_ascii_whitespace() || *byte == b',').filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"last") {
            let day = words.next().and_then(|name| weekday(name, here).map(|day| (name, day)));
            let (name, day) = day.ok_or(Unclear::Word(word))?;
            put(&mut said.day, day, name)?;
        } else {
            said.word(word, here)?;
        }
    }
    let day = said.day.unwrap_or_else(|| said.ahead.map_or(here, today));
    let (second, nanos) = said.time.unwrap_or_default();
    let clock = day.saturating_mul(DAY).saturating_add(second);
    let unix = match said.ahead {
        Some(ahead) => clock - i64::from(ahead),
        None => moment_of(clock, local),
    };
    Ok(Tai64n::from_unix(unix, nanos))
}

impl Said {
    fn word<'a>(&mut self, word: &'a [u8], today: i64) -> Result<(), Unclear<'a>> {
        if let Some(day) = by_name(word, today) {
            return put(&mut self.day, day, word);
        }
        if let Some(second) = time_by_name(word) {
            return put(&mut self.time, (second, 0), word);
        }
        if let Some(ahead) = zone_alone(word) {
            if self.time.is_none() {
                return Err(Unclear::Second(word));
            }
            return put(&mut self.ahead, ahead, word);
        }
        let clock = match date(word)? {
            None => word,
            Some((day, behind)) => {
                put(&mut self.day, day, word)?;
                match behind.split_first() {
                    None => return Ok(()),
                    Some((b'T' | b't', clock)) => clock,
                    // As svlogd writes it, which knows no zone.
                    Some((b'_', clock)) => {
                        put(&mut self.ahead, 0, word)?;
                        clock
                    }
                    Some(_) => return Err(Unclear::Word(word)),
                }
            }
        };
        let (time, behind) = time(clock, word)?;
        put(&mut self.time, time, word)?;
        match (behind, zone_alone(behind)) {
            (b"", _) => Ok(()),
            (_, Some(ahead)) => put(&mut self.ahead, ahead, word),
            (_, None) => Err(Unclear::Word(word)),
        }
    }
}

fn put<'a, T>(place: &mut Option<T>, value: T, word: &'a [u8]) -> Result<(), Unclear<'a>> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Unclear::Second(word)),
    }
}

fn by_name(word: &[u8], today: i64) -> Option<i64> {
    let days = [("today", 0), ("yesterday", -1), ("tomorrow", 1)];
    match days.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())) {
        Some((_, days)) => Some(today + days),
        None => weekday(word, today),
    }
}

/// The last one that has begun, which may be today.
fn weekday(word: &[u8], today: i64) -> Option<i64> {
    let is = |name: &&str| {
        let name = name.as_bytes();
        word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3])
    };
    let place = i64::try_from(WEEK.iter().position(is)?).ok()?;
    Some(today - (today + 3 - place).rem_euclid(7))
}

fn time_by_name(word: &[u8]) -> Option<i64> {
    let times = [("midnight", 0), ("noon", DAY / 2)];
    let found = times.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, second)| *second)
}

fn zone_alone(word: &[u8]) -> Option<i32> {
    if word.eq_ignore_ascii_case(b"utc") || word.eq_ignore_ascii_case(b"gmt") {
        return Some(0);
    }
    zone(word).filter(|(behind, _)| behind.is_empty()).map(|(_, ahead)| ahead)
}

/// `2026-11-26` and what is behind it, if it looks like that.
fn date(word: &[u8]) -> Result<Option<(i64, &[u8])>, Unclear<'_>> {
    let Some((year, rest)) = number(word, 4, 4) else { return Ok(None) };
    let month = rest.strip_prefix(b"-").and_then(|rest| number(rest, 1, 2));
    let Some((month, rest)) = month else { return Ok(None) };
    let day = rest.strip_prefix(b"-").and_then(|rest| number(rest, 1, 2));
    let Some((day, behind)) = day else { return Ok(None) };
    let days = calendar::days(year, month, day).ok_or(Unclear::Never(word))?;
    Ok(Some((days, behind)))
}

/// `10:15`, `10:15:30`, `10:15:30.5` and what is behind it.
fn time<'a>(text: &'a [u8], word: &'a [u8]) -> Result<(Time, &'a [u8]), Unclear<'a>> {
    let unclear = Unclear::Word(word);
    let (hour, rest) = number(text, 1, 2).ok_or(unclear)?;
    let rest = rest.strip_prefix(b":").ok_or(unclear)?;
    let (minute, mut rest) = number(rest, 2, 2).ok_or(unclear)?;
    let (mut second, mut nanos) = (0, 0);
    if let Some(behind) = rest.strip_prefix(b":") {
        (second, rest) = number(behind, 2, 2).ok_or(unclear)?;
        (rest, nanos, _) = decimals(rest).ok_or(unclear)?;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return Err(Unclear::Never(word));
    }
    Ok(((i64::from(hour * 3600 + minute * 60 + second), nanos), rest))
}

/// All the digits in front, if they are so many, and what is behind them.
fn number(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = || number.iter().fold(0, |all, digit| all * 10 + u32::from(digit - b'0'));
    (least..=most).contains(&digits).then(|| (value(), rest))
}

//! Turning the TAI64N label at the beginning of a line into local time. Knows
//! no time zone: what turns seconds into a date is given. A line that begins
//! otherwise passes unchanged.

use memchr::memchr;
use upkeep_cli::decimal;
use upkeep_core::tai::Tai64n;
use upkeep_sys::localtime::Local;

/// Room for a date: a year of 20 digits, and 28 bytes behind it.
const ROOM: usize = 48;
/// As many digits as a label has; those before the last 24 have no effect.
const DIGITS: usize = 24;

/// Where in a line the last piece ended.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before its first byte.
    Start,
    /// In its label, after so many digits of this value.
    Label { value: u128, digits: usize },
    /// In the rest of it.
    Rest,
}

/// Lines on their way, and the last date that was worked out.
#[derive(Debug)]
pub struct Localizer<F> {
    place: Place,
    local: F,
    second: Option<i64>,
    date: Text<ROOM>,
}

impl<F: FnMut(i64) -> Option<Local>> Localizer<F> {
    /// Starts before a line. `local` is asked once for each new second.
    pub fn new(local: F) -> Self {
        Self { place: Place::Start, local, second: None, date: Text::new() }
    }

    /// Gives `out` the bytes of `input` with dates for labels. A label that
    /// the input ends in stays here until the next piece.
    #[inline]
    pub fn feed<E>(
        &mut self,
        mut input: &[u8],
        mut out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(&first) = input.first() {
            match self.place {
                Place::Start if first == b'@' => {
                    self.place = Place::Label { value: 0, digits: 0 };
                    input = &input[1..];
                }
                Place::Start => self.place = Place::Rest,
                Place::Label { mut value, digits } => {
                    let mut used = 0;
                    while let Some(digit) = input.get(used).copied().and_then(hex) {
                        value = value << 4 | u128::from(digit);
                        used += 1;
                    }
                    let digits = digits.saturating_add(used);
                    input = &input[used..];
                    if input.is_empty() {
                        self.place = Place::Label { value, digits };
                    } else {
                        out(self.shown(value, digits).bytes())?;
                        self.place = Place::Rest;
                    }
                }
                Place::Rest => {
                    let newline = memchr(b'\n', input);
                    let (line, rest) = input.split_at(newline.map_or(input.len(), |at| at + 1));
                    out(line)?;
                    if newline.is_some() {
                        self.place = Place::Start;
                    }
                    input = rest;
                }
            }
        }
        Ok(())
    }

    /// The date for a label, or the label where it is a moment that no
    /// calendar knows.
    fn shown(&mut self, value: u128, digits: usize) -> Text<ROOM> {
        // Seconds and nanoseconds are the last 96 bits.
        let [_, _, _, _, packed @ ..] = value.to_be_bytes();
        let moment = Tai64n::unpack(&packed);
        if self.second != Some(moment.to_unix()) {
            let Some(local) = (self.local)(moment.to_unix()) else {
                return label(moment, digits);
            };
            self.second = Some(moment.to_unix());
            self.date = date(local);
        }
        let mut text = self.date;
        text.number(moment.nanos.into(), 9);
        text
    }
}

/// `@` and the digits as they were, of which the last 24 are known.
fn label(moment: Tai64n, digits: usize) -> Text<ROOM> {
    let all = moment.label();
    let mut text = Text::new();
    text.push(b"@");
    text.push(&all[all.len() - digits.min(DIGITS)..]);
    text
}

/// `2026-11-20 19:03:00.`
fn date(local: Local) -> Text<ROOM> {
    let mut text = Text::new();
    // A year before 0 looks odd here, as it always has.
    text.number(local.year.cast_unsigned(), 1);
    for (before, number) in [
        (b"-", local.month),
        (b"-", local.day),
        (b" ", local.hour),
        (b":", local.minute),
        (b":", local.second),
    ] {
        text.push(before);
        text.number(number.into(), 2);
    }
    text.push(b".");
    text
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// A few bytes of text, kept in place.
#[derive(Clone, Copy, Debug)]
struct Text<const N: usize> {
    buffer: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    const fn new() -> Self {
        Self { buffer: [0; N], length: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// In decimal, with zeros in front up to `width`.
    fn number(&mut self, number: u64, width: usize) {
        let mut room = [0; 20];
        let digits = decimal(number, &mut room);
        for _ in digits.len()..width {
            self.push(b"0");
        }
        self.push(digits);
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calendar that shows the second it was asked for, and ends.
    fn plain(seconds: i64) -> Option<Local> {
        let small = u8::try_from(seconds).ok()?;
        Some(Local { year: 1970, month: 1, day: 2, hour: 3, minute: 4, second: small })
    }

    fn changed(pieces: &[&[u8]]) -> String {
        let (mut all, mut localizer) = (Vec::new(), Localizer::new(plain));
        for piece in pieces {
            let written: Result<(), ()> = localizer.feed(piece, |bytes| {
                all.extend_from_slice(bytes);
                Ok(())
            });
            written.unwrap();
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn a_label_becomes_a_date() {
        assert_eq!(
            changed(&[b"@400000000000000b000001f4 x\n@400000000000000f3b9ac9ff\n"]),
            "1970-01-02 03:04:01.000000500 x\n1970-01-02 03:04:05.999999999\n"
        );
        assert_eq!(changed(&[b"@400000000000000affffffffX"]), "1970-01-02 03:04:00.4294967295X");
    }

    #[test]
    fn other_lines_pass() {
        for text in ["", "\n", "a\n\n @4\n", "no end", " @400000000000000b000001f4 x\n"] {
            assert_eq!(changed(&[text.as_bytes()]), text);
        }
    }

    #[test]
    fn no_moment_passes_as_it_is() {
        for text in ["@\n", "@foo\n", "@ ", "@4000 x", "@400000000000000B000001f4 x", "@@@\n"] {
            assert_eq!(changed(&[text.as_bytes()]), text);
        }
    }

    #[test]
    fn only_the_last_24_digits_count() {
        let long = format!("@{}400000000000000b000001f4 x\n", "f".repeat(5000));
        assert_eq!(changed(&[long.as_bytes()]), "1970-01-02 03:04:01.000000500 x\n");
        let long = format!("@{}0123456789abcdef01234567 x\n", "f".repeat(5000));
        assert_eq!(changed(&[long.as_bytes()]), "@0123456789abcdef01234567 x\n");
    }

    #[test]
    fn a_label_that_is_cut_off_is_kept() {
        assert_eq!(changed(&[b"x\n@400000000000000b000001f4"]), "x\n");
    }

    #[test]
    fn where_the_pieces_end_does_not_matter() {
        let text = b"@400000000000000b000001f4 x\n\n@f y\nz\n@400000000000000c000001f4\n@";
        for first in 0..text.len() {
            let (head, tail) = text.split_at(first);
            assert_eq!(changed(&[head, tail]), changed(&[text]), "cut at {first}");
        }
    }

    #[test]
    fn a_second_is_worked_out_once() {
        let mut asked = Vec::new();
        let mut localizer = Localizer::new(|second| {
            asked.push(second);
            plain(second)
        });
        let text = b"@400000000000000b000001f4\n@400000000000000b00000000\n@400000000000000c0\n";
        let text = [&text[..], b"@400000000000000c00000001\n"].concat();
        let _: Result<(), ()> = localizer.feed(&text, |_| Ok(()));
        assert_eq!(asked.len(), 3, "the third line is no moment: {asked:?}");
    }

    #[test]
    fn years_have_room() {
        let mut local = plain(0).unwrap();
        local.year = -1;
        assert_eq!(date(local).bytes(), b"18446744073709551615-01-02 03:04:00.");
        local.year = 2_147_485_547;
        assert_eq!(date(local).bytes(), b"2147485547-01-02 03:04:00.");
    }
}

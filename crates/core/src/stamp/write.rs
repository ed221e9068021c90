//! Writing stamps. What changes once a minute or a second is kept from one
//! line to the next.

use super::hex;
use crate::calendar::Civil;
use crate::leap;
use crate::tai::{LABEL, Tai64n};

/// The longest stamp: a date, nine decimals and a zone.
pub const ROOM: usize = 40;

/// How a stamp is written. Decimals beyond nine are nine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `@400000006b080953075bcd15 `
    Label,
    /// The same as s6 writes it, with leap seconds counted.
    LeapLabel,
    /// `1795688777.123456789 `
    Seconds,
    /// `2026-11-26T10:26:17.123Z `, with so many decimals.
    Utc(u8),
    /// `2026-11-26T11:26:17.123+01:00 `, with so many decimals.
    Local(u8),
    /// `2026-11-26_10:26:17.12345 `, svlogd's `-tt`.
    Underscore,
    /// `2026-11-26T10:26:17.12345 `, svlogd's `-ttt`.
    Tee,
    /// `2026-11-26 11:26:17.123456789  `, s6-log's `T`, with two spaces.
    Wide,
    /// `2026-11-26 11:26:17.123 `, local time with so many decimals, for
    /// somebody to look at.
    Shown(u8),
}

/// Where the seconds begin in a date.
const SECONDS: usize = 17;
/// Where the decimals begin.
const DECIMALS: usize = 20;

/// Writes stamps of one form.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    form: Form,
    text: [u8; ROOM],
    length: usize,
    /// The minute of Unix time, for `Seconds` the second, that the text was
    /// laid out for.
    laid_out: Option<i64>,
    /// The second that is in it.
    second: i64,
}

impl Writer {
    /// Nothing written yet.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form, text: [b' '; ROOM], length: 0, laid_out: None, second: 0 }
    }

    /// The form.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The stamp for a moment, with its separator. `zone` says by how many
    /// seconds local time is ahead at a Unix time; it is asked once for each
    /// minute, and heard in whole minutes. A moment that the form has no way
    /// to write is written as a label.
    #[inline]
    pub fn write(&mut self, moment: Tai64n, zone: impl FnOnce(i64) -> i32) -> &[u8] {
        let nanos = moment.nanos.min(999_999_999);
        let (unix, form) = (moment.to_unix(), self.form);
        let written = match form {
            Form::Label | Form::LeapLabel => false,
            Form::Seconds => self.since_1970(unix, nanos),
            Form::Utc(_) | Form::Underscore | Form::Tee => self.date(unix, nanos, |_| 0),
            Form::Local(_) | Form::Shown(_) | Form::Wide => self.date(unix, nanos, zone),
        };
        if !written {
            let counted = if form == Form::LeapLabel { leap::with(moment) } else { moment };
            self.label(Tai64n { nanos, ..counted });
        }
        self.text()
    }

    /// The stamp that was written last.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    fn label(&mut self, moment: Tai64n) {
        self.laid_out = None;
        let [high, low] = [moment.seconds >> 32, moment.seconds & 0xffff_ffff];
        self.text[0] = b'@';
        for (place, number) in [(1, high as u32), (9, low as u32), (17, moment.nanos)] {
            self.text[place..place + 8].copy_from_slice(&hex::digits(number));
        }
        self.text[LABEL] = b' ';
        self.length = LABEL + 1;
    }

    fn since_1970(&mut self, unix: i64, nanos: u32) -> bool {
        let Ok(seconds) = u64::try_from(unix) else { return false };
        if self.laid_out != Some(unix) {
            self.laid_out = Some(unix);
            let digits = seconds.checked_ilog10().unwrap_or(0) as usize + 1;
            number(&mut self.text[..digits], seconds);
            self.text[digits] = b'.';
            self.text[digits + 10] = b' ';
            self.length = digits + 11;
        }
        let place = self.length - 10;
        number(&mut self.text[place..place + 9], nanos.into());
        true
    }

    fn date(&mut self, unix: i64, nanos: u32, zone: impl FnOnce(i64) -> i32) -> bool {
        let minute = unix.div_euclid(60);
        if self.laid_out != Some(minute) {
            let ahead = zone(unix) / 60;
            let Some(civil) = Civil::at(unix.saturating_add(i64::from(ahead) * 60)) else {
                return false;
            };
            self.lay_out(civil, ahead);
            self.laid_out = Some(minute);
            self.second = unix;
        } else if self.second != unix {
            self.second = unix;
            number(&mut self.text[SECONDS..SECONDS + 2], unix.rem_euclid(60).cast_unsigned());
        }
        let digits = self.form.decimals();
        let shown = nanos / 10_u32.pow(9 - digits);
        number(&mut self.text[DECIMALS..DECIMALS + digits as usize], shown.into());
        true
    }

    /// All but the decimals, for a local time that is so many minutes ahead.
    fn lay_out(&mut self, civil: Civil, ahead: i32) {
        let between = match self.form {
            Form::Underscore => b'_',
            Form::Wide | Form::Shown(_) => b' ',
            Form::Label
            | Form::LeapLabel
            | Form::Seconds
            | Form::Utc(_)
            | Form::Local(_)
            | Form::Tee => b'T',
        };
        self.text = [b' '; ROOM];
        self.text[..DECIMALS].copy_from_slice(b"0000-00-00 00:00:00.");
        self.text[10] = between;
        for (number, place, width) in [
            (civil.year, 0, 4),
            (civil.month, 5, 2),
            (civil.day, 8, 2),
            (civil.second / 3600, 11, 2),
            (civil.second / 60 % 60, 14, 2),
            (civil.second % 60, SECONDS, 2),
        ] {
            self::number(&mut self.text[place..place + width], number);
        }
        let decimals = self.form.decimals() as usize;
        let end = if decimals == 0 { DECIMALS - 1 } else { DECIMALS + decimals };
        // Where there are no decimals there is no point either.
        self.text[end] = b' ';
        self.length = match self.form {
            Form::Utc(_) => {
                self.text[end] = b'Z';
                end + 2
            }
            Form::Local(_) => {
                self.text[end] = if ahead < 0 { b'-' } else { b'+' };
                number(&mut self.text[end + 1..end + 3], (ahead.unsigned_abs() / 60).into());
                self.text[end + 3] = b':';
                number(&mut self.text[end + 4..end + 6], (ahead.unsigned_abs() % 60).into());
                end + 7
            }
            Form::Wide => end + 2,
            Form::Label
            | Form::LeapLabel
            | Form::Seconds
            | Form::Underscore
            | Form::Tee
            | Form::Shown(_) => end + 1,
        };
    }
}

impl Form {
    const fn decimals(self) -> u32 {
        match self {
            Self::Utc(n) | Self::Local(n) | Self::Shown(n) => {
                if n < 9 {
                    n as u32
                } else {
                    9
                }
            }
            Self::Underscore | Self::Tee => 5,
            Self::Wide | Self::Label | Self::LeapLabel | Self::Seconds => 9,
        }
    }
}

/// The last digits of a number, as many as there is room for.
#[inline]
fn number(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::{Kind, Reader};
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    const NOW: i64 = 1_795_688_777;

    fn written(form: Form, unix: i64, nanos: u32, ahead: i32) -> String {
        let mut writer = Writer::new(form);
        let text = writer.write(Tai64n::from_unix(unix, nanos), |_| ahead);
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn each_form() {
        for (form, expected) in [
            (Form::Label, "@400000006b080953075bcd15 "),
            (Form::LeapLabel, "@400000006b08096e075bcd15 "),
            (Form::Seconds, "1795688777.123456789 "),
            (Form::Utc(0), "2026-11-26T10:26:17Z "),
            (Form::Utc(3), "2026-11-26T10:26:17.123Z "),
            (Form::Utc(9), "2026-11-26T10:26:17.123456789Z "),
            (Form::Utc(200), "2026-11-26T10:26:17.123456789Z "),
            (Form::Local(0), "2026-11-26T15:56:17+05:30 "),
            (Form::Local(6), "2026-11-26T15:56:17.123456+05:30 "),
            (Form::Underscore, "2026-11-26_10:26:17.12345 "),
            (Form::Tee, "2026-11-26T10:26:17.12345 "),
            (Form::Wide, "2026-11-26 15:56:17.123456789  "),
            (Form::Shown(3), "2026-11-26 15:56:17.123 "),
            (Form::Shown(0), "2026-11-26 15:56:17 "),
        ] {
            assert_eq!(written(form, NOW, 123_456_789, 19_800), expected);
        }
        assert_eq!(written(Form::Local(1), NOW, 0, -12_600), "2026-11-26T06:56:17.0-03:30 ");
        assert_eq!(written(Form::Local(0), NOW, 0, -1800), "2026-11-26T09:56:17-00:30 ");
        // A zone of a hundred years ago.
        assert_eq!(written(Form::Local(0), NOW, 0, 3208), "2026-11-26T11:19:17+00:53 ");
        assert_eq!(written(Form::Seconds, 0, 7, 0), "0.000000007 ");
        assert_eq!(written(Form::Utc(1), -1, u32::MAX, 0), "1969-12-31T23:59:59.9Z ");
    }

    #[test]
    fn what_a_form_cannot_write_is_a_label() {
        for (form, unix) in [
            (Form::Seconds, -1),
            (Form::Utc(3), 253_402_300_800),
            (Form::Local(3), i64::MAX),
            (Form::Wide, i64::MIN),
        ] {
            let moment = Tai64n::from_unix(unix, 5);
            let mut expected = moment.label().to_vec();
            expected.push(b' ');
            let mut writer = Writer::new(form);
            assert_eq!(writer.write(moment, |_| 0), expected);
            // And the next one is what it should be.
            assert_eq!(
                writer.write(Tai64n::from_unix(NOW, 0), |_| 0),
                written(form, NOW, 0, 0).as_bytes()
            );
        }
    }

    #[test]
    fn the_longest_has_room() {
        assert_eq!(written(Form::Local(9), NOW, 0, 0).len(), 36);
        assert_eq!(written(Form::Seconds, i64::MAX, 0, 0).len(), 30);
    }

    const FORMS: [Form; 8] = [
        Form::Label,
        Form::Seconds,
        Form::Utc(3),
        Form::Local(9),
        Form::Underscore,
        Form::Tee,
        Form::Wide,
        Form::Shown(3),
    ];

    /// Moments near each other and far apart.
    fn moments() -> Vec<Tai64n> {
        let (mut unix, mut random) = (NOW, 7_u32);
        let mut all = Vec::new();
        for _ in 0..20_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            unix += match random >> 28 {
                0 => i64::from(random & 0x00ff_ffff) - 0x007f_ffff,
                1 => -1,
                2..6 => 1,
                6 => 59,
                _ => 0,
            };
            all.push(Tai64n::from_unix(unix.max(1_000_000_000), random % 1_000_000_000));
        }
        all
    }

    fn summer(moment: i64) -> i32 {
        if (moment / 15_000_000) % 2 == 0 { 3600 } else { 7200 }
    }

    #[test]
    fn what_is_kept_is_what_would_be_written_anew() {
        for form in FORMS {
            let mut writer = Writer::new(form);
            for moment in moments() {
                let mut fresh = Writer::new(form);
                assert_eq!(writer.write(moment, summer), fresh.write(moment, summer));
            }
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (form, kind, precision) in [
            (Form::Label, Kind::Label, 1),
            (Form::Seconds, Kind::Seconds, 1),
            (Form::Utc(9), Kind::Rfc, 1),
            (Form::Utc(0), Kind::Rfc, 1_000_000_000),
            (Form::Local(9), Kind::Rfc, 1),
            (Form::Local(4), Kind::Rfc, 100_000),
            (Form::Underscore, Kind::Underscore, 10_000),
            (Form::Tee, Kind::Tee, 10_000),
            (Form::Wide, Kind::Local, 1),
        ] {
            let mut writer = Writer::new(form);
            let mut reader = Reader::new(|_| 7200, false);
            for moment in moments() {
                let text = writer.write(moment, |_| 7200);
                let stamp = reader.read(text).unwrap();
                let expected = Tai64n { nanos: moment.nanos / precision * precision, ..moment };
                assert_eq!((stamp.moment, stamp.kind, stamp.length), (expected, kind, text.len()));
            }
        }
    }

    #[test]
    fn the_zone_is_asked_once_a_minute() {
        let mut asked = 0;
        let mut writer = Writer::new(Form::Wide);
        for unix in NOW..NOW + 120 {
            writer.write(Tai64n::from_unix(unix, 0), |_| {
                asked += 1;
                3600
            });
        }
        assert_eq!(asked, 3);
    }
}

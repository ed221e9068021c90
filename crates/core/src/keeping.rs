//! The directives of multilog that say when a log ends by the clock, which
//! old logs go, and by what they are compressed. They are words that mean
//! nothing to the original. One that has a wrong value is an error: nobody
//! wants to hear of it when the disk is full.

use crate::amount;
use crate::period::{Clockwork, Period};
use crate::retention::Floor;

/// What compresses old logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// How old logs are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// By this.
    pub program: Program,
    /// At this level, if it is not the program's own.
    pub level: Option<u8>,
}

/// What a log directory is to do by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// When current ends, beside when it is full.
    pub clock: Clockwork,
    /// How many bytes all old logs together may have.
    pub total: Option<u64>,
    /// How many seconds an old log stays.
    pub age: Option<u64>,
    /// How much is to stay free.
    pub free: Option<Floor>,
    /// When the disk is full, old logs go, but so many stay.
    pub least: Option<u64>,
    /// How old logs are compressed.
    pub compression: Option<Compression>,
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// None of these directives.
    Other,
    /// One of them, and it is in force now.
    Taken,
    /// One whose value is wrong; this is what it takes.
    Wrong(&'static str),
}

impl Keeping {
    /// Takes an argument. A later one replaces an earlier one of its kind,
    /// and with the value 0 it takes it back.
    pub fn take(&mut self, argument: &[u8]) -> Word {
        let (letter, rest) = argument.split_first().map_or((0, &b""[..]), |(&b, rest)| (b, rest));
        let (word, value) = match argument.iter().position(|&b| b == b'=') {
            Some(at) => (&argument[..at], Some(&argument[at + 1..])),
            None => (argument, None),
        };
        let taken = match (letter, word, value) {
            (_, b"hourly", None) => self.end_with(Period::Hour),
            (_, b"daily", None) => self.end_with(Period::Day),
            (_, b"weekly", None) => self.end_with(Period::Week),
            (_, b"monthly", None) => self.end_with(Period::Month),
            (_, b"gzip", level) => self.compress(Program::Gzip, 9, level),
            (_, b"zstd", level) => self.compress(Program::Zstd, 19, level),
            (_, b"keep", Some(age)) => {
                amount::seconds(age).map(|age| self.age = above_0(age)).ok_or("keep= takes an age")
            }
            (_, b"free", Some(floor)) => {
                let part = amount::percent(floor).map(|n| (n > 0).then_some(Floor::Percent(n)));
                let bytes = || amount::bytes(floor).map(|n| above_0(n).map(Floor::Bytes));
                part.or_else(bytes).map(|floor| self.free = floor).ok_or(FREE)
            }
            (b'R', ..) => match amount::seconds(rest) {
                Some(0) => {
                    self.clock = Clockwork::default();
                    Ok(())
                }
                age => age.map(|_| self.clock.age = age).ok_or("R takes a time"),
            },
            (b'N', ..) => amount::number(rest)
                .map(|number| self.least = above_0(number))
                .ok_or("N takes a number of old logs"),
            // Without a digit behind it, this letter has another meaning.
            (b'S', ..) if rest.first().is_some_and(u8::is_ascii_digit) => amount::bytes(rest)
                .map(|total| self.total = above_0(total))
                .ok_or("S takes a number of bytes"),
            _ => return Word::Other,
        };
        match taken {
            Ok(()) => Word::Taken,
            Err(why) => Word::Wrong(why),
        }
    }

    fn end_with(&mut self, period: Period) -> Result<(), &'static str> {
        self.clock.period = Some(period);
        Ok(())
    }

    fn compress(
        &mut self,
        program: Program,
        highest: u8,
        level: Option<&[u8]>,
    ) -> Result<(), &'static str> {
        let level = match level.map(amount::number) {
            None => None,
            Some(Some(0)) => {
                self.compression = None;
                return Ok(());
            }
            Some(Some(level)) if level <= highest.into() => u8::try_from(level).ok(),
            Some(_) => {
                return Err(match program {
                    Program::Gzip => "gzip= takes a level from 1 to 9",
                    Program::Zstd => "zstd= takes a level from 1 to 19",
                });
            }
        };
        self.compression = Some(Compression { program, level });
        Ok(())
    }
}

const FREE: &str = "free= takes a number of bytes or of percent";

const fn above_0(number: u64) -> Option<u64> {
    if number == 0 { None } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(words: &[&str]) -> Keeping {
        let mut keeping = Keeping::default();
        for word in words {
            assert_eq!(keeping.take(word.as_bytes()), Word::Taken, "{word}");
        }
        keeping
    }

    #[test]
    fn each_word() {
        let clock = |age, period| Clockwork { age, period };
        let none = Keeping::default();
        for (word, wanted) in [
            ("R90", Keeping { clock: clock(Some(90), None), ..none }),
            ("R12h", Keeping { clock: clock(Some(43_200), None), ..none }),
            ("hourly", Keeping { clock: clock(None, Some(Period::Hour)), ..none }),
            ("daily", Keeping { clock: clock(None, Some(Period::Day)), ..none }),
            ("weekly", Keeping { clock: clock(None, Some(Period::Week)), ..none }),
            ("monthly", Keeping { clock: clock(None, Some(Period::Month)), ..none }),
            ("S64k", Keeping { total: Some(65_536), ..none }),
            ("keep=7d", Keeping { age: Some(604_800), ..none }),
            ("free=1g", Keeping { free: Some(Floor::Bytes(1 << 30)), ..none }),
            ("free=5%", Keeping { free: Some(Floor::Percent(5)), ..none }),
            ("N3", Keeping { least: Some(3), ..none }),
        ] {
            assert_eq!(taken(&[word]), wanted, "{word}");
        }
        for (word, program, level) in [
            ("gzip", Program::Gzip, None),
            ("gzip=9", Program::Gzip, Some(9)),
            ("zstd", Program::Zstd, None),
            ("zstd=19", Program::Zstd, Some(19)),
        ] {
            let compression = Some(Compression { program, level });
            assert_eq!(taken(&[word]), Keeping { compression, ..none }, "{word}");
        }
    }

    #[test]
    fn later_ones_count_and_0_takes_back() {
        let all = ["R1h", "daily", "S1m", "keep=1d", "free=1%", "N2", "gzip"];
        let off = ["R0", "S0", "keep=0", "free=0", "N0", "zstd=0"];
        assert_eq!(taken(&[&all[..], &off[..]].concat()), Keeping::default());
        assert_eq!(taken(&["free=5%", "free=0%"]).free, None);
        assert_eq!(taken(&["R1h", "hourly", "daily", "R5"]), taken(&["daily", "R5"]));
    }

    #[test]
    fn a_wrong_value_is_an_error() {
        for word in [
            "R",
            "Rx",
            "R1y",
            "R-1",
            "N",
            "Nx",
            "N1k",
            "S1x",
            "S99999999999999999999",
            "keep=",
            "keep=x",
            "free=",
            "free=101%",
            "free=5p",
            "gzip=",
            "gzip=10",
            "gzip=x",
            "zstd=20",
        ] {
            let mut keeping = Keeping::default();
            assert!(matches!(keeping.take(word.as_bytes()), Word::Wrong(_)), "{word}");
            assert_eq!(keeping, Keeping::default(), "{word}");
        }
    }

    #[test]
    fn other_words_are_others() {
        for word in [
            "", "S", "Sx", "S*", "keep", "free", "hourly=1", "dailyx", "gzipped", "t", "n5", "s5",
            "x", "=gzip", "!gzip", "./gzip", "-R5",
        ] {
            assert_eq!(Keeping::default().take(word.as_bytes()), Word::Other, "{word}");
        }
    }
}

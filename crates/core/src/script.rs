//! multilog's script: one argument, one directive. An argument that means
//! nothing is no error: it does nothing.

use crate::keeping::{Keeping, Word};
use crate::stamp::Form;
use crate::treatment::Treatment;

/// What one argument asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// `t`, as the first argument only: a label before every line; or one of
    /// the other stamps.
    Stamp(Form),
    /// `+pattern`: select the lines that match.
    Select(&'a [u8]),
    /// `-pattern`: deselect the lines that match.
    Deselect(&'a [u8]),
    /// `e`: the beginning of every selected line to standard error.
    Alert,
    /// `=file`: the beginning of the last selected line in a file.
    Status(&'a [u8]),
    /// `sSIZE`: how large the following directories' current may become.
    Size(u64),
    /// `nNUM`: how many files the following directories may hold.
    Keep(u64),
    /// `!processor`: what the following directories' full logs go through.
    Processor(&'a [u8]),
    /// `./dir` or `/dir`: append every selected line to the log there.
    Directory(&'a [u8]),
    /// Something else that becomes of lines.
    Treatment(Treatment<'a>),
    /// A word about how the following directories are kept; it has been taken.
    Keeping,
    /// Such a word with a wrong value; this is what it takes.
    Wrong(&'static str),
    /// Anything else.
    Nothing,
}

/// The size of a directory that no `s` came before.
pub const SIZE: u64 = 99_999;
/// The number of files of a directory that no `n` came before.
pub const KEEP: u64 = 10;

const SMALLEST: u64 = 4_096;
const LARGEST: u64 = 16_777_215;
const FEWEST: u64 = 2;

impl<'a> Directive<'a> {
    /// Reads one argument; `first` if it is the first one. What it says about
    /// keeping goes into `keeping`.
    #[must_use]
    pub fn parse(argument: &'a [u8], first: bool, keeping: &mut Keeping) -> Self {
        let Some((&letter, rest)) = argument.split_first() else { return Self::Nothing };
        match letter {
            b't' if first => Self::Stamp(Form::Label),
            b'+' => Self::Select(rest),
            b'-' => Self::Deselect(rest),
            b'e' => Self::Alert,
            b'=' => Self::Status(rest),
            b's' => Self::Size(number(rest).clamp(SMALLEST, LARGEST)),
            b'n' => Self::Keep(number(rest).max(FEWEST)),
            b'!' => Self::Processor(rest),
            b'.' | b'/' => Self::Directory(argument),
            _ => match Treatment::parse(argument, first) {
                Ok(Some(Treatment::Stamp(form))) => Self::Stamp(form),
                Ok(Some(treatment)) => Self::Treatment(treatment),
                Err(why) => Self::Wrong(why),
                Ok(None) => match keeping.take(argument) {
                    Word::Taken => Self::Keeping,
                    Word::Wrong(why) => Self::Wrong(why),
                    Word::Other => Self::Nothing,
                },
            },
        }
    }
}

/// The digits at the front; none are 0, and too many wrap around as they
/// always did, rather than stop a logger that has been started this way.
fn number(text: &[u8]) -> u64 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |n: u64, byte| n.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argument: &str) -> Directive<'_> {
        Directive::parse(argument.as_bytes(), false, &mut Keeping::default())
    }

    #[test]
    fn each_letter() {
        let first = |argument| Directive::parse(argument, true, &mut Keeping::default());
        assert_eq!([first(b"t"), first(b"today")], [Directive::Stamp(Form::Label); 2]);
        assert_eq!(parse("t"), Directive::Nothing);
        assert_eq!(parse("+*x"), Directive::Select(b"*x"));
        assert_eq!(parse("-"), Directive::Deselect(b""));
        assert_eq!(parse("e"), Directive::Alert);
        assert_eq!(parse("extra"), Directive::Alert);
        assert_eq!(parse("=status"), Directive::Status(b"status"));
        assert_eq!(parse("!gzip"), Directive::Processor(b"gzip"));
        assert_eq!(parse("./main"), Directive::Directory(b"./main"));
        assert_eq!(parse("/var/log/x"), Directive::Directory(b"/var/log/x"));
        assert_eq!(first(b"utc"), Directive::Stamp(Form::Utc(3)));
        assert_eq!(parse("1"), Directive::Treatment(Treatment::Output));
        assert!(matches!(parse("utc"), Directive::Wrong(_)));
        assert_eq!(parse("R5"), Directive::Keeping);
        assert!(matches!(parse("Rx"), Directive::Wrong(_)));
        for nothing in ["", "x", "main", "T", "gz", " ./main"] {
            assert_eq!(parse(nothing), Directive::Nothing, "{nothing}");
        }
    }

    #[test]
    fn sizes_are_clamped() {
        for (text, size) in [
            ("s", 4096),
            ("s0", 4096),
            ("s4095", 4096),
            ("s4097", 4097),
            ("s50000k", 50000),
            ("s-5000", 4096),
            ("s 5000", 4096),
            ("s16777215", 16_777_215),
            ("s16777216", 16_777_215),
            // 2^64 + 5000: an unsigned long of 64 bits comes round.
            ("s18446744073709556616", 5000),
            ("s184467440737095516160", 4096),
        ] {
            assert_eq!(parse(text), Directive::Size(size), "{text}");
        }
    }

    #[test]
    fn at_least_two_files() {
        for (text, keep) in [
            ("n", 2),
            ("n1", 2),
            ("n3", 3),
            ("n10x", 10),
            ("n18446744073709551615", u64::MAX),
            ("n18446744073709551616", 2),
        ] {
            assert_eq!(parse(text), Directive::Keep(keep), "{text}");
        }
    }
}

//! Options as daemontools reads them: single letters that cluster, a value
//! right behind its letter or in the next argument, and anything that begins
//! with `--` or is `-` alone ends them.

use crate::{Exit, Tool, put};
use core::ffi::CStr;
use upkeep_sys::Args;

/// One option that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt {
    /// Its letter.
    pub letter: u8,
    /// Its value, for a letter that takes one.
    pub value: Option<&'static CStr>,
}

impl Opt {
    /// Its value, a number of milliseconds, in nanoseconds.
    #[must_use]
    pub fn milliseconds(&self) -> Option<u64> {
        let number: u32 = self.value?.to_str().ok()?.parse().ok()?;
        Some(u64::from(number) * 1_000_000)
    }
}

/// A letter that is not an option, or one whose value is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOption {
    letter: u8,
    missing_value: bool,
}

impl BadOption {
    /// Says which, in daemontools' words. The usage line comes after it.
    pub fn report(self, tool: &Tool) {
        self.report_as(tool.name.as_bytes());
    }

    /// The same for a program that goes by another name.
    pub fn report_as(self, name: &[u8]) {
        let what: &[u8] = if self.missing_value {
            b": option requires an argument -- "
        } else {
            b": illegal option -- "
        };
        let _ = put(rustix::stdio::stderr(), &[name, what, &[self.letter], b"\n"]);
    }
}

/// Walks the options at the front of the arguments.
pub struct Options {
    args: Args,
    /// Letters; one with a value is followed by a colon.
    known: &'static [u8],
    index: usize,
    within: usize,
}

impl Options {
    /// Starts behind the program's name. `known` is as for getopt: `"a:n"`.
    #[must_use]
    pub fn new(args: Args, known: &'static str) -> Self {
        Self { args, known: known.as_bytes(), index: 1, within: 0 }
    }

    /// The argument that holds the next letter; moves on where one is used up.
    fn current(&mut self) -> Option<&'static [u8]> {
        let mut arg = self.args.get(self.index)?.to_bytes();
        if self.within > 0 && self.within == arg.len() {
            self.index += 1;
            self.within = 0;
            arg = self.args.get(self.index)?.to_bytes();
        }
        if self.within == 0 {
            if arg.len() < 2 || arg[0] != b'-' {
                return None;
            }
            if arg[1] == b'-' {
                self.index += 1;
                return None;
            }
            self.within = 1;
        }
        Some(arg)
    }

    fn value(&mut self, letter: u8) -> Result<&'static CStr, BadOption> {
        let arg = self.args.get(self.index).unwrap_or(c"");
        let rest = arg.to_bytes_with_nul().get(self.within..).unwrap_or(b"\0");
        self.index += 1;
        self.within = 0;
        let here = CStr::from_bytes_with_nul(rest).unwrap_or(c"");
        if !here.is_empty() {
            return Ok(here);
        }
        let next = self.args.get(self.index).ok_or(BadOption { letter, missing_value: true })?;
        self.index += 1;
        Ok(next)
    }

    /// The next letter, if it is in the same argument and one of these.
    pub fn next_of(&mut self, letters: &[u8]) -> Option<u8> {
        let arg = self.args.get(self.index)?.to_bytes();
        let letter = arg.get(self.within).filter(|_| self.within > 0)?;
        self.within += usize::from(letters.contains(letter));
        letters.contains(letter).then_some(*letter)
    }

    /// What follows the options.
    #[must_use]
    pub fn rest(&self) -> Args {
        self.args.skip(self.index)
    }
}

impl Iterator for Options {
    type Item = Result<Opt, BadOption>;

    fn next(&mut self) -> Option<Self::Item> {
        let letter = self.current()?[self.within];
        self.within += 1;
        let known = if letter == b':' { None } else { memchr(letter, self.known) };
        let Some(place) = known else {
            return Some(Err(BadOption { letter, missing_value: false }));
        };
        if self.known.get(place + 1) != Some(&b':') {
            return Some(Ok(Opt { letter, value: None }));
        }
        Some(self.value(letter).map(|value| Opt { letter, value: Some(value) }))
    }
}

fn memchr(needle: u8, hay: &[u8]) -> Option<usize> {
    hay.iter().position(|&b| b == needle)
}

impl Tool {
    /// `tool: illegal option -- z`, then the usage, then exit 100.
    #[must_use]
    pub fn bad_option(&self, bad: BadOption, synopsis: &str) -> Exit {
        bad.report(self);
        self.usage(synopsis)
    }
}

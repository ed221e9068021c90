//! Options as daemontools reads them: single letters that cluster, a value
//! right behind its letter or in the next argument, and anything that begins
//! with `--` or is `-` alone ends them. For programs that daemontools does not
//! have, only `--` itself does, and a longer word is a mistake.

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

/// What is wrong with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadOption {
    /// There is none with this letter.
    Unknown(u8),
    /// The value is missing that it takes.
    NoValue(u8),
    /// There is none with this word, which begins with `--`.
    UnknownWord(&'static CStr),
}

impl BadOption {
    /// Says which, in daemontools' words. The usage line comes after it.
    pub fn report(self, tool: &Tool) {
        self.report_as(tool.name.as_bytes());
    }

    /// The same for a program that goes by another name.
    pub fn report_as(self, name: &[u8]) {
        let (what, option): (&[u8], &[u8]) = match &self {
            Self::Unknown(letter) => (b": illegal option -- ", core::slice::from_ref(letter)),
            Self::NoValue(letter) => {
                (b": option requires an argument -- ", core::slice::from_ref(letter))
            }
            Self::UnknownWord(word) => (b": illegal option ", word.to_bytes()),
        };
        let _ = put(rustix::stdio::stderr(), &[name, what, option, b"\n"]);
    }
}

/// Walks the options at the front of the arguments.
pub struct Options {
    args: Args,
    /// Letters; one with a value is followed by a colon.
    known: &'static [u8],
    index: usize,
    within: usize,
    /// Whether a word that begins with `--` is a mistake.
    strict: bool,
    /// Those that are none, without the dashes, and the letter that each is.
    words: &'static [(&'static str, u8)],
    /// Whether `--` has ended them.
    ended: bool,
}

impl Options {
    /// Starts behind the program's name. `known` is as for getopt: `"a:n"`.
    #[must_use]
    pub fn new(args: Args, known: &'static str) -> Self {
        Self {
            args,
            known: known.as_bytes(),
            index: 1,
            within: 0,
            strict: false,
            words: &[],
            ended: false,
        }
    }

    /// The same where a word that begins with `--` and goes on is a mistake: it
    /// was meant as an option, and would end them all.
    #[must_use]
    pub fn strict(args: Args, known: &'static str) -> Self {
        let mut options = Self::new(args, known);
        options.be_strict();
        options
    }

    /// The same where these words are letters too, with their values behind a
    /// `=` or in the next argument.
    #[must_use]
    pub fn with_words(
        args: Args,
        known: &'static str,
        words: &'static [(&'static str, u8)],
    ) -> Self {
        Self { words, ..Self::strict(args, known) }
    }

    /// From here on it is.
    pub fn be_strict(&mut self) {
        self.strict = true;
    }

    /// The word that begins with `--` and goes on, which is left behind.
    fn word(&mut self) -> Option<Result<Opt, BadOption>> {
        let word = self.args.get(self.index).filter(|_| self.strict && self.within == 0)?;
        let name = word.to_bytes().strip_prefix(b"--").filter(|name| !name.is_empty())?;
        self.index += 1;
        let end = memchr(b'=', name).unwrap_or(name.len());
        let is = |(known, _): &&(&str, u8)| known.as_bytes() == &name[..end];
        let known = self.words.iter().find(is);
        // Behind the dashes, the name and the sign.
        let given = word.to_bytes_with_nul().get(end + 3..);
        let value = given.and_then(|value| CStr::from_bytes_with_nul(value).ok());
        Some(match (known, value) {
            (Some((_, letter)), None) if self.takes_value(*letter) => {
                let next = self.args.get(self.index);
                self.index += usize::from(next.is_some());
                let letter = *letter;
                next.map(|_| Opt { letter, value: next }).ok_or(BadOption::NoValue(letter))
            }
            (Some((_, letter)), value) if value.is_some() == self.takes_value(*letter) => {
                Ok(Opt { letter: *letter, value })
            }
            _ => Err(BadOption::UnknownWord(word)),
        })
    }

    fn takes_value(&self, letter: u8) -> bool {
        memchr(letter, self.known).is_some_and(|place| self.known.get(place + 1) == Some(&b':'))
    }

    /// The argument that holds the next letter.
    fn current(&mut self) -> Option<&'static [u8]> {
        let arg = self.args.get(self.index)?.to_bytes();
        if self.within == 0 {
            if arg.len() < 2 || arg[0] != b'-' {
                return None;
            }
            if arg[1] == b'-' {
                self.ended = true;
                self.index += 1;
                return None;
            }
            self.within = 1;
        }
        Some(arg)
    }

    fn at_end_of_word(&self) -> bool {
        self.args.get(self.index).is_some_and(|word| word.to_bytes().len() == self.within)
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
        let next = self.args.get(self.index).ok_or(BadOption::NoValue(letter))?;
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

    /// Whether it is by `--` that they ended, so that none follow.
    #[must_use]
    pub const fn have_ended(&self) -> bool {
        self.ended
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
        if self.within > 0 && self.at_end_of_word() {
            self.index += 1;
            self.within = 0;
        }
        if let Some(word) = self.word() {
            return Some(word);
        }
        let letter = self.current()?[self.within];
        self.within += 1;
        let known = if letter == b':' { None } else { memchr(letter, self.known) };
        if known.is_none() {
            return Some(Err(BadOption::Unknown(letter)));
        }
        if !self.takes_value(letter) {
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

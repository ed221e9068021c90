//! Patterns, ready to be matched.

use crate::script::Pattern;
use upkeep_cli::Exit;
use upkeep_core::{glob, pattern};
use upkeep_logdir::Voice;
use upkeep_regexp::{Options, Regex};

/// What a regular expression may take of memory.
const MEMORY: usize = 64 * 1024;

/// A pattern in one of the languages.
pub(crate) enum Matcher {
    Star(&'static [u8]),
    Plus(&'static [u8]),
    Shell(&'static [u8]),
    Extended(Box<Regex>),
}

impl Matcher {
    /// Makes it ready. One that is no pattern is the end.
    pub(crate) fn new(pattern: Pattern, voice: &mut Voice) -> Result<Self, Exit> {
        Ok(match pattern {
            Pattern::Star(pattern) => Self::Star(pattern),
            Pattern::Plus(pattern) => Self::Plus(pattern),
            Pattern::Shell(pattern) => Self::Shell(pattern),
            Pattern::Extended(text) | Pattern::Library(text) => {
                let any_escape = matches!(pattern, Pattern::Library(_));
                let options = Options { memory: MEMORY, any_escape, ..Options::default() };
                match Regex::new(text, options) {
                    Ok(regex) => Self::Extended(Box::new(regex)),
                    Err(why) => {
                        let why = why.to_string();
                        let parts = [b"unable to follow ", text, b": ", why.as_bytes()];
                        return Err(voice.refuse(&parts));
                    }
                }
            }
        })
    }

    /// Whether it matches a line.
    pub(crate) fn matches(&mut self, line: &[u8]) -> bool {
        match self {
            Self::Star(pattern) => pattern::matches(pattern, line, memchr::memchr),
            Self::Plus(pattern) => pattern::plus::matches(pattern, line, memchr::memchr),
            Self::Shell(pattern) => glob::matches_any(pattern, line),
            Self::Extended(regex) => regex.is_match(line),
        }
    }
}

//! POSIX extended regular expressions over bytes, for choosing lines of a log.
//! Only whether a line matches and where is answered, not what its groups
//! match. There are no back-references, so an answer takes time in proportion
//! to the line, whatever the pattern is; what an expression may take of memory
//! is decided when it is made, and after that it allocates nothing.
//!
//! It means what the C library's `regcomp` with REG_EXTENDED means in the C
//! locale, except that a NUL is a byte like any other, and that a backslash
//! before a letter or digit to which it gives no meaning is refused.

mod automatic;
mod bracket;
mod dfa;
mod error;
mod literals;
mod node;
mod parse;
mod program;
mod required;
mod set;
mod threads;

pub use error::{Error, ErrorKind};

use crate::automatic::Automatic;
use crate::literals::Literals;
use std::ops::Range;

/// How a pattern is meant.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether `a` matches `A`.
    pub ignore_case: bool,
    /// Whether a backslash before a letter or digit to which it gives no
    /// meaning is taken for nothing, as the C library does, and no error.
    pub any_escape: bool,
    /// How many bytes the expression may take, all in all, within
    /// [`Options::LEAST`] and [`Options::MOST`]. A pattern that needs more is
    /// refused; one that could do with less takes what it is given, though what
    /// it does not use is never written to.
    pub memory: usize,
}

impl Options {
    /// The least that an expression takes.
    pub const LEAST: usize = 16_384;
    /// The most that one can make use of.
    pub const MOST: usize = 4_194_304;
}

impl Default for Options {
    fn default() -> Self {
        Self { ignore_case: false, any_escape: false, memory: 120_000 }
    }
}

/// A regular expression, and what it remembers of the lines it has seen.
#[derive(Debug)]
pub struct Regex(Kind);

#[derive(Debug)]
enum Kind {
    /// One that matches a few texts and nothing else.
    Literals(Literals),
    Automatic(Box<Automatic>),
}

impl Regex {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is no extended regular expression, has a back-reference or an escape
    /// without a meaning, or is too large.
    pub fn new(pattern: &[u8], options: Options) -> Result<Self, Error> {
        let memory = options.memory.clamp(Options::LEAST, Options::MOST);
        let parsed = Automatic::parse(pattern, options, memory / 2)?;
        let texts = required::texts(&parsed.node, &parsed.sets);
        if let Some(exact) = &texts.exact
            && required::is_plain(&parsed.node)
        {
            return Ok(Self(Kind::Literals(Literals::new(exact))));
        }
        let filter = texts.required().filter(|texts| required::worth(texts) > 0);
        let filter = filter.map(|texts| Literals::new(&texts));
        let memory = memory - size_of::<Self>();
        Ok(Self(Kind::Automatic(Box::new(Automatic::new(parsed, filter, memory)))))
    }

    /// One that matches these bytes and nothing else, of any length.
    #[must_use]
    pub fn literal(bytes: &[u8]) -> Self {
        Self(Kind::Literals(Literals::new(&[bytes.to_vec()])))
    }

    /// Whether something in the line matches. A line has no newline at its
    /// end; a byte in it that is one is like any other.
    pub fn is_match(&mut self, line: &[u8]) -> bool {
        match &mut self.0 {
            Kind::Literals(literals) => literals.any(line),
            Kind::Automatic(automatic) => automatic.is_match(line),
        }
    }

    /// Where the first match in the line is, and of those that begin there the
    /// longest.
    pub fn find(&mut self, line: &[u8]) -> Option<Range<usize>> {
        match &mut self.0 {
            Kind::Literals(literals) => literals.find(line),
            Kind::Automatic(automatic) => automatic.find(line),
        }
    }

    /// The same of those that begin at `from`, which is in the line, or later.
    /// What is before that is still before it: it is not the line's beginning.
    pub fn find_from(&mut self, line: &[u8], from: usize) -> Option<Range<usize>> {
        match &mut self.0 {
            Kind::Literals(literals) => {
                let found = literals.find(&line[from..])?;
                Some(from + found.start..from + found.end)
            }
            Kind::Automatic(automatic) => automatic.find_from(line, from),
        }
    }

    /// Where a byte is of the first line that could match, in a block of many
    /// lines with a newline behind each; nothing if none can. Whether that line
    /// does is then to be asked. This takes less time than to look at each line
    /// by itself.
    pub fn find_in_block(&mut self, block: &[u8]) -> Option<usize> {
        match &mut self.0 {
            Kind::Literals(literals) => literals.find_in_block(block),
            Kind::Automatic(automatic) => automatic.find_in_block(block),
        }
        .filter(|_| !block.is_empty())
    }

    /// How many bytes it takes, on the heap and off it. That never changes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match &self.0 {
                Kind::Literals(literals) => literals.allocated(),
                Kind::Automatic(automatic) => size_of::<Automatic>() + automatic.allocated(),
            }
    }
}

/// A pattern that matches these bytes and nothing else.
#[must_use]
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if b"\\^$.[]|()*+?{}".contains(&byte) {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern
}

//! POSIX extended regular expressions over bytes, for choosing lines of a log.
//! Only whether a line matches and where is answered, not what its groups
//! match. There are no back-references, so an answer takes time in proportion
//! to the line, whatever the pattern is; what an expression may take of memory
//! is decided when it is made, and after that it allocates nothing.
//!
//! It means what the C library's `regcomp` with REG_EXTENDED means in the C
//! locale, except that a NUL is a byte like any other.

mod bracket;
mod error;
mod node;
mod parse;
mod program;
mod set;
mod threads;

pub use error::{Error, ErrorKind};

use crate::parse::Cost;
use crate::program::Program;
use crate::threads::Machine;
use std::ops::Range;

/// How a pattern is meant.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether `a` matches `A`.
    pub ignore_case: bool,
    /// How many bytes the expression may take, all in all. Where a pattern
    /// needs more, it is refused; less than [`Options::LEAST`] is never asked.
    pub memory: usize,
}

impl Options {
    /// The least that an expression takes.
    pub const LEAST: usize = 16_384;
}

impl Default for Options {
    fn default() -> Self {
        Self { ignore_case: false, memory: 120_000 }
    }
}

/// A regular expression, and what it remembers of the lines it has seen.
#[derive(Debug)]
pub struct Regex {
    program: Program,
    machine: Machine,
}

impl Regex {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is no extended regular expression, has a back-reference, or is too
    /// large.
    pub fn new(pattern: &[u8], options: Options) -> Result<Self, Error> {
        let memory = options.memory.max(Options::LEAST);
        let cost = Cost { instruction: Program::INST + Machine::INST, set: Program::SET };
        let parsed = parse::parse(pattern, options.ignore_case, cost, memory / 2)?;
        let program = Program::new(parsed);
        let machine = Machine::new(program.len());
        Ok(Self { program, machine })
    }

    /// One that matches these bytes and nothing else.
    #[must_use]
    pub fn literal(bytes: &[u8]) -> Self {
        Self::new(&escaped(bytes), Options { memory: usize::MAX, ..Options::default() }).unwrap()
    }

    /// Whether something in the line matches. A line has no newline at its
    /// end; a byte in it that is one is like any other.
    pub fn is_match(&mut self, line: &[u8]) -> bool {
        self.machine.find(&self.program, line, true).is_some()
    }

    /// Where the first match in the line is, and of those that begin there the
    /// longest.
    pub fn find(&mut self, line: &[u8]) -> Option<Range<usize>> {
        self.machine.find(&self.program, line, false)
    }

    /// Where a byte is of the first line that could match, in a block of many
    /// lines with a newline behind each; nothing if none can. Whether that line
    /// does is then to be asked. This takes less time than to look at each line
    /// by itself.
    pub fn find_in_block(&mut self, block: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < block.len() {
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |len| at + len);
            if self.is_match(&block[at..end]) {
                return Some(at);
            }
            at = end + 1;
        }
        None
    }

    /// How many bytes it takes. That never changes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.program.allocated() + self.machine.allocated()
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

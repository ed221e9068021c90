//! What is wrong with a pattern, and where. It corrects nothing: a pattern
//! that could be meant in two ways is refused.

use std::fmt;

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The byte of the pattern at which it shows, counted from 0.
    pub at: usize,
    /// What it is.
    pub kind: ErrorKind,
}

/// What can be wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `*`, `+`, `?` or `{` behind nothing.
    NothingToRepeat,
    /// A `(` without its `)`.
    OpenGroup,
    /// A `[` without its `]`, or `[:` without its `:]`.
    OpenBracket,
    /// A `{` without its `}`.
    OpenCount,
    /// Something else than `{m}`, `{m,}`, `{,n}` or `{m,n}` in braces.
    BadCount,
    /// `{m,n}` where m is more than n.
    CountOrder,
    /// A count above 32767.
    HighCount,
    /// A backslash as the last byte.
    TrailingBackslash,
    /// `\1` to `\9`.
    BackReference,
    /// A backslash before a letter or a zero to which it gives no meaning: to
    /// other libraries `\d` is a digit, to the C library a `d`.
    UnknownEscape,
    /// A range in brackets that ends before it begins, or has no two ends.
    BadRange,
    /// `[:name:]` with a name that is none.
    UnknownClass,
    /// `[.x.]` or `[=x=]` with something else than one byte.
    UnknownElement,
    /// Groups in groups, or repetitions of repetitions, too many of them.
    TooDeep,
    /// More than fits into the memory that it may have.
    TooLarge,
}

impl ErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::NothingToRepeat => "nothing to repeat",
            Self::OpenGroup => "( is not closed",
            Self::OpenBracket => "[ is not closed",
            Self::OpenCount => "{ is not closed",
            Self::BadCount => "no count in braces",
            Self::CountOrder => "the first count is above the second",
            Self::HighCount => "count above 32767",
            Self::TrailingBackslash => "nothing behind the backslash",
            Self::BackReference => "back-references are not supported",
            Self::UnknownEscape => "a backslash has no meaning before this letter or digit",
            Self::BadRange => "bad range in brackets",
            Self::UnknownClass => "unknown character class",
            Self::UnknownElement => "unknown collating element",
            Self::TooDeep => "nested too deep",
            Self::TooLarge => "expression too large",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} of the pattern", self.kind.text(), self.at)
    }
}

impl std::error::Error for Error {}

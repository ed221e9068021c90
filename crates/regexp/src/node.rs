//! A pattern as a tree. It is as high as the parser lets it be, so what walks
//! it may recurse.

/// What a place in a line is between: an end of the line, a byte of a word, or
/// another byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Edge,
    Word,
    Other,
}

impl Side {
    /// The side on which this byte is.
    pub(crate) fn of(byte: Option<u8>) -> Self {
        match byte {
            None => Self::Edge,
            Some(byte) if crate::set::is_word(byte) => Self::Word,
            Some(_) => Self::Other,
        }
    }
}

/// What may be on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    Edge,
    Word,
    /// An edge is as good as a byte that is of no word.
    NoWord,
}

impl Wanted {
    pub(crate) fn fits(self, side: Side) -> bool {
        match self {
            Self::Any => true,
            Self::Edge => side == Side::Edge,
            Self::Word => side == Side::Word,
            Self::NoWord => side != Side::Word,
        }
    }
}

/// `^`, `\<` and the like: what has to be before and after this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) before: Wanted,
    pub(crate) after: Wanted,
}

impl Look {
    /// Whether it asks for words.
    pub(crate) fn knows_words(self) -> bool {
        [self.before, self.after].iter().any(|side| matches!(side, Wanted::Word | Wanted::NoWord))
    }
}

/// A pattern or a part of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Matches nothing at all, everywhere.
    Empty,
    /// One byte of the set with this number.
    Set(u16),
    Look(Look),
    Concat(Vec<Node>),
    Alt(Vec<Node>),
    /// At least `min` times, at most `max` if there is one, which is above 0.
    Repeat {
        node: Box<Node>,
        min: u16,
        max: Option<u16>,
    },
}

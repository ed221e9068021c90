//! A matcher that is slow and plain: for a tree and a place it says all places
//! where a match that begins there can end.

use std::collections::BTreeSet;
use std::ops::Range;

/// A pattern.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Matches nothing at all.
    Empty,
    /// A piece of a pattern that matches one byte, and which ones.
    One(&'static str, fn(u8) -> bool),
    /// A piece that matches a place, by the bytes before and after it.
    Place(&'static str, fn(Option<u8>, Option<u8>) -> bool),
    /// One after the other.
    Both(Box<Tree>, Box<Tree>),
    /// One or the other.
    Either(Box<Tree>, Box<Tree>),
    /// So many times, as the piece says.
    Times(Box<Tree>, &'static str, usize, Option<usize>),
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Pieces that match one byte.
pub const ONES: &[Tree] = &[
    Tree::One("a", |byte| byte == b'a'),
    Tree::One("[^a]", |byte| byte != b'a'),
    Tree::One("b", |byte| byte == b'b'),
    Tree::One(".", |_| true),
    Tree::One("[[:space:]c]", |byte| b" \t\n\x0b\x0c\rc".contains(&byte)),
    Tree::One("\\w", |byte| is_word(Some(byte))),
    Tree::One("[a-c]", |byte| (b'a'..=b'c').contains(&byte)),
    Tree::One("\\S", |byte| !b" \t\n\x0b\x0c\r".contains(&byte)),
    Tree::One("[]^-]", |byte| b"]^-".contains(&byte)),
];

/// Pieces that match a place.
pub const PLACES: &[Tree] = &[
    Tree::Place("^", |before, _| before.is_none()),
    Tree::Place("$", |_, after| after.is_none()),
    Tree::Place("\\b", |before, after| is_word(before) != is_word(after)),
    Tree::Place("\\B", |before, after| is_word(before) == is_word(after)),
    Tree::Place("\\<", |before, after| !is_word(before) && is_word(after)),
    Tree::Place("\\>", |before, after| is_word(before) && !is_word(after)),
];

/// Counts.
pub const COUNTS: &[(&str, usize, Option<usize>)] = &[
    ("*", 0, None),
    ("+", 1, None),
    ("?", 0, Some(1)),
    ("{2}", 2, Some(2)),
    ("{1,2}", 1, Some(2)),
    ("{2,}", 2, None),
    ("{,3}", 0, Some(3)),
    ("{0}", 0, Some(0)),
];

impl Tree {
    /// It as a pattern.
    pub fn pattern(&self) -> String {
        match self {
            Self::Empty => "()".to_owned(),
            Self::One(piece, _) | Self::Place(piece, _) => (*piece).to_owned(),
            Self::Both(one, other) => format!("{}{}", one.grouped(true), other.grouped(true)),
            Self::Either(one, other) => format!("{}|{}", one.pattern(), other.pattern()),
            Self::Times(tree, piece, ..) => format!("{}{piece}", tree.grouped(false)),
        }
    }

    fn grouped(&self, in_a_row: bool) -> String {
        let bare = match self {
            Self::Empty | Self::One(..) | Self::Times(..) => true,
            Self::Place(..) | Self::Both(..) => in_a_row,
            Self::Either(..) => false,
        };
        if bare { self.pattern() } else { format!("({})", self.pattern()) }
    }

    /// Where matches can end that begin at `at`.
    fn ends(&self, line: &[u8], at: usize) -> BTreeSet<usize> {
        match self {
            Self::Empty => BTreeSet::from([at]),
            Self::One(_, matches) => {
                line.get(at).filter(|byte| matches(**byte)).map(|_| at + 1).into_iter().collect()
            }
            Self::Place(_, matches) => {
                let before = at.checked_sub(1).map(|before| line[before]);
                matches(before, line.get(at).copied()).then_some(at).into_iter().collect()
            }
            Self::Both(one, other) => other.ends_of_all(line, &one.ends(line, at)),
            Self::Either(one, other) => &one.ends(line, at) | &other.ends(line, at),
            Self::Times(tree, _, min, max) => {
                let mut ends = BTreeSet::from([at]);
                for _ in 0..*min {
                    ends = tree.ends_of_all(line, &ends);
                }
                let mut all = ends.clone();
                // A round that adds nothing is followed by none that does.
                for _ in *min..max.unwrap_or(usize::MAX) {
                    ends = tree.ends_of_all(line, &ends);
                    if ends.is_subset(&all) {
                        break;
                    }
                    all.extend(&ends);
                }
                all
            }
        }
    }

    fn ends_of_all(&self, line: &[u8], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        starts.iter().flat_map(|&start| self.ends(line, start)).collect()
    }

    /// The leftmost match, and the longest of those.
    pub fn find(&self, line: &[u8]) -> Option<Range<usize>> {
        (0..=line.len()).find_map(|at| Some(at..*self.ends(line, at).last()?))
    }
}

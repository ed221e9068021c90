//! Looking for a few texts at once, with memchr's search for each.

use memchr::memmem::Finder;
use std::mem::size_of;
use std::ops::Range;

/// The first piece of a block that is searched for all texts; each next one is
/// twice as long, up to the last of these.
const PIECES: Range<usize> = 256..65_536;

/// Texts to look for.
#[derive(Debug)]
pub(crate) struct Literals {
    finders: Box<[Finder<'static>]>,
    longest: usize,
}

impl Literals {
    pub(crate) fn new(texts: &[Vec<u8>]) -> Self {
        let finders = texts.iter().map(|text| Finder::new(text).into_owned()).collect();
        Self { finders, longest: texts.iter().map(Vec::len).max().unwrap_or(0) }
    }

    /// Whether any of them is in the line.
    pub(crate) fn any(&self, line: &[u8]) -> bool {
        self.finders.iter().any(|finder| finder.find(line).is_some())
    }

    /// Where the first of them is, and the longest if several begin there.
    pub(crate) fn find(&self, line: &[u8]) -> Option<Range<usize>> {
        let found = self
            .finders
            .iter()
            .filter_map(|finder| finder.find(line).map(|at| at..at + finder.needle().len()));
        found.min_by_key(|found| (found.start, usize::MAX - found.end))
    }

    /// Where the first of them is in a block. A text that is rare costs no
    /// search of all the block each time that a frequent one is found.
    pub(crate) fn find_in_block(&self, block: &[u8]) -> Option<usize> {
        if let [finder] = &*self.finders {
            return finder.find(block);
        }
        let (mut at, mut len) = (0, PIECES.start);
        loop {
            let end = block.len().min(at + len + self.longest);
            if let Some(found) = self.find(&block[at..end]) {
                return Some(at + found.start);
            }
            if end == block.len() {
                return None;
            }
            at += len;
            len = PIECES.end.min(len * 2);
        }
    }

    /// The bytes it has allocated.
    pub(crate) fn allocated(&self) -> usize {
        let texts = self.finders.iter().map(|finder| finder.needle().len()).sum::<usize>();
        self.finders.len() * size_of::<Finder<'static>>() + texts
    }
}

//! Whether a line says what is looked for. Only its text is asked, never its
//! stamp, though both are in the way when many lines are searched at once.

use crate::Entry;
use crate::options::Chosen;
use crate::trouble;
use core::ops::Range;
use memchr::memmem::Finder;
use upkeep_cli::Exit;
use upkeep_regexp::{Options, Regex, escaped};

/// As much memory as a pattern may take.
const MEMORY: usize = 8 << 20;

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Matcher {
    how: How,
    invert: bool,
}

#[derive(Debug)]
enum How {
    /// These bytes.
    Plain(Box<Finder<'static>>),
    Regex {
        regex: Box<Regex>,
        /// Whether it may ask for the beginning of the text, which is not that
        /// of the line.
        anchored: bool,
    },
}

impl Matcher {
    /// What is asked for, if anything is.
    pub(crate) fn new(chosen: &Chosen) -> Result<Option<Self>, Exit> {
        let Some(pattern) = chosen.pattern else { return Ok(None) };
        let plain = chosen.fixed || escaped(pattern) == pattern;
        let how = if plain && !chosen.ignore_case {
            How::Plain(Box::new(Finder::new(pattern).into_owned()))
        } else {
            let options =
                Options { ignore_case: chosen.ignore_case, memory: MEMORY, ..Options::default() };
            let written = if chosen.fixed { escaped(pattern) } else { pattern.to_vec() };
            let regex = Regex::new(&written, options).map_err(|why| {
                let why = why.to_string();
                let _ = trouble::fatal(&[
                    b"unable to understand pattern ",
                    pattern,
                    b": ",
                    why.as_bytes(),
                ]);
                Exit::Usage
            })?;
            // `^` and the other one that asks for the same.
            let anchored = !plain && pattern.iter().any(|byte| b"^`".contains(byte));
            How::Regex { regex: Box::new(regex), anchored }
        };
        Ok(Some(Self { how, invert: chosen.invert }))
    }

    /// Whether the line is one of those that are wanted.
    pub(crate) fn chooses(&mut self, entry: &Entry<'_>) -> bool {
        let found = match &mut self.how {
            How::Plain(finder) => finder.find(entry.text).is_some(),
            How::Regex { regex, .. } => regex.is_match(entry.text),
        };
        found != self.invert
    }

    /// Where a byte is of the first line of many that could be wanted; none if
    /// no line is.
    pub(crate) fn candidate(&mut self, lines: &[u8]) -> Option<usize> {
        match &mut self.how {
            _ if self.invert => Some(0),
            How::Plain(finder) => finder.find(lines),
            How::Regex { anchored: true, .. } => Some(0),
            How::Regex { regex, .. } => regex.find_in_block(lines),
        }
    }

    /// The next place in a text from `from` on that is what was looked for, and
    /// is not empty.
    pub(crate) fn place(&mut self, text: &[u8], from: usize) -> Option<Range<usize>> {
        if self.invert {
            return None;
        }
        let found = match &mut self.how {
            How::Plain(finder) => {
                let length = finder.needle().len();
                finder.find(&text[from..]).map(|at| from + at..from + at + length)
            }
            How::Regex { regex, .. } => regex.find_from(text, from),
        };
        found.filter(|found| !found.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(pattern: &'static str, set: impl FnOnce(&mut Chosen)) -> Matcher {
        let mut chosen = Chosen { pattern: Some(pattern.as_bytes()), ..Chosen::default() };
        set(&mut chosen);
        Matcher::new(&chosen).unwrap().unwrap()
    }

    fn chooses(matcher: &mut Matcher, text: &str) -> bool {
        let entry =
            Entry { source: 0, moment: None, stamp: b"b ", text: text.as_bytes(), torn: false };
        matcher.chooses(&entry)
    }

    #[test]
    fn each_way_to_look() {
        let as_it_is = |_: &mut Chosen| {};
        for (mut matcher, matching, others) in [
            (matcher("ab", as_it_is), &["ab", "xaby"][..], &["", "aB", "b"][..]),
            (matcher("", as_it_is), &["", "x"], &[]),
            (matcher("a|b", as_it_is), &["a", "b"], &["", "|", "A"]),
            (matcher("a|b", |c| c.fixed = true), &["a|b", "xa|b"], &["a", "b"]),
            (matcher("a|b", |c| (c.fixed, c.ignore_case) = (true, true)), &["A|b"], &["a"]),
            (matcher("a.", |c| c.ignore_case = true), &["Ab", "xA\u{e4}"], &["a", "b"]),
            (matcher("^a", as_it_is), &["a", "ab"], &["ba", ""]),
            (matcher("ab", |c| c.invert = true), &["", "x"], &["ab"]),
            (matcher("^b", |c| c.invert = true), &["", "x"], &["b"]),
        ] {
            assert!(matching.iter().all(|text| chooses(&mut matcher, text)), "{matcher:?}");
            assert!(!others.iter().any(|text| chooses(&mut matcher, text)), "{matcher:?}");
        }
    }

    #[test]
    fn no_pattern_and_none_that_is_one() {
        assert!(Matcher::new(&Chosen::default()).unwrap().is_none());
        let bad = Chosen { pattern: Some(b"(a"), ..Chosen::default() };
        assert_eq!(Matcher::new(&bad).err(), Some(Exit::Usage));
        assert!(Matcher::new(&Chosen { fixed: true, ..bad }).is_ok());
    }

    #[test]
    fn a_candidate_is_in_the_line() {
        let lines = b"@1 x\n@2 ab\n@3 y\n";
        let within = |at: Option<usize>| at.is_some_and(|at| (5..11).contains(&at));
        assert!(within(matcher("ab", |_| {}).candidate(lines)));
        assert!(within(matcher("a+b", |_| {}).candidate(lines)));
        assert!(within(matcher("AB$", |c| c.ignore_case = true).candidate(lines)));
        assert_eq!(matcher("ac", |_| {}).candidate(lines), None);
        assert_eq!(matcher("a+c", |_| {}).candidate(lines), None);
        // Where a line cannot be judged from outside, it is the next one.
        assert_eq!(matcher("^ab", |_| {}).candidate(lines), Some(0));
        assert_eq!(matcher("@", |c| c.invert = true).candidate(lines), Some(0));
    }

    #[test]
    fn places() {
        fn all(mut matcher: Matcher, text: &str) -> Vec<Range<usize>> {
            let (mut all, mut from) = (Vec::new(), 0);
            while let Some(place) = matcher.place(text.as_bytes(), from) {
                from = place.end;
                all.push(place);
            }
            all
        }
        assert_eq!(all(matcher("ab", |_| {}), "abxab"), [0..2, 3..5]);
        assert_eq!(all(matcher("a+", |_| {}), "baab a"), [1..3, 5..6]);
        assert_eq!(all(matcher("^a", |_| {}), "aa"), [Range { start: 0, end: 1 }]);
        // What is before it is still before it.
        assert_eq!(all(matcher("\\<a", |_| {}), "aa a"), [0..1, 3..4]);
        assert_eq!(all(matcher("^a|b", |_| {}), "aab"), [0..1, 2..3]);
        assert_eq!(all(matcher("", |_| {}), "aa"), []);
        assert_eq!(all(matcher("x*", |_| {}), "aa"), []);
        assert_eq!(all(matcher("a", |c| c.invert = true), "aa"), []);
    }
}

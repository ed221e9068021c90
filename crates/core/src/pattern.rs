//! multilog's patterns: every byte stands for itself, except that a star
//! stands for everything up to the next occurrence of the byte behind it, or
//! for the rest of the line at the end. It never looks back: `*ab` does not
//! match `aab`.

pub mod plus;

/// Whether `pattern` matches the whole of `line`. `find` says where a byte is
/// first in a slice; the caller brings its fastest.
pub fn matches(
    mut pattern: &[u8],
    mut line: &[u8],
    find: impl Fn(u8, &[u8]) -> Option<usize>,
) -> bool {
    while let Some((&byte, rest)) = pattern.split_first() {
        pattern = rest;
        if byte != b'*' {
            match line.split_first() {
                Some((&first, after)) if first == byte => line = after,
                _ => return false,
            }
        } else if let Some(&next) = pattern.first() {
            match find(next, line) {
                Some(at) => line = &line[at..],
                None => return false,
            }
        } else {
            return true;
        }
    }
    line.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    fn find(byte: u8, line: &[u8]) -> Option<usize> {
        line.iter().position(|&b| b == byte)
    }

    /// The rule as the manual states it, word by word.
    fn obvious(pattern: &[u8], line: &[u8]) -> bool {
        match (pattern, line) {
            ([], _) => line.is_empty(),
            ([b'*'], _) => true,
            ([b'*', next, ..], [first, ..]) if next == first => obvious(&pattern[1..], line),
            ([b'*', ..], [_, rest @ ..]) => obvious(pattern, rest),
            ([byte, after @ ..], [first, rest @ ..]) => byte == first && obvious(after, rest),
            ([_, ..], []) => false,
        }
    }

    fn words(alphabet: &[u8], longest: usize) -> Vec<Vec<u8>> {
        let mut all = std::vec![Vec::new()];
        let mut from = 0;
        for _ in 0..longest {
            let to = all.len();
            for i in from..to {
                for &byte in alphabet {
                    let mut word: Vec<u8> = all[i].clone();
                    word.push(byte);
                    all.push(word);
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn every_short_pattern_and_line() {
        let lines = words(b"ab*\0", 4);
        for pattern in words(b"ab*", 5) {
            for line in &lines {
                assert_eq!(
                    matches(&pattern, line, find),
                    obvious(&pattern, line),
                    "{pattern:?} {line:?}"
                );
            }
        }
    }

    #[test]
    fn a_star_does_not_look_back() {
        assert!(matches(b"*: fatal: *", b"x: fatal: y", find));
        assert!(!matches(b"*ab", b"aab", find));
        assert!(matches(b"**a", b"*a", find));
    }
}

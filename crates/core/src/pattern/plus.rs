//! svlogd's patterns: multilog's, and a plus, which stands for the byte behind
//! it once or more often. Where such a run reaches the end of the line, the
//! rest of the pattern does not matter.

/// Whether `pattern` matches the whole of `line`. `find` says where a byte is
/// first in a slice; the caller brings its fastest.
pub fn matches(
    mut pattern: &[u8],
    mut line: &[u8],
    find: impl Fn(u8, &[u8]) -> Option<usize>,
) -> bool {
    while let Some((&byte, rest)) = pattern.split_first() {
        pattern = rest;
        match byte {
            b'*' => {
                let Some(&next) = pattern.first() else { return true };
                let Some(at) = find(next, line) else { return false };
                line = &line[at..];
            }
            b'+' => {
                let Some((&wanted, rest)) = pattern.split_first() else { return false };
                pattern = rest;
                let run = line.iter().take_while(|&&byte| byte == wanted).count();
                if run == 0 {
                    return false;
                }
                line = &line[run..];
                if line.is_empty() {
                    return true;
                }
            }
            plain => match line.split_first() {
                Some((&first, after)) if first == plain => line = after,
                _ => return false,
            },
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

    /// The rule, word by word. `run` is the byte that may go on.
    fn obvious(pattern: &[u8], line: &[u8], run: Option<u8>) -> bool {
        if let Some(byte) = run {
            return match line {
                [] => true,
                [first, rest @ ..] if *first == byte => obvious(pattern, rest, run),
                _ => obvious(pattern, line, None),
            };
        }
        match (pattern, line) {
            ([], _) => line.is_empty(),
            ([b'*'], _) => true,
            ([b'*', next, ..], [first, ..]) if next == first => obvious(&pattern[1..], line, None),
            ([b'*', ..], [_, rest @ ..]) => obvious(pattern, rest, None),
            ([b'+', wanted, after @ ..], [first, rest @ ..]) => {
                wanted == first && obvious(after, rest, Some(*wanted))
            }
            ([b'+'], _) | ([_, ..], []) => false,
            ([byte, after @ ..], [first, rest @ ..]) => byte == first && obvious(after, rest, None),
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
        let lines = words(b"ab*+", 4);
        for pattern in words(b"ab*+", 5) {
            for line in &lines {
                assert_eq!(
                    matches(&pattern, line, find),
                    obvious(&pattern, line, None),
                    "{pattern:?} {line:?}"
                );
            }
        }
    }

    #[test]
    fn as_the_original_answers() {
        // Each was put to runit's svlogd.
        for (pattern, line, answer) in [
            ("a+b", "abbb", true),
            ("a+", "aaa", false),
            ("+ab", "b", false),
            ("++", "++", true),
            ("++a", "+a", true),
            ("*+a", "xx+a", false),
            ("+*", "xyz", false),
            ("+*", "**", true),
            ("+a+a", "aaa", true),
            ("+aa", "aa", true),
            ("+ab+c", "aabcc", true),
            ("+a*b", "aaxb", true),
            ("*+", "+", false),
            ("**a", "b*a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), line.as_bytes(), find), answer, "{pattern}");
        }
    }
}

//! Patterns for the names of services, as a shell has them for those of files:
//! `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before what stands for itself.

/// Whether `name` is a pattern and not a plain name.
#[must_use]
pub fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[".contains(byte))
}

/// Whether `pattern` matches the whole of `name`. A dot in front is matched
/// only by one.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let hidden = name.first() == Some(&b'.') && pattern.first() != Some(&b'.');
    !hidden && matches_any(pattern, name)
}

/// Whether `pattern` matches the whole of any text, in which a dot in front
/// is nothing special.
#[must_use]
pub fn matches_any(mut pattern: &[u8], mut name: &[u8]) -> bool {
    // Behind the last star, and what it has not taken yet.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', rest)) = pattern.split_first() {
            pattern = rest;
            star = Some((rest, name));
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else if let Some((&byte, after)) = name.split_first()
            && let Some(rest) = one(pattern, byte)
        {
            (pattern, name) = (rest, after);
        } else if let Some((behind, left)) = star
            && let Some((_, left)) = left.split_first()
        {
            // It takes one more.
            star = Some((behind, left));
            (pattern, name) = (behind, left);
        } else {
            return false;
        }
    }
}

/// What is left of the pattern when what it begins with matches this byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    let (matches, rest) = match first {
        b'?' => (true, rest),
        b'[' => set(rest, byte).unwrap_or((byte == b'[', rest)),
        b'\\' => rest.split_first().map_or((byte == b'\\', rest), |(&c, rest)| (c == byte, rest)),
        plain => (plain == byte, rest),
    };
    matches.then_some(rest)
}

/// Whether the byte is in the set, which begins behind its bracket, and what is
/// behind it; nothing if it has no end.
fn set(set: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut left) = match set.split_first() {
        Some((b'!', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    let mut first = true;
    loop {
        let (low, rest) = member(left, first)?;
        let Some(low) = low else { return Some((found != negated, rest)) };
        (left, first) = (rest, false);
        let mut high = low;
        if let Some((b'-', rest)) = left.split_first()
            && let Some((Some(end), rest)) = member(rest, false)
        {
            (high, left) = (end, rest);
        }
        found |= (low..=high).contains(&byte);
    }
}

/// The next byte of a set, or none at its end, which cannot come first.
fn member(left: &[u8], first: bool) -> Option<(Option<u8>, &[u8])> {
    let (&byte, rest) = left.split_first()?;
    match byte {
        b']' if !first => Some((None, rest)),
        b'\\' => rest.split_first().map(|(&byte, rest)| (Some(byte), rest)),
        byte => Some((Some(byte), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_all(matching: bool, pattern: &str, names: &[&str]) {
        for name in names {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), matching, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, matching, others) in [
            ("web", &["web"][..], &["", "we", "webs", "Web"][..]),
            ("web-*", &["web-", "web-1", "web-a-b"], &["web", "xweb-1"]),
            ("*", &["", "web", "[x"], &[".", ".hidden"]),
            ("*-log", &["-log", "web-log", "log-log", "a-lo-log"], &["web-log2", "log"]),
            ("a*b*c", &["abc", "aXbYc", "abbcc", "abcbc"], &["ab", "acb", "abcd"]),
            ("**a", &["a", "ba"], &["", "ab"]),
            ("?", &["a", "?"], &["", "ab", "."]),
            ("w?b", &["web", "w*b"], &["wb", "weeb"]),
            ("web[0-9]", &["web0", "web9"], &["web", "weba", "web10"]),
            ("[!0-9]x", &["ax", "-x"], &["0x", "x"]),
            ("[a-cx-z]", &["a", "c", "y"], &["d", "w", "-"]),
            ("[]a]", &["]", "a"], &["b", ""]),
            ("[!]a]", &["b"], &["]", "a"]),
            ("[a-]", &["a", "-"], &["b", "]"]),
            ("[-a]", &["a", "-"], &["b"]),
            ("[z-a]", &[], &["z", "a", "m", "-"]),
            ("[\\]]", &["]"], &["\\", "["]),
            ("[a", &["[a"], &["a", "["]),
            ("[", &["["], &["", "a"]),
            ("\\*", &["*"], &["a", "\\*", ""]),
            ("a\\", &["a\\"], &["a", "ab"]),
            (".*", &[".", ".a"], &["a"]),
            ("[.]a", &[], &[".a"]),
        ] {
            assert_all(true, pattern, matching);
            assert_all(false, pattern, others);
        }
    }

    /// The same by trying every length for each star.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|taken| naive(rest, &name[taken..])),
            Some(_) => name.split_first().is_some_and(|(&byte, after)| {
                one(pattern, byte).is_some_and(|rest| naive(rest, after))
            }),
        }
    }

    #[test]
    fn every_short_pattern_on_every_short_name() {
        let words = |letters: &'static [u8], most: u32| {
            let count = letters.len();
            (0..=most).flat_map(move |length| {
                (0..count.pow(length)).map(move |number| {
                    let mut word = [0; 6];
                    let mut left = number;
                    for place in &mut word[..length as usize] {
                        *place = letters[left % count];
                        left /= count;
                    }
                    (word, length as usize)
                })
            })
        };
        for (pattern, length) in words(b"ab*?[]!-", 5) {
            let pattern = &pattern[..length];
            for (name, length) in words(b"ab[", 3) {
                let name = &name[..length];
                assert_eq!(matches(pattern, name), naive(pattern, name), "{pattern:?} {name:?}");
            }
        }
    }

    #[test]
    fn many_stars_end() {
        assert!(!matches(&[b'*'; 200], b".x"));
        assert!(!matches(b"*a*a*a*a*a*a*a*a*a*a*b", &[b'a'; 200]));
    }

    #[test]
    fn plain_names_are_no_patterns() {
        for name in ["web", "web-1", "a.b", "a]", "a\\b", "!"] {
            assert!(!is_pattern(name.as_bytes()), "{name}");
        }
        assert!(["*", "a?", "[a"].iter().all(|name| is_pattern(name.as_bytes())));
    }
}

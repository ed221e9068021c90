//! Where what a service wrote is cut into lines. Decides only: it sees bytes and
//! says how many of them are the next line.

use memchr::memchr;

/// The longest line, without its end: what is longer is cut.
pub const LONGEST: usize = 16 * 1024;

/// The next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// As many bytes are its text.
    pub(crate) text: usize,
    /// As many bytes are done with then.
    pub(crate) taken: usize,
    /// Whether its own end has come.
    pub(crate) whole: bool,
}

/// The first line of `seen`, if all of it is there: it has an end, or is longer
/// than `most`, or nothing is to `come` for now.
pub(crate) fn next(seen: &[u8], most: usize, to_come: bool) -> Option<Line> {
    let looked = &seen[..seen.len().min(most + 1)];
    if let Some(end) = memchr(b'\n', looked) {
        return Some(Line { text: end, taken: end + 1, whole: true });
    }
    let text = if seen.len() > most { before_character(seen, most) } else { seen.len() };
    let is_there = text > 0 && (seen.len() > most || !to_come);
    is_there.then_some(Line { text, taken: text, whole: false })
}

/// The last place at or before `most` that is not within a character of UTF-8.
fn before_character(seen: &[u8], most: usize) -> usize {
    const LONGEST_CHARACTER: usize = 4;
    let is_within = |at: usize| seen[at] & 0xc0 == 0x80;
    let places = (most.saturating_sub(LONGEST_CHARACTER - 1).max(1)..=most).rev();
    // What has no such place is no UTF-8.
    places.into_iter().find(|at| !is_within(*at)).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines that `next` finds, each with a mark where it was cut.
    fn lines(seen: &[u8], most: usize, to_come: bool) -> (Vec<String>, usize) {
        let (mut lines, mut at) = (Vec::new(), 0);
        while let Some(line) = next(&seen[at..], most, to_come) {
            assert!(line.text <= most && line.taken > 0);
            let text = String::from_utf8_lossy(&seen[at..at + line.text]);
            lines.push(format!("{text}{}", if line.whole { "" } else { "+" }));
            at += line.taken;
        }
        (lines, at)
    }

    #[test]
    fn lines_are_cut_at_their_ends() {
        let (all, at) = lines(b"one\n\ntwo\nthr", 10, true);
        assert_eq!((all, at), (vec!["one".into(), String::new(), "two".into()], 9));
    }

    #[test]
    fn what_is_not_to_go_on_is_a_line() {
        assert_eq!(lines(b"one\ntwo", 10, false).0, ["one", "two+"]);
        assert_eq!(lines(b"", 10, false).0, [""; 0]);
        assert_eq!(lines(b"two", 10, true).0, [""; 0]);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(lines(b"0123456789\n", 10, true).0, ["0123456789"]);
        // It may be that only its end is missing.
        assert_eq!(lines(b"0123456789", 10, true).0, [""; 0]);
        assert_eq!(lines(b"0123456789a", 10, true), (vec!["0123456789+".into()], 10));
        assert_eq!(lines(b"0123456789abc\nd\n", 10, true).0, ["0123456789+", "abc", "d"]);
    }

    /// Whatever it is, and however it comes, all of it is there again, and no
    /// line is longer than it may be.
    #[test]
    fn nothing_is_lost_in_any_text() {
        let mut seed = 1_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed >> 16
        };
        for _ in 0..20_000 {
            let bytes = [b'a', b'\n', 0xc3, 0xa9, 0x80, 0xf0, 0xff, 0];
            let text: Vec<u8> = (0..random() % 40).map(|_| bytes[random() as usize % 8]).collect();
            let (most, mut back, mut at) = (1 + random() as usize % 12, Vec::new(), 0);
            while let Some(line) = next(&text[at..], most, false) {
                assert!(line.text <= most && line.taken >= line.text.max(1));
                assert!(!text[at..at + line.text].contains(&b'\n'));
                back.extend_from_slice(&text[at..at + line.text]);
                back.extend(line.whole.then_some(b'\n'));
                at += line.taken;
            }
            assert_eq!((back, at), (text.clone(), text.len()), "{most}");
        }
    }

    #[test]
    fn a_character_is_not_cut() {
        let text = "aé€😀b";
        for most in 4..text.len() {
            let (all, _) = lines(text.as_bytes(), most, false);
            let back: String = all.iter().map(|line| line.strip_suffix('+').unwrap()).collect();
            assert_eq!(back, text, "{most}: {all:?}");
        }
        // Those that could only continue one, and never end.
        let (all, at) = lines(&[0x80; 9], 4, false);
        assert_eq!((all.len(), at), (3, 9));
    }
}

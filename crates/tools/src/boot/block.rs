//! Lines of ours in a file that is somebody else's: put in, replaced, taken out
//! so that the rest is what it was, to the byte. Only text in and text out.

const BEGIN: &[u8] = b"# BEGIN svboot\n";
/// The same behind a last line that had no end.
const BEGIN_JOINED: &[u8] = b"# BEGIN svboot (the line above had no end)\n";
const END: &[u8] = b"# END svboot\n";

/// One end of the lines is missing, or is there twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Torn;

/// Where the lines are, both ends included, and whether an end of line before
/// them was put there with them.
fn find(text: &[u8]) -> Result<Option<(core::ops::Range<usize>, bool)>, Torn> {
    let mut found: [Option<(usize, bool)>; 2] = [None; 2];
    let mut at = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        // The last one may have lost its end to an editor.
        let is = |known: &[u8]| known.strip_suffix(b"\n") == Some(line.trim_ascii_end());
        let joined = is(BEGIN_JOINED);
        let seen = if joined || is(BEGIN) { Some((0, at)) } else { is(END).then_some((1, next)) };
        if let Some((which, place)) = seen {
            // Neither twice, nor the end first.
            let before = found[which].is_some() || (which == 1 && found[0].is_none());
            if before {
                return Err(Torn);
            }
            found[which] = Some((place, joined));
        }
        at = next;
    }
    match found {
        [None, None] => Ok(None),
        [Some((start, joined)), Some((end, _))] => Ok(Some((start..end, joined))),
        _ => Err(Torn),
    }
}

/// `text` with `lines` in it, in the place of what was there before.
pub fn put(text: &[u8], lines: &str) -> Result<Vec<u8>, Torn> {
    let found = find(text)?;
    let joined =
        found.as_ref().map_or(!text.is_empty() && !text.ends_with(b"\n"), |(_, joined)| *joined);
    let (before, after) = match found {
        Some((range, _)) => (&text[..range.start], &text[range.end..]),
        None => (text, &b""[..]),
    };
    let begin = if joined { BEGIN_JOINED } else { BEGIN };
    let newline: &[u8] = if joined && !before.ends_with(b"\n") { b"\n" } else { b"" };
    Ok([before, newline, begin, lines.as_bytes(), END, after].concat())
}

/// `text` without them; nothing if they are not there.
pub fn take(text: &[u8]) -> Result<Option<Vec<u8>>, Torn> {
    let Some((range, joined)) = find(text)? else { return Ok(None) };
    let (mut before, after) = (&text[..range.start], &text[range.end..]);
    if joined && after.is_empty() {
        before = before.strip_suffix(b"\n").unwrap_or(before);
    }
    Ok(Some([before, after].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 6] = ["", "\n", "a", "a\n", "a\nb", "a\n\n"];

    #[test]
    fn what_is_taken_out_leaves_what_was() {
        for text in TEXTS {
            let first = put(text.as_bytes(), "one\n").unwrap();
            let second = put(&first, "two\nthree\n").unwrap();
            assert_eq!(put(&second, "two\nthree\n").unwrap(), second);
            assert_eq!(put(&second, "one\n").unwrap(), first);
            for with in [first, second] {
                assert!(with.starts_with(text.as_bytes()));
                assert_eq!(take(&with).unwrap().unwrap(), text.as_bytes(), "{text:?}");
            }
            assert_eq!(take(text.as_bytes()), Ok(None));
        }
    }

    #[test]
    fn what_was_written_behind_it_stays() {
        for text in TEXTS {
            let with = [put(text.as_bytes(), "one\n").unwrap(), b"more".to_vec()].concat();
            let again = put(&with, "two\n").unwrap();
            assert!(again.ends_with(b"# END svboot\nmore"), "{text:?}");
            let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            assert_eq!(take(&again).unwrap().unwrap(), format!("{text}{newline}more").as_bytes());
        }
    }

    #[test]
    fn a_last_line_without_an_end_is_one() {
        let text = b"a\n# BEGIN svboot\nx\n# END svboot";
        assert_eq!(take(text).unwrap().unwrap(), b"a\n");
        assert_eq!(put(text, "y\n").unwrap(), b"a\n# BEGIN svboot\ny\n# END svboot\n");
        assert_eq!(put(b"# END svboot", "y\n"), Err(Torn));
    }

    #[test]
    fn what_is_torn_is_left_alone() {
        let (begin, end) = ("# BEGIN svboot\n", "# END svboot\n");
        for text in [
            begin.to_owned(),
            end.to_owned(),
            format!("{end}{begin}"),
            format!("{begin}{begin}{end}"),
            format!("{begin}{end}{end}"),
            format!("{begin}{end}{begin}{end}"),
        ] {
            assert_eq!(put(text.as_bytes(), "x\n"), Err(Torn), "{text}");
            assert_eq!(take(text.as_bytes()), Err(Torn), "{text}");
        }
        // A line that only resembles one is none.
        let text = b" # BEGIN svboot\n# END svboots";
        assert_eq!(take(text), Ok(None));
    }
}

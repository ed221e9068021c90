//! Lines of ours in a file that is somebody else's: put in, replaced, taken out
//! so that the rest is what it was, to the byte. Only text in and text out.

const BEGIN: &[u8] = b"# BEGIN svboot\n";
/// The same behind a last line that had no end.
const BEGIN_JOINED: &[u8] = b"# BEGIN svboot (the line above had no end)\n";
/// The same in a file that was not there.
const BEGIN_MADE: &[u8] = b"# BEGIN svboot (the file is there for it)\n";
const END: &[u8] = b"# END svboot\n";

/// One end of the lines is missing, or is there twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Torn;

/// Where the lines are, both ends included, and how they begin.
type Place = (core::ops::Range<usize>, &'static [u8]);

fn find(text: &[u8]) -> Result<Option<Place>, Torn> {
    let mut found: [Option<(usize, &[u8])>; 2] = [None; 2];
    let mut at = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        // The last one may have lost its end to an editor.
        let is = |known: &[u8]| known.strip_suffix(b"\n") == Some(line.trim_ascii_end());
        let begin = [BEGIN, BEGIN_JOINED, BEGIN_MADE].into_iter().find(|begin| is(begin));
        let seen = begin.map(|begin| (0, at, begin)).or_else(|| is(END).then_some((1, next, END)));
        if let Some((which, place, known)) = seen {
            // Neither twice, nor the end first.
            let before = found[which].is_some() || (which == 1 && found[0].is_none());
            if before {
                return Err(Torn);
            }
            found[which] = Some((place, known));
        }
        at = next;
    }
    match found {
        [None, None] => Ok(None),
        [Some((start, begin)), Some((end, _))] => Ok(Some((start..end, begin))),
        _ => Err(Torn),
    }
}

/// Where in a file they are, if they are not there yet.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// Before all that is there.
    First,
    /// Behind it.
    Last,
}

/// `text` with `lines` in it, in the place of what was there before. Without a
/// text there is no file.
pub fn put(text: Option<&[u8]>, lines: &str, side: Side) -> Result<Vec<u8>, Torn> {
    let is_new = text.is_none();
    let text = text.unwrap_or_default();
    let (before, begin, after) = match find(text)? {
        Some((range, begin)) => (&text[..range.start], begin, &text[range.end..]),
        None if is_new => (text, BEGIN_MADE, &b""[..]),
        None if matches!(side, Side::First) => (&b""[..], BEGIN, text),
        None if text.is_empty() || text.ends_with(b"\n") => (text, BEGIN, &b""[..]),
        None => (text, BEGIN_JOINED, &b""[..]),
    };
    let is_joined = begin == BEGIN_JOINED && !before.ends_with(b"\n");
    let newline: &[u8] = if is_joined { b"\n" } else { b"" };
    Ok([before, newline, begin, lines.as_bytes(), END, after].concat())
}

/// What is left of a file without the lines.
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// They are not there.
    Same,
    /// This.
    Text(Vec<u8>),
    /// Nothing: the file was made for them.
    Nothing,
}

/// `text` without them.
pub fn take(text: &[u8]) -> Result<Rest, Torn> {
    let Some((range, begin)) = find(text)? else { return Ok(Rest::Same) };
    let (mut before, after) = (&text[..range.start], &text[range.end..]);
    if begin == BEGIN_JOINED && after.is_empty() {
        before = before.strip_suffix(b"\n").unwrap_or(before);
    }
    let rest = [before, after].concat();
    let is_gone = rest.is_empty() && begin == BEGIN_MADE;
    Ok(if is_gone { Rest::Nothing } else { Rest::Text(rest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 6] = ["", "\n", "a", "a\n", "a\nb", "a\n\n"];

    #[test]
    fn what_is_taken_out_leaves_what_was() {
        for text in TEXTS {
            let first = put(Some(text.as_bytes()), "one\n", Side::Last).unwrap();
            let second = put(Some(&first), "two\nthree\n", Side::Last).unwrap();
            assert_eq!(put(Some(&second), "two\nthree\n", Side::Last).unwrap(), second);
            assert_eq!(put(Some(&second), "one\n", Side::Last).unwrap(), first);
            for with in [first, second] {
                assert!(with.starts_with(text.as_bytes()));
                assert_eq!(take(&with), Ok(Rest::Text(text.into())), "{text:?}");
            }
            assert_eq!(take(text.as_bytes()), Ok(Rest::Same));
        }
    }

    #[test]
    fn what_comes_first_leaves_what_was() {
        for text in TEXTS {
            let first = put(Some(text.as_bytes()), "one\n", Side::First).unwrap();
            assert_eq!(first, format!("# BEGIN svboot\none\n# END svboot\n{text}").into_bytes());
            // It stays where it is.
            for side in [Side::First, Side::Last] {
                let second = put(Some(&first), "two\n", side).unwrap();
                assert!(second.starts_with(b"# BEGIN svboot\ntwo\n"));
                assert_eq!(take(&second), Ok(Rest::Text(text.into())), "{text:?}");
            }
        }
        assert_eq!(put(None, "one\n", Side::First), put(None, "one\n", Side::Last));
    }

    #[test]
    fn what_was_written_behind_it_stays() {
        for text in TEXTS {
            let with = [put(Some(text.as_bytes()), "one\n", Side::Last).unwrap(), b"more".to_vec()]
                .concat();
            let again = put(Some(&with), "two\n", Side::Last).unwrap();
            assert!(again.ends_with(b"# END svboot\nmore"), "{text:?}");
            let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let rest = format!("{text}{newline}more").into_bytes();
            assert_eq!(take(&again), Ok(Rest::Text(rest)));
        }
    }

    #[test]
    fn a_file_that_was_made_for_them_goes_with_them() {
        let made = put(None, "one\n", Side::Last).unwrap();
        assert_eq!(put(Some(&made), "one\n", Side::Last).unwrap(), made);
        assert_eq!(take(&put(Some(&made), "two\n", Side::Last).unwrap()), Ok(Rest::Nothing));
        let with = [&made[..], b"more\n"].concat();
        assert_eq!(take(&with), Ok(Rest::Text(b"more\n".to_vec())));
    }

    #[test]
    fn a_last_line_without_an_end_is_one() {
        let text = b"a\n# BEGIN svboot\nx\n# END svboot";
        assert_eq!(take(text), Ok(Rest::Text(b"a\n".to_vec())));
        assert_eq!(
            put(Some(text), "y\n", Side::Last).unwrap(),
            b"a\n# BEGIN svboot\ny\n# END svboot\n"
        );
        assert_eq!(put(Some(b"# END svboot"), "y\n", Side::Last), Err(Torn));
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
            assert_eq!(put(Some(text.as_bytes()), "x\n", Side::Last), Err(Torn), "{text}");
            assert_eq!(take(text.as_bytes()), Err(Torn), "{text}");
        }
        // A line that only resembles one is none.
        let text = b" # BEGIN svboot\n# END svboots";
        assert_eq!(take(text), Ok(Rest::Same));
    }
}

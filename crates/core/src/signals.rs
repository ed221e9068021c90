//! Signals by name and number, as service directories name them.

/// The highest number of a signal with a name.
const LAST: u8 = 31;

/// The signals that have a name of their own everywhere that Linux runs, but
/// for the few machines that number them otherwise.
const NAMES: [(&str, u8); 32] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// The number of the signal that `word` names: `TERM`, `SIGTERM`, `term` or
/// `15`.
#[must_use]
pub fn number(word: &[u8]) -> Option<u8> {
    let word = core::str::from_utf8(word).ok()?;
    if let Ok(number) = word.parse::<u8>() {
        return Some(number).filter(|number| (1..=LAST).contains(number));
    }
    let name = word.get(..3).filter(|start| start.eq_ignore_ascii_case("SIG")).map_or(word, |_| {
        // The three letters are ASCII, so that the rest begins with a character.
        &word[3..]
    });
    NAMES.iter().find(|row| row.0.eq_ignore_ascii_case(name)).map(|row| row.1)
}

/// The highest number of all.
pub const HIGHEST: u8 = 64;
/// The first that is nobody's, as C libraries and container engines count: the
/// ones before it are the threads'.
pub const RTMIN: u8 = 34;

/// The number of any signal, also of one without a name of its own:
/// `RTMIN+3`, `SIGRTMAX-1`, `37`.
#[must_use]
pub fn any(word: &[u8]) -> Option<u8> {
    if let Some(number) = number(word) {
        return Some(number);
    }
    let text = core::str::from_utf8(word).ok()?;
    if let Ok(number) = text.parse::<u8>() {
        return Some(number).filter(|number| (1..=HIGHEST).contains(number));
    }
    let named = text.get(..3).filter(|start| start.eq_ignore_ascii_case("SIG"));
    let name = named.map_or(text, |_| &text[3..]);
    let (base, offset) = (name.get(..5)?, name.get(5..)?);
    let digits = offset.get(1..).unwrap_or("");
    let by = match offset.as_bytes().first() {
        None => 0,
        // A second sign is none of a number's.
        Some(b'+' | b'-') if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
    };
    let number = match (base, offset.as_bytes().first()) {
        (base, None | Some(b'+')) if base.eq_ignore_ascii_case("RTMIN") => RTMIN.checked_add(by)?,
        (base, None | Some(b'-')) if base.eq_ignore_ascii_case("RTMAX") => {
            HIGHEST.checked_sub(by)?
        }
        _ => return None,
    };
    Some(number).filter(|number| (RTMIN..=HIGHEST).contains(number))
}

/// The name of the signal with this number, without `SIG`.
#[must_use]
pub fn name(number: u8) -> Option<&'static str> {
    NAMES.iter().find(|row| row.1 == number).map(|row| row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_without_a_name() {
        for (word, expected) in [
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("rtmax-1", 63),
            ("RTMAX", 64),
            ("37", 37),
            ("32", 32),
            ("TERM", 15),
        ] {
            assert_eq!(any(word.as_bytes()), Some(expected), "{word}");
        }
        for word in
            ["RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN+", "RTMIN++1", "RTMIN3", "0", "65", ""]
        {
            assert_eq!(any(word.as_bytes()), None, "{word}");
        }
        assert_eq!(any("RTMI\u{e9}".as_bytes()), None);
    }

    #[test]
    fn names_and_numbers() {
        for word in ["TERM", "SIGTERM", "term", "SigTerm", "15"] {
            assert_eq!(number(word.as_bytes()), Some(15), "{word}");
        }
        assert_eq!(number(b"31"), Some(31));
        for word in ["", "SIG", "0", "32", "-1", "TERMINATE", "SIGSIGTERM", "\u{e9}t\u{e9}", "256"]
        {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
        assert_eq!(number(b"\xff\xfe"), None);
        for (name, expected) in NAMES {
            assert_eq!(number(name.as_bytes()), Some(expected));
        }
        assert_eq!([6, 15, 31].map(name), [Some("ABRT"), Some("TERM"), Some("SYS")]);
        assert_eq!([0, 32].map(name), [None; 2]);
    }
}

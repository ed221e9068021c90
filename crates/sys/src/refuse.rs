//! How a test takes away what an older or stricter kernel would not give, so
//! that the way round it is walked too. A release build refuses nothing.

/// The variable with the words, a comma between them.
pub const VARIABLE: &[u8] = b"UPKEEP_REFUSE";

/// Whether the environment of a debug build says that there is no `what`.
#[cfg(debug_assertions)]
#[must_use]
pub fn refused(what: &[u8]) -> bool {
    crate::exec::variable(VARIABLE).is_some_and(|words| holds(words, what))
}

/// A release build does not look.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn refused(_what: &[u8]) -> bool {
    false
}

#[cfg(any(debug_assertions, test))]
fn holds(words: &[u8], what: &[u8]) -> bool {
    words.split(|&b| b == b',').any(|word| word == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        assert!(holds(b"cgroup", b"cgroup"));
        assert!(holds(b"pidfd,cgroup,adopt", b"cgroup"));
        assert!(!holds(b"pidfd-info", b"pidfd"));
        assert!(!holds(b"", b"pidfd"));
    }

    #[test]
    fn nothing_is_refused_unasked() {
        assert!(!refused(b"a word that nobody says"));
    }
}

//! What svlog complains of, on standard error. Names of files are others' and
//! standard error may be a terminal, so what a terminal would obey is made
//! visible. That something could not be read is said when it is found, and
//! remembered for the end: the rest of the log is read nevertheless.

use crate::options::{SYNOPSIS, TOOL};
use crate::visible::visible;
use core::sync::atomic::{AtomicBool, Ordering};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_cli::{BadOption, Exit};

static ANY: AtomicBool = AtomicBool::new(false);

/// Whether anything could not be read.
pub(crate) fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// Something was left out.
pub(crate) fn note(parts: &[&[u8]]) {
    ANY.store(true, Ordering::Relaxed);
    warn(parts);
}

/// The same with the system's reason.
pub(crate) fn note_os(parts: &[&[u8]], why: Errno) {
    ANY.store(true, Ordering::Relaxed);
    warn_os(parts, why);
}

/// Something is not as it was meant, and nothing is left out.
pub(crate) fn warn(parts: &[&[u8]]) {
    TOOL.warn(&[&shown(parts)]);
}

/// The same with the system's reason.
pub(crate) fn warn_os(parts: &[&[u8]], why: Errno) {
    TOOL.warn_os(&[&shown(parts)], why);
}

/// It cannot be done.
pub(crate) fn fatal(parts: &[&[u8]]) -> Exit {
    TOOL.fatal(&[&shown(parts)])
}

/// The same with the system's reason.
pub(crate) fn fatal_os(parts: &[&[u8]], why: Errno) -> Exit {
    TOOL.fatal_os(&[&shown(parts)], why)
}

/// That is no option.
pub(crate) fn bad_option(bad: BadOption) -> Exit {
    let bad = match bad {
        BadOption::UnknownWord(word) => {
            let word = CString::new(shown(&[word.to_bytes()])).unwrap_or_default();
            BadOption::UnknownWord(Box::leak(word.into_boxed_c_str()))
        }
        BadOption::Unknown(letter) if !letter.is_ascii_graphic() => BadOption::Unknown(b'?'),
        BadOption::Unknown(_) | BadOption::NoValue(_) => bad,
    };
    TOOL.bad_option(bad, SYNOPSIS)
}

fn shown(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    parts.iter().for_each(|part| visible(&mut out, part));
    out
}

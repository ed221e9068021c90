//! What svscan can be asked on its command line. It only reads; what is wrong
//! is one line and exit 100.

use crate::svscan::watch::TOOL;
use core::ffi::CStr;
use upkeep_cli::{Exit, Options as Walk};
use upkeep_sys::Args;

const SYNOPSIS: &str = "svscan [dir]";
/// The letters, those with a value followed by a colon.
const LETTERS: &str = "lnL:";
/// The words, and the letter that each is.
const WORDS: &[(&str, u8)] = &[("lines", b'l'), ("names", b'n'), ("log", b'L')];

/// All of it.
pub(crate) struct Options {
    /// The scan directory, if it is not the current one.
    pub(crate) dir: Option<&'static CStr>,
    /// Whether what services without a logger write is shown as whole lines.
    pub(crate) lines: bool,
    /// The same with their names.
    pub(crate) names: bool,
    /// A directory for it to be logged to.
    pub(crate) log: Option<&'static CStr>,
}

impl Options {
    /// Reads `args`, the program's own name first.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let mut walk = Walk::with_words(args, LETTERS, WORDS);
        let mut options = Self { dir: None, lines: false, names: false, log: None };
        for option in walk.by_ref() {
            let option = option.map_err(|bad| TOOL.bad_option(bad, SYNOPSIS))?;
            match option.letter {
                b'l' => options.lines = true,
                b'n' => options.names = true,
                _ => options.log = option.value,
            }
        }
        let rest = walk.rest();
        if rest.len() > 1 {
            return Err(TOOL.usage(SYNOPSIS));
        }
        Ok(Self { dir: rest.get(0), ..options })
    }
}

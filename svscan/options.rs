//! What svscan can be asked on its command line. It only reads; what is wrong
//! is one line and exit 100.

use crate::svscan::watch::TOOL;
use core::ffi::CStr;
use upkeep_cli::{Exit, Options as Walk};
use upkeep_sys::Args;

const SYNOPSIS: &str = "svscan [dir]";
/// The letters, those with a value followed by a colon.
const LETTERS: &str = "";
/// The words, and the letter that each is.
const WORDS: &[(&str, u8)] = &[];

/// All of it.
pub(crate) struct Options {
    /// The scan directory, if it is not the current one.
    pub(crate) dir: Option<&'static CStr>,
}

impl Options {
    /// Reads `args`, the program's own name first.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let mut walk = Walk::with_words(args, LETTERS, WORDS);
        if let Some(option) = walk.next() {
            return Err(match option {
                Ok(_) => TOOL.usage(SYNOPSIS),
                Err(bad) => TOOL.bad_option(bad, SYNOPSIS),
            });
        }
        let rest = walk.rest();
        if rest.len() > 1 {
            return Err(TOOL.usage(SYNOPSIS));
        }
        Ok(Self { dir: rest.get(0) })
    }
}

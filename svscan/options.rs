//! What svscan can be asked on its command line. It only reads; what is wrong
//! is one line and exit 100.

use crate::svscan::watch::TOOL;
use core::ffi::CStr;
use upkeep_cli::{Exit, Options as Walk};
use upkeep_sys::Args;

const SYNOPSIS: &str = "svscan [options] [dir]";
/// The letters, those with a value followed by a colon.
const LETTERS: &str = "S:Ed:F";
/// The words, and the letter that each is.
const WORDS: &[(&str, u8)] =
    &[("state", b'S'), ("clean-env", b'E'), ("env", b'd'), ("secrets", b'F')];

/// All of it.
#[derive(Default)]
pub(crate) struct Options {
    /// The scan directory, if it is not the current one.
    pub(crate) dir: Option<&'static CStr>,
    /// Where the state of all services is kept.
    pub(crate) state: Option<&'static CStr>,
    /// Whether services get an environment of their own.
    pub(crate) clean_env: bool,
    /// Directories of variables for them and the command.
    pub(crate) env: Vec<&'static CStr>,
    /// Whether `NAME_FILE` is the name of a file with the value of `NAME`.
    pub(crate) secrets: bool,
}

impl Options {
    /// Reads `args`, the program's own name first.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let mut options = Self::default();
        let mut walk = Walk::with_words(args, LETTERS, WORDS);
        while let Some(option) = walk.next() {
            let option = option.map_err(|bad| TOOL.bad_option(bad, SYNOPSIS))?;
            match (option.letter, option.value) {
                (b'S', Some(dir)) if !dir.is_empty() => options.state = Some(dir),
                (b'E', _) => options.clean_env = true,
                (b'd', Some(dir)) if !dir.is_empty() => options.env.push(dir),
                (b'F', _) => options.secrets = true,
                _ => return Err(TOOL.usage(SYNOPSIS)),
            }
        }
        let rest = walk.rest();
        if rest.len() > 1 {
            return Err(TOOL.usage(SYNOPSIS));
        }
        options.dir = rest.get(0);
        Ok(options)
    }
}

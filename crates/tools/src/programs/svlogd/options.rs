//! svlogd's options. They are the same for all its directories.

use crate::programs::svlogd::TOOL;
use core::ffi::CStr;
use upkeep_cli::{Exit, put};
use upkeep_core::svlogd::{BUFFER, LINE, number};
use upkeep_sys::Args;

const SYNOPSIS: &[u8] = b" [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...";

/// What was asked for.
pub(crate) struct Options {
    /// How often `-t` was given.
    pub(crate) stamps: u32,
    /// Whether to tell what is done.
    pub(crate) loud: bool,
    /// How much of a line is looked at.
    pub(crate) line: u64,
    /// What each byte becomes, if any becomes another.
    pub(crate) replace: Option<[u8; 256]>,
    /// The directories.
    pub(crate) directories: Args,
}

impl Options {
    /// Reads them.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let (mut stamps, mut loud, mut line, mut buffer) = (0_u32, false, LINE, BUFFER);
        let (mut substitute, mut others) = (None, c"");
        let mut options = upkeep_cli::Options::new(args, "R:r:l:b:tvV");
        for option in options.by_ref() {
            let option = option.map_err(|bad| {
                bad.report(&TOOL);
                usage(args)
            })?;
            let value = option.value.unwrap_or_default();
            match option.letter {
                b'R' => {
                    others = value;
                    substitute = substitute.or(Some(b'_'));
                }
                b'r' => match value.to_bytes() {
                    &[byte] => substitute = Some(byte),
                    _ => return Err(usage(args)),
                },
                b'l' => line = size(value, LINE),
                b'b' => buffer = size(value, BUFFER),
                b't' => stamps = stamps.saturating_add(1),
                b'v' => loud = true,
                _ => {
                    let version = env!("CARGO_PKG_VERSION").as_bytes();
                    let line: [&[u8]; 3] = [b"svlogd (upkeep) ", version, b"\n"];
                    let _ = put(rustix::stdio::stderr(), &line);
                    return Err(usage(args));
                }
            }
        }
        let directories = options.rest();
        if directories.is_empty() || buffer <= line {
            return Err(usage(args));
        }
        let replace = substitute.map(|substitute| table(substitute, others.to_bytes()));
        Ok(Self { stamps, loud, line, replace, directories })
    }
}

/// A number; 0 is what there would be without one.
fn size(value: &CStr, otherwise: u64) -> u64 {
    match number(value.to_bytes()).0 {
        0 => otherwise,
        size => size,
    }
}

/// What each byte becomes.
fn table(substitute: u8, others: &[u8]) -> [u8; 256] {
    core::array::from_fn(|byte| match u8::try_from(byte) {
        Ok(byte @ b' '..=b'~') if !others.contains(&byte) => byte,
        _ => substitute,
    })
}

/// The words and the exit code are runit's.
fn usage(args: Args) -> Exit {
    let name = args.get(0).map_or(TOOL.name.as_bytes(), CStr::to_bytes);
    let line: [&[u8]; 4] = [b"usage: ", name, SYNOPSIS, b"\n\n"];
    let _ = put(rustix::stdio::stderr(), &line);
    Exit::System
}

//! s6-log's options.

use crate::programs::s6_log::TOOL;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use upkeep_cli::Exit;
use upkeep_core::s6log::number;
use upkeep_sys::{Args, inherited};

const SYNOPSIS: &str =
    "s6-log [ -d notif ] [ -q | -v ] [ -b ] [ -p ] [ -l linelimit ] [ -- ] logging_script";
const MILLISECOND: u64 = 1_000_000;

/// What was asked for.
pub(crate) struct Options {
    /// Who is told when it is ready.
    pub(crate) ready: Option<OwnedFd>,
    /// Whether there are no warnings.
    pub(crate) quiet: bool,
    /// Whether TERM is nothing to it.
    pub(crate) stubborn: bool,
    /// How long the rest of a line is waited for at the end, in nanoseconds.
    pub(crate) patience: Option<u64>,
    /// The script.
    pub(crate) script: Args,
}

impl Options {
    /// Reads them.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let usage = || TOOL.usage(SYNOPSIS);
        let small = |value: Option<&'static CStr>| {
            let value = number(value.unwrap_or_default().to_bytes()).ok();
            value.and_then(|value| u32::try_from(value).ok()).ok_or_else(usage)
        };
        let (mut ready, mut verbosity, mut stubborn, mut patience) = (None, 1_u32, false, None);
        let mut options = upkeep_cli::Options::new(args, "qvbpl:d:t:");
        for option in options.by_ref() {
            // The original says no more about it either.
            let option = option.map_err(|_| usage())?;
            match option.letter {
                b'q' => verbosity = verbosity.saturating_sub(1),
                b'v' => verbosity = verbosity.saturating_add(1),
                b'p' => stubborn = true,
                b'l' => drop(small(option.value)?),
                b't' => patience = Some(u64::from(small(option.value)?) * MILLISECOND),
                b'd' => ready = Some(descriptor(small(option.value)?)?),
                _ => {}
            }
        }
        let script = options.rest();
        if script.is_empty() {
            return Err(usage());
        }
        Ok(Self { ready, quiet: verbosity == 0, stubborn, patience, script })
    }
}

fn descriptor(number: u32) -> Result<OwnedFd, Exit> {
    let found = match number {
        0..3 => {
            let _ = TOOL.fatal(&[b"notification fd must be 3 or more"]);
            None
        }
        _ => {
            let found = i32::try_from(number).ok().and_then(inherited::take_number);
            if found.is_none() {
                let _ = TOOL.fatal_os(&[b"invalid notification fd: "], Errno::BADF);
            }
            found
        }
    };
    found.ok_or(Exit::Usage)
}

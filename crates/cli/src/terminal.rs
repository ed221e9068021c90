//! Whether standard output is somebody who looks, and takes colours.

use rustix::termios::isatty;
use upkeep_sys::exec;

/// Whether it is a terminal that does what it is told by escape sequences.
#[must_use]
pub fn is_terminal() -> bool {
    let dumb = exec::variable(b"TERM").is_none_or(|term| term.is_empty() || term == b"dumb");
    !dumb && isatty(rustix::stdio::stdout())
}

/// Whether it is to have colours.
#[must_use]
pub fn has_colours() -> bool {
    is_terminal() && exec::variable(b"NO_COLOR").is_none_or(<[u8]>::is_empty)
}

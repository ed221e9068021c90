//! How large standard output is.

use rustix::termios::tcgetwinsize;
use upkeep_sys::exec;

/// As wide as is assumed where nothing says it.
const WIDTH: usize = 80;

/// How many columns and lines it has, as far as that is known. Where it is no
/// terminal, `$COLUMNS` says how wide it is to be.
pub(crate) fn size() -> (usize, Option<usize>) {
    let known = |size: u16| Some(usize::from(size)).filter(|size| *size > 0);
    let size = tcgetwinsize(rustix::stdio::stdout()).ok();
    let width = size.and_then(|size| known(size.ws_col)).or_else(asked);
    (width.unwrap_or(WIDTH), size.and_then(|size| known(size.ws_row)))
}

fn asked() -> Option<usize> {
    let columns = core::str::from_utf8(exec::variable(b"COLUMNS")?).ok()?;
    columns.parse().ok().filter(|columns| *columns > 0)
}

//! tai64n: puts a precise time in front of every line.

use crate::filter::filter;
use crate::stamp::{Stamp, Stamper};
use upkeep_cli::{Exit, Tool};
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_sys::{Args, clock};

const TOOL: Tool = Tool {
    name: "tai64n",
    help: "\
usage: tai64n

Copies its standard input to its standard output with a TAI64N label, an @ and
24 hex digits, and a space in front of every line. The label says when the
line's first byte came in. tai64nlocal makes it readable.

  -h, --help     print this
      --version  print the version

    ./server 2>&1 | tai64n >>log

exit: 0 the input ended, 111 it cannot be read or the output not written.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let mut stamper = Stamper::default();
    filter(|input, output| stamper.feed(&now(), input, |bytes| output.push(bytes)))
}

fn now() -> Stamp {
    let (seconds, nanos) = clock::wall();
    let mut stamp = [b' '; LABEL + 1];
    stamp[..LABEL].copy_from_slice(&Tai64n::from_unix(seconds, nanos).label());
    stamp
}

//! tai64nlocal: makes the labels of tai64n and multilog readable.

use crate::filter::filter;
use crate::local::Localizer;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::Args;
use upkeep_sys::localtime::local;

const TOOL: Tool = Tool {
    name: "tai64nlocal",
    help: "\
usage: tai64nlocal

Copies its standard input to its standard output. Where a line begins with a
TAI64N label, an @ and 24 hex digits, it puts the local time in its place, as
2026-11-20 19:03:00.123456789. Other lines pass unchanged.

  -h, --help     print this
      --version  print the version

    tai64nlocal <log/main/current | less
    TZ=UTC tai64nlocal <log/main/current

exit: 0 the input ended, 111 it cannot be read or the output not written.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let mut localizer = Localizer::new(local);
    filter(|input, output| localizer.feed(input, |bytes| output.push(bytes)))
}

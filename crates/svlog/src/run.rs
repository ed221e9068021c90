//! The program: its options, then the logs, then what is shown of them.

use upkeep_cli::{Exit, Tool};
use upkeep_sys::Args;

const TOOL: Tool = Tool { name: "svlog", help: "usage: svlog name ...\n" };

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    TOOL.answer(args).unwrap_or_else(|| TOOL.usage("svlog name ..."))
}

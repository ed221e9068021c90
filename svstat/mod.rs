//! svstat: shows what supervise says.

mod events;
mod fields;
mod follow;
mod gather;
mod json;
mod line;
mod outlet;
mod run;
mod table;
mod terminal;
mod watch;

use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    run::run(args)
}

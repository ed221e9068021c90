//! svc: says something to supervise.

mod asked;
mod tell;

use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    tell::run(args)
}

//! supervise: runs one service for ever.

mod asides;
mod begin;
mod errands;
mod follow;
mod health;
mod keep;
mod order;
mod policy;
mod process;
mod reach;
mod start;
mod tally;
mod tell;
mod watch;

use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    keep::run(args)
}

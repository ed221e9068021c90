//! svscan: watches a directory and keeps one supervise for each service.

mod command;
mod course;
mod found;
mod heed;
mod help;
mod hold;
mod launch;
mod listen;
mod look;
mod machine;
mod names;
mod notice;
mod options;
mod order;
mod reap;
mod renew;
mod rescue;
mod roster;
mod scripts;
mod settle;
mod watch;

use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    watch::run(args, Others::Apart)
}

/// Runs it as a part of a program that is supervise and svhold too, when it is
/// called so.
#[must_use]
pub fn run_whole(args: Args) -> Exit {
    watch::run(args, Others::Here)
}

/// Where the programs are that svscan starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// In files of their own.
    Apart,
    /// In this one.
    Here,
}

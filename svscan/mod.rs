//! svscan: watches a directory and keeps one supervise for each service.

mod catch;
mod command;
mod course;
mod environment;
mod found;
mod heed;
mod help;
mod helper;
mod hold;
mod launch;
mod lines;
mod listen;
mod look;
mod machine;
mod names;
mod notice;
mod notify;
mod options;
mod order;
mod reap;
mod renew;
mod rescue;
mod rise;
mod roster;
mod scripts;
mod settle;
mod state;
mod streams;
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

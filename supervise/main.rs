//! supervise: runs one service for ever.
#![no_main]

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

upkeep_sys::sealable!();
upkeep_sys::main!(|args| keep::run(args).code());

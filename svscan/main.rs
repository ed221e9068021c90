//! svscan: watches a directory and keeps one supervise for each service.
#![no_main]

mod found;
mod hold;
mod launch;
mod look;
mod names;
mod notice;
mod order;
mod reap;
mod roster;
mod settle;
mod watch;

upkeep_sys::sealable!();
upkeep_sys::main!(|args| watch::run(args).code());

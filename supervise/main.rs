//! supervise: runs one service for ever.
#![no_main]

mod keep;
mod process;

upkeep_sys::sealable!();
upkeep_sys::main!(|args| keep::run(args).code());

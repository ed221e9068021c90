//! supervise: runs one service for ever.
#![no_main]

upkeep_sys::sealable!();
upkeep_sys::main!(|args| upkeep::supervise::run(args).code());

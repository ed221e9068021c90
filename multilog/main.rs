//! multilog: selects, stamps and keeps lines in rotated logs.
#![no_main]

upkeep_sys::main!(|args| upkeep::multilog::run(args).code());

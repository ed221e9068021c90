//! fghack: stays in the foreground for a program that goes to the background.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::fghack::run(args).code());

//! tai64n: puts a precise time in front of every line.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::tai64n::run(args).code());

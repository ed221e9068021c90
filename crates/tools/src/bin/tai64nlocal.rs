//! tai64nlocal: makes the labels of tai64n and multilog readable.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::tai64nlocal::run(args).code());

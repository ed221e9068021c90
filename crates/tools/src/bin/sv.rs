//! sv: runit's way to tell a service what to do, to wait until it has come
//! about, and to show it.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::sv::run(args).code());

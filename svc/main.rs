//! Placeholder.
#![no_main]
upkeep_sys::main!(|_| 0);

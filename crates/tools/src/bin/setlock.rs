//! setlock: runs a program that holds a lock on a file for as long as it
//! lives. Nothing else happens to the file.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::setlock::run(args).code());

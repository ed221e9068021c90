//! pgrphack: runs a program in a session of its own.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::pgrphack::run(args).code());

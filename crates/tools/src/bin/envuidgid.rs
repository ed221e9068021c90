//! envuidgid: runs a program with an account's ids in UID and GID. Changes no
//! id itself.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::envuidgid::run(args).code());

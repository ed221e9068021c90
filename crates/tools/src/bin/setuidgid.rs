//! setuidgid: runs a program as an account, with that account's group alone.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::setuidgid::run(args).code());

//! envdir: runs a program with an environment changed by the files of a
//! directory.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::envdir::run(args).code());

//! svboot: what starts svscan on a machine that has another init.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svboot::run(args).code());

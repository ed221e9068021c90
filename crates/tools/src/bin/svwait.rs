//! svwait: waits until services are what they are to be.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svwait::run(args).code());

//! svup: is a service up, and its logger?
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svup::run(args).code());

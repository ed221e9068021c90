//! svcheck: what is wrong with a service directory, before it runs?
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svcheck::run(args).code());

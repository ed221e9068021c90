//! svok: is a service directory supervised?
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svok::run(args).code());

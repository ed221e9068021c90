//! svstat: shows what supervise says.
#![no_main]

upkeep_sys::main!(|args| upkeep::svstat::run(args).code());

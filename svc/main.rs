//! svc: says something to supervise.
#![no_main]

upkeep_sys::main!(|args| upkeep::svc::run(args).code());

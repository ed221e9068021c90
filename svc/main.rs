//! svc: says something to supervise.
#![no_main]

mod tell;

upkeep_sys::main!(|args| tell::run(args).code());

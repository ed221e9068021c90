//! svc: says something to supervise.
#![no_main]

mod asked;
mod tell;

upkeep_sys::main!(|args| tell::run(args).code());

//! svstat: shows what supervise says.
#![no_main]

mod show;

upkeep_sys::main!(|args| show::run(args).code());

//! svscan: watches a directory and keeps one supervise for each service.
#![no_main]

upkeep_sys::sealable!();
upkeep_sys::main!(|args| upkeep::svscan::run(args).code());

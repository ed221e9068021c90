//! svhold: holds the pipes between services and their loggers, so that
//! whatever else is killed, nothing in them is lost and nobody's write fails.
#![no_main]

upkeep_sys::sealable!();
upkeep_sys::main!(|args| upkeep_tools::programs::svhold::run(args).code());

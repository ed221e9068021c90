//! svlog: shows the logs of services.
#![no_main]

upkeep_sys::main!(|args| upkeep_svlog::run::run(args).code());

//! svlogd: runit's logger. Stamps, selects and keeps lines in rotated logs, and
//! is told by a file in each log's directory what to do there.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svlogd::run(args).code());

//! s6-log: s6's logger. Selects, stamps and keeps lines in rotated logs, as a
//! script of arguments says.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::s6_log::run(args).code());

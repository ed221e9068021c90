//! svnotify: a service says how it does.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::svnotify::run(args).code());

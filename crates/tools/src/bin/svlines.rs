//! svlines: shows what services without a logger write, as whole lines, with
//! their names if asked.
#![no_main]

upkeep_sys::sealable!();
upkeep_sys::main!(|args| upkeep_tools::programs::svlines::run(args).code());

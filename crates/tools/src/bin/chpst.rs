//! chpst: runit's way to change what a program finds, and to run it then. Under
//! the name of one of daemontools' programs it does what that does.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::chpst::run(args).code());

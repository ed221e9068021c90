//! upkeep: all programs in one file, for images and small machines. It is the
//! program by whose name it is called.
#![no_main]

mod call;

upkeep_sys::sealable!();
upkeep_sys::main!(|args| call::run(args).code());

//! softlimit: runs a program with other resource limits. Raises no limit
//! above the hard one and leaves the hard ones alone. Allocates nothing: it
//! may just have forbidden it to itself.
#![no_main]

upkeep_sys::main!(|args| upkeep_tools::programs::softlimit::run(args).code());

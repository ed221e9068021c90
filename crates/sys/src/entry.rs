//! How a program begins. `main!` defines C's `main` itself instead of letting
//! std do it: std would set SIGPIPE to ignored, which every program started
//! from here would inherit, and would spend 19 system calls and two pages of
//! memory in each process on things that these programs do not use.

use crate::Args;
use core::ffi::c_char;

/// Runs `run` with the arguments and gives its answer to the C runtime.
///
/// # Safety
/// Only `main!` calls this, from C's `main`, with `main`'s own arguments.
pub unsafe fn enter(argc: i32, argv: *const *const c_char, run: fn(Args) -> u8) -> i32 {
    // SAFETY: these are `main`'s own arguments, valid for the whole process.
    let args = unsafe { Args::new(argc, argv) };
    i32::from(run(args))
}

/// Makes `$run`, a `fn(Args) -> u8`, the program's beginning.
#[macro_export]
macro_rules! main {
    ($run:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
            // SAFETY: called by the C runtime, which passes the real vector.
            unsafe { $crate::entry::enter(argc, argv, $run) }
        }
    };
}

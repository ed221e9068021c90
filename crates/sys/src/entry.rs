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

/// The same for a program that writes into its last argument.
///
/// # Safety
/// As for `enter`.
pub unsafe fn enter_with_last(
    argc: i32,
    argv: *const *const c_char,
    run: fn(Args, Option<&'static mut [u8]>) -> u8,
) -> i32 {
    // SAFETY: these are `main`'s own arguments, valid for the whole process,
    // and nobody has looked at them yet.
    let (args, last) = unsafe { Args::new(argc, argv).split_last() };
    i32::from(run(args, last))
}

/// Makes `$run`, a `fn(Args, Option<&'static mut [u8]>) -> u8`, the program's
/// beginning: it gets the memory of its last argument, if it has one behind
/// its own name, and the arguments before it.
#[macro_export]
macro_rules! main_with_last {
    ($run:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
            // SAFETY: called by the C runtime, which passes the real vector.
            unsafe { $crate::entry::enter_with_last(argc, argv, $run) }
        }
    };
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

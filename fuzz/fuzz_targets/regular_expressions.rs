//! cargo-fuzz's way into what tests/fuzz/regular_expressions.rs does.
#![no_main]

#[path = "../../tests/fuzz/regular_expressions.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::regular_expressions(data));

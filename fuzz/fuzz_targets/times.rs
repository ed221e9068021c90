//! cargo-fuzz's way into what tests/fuzz/times.rs does.
#![no_main]

#[path = "../../tests/fuzz/times.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::times(data));

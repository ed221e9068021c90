//! cargo-fuzz's way into what tests/fuzz/log_directory.rs does.
#![no_main]

#[path = "../../tests/fuzz/log_directory.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::log_directory(data));

//! cargo-fuzz's way into what tests/fuzz/s6log_script.rs does.
#![no_main]

#[path = "../../tests/fuzz/s6log_script.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::s6log_script(data));

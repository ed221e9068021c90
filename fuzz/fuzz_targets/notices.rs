//! cargo-fuzz's way into what tests/fuzz/notices.rs does.
#![no_main]

#[path = "../../tests/fuzz/notices.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::notices(data));

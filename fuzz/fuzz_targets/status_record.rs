//! cargo-fuzz's way into what tests/fuzz/status_record.rs does.
#![no_main]

#[path = "../../tests/fuzz/status_record.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::status_record(data));

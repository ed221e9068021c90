//! cargo-fuzz's way into what tests/fuzz/lines_of_svboot.rs does.
#![no_main]

#[path = "../../tests/fuzz/lines_of_svboot.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::lines_of_svboot(data));

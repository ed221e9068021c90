//! cargo-fuzz's way into what tests/fuzz/multilog_script.rs does.
#![no_main]

#[path = "../../tests/fuzz/multilog_script.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::multilog_script(data));

//! cargo-fuzz's way into what tests/fuzz/journal.rs does.
#![no_main]

#[path = "../../tests/fuzz/journal.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::journal(data));

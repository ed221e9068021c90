//! cargo-fuzz's way into what tests/fuzz/shell_script.rs does.
#![no_main]

#[path = "../../tests/fuzz/shell_script.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::shell_script(data));

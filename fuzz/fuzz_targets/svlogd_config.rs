//! cargo-fuzz's way into what tests/fuzz/svlogd_config.rs does.
#![no_main]

#[path = "../../tests/fuzz/svlogd_config.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::svlogd_config(data));

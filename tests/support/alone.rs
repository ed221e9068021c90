//! What a test starts has what the test gives it, whoever runs the tests: none
//! of his descriptors, ignored signals, file modes and variables.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;
use std::sync::Once;

/// How many descriptors may be open. Some tests are hundreds of services, and
/// there are as many tests at once as the machine has processors.
const DESCRIPTORS: u64 = 4096;

/// Makes this process one whose children are as anybody's.
pub(super) fn once() {
    static ALONE: Once = Once::new();
    ALONE.call_once(|| {
        upkeep_sys::inherited::close_above_on_exec(2);
        upkeep_sys::signals::ignore_without_passing_on();
        rustix::process::umask(Mode::from_raw_mode(0o022));
        let maximum = getrlimit(Resource::Nofile).maximum;
        let current = Some(maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS)));
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    });
}

/// Leaves a command the variables by which programs and places are found, and
/// those that are for the programs under test.
pub(super) fn variables(command: &mut Command) {
    command.env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| {
        let name = name.as_encoded_bytes();
        matches!(name, b"PATH" | b"HOME" | b"TMPDIR") || name.starts_with(b"UPKEEP_")
    }));
}

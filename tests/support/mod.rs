//! What the tests stand on: a directory of their own, processes that end with
//! the test, and waiting that ends when something happened or at one deadline.

mod alone;
pub mod container;
mod dir;
mod hold;
mod json;
mod process;
mod random;
mod service;
mod terminal;
mod wait;

pub use dir::{Dir, Fifo};
pub use json::Json;
pub use process::{Finished, Process};
pub use random::Random;
pub use service::{Seen, Service, is_supervised, seen, supervised};
pub use terminal::Terminal;
pub use wait::{Changes, deadline, readable};

use std::path::{Path, PathBuf};

/// Where the programs under test are.
pub fn programs() -> PathBuf {
    std::env::var_os("UPKEEP_PROGRAMS").map_or_else(ours, PathBuf::from)
}

/// Where this build's own programs are.
pub fn ours() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_svc")).parent().unwrap().to_path_buf()
}

/// One of the programs under test.
pub fn program(name: &str) -> PathBuf {
    let path = programs().join(name);
    assert!(path.exists(), "{} is not there: cargo build --workspace", path.display());
    path
}

/// Whether the programs under test are the originals. A test of something
/// that only upkeep has returns early then.
pub fn testing_originals() -> bool {
    std::env::var_os("UPKEEP_PROGRAMS").is_some_and(|p| Path::new(&p) != ours())
}

/// Debian's daemontools, for tests that put both side by side. Without them
/// such a test is left out, except where UPKEEP_REQUIRE_ORIGINALS forbids it.
pub fn originals() -> Option<PathBuf> {
    installed("daemontools", &["supervise", "multilog"])
}

/// Debian's runit, in the same way.
pub fn runit() -> Option<PathBuf> {
    installed("runit", &["svlogd", "chpst"])
}

/// Debian's s6, in the same way.
pub fn s6() -> Option<PathBuf> {
    installed("s6", &["s6-log", "s6-svscan"])
}

/// Debian's systemd, in the same way.
pub fn systemd() -> Option<PathBuf> {
    installed("systemd", &["systemctl", "systemd-analyze"])
}

/// Whether there is a busybox, in the same way.
pub fn has_busybox() -> bool {
    let is_there = in_path("busybox");
    assert!(is_there || !is_required(), "busybox is not installed: apt-get install busybox-static");
    is_there
}

/// Whether what is not installed is a failure.
fn is_required() -> bool {
    std::env::var_os("UPKEEP_REQUIRE_ORIGINALS").is_some()
}

/// Whether there is such a program.
pub fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists())
}

fn installed(package: &str, programs: &[&str]) -> Option<PathBuf> {
    let dir = PathBuf::from("/usr/bin");
    if programs.iter().all(|program| dir.join(program).exists()) {
        return Some(dir);
    }
    assert!(!is_required(), "{package} is not installed: apt-get install {package}");
    None
}

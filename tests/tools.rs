//! The small programs, each by its usage, its failures and its successes, and
//! then side by side with the originals.

mod boot;
mod chain;
mod chpst;
mod ids;
mod lines;
mod locks;
mod same;
mod usage;

use crate::support::{Dir, Process, program};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;

/// Where programs are looked for: nowhere that may not be looked at.
const PATH: &str = "/usr/bin:/bin";

/// An argument that is not text.
fn bytes(raw: &[u8]) -> OsString {
    OsString::from_vec(raw.to_vec())
}

/// `program` started by a shell after `before`, which may change what it
/// finds open, ignored or set. `after` follows its arguments.
fn by_shell(
    dir: &Dir,
    before: &str,
    program: &Path,
    args: &[impl AsRef<std::ffi::OsStr>],
) -> Command {
    let mut command = dir.command("sh");
    command
        .env("PATH", PATH)
        .arg("-c")
        .arg(format!("{before} exec \"$0\" \"$@\""))
        .arg(program)
        .args(args);
    command
}

/// A program under test with words from the list as its arguments, in the
/// test's directory: its exit code, its output, its complaints.
fn said(dir: &Dir, words: &[&str]) -> (i32, String, String) {
    let done = Process::start(dir.tool(words[0], &words[1..]).env("PATH", PATH)).finish();
    (done.code, done.out(), done.err())
}

/// The same started by a shell, see `by_shell`.
fn said_by_shell(dir: &Dir, before: &str, words: &[&str]) -> (i32, String, String) {
    let mut command = by_shell(dir, before, &program(words[0]), &words[1..]);
    let done = Process::start(&mut command).finish();
    (done.code, done.out(), done.err())
}

//! setlock.

use super::said;
use crate::support::{Dir, deadline, readable};
use rustix::fs::{FlockOperation, flock, inotify};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_lock_lives_as_long_as_the_program() {
    let dir = Dir::new();
    let mut told = dir.fifo("told");
    let go = dir.fifo("go");
    let process = dir.start("setlock", ["lock", "sh", "-c", "echo held >told; read x <go; exit 9"]);
    assert_eq!(told.line(), "held");
    let file = File::open(dir.path("lock")).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let refused = flock(&file, FlockOperation::NonBlockingLockExclusive);
    assert_eq!(refused, Err(rustix::io::Errno::AGAIN));
    File::options().write(true).open(go.path()).unwrap().write_all(b"\n").unwrap();
    assert_eq!(process.finish().code, 9);
    flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
}

#[test]
fn a_lock_that_is_held() {
    let dir = Dir::new();
    let file = File::open(dir.file("lock", "kept")).unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();

    let failed = said(&dir, &["setlock", "-n", "lock", "touch", "ran"]);
    let err = "setlock: fatal: unable to lock lock: temporary failure\n";
    assert_eq!(failed, (111, String::new(), err.to_owned()));
    let quiet = said(&dir, &["setlock", "-nx", "lock", "touch", "ran"]);
    assert_eq!(quiet, (0, String::new(), String::new()));
    let last = said(&dir, &["setlock", "-xnX", "lock", "touch", "ran"]);
    assert_eq!(last.0, 111);
    assert!(!dir.path("ran").exists());

    // One that waits sees what was written before the lock became free, which
    // is after it has opened the file.
    let opened = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&opened, dir.path("lock"), inotify::WatchFlags::OPEN).unwrap();
    let waiting = dir.start("setlock", ["-nNx", "lock", "cat", "note"]);
    assert!(readable(&opened, deadline()), "it does not open the file");
    // Meanwhile nobody else gets it either.
    assert_eq!(said(&dir, &["setlock", "-n", "lock", "touch", "ran"]), failed);
    assert_eq!(said(&dir, &["setlock", "-nx", "lock", "touch", "ran"]), quiet);
    dir.file("note", "written first");
    flock(&file, FlockOperation::Unlock).unwrap();
    let done = waiting.finish();
    assert_eq!((done.code, done.out()), (0, "written first".to_owned()));
    assert_eq!(std::fs::read(dir.path("lock")).unwrap(), b"kept");
}

#[test]
fn a_file_that_cannot_be_opened() {
    let dir = Dir::new();
    for (file, why) in
        [("", "file does not exist"), ("none/lock", "file does not exist"), (".", "is a directory")]
    {
        let err = format!("setlock: fatal: unable to open {file}: {why}\n");
        assert_eq!(said(&dir, &["setlock", file, "true"]), (111, String::new(), err));
        assert_eq!(said(&dir, &["setlock", "-x", file, "echo"]), (0, String::new(), String::new()));
    }
    // A FIFO without a reader is not waited for.
    let _ = std::process::Command::new("mkfifo").arg(dir.path("pipe")).status().unwrap();
    let err = "setlock: fatal: unable to open pipe: device not configured\n";
    assert_eq!(said(&dir, &["setlock", "pipe", "true"]), (111, String::new(), err.to_owned()));
}

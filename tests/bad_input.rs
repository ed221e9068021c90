//! Service directories that are not what they should be: each with its words
//! and its exit code, and nothing that spins.

use crate::support::{Changes, Dir, Process, Service, supervised, testing_originals};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn usage() {
    let dir = Dir::new();
    for args in [&[][..], &["one", "two"]] {
        let done = dir.run("supervise", args);
        let words = "supervise: usage: supervise dir\n";
        assert_eq!((done.code, done.err().as_str()), (100, words));
    }
}

#[test]
fn a_directory_that_is_not_there_or_is_none() {
    let dir = Dir::new();
    dir.file("file", "");
    for (name, why) in [("nowhere", "file does not exist"), ("file", "not a directory")] {
        let done = dir.run("supervise", [name]);
        let words = format!("supervise: fatal: unable to chdir to {name}: {why}\n");
        assert_eq!((done.code, done.err()), (111, words));
    }
}

/// Runs supervise on `s`, whose `run` cannot be started, sees it say so, and
/// takes it down.
fn complains(dir: &Dir, words: &str) {
    let mut supervise = dir.start("supervise", ["s"]);
    assert_eq!(supervise.complains("unable to start"), words);
    // And again, a second later: it does not give up, and it does not spin.
    assert_eq!(supervise.complains("unable to start"), words);
    assert_eq!(dir.run("svc", ["-dx", "s"]).code, 0);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn no_run() {
    let dir = Dir::new();
    dir.mkdir("s");
    complains(&dir, "supervise: fatal: unable to start s/run: file does not exist");
}

#[test]
fn a_run_that_is_not_executable() {
    let dir = Dir::new();
    dir.file("s/run", "#!/bin/sh\n");
    complains(&dir, "supervise: fatal: unable to start s/run: access denied");
}

#[test]
fn a_directory_as_run() {
    let dir = Dir::new();
    dir.mkdir("s/run");
    complains(&dir, "supervise: fatal: unable to start s/run: access denied");
}

#[test]
fn an_interpreter_that_does_not_exist() {
    let dir = Dir::new();
    dir.script("s/run", "");
    fs::write(dir.path("s/run"), "#!/no/such/interpreter\n").unwrap();
    complains(&dir, "supervise: fatal: unable to start s/run: file does not exist");
}

#[test]
fn a_script_without_a_first_line() {
    let dir = Dir::new();
    let run = dir.file("s/run", "echo hello\n");
    fs::set_permissions(run, fs::Permissions::from_mode(0o755)).unwrap();
    complains(&dir, "supervise: fatal: unable to start s/run: exec format error");
}

#[test]
fn supervise_as_a_file() {
    let dir = Dir::new();
    dir.file("s/supervise", "");
    let done = dir.run("supervise", ["s"]);
    let words = "supervise: fatal: unable to acquire s/supervise/lock: not a directory\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

#[test]
fn a_lock_that_is_a_directory() {
    let dir = Dir::new();
    dir.mkdir("s/supervise/lock");
    let done = dir.run("supervise", ["s"]);
    let words = "supervise: fatal: unable to acquire s/supervise/lock: is a directory\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

#[test]
fn down_that_cannot_be_looked_at() {
    let dir = Dir::new();
    dir.mkdir("s");
    symlink("down", dir.path("s/down")).unwrap();
    let done = dir.run("supervise", ["s"]);
    let words = "supervise: fatal: unable to stat s/down: symbolic link loop\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

/// The original reads a file that stands where its FIFO should be as commands,
/// over and over.
#[test]
fn a_foreign_file_where_a_fifo_should_be() {
    if testing_originals() {
        return;
    }
    for name in ["control", "ok"] {
        let dir = Dir::new();
        let file = dir.file(format!("s/supervise/{name}"), "uuuu");
        let done = dir.run("supervise", ["s"]);
        let words = format!("supervise: fatal: unable to read s/supervise/{name}: not a fifo\n");
        assert_eq!((done.code, done.err()), (111, words));
        assert_eq!(fs::read(file).unwrap(), b"uuuu");
    }
    let dir = Dir::new();
    let file = dir.file("s/supervise/control", "");
    let done = dir.run("svc", ["-d", "s"]);
    let words = "svc: warning: unable to control s: supervise/control is not a fifo\n";
    assert_eq!((done.code, done.err().as_str()), (0, words));
    assert_eq!(fs::read(file).unwrap(), b"");
}

#[test]
fn a_garbage_status_is_replaced() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.file("s/supervise/status", [0xaa; 5000]);
    dir.file("s/supervise/status.new", [0xaa; 5000]);
    let _supervise = service.supervise(&dir);
    service.up();
    assert!(fs::metadata(dir.path("s/supervise/status")).unwrap().len() < 1000);
}

#[test]
fn a_status_that_cannot_be_replaced() {
    let dir = Dir::new();
    let service = Service::new(&dir, "s", "");
    dir.mkdir("s/supervise/status/full");
    let mut supervise = service.supervise(&dir);
    let words = supervise.complains("unable to rename");
    let expected = "supervise: warning: unable to rename \
                    SUPERVISE/status.new to status: is a directory";
    let path = service.path.join("supervise");
    assert_eq!(words, expected.replace("SUPERVISE", &path.to_string_lossy()));
    supervised(&service.path);
    assert_eq!(dir.run("svc", ["-dx", "s"]).code, 0);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn a_directory_that_is_renamed_while_it_runs() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let first = service.up();
    supervised(&service.path);
    fs::rename(dir.path("s"), dir.path("t")).unwrap();
    service.path = dir.path("t");
    service.svc(&dir, "-t");
    assert_ne!(service.up(), first);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// The original tries to start the vanished program for ever.
#[test]
fn a_directory_that_is_removed_while_it_runs() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    fs::remove_dir_all(&service.path).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let done = supervise.finish();
    assert_eq!(done.code, 111);
    let last = done.err().lines().last().unwrap().to_string();
    let words = format!(
        "supervise: fatal: unable to start {}/run: the directory was removed",
        service.path.display()
    );
    assert_eq!(last, words);
}

#[test]
fn a_directory_that_is_replaced_while_it_runs() {
    let dir = Dir::new();
    let mut old = Service::new(&dir, "s", "");
    let mut supervise = old.supervise(&dir);
    let pid = old.up();
    supervised(&old.path);
    fs::rename(dir.path("s"), dir.path("old")).unwrap();
    let mut new = Service::new(&dir, "new", "");
    fs::rename(dir.path("new"), dir.path("s")).unwrap();
    new.path = dir.path("s");
    // Another directory, another service.
    let _second = new.supervise(&dir);
    assert_ne!(new.up(), pid);
    old.path = dir.path("old");
    old.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    supervise = dir.start("supervise", ["old"]);
    old.up();
    old.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn svscan_and_a_link_that_leads_nowhere() {
    let dir = Dir::new();
    dir.mkdir("scan");
    symlink("nowhere", dir.path("scan/dangling")).unwrap();
    symlink("loop", dir.path("scan/loop")).unwrap();
    let mut service = Service::new(&dir, "scan/s", "");
    let mut command = dir.tool("svscan", ["scan"]);
    let mut path = crate::support::programs().into_os_string();
    path.push(":/usr/bin:/bin");
    let mut svscan = Process::start(command.env("PATH", path));
    service.up();
    let one = svscan.complains("unable to stat");
    let two = svscan.complains("unable to stat");
    let mut said = [one, two];
    said.sort();
    assert_eq!(said[0], "svscan: warning: unable to stat dangling: file does not exist");
    assert_eq!(said[1], "svscan: warning: unable to stat loop: symbolic link loop");
    // What it leads to later is started then.
    let mut late = Service::new(&dir, "scan/.late", "");
    symlink(dir.path("scan/.late"), dir.path("scan/nowhere.new")).unwrap();
    fs::rename(dir.path("scan/nowhere.new"), dir.path("scan/nowhere")).unwrap();
    late.up();
}

#[test]
fn svscan_and_a_supervise_that_is_not_there() {
    let dir = Dir::new();
    dir.mkdir("scan/s");
    let svscan = dir.copy(crate::support::program("svscan"), "svscan");
    let mut command = dir.command(&svscan);
    let mut svscan = Process::start(command.arg("scan").env("PATH", dir.path("scan")));
    let words = svscan.complains("unable to start");
    assert_eq!(words, "svscan: warning: unable to start supervise s: file does not exist");
}

#[test]
fn svscan_and_a_log_that_is_no_directory() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "");
    dir.file("scan/s/log", "");
    let mut command = dir.tool("svscan", ["scan"]);
    let mut path = crate::support::programs().into_os_string();
    path.push(":/usr/bin:/bin");
    let mut svscan = Process::start(command.env("PATH", path));
    service.up();
    let words = svscan.complains("unable to chdir");
    assert_eq!(words, "supervise: fatal: unable to chdir to log: not a directory");
    let changes = Changes::of(&[&service.path]);
    changes.until("the service itself to be up", || service.seen().filter(|s| s.pid != 0));
}

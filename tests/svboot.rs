//! svboot: what it prints is what each init wants, what it installs it takes
//! away again, and what it has not written it leaves alone.

mod busybox;
mod crontab;
mod docker;
mod foreign;
mod machine;
mod notify;
mod once;
mod openrc;
mod placed;
mod printed;
mod runit;
mod s6;
mod syntax;
mod systemd;
mod sysv;
mod told;

use crate::support::{Dir, Finished, Process, ours};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

const KINDS: [&str; 13] = [
    "systemd",
    "systemd-user",
    "openrc",
    "sysv",
    "inittab",
    "busybox",
    "runit",
    "s6",
    "launchd",
    "docker",
    "cron",
    "crontab",
    "profile",
];

/// svboot, with a home and a PATH of the test's own.
fn command(dir: &Dir, args: &[&str]) -> Command {
    let mut command = dir.tool("svboot", args);
    let path = format!("{}:/usr/bin:/bin", dir.path("bin").display());
    command.env("HOME", "/home/me").env("PATH", path);
    command
}

fn svboot(dir: &Dir, args: &[&str]) -> Finished {
    Process::start(&mut command(dir, args)).finish()
}

/// The same, which has to succeed.
fn done(dir: &Dir, args: &[&str]) -> String {
    let done = svboot(dir, args);
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{args:?}");
    done.out()
}

/// Everything below a directory, by its path: modes, links and contents.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let stat = path.symlink_metadata().unwrap();
            let mut text = format!("{:o} {} ", stat.mode(), stat.uid());
            if stat.is_symlink() {
                text.push_str(fs::read_link(&path).unwrap().to_str().unwrap());
            } else if stat.is_dir() {
                left.push(path.clone());
            } else {
                text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
            }
            found.insert(path, text);
        }
    }
    found
}

/// A root with what most of them find there.
fn root(dir: &Dir) -> PathBuf {
    let root = dir.mkdir("root");
    dir.file("root/etc/inittab", "id:2:initdefault:\nlast line without end");
    dir.file("root/home/me/.profile", "umask 022\n");
    for path in ["etc/service", "service", "home/me/service", "etc/systemd/system", "etc/cron.d"] {
        dir.mkdir(Path::new("root").join(path));
    }
    for level in 0..7 {
        dir.mkdir(format!("root/etc/rc{level}.d"));
    }
    for path in
        ["etc/init.d", "etc/runlevels/default", "etc/sv", "etc/s6/sv", "Library/LaunchDaemons"]
    {
        dir.mkdir(Path::new("root").join(path));
    }
    let programs = ours();
    let programs = dir.mkdir(Path::new("root").join(programs.strip_prefix("/").unwrap()));
    dir.script(programs.join("svscan"), "");
    fs::set_permissions(dir.path("root/etc/inittab"), fs::Permissions::from_mode(0o600)).unwrap();
    root
}

/// Those of the processes that are no children of others of them: until it
/// executes something else, a child of svscan looks as svscan does.
fn without_children(pids: &[i32]) -> Vec<i32> {
    let parent = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
        line.and_then(|pid| pid.parse().ok())
    };
    let is_one = |pid: &i32| parent(*pid).is_some_and(|parent| !pids.contains(&parent));
    pids.iter().copied().filter(is_one).collect()
}

//! Which init there is, if nobody says.

use super::{done, svboot};
use crate::support::container::{Plan, Who};
use crate::support::{Dir, testing_originals};
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn the_init_is_told_by_its_files() {
    if testing_originals() {
        return;
    }
    let unable = "svboot: fatal: unable to tell which init there is: name one of svboot -l\n";
    for (files, kind) in [
        (&["etc/cron.d/"][..], "cron"),
        (&["etc/init.d/", "etc/cron.d/"], "sysv"),
        (&["etc/init.d/", "lib/systemd/systemd"], "systemd"),
        (&["etc/init.d/", "etc/inittab", "lib/systemd/systemd"], "inittab"),
        (&["etc/inittab", "sbin/openrc-run"], "openrc"),
        (&["sbin/openrc-run", "etc/runit/2"], "runit"),
        (&["run/systemd/system/", "etc/runit/2", "etc/inittab"], "systemd"),
        (&["etc/s6-linux-init/", "etc/runit/2"], "s6"),
        (&["Library/LaunchDaemons/"], "launchd"),
    ] {
        let dir = Dir::new();
        dir.mkdir("root");
        let done_none = svboot(&dir, &["-R", "root"]);
        assert_eq!((done_none.code, done_none.err().as_str()), (111, unable));
        for file in files {
            let path = Path::new("root").join(file);
            if file.ends_with('/') {
                dir.mkdir(path)
            } else {
                dir.file(path, "")
            };
        }
        let text = done(&dir, &["-R", "root"]);
        assert_eq!(text, done(&dir, &["-R", "root", kind]), "{files:?}");
    }
    let dir = Dir::new();
    dir.file("root/etc/inittab", "");
    dir.mkdir("root/sbin");
    symlink("../bin/busybox", dir.path("root/sbin/init")).unwrap();
    assert!(done(&dir, &["-R", "root"]).starts_with("::respawn:"));
}

/// Without root's rights it is what a user can have of his own.
#[test]
fn a_user_gets_what_is_his_own() {
    if testing_originals() || !Who::Nobody.can() {
        return;
    }
    let dir = Dir::new();
    let is_systemd = Path::new("/run/systemd/system").exists();
    let plan = Plan::new(&dir, Who::Nobody).environment(&["HOME=/home/me", "PATH=/nothing"]);
    let done = plan.start("svboot", [""; 0]).process.finish();
    let front = if is_systemd { "# " } else { "(" };
    assert!(done.out().starts_with(front) && done.out().contains("/home/me/service"), "{done:?}");
}

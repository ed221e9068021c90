//! What somebody else has put there stays.

use super::{done, root, svboot, tree};
use crate::support::{Dir, testing_originals};
use std::fs;
use std::os::unix::fs::symlink;

/// What is in the way of the file that is written first is not written to.
#[test]
fn a_link_in_the_way_is_not_followed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let root = root(&dir);
    let victim = dir.file("victim", "precious");
    let beside = root.join("etc/.inittab.svboot");
    fs::hard_link(&victim, &beside).unwrap();
    done(&dir, &["-i", "-R", "root", "inittab"]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!beside.exists());
}

#[test]
fn runits_own_directory_is_known_by_any_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let root = root(&dir);
    dir.mkdir("root/var");
    symlink("/run/runit/runsvdir/current", root.join("var/service")).unwrap();
    symlink("/etc/service", root.join("srv")).unwrap();
    for name in ["/etc/service/", "/etc//service", "/etc/./service", "/srv", "/var/service"] {
        let done = svboot(&dir, &["-i", "-R", "root", "-d", name, "runit"]);
        assert!(done.err().ends_with(": it is runit's own\n"), "{name}: {}", done.err());
        assert_eq!(done.code, 111, "{name}");
    }
    // What it has later, it has not had when it was installed.
    let before = tree(&root);
    done(&dir, &["-i", "-R", "root", "runit"]);
    dir.mkdir("root/etc/runit/runsvdir/default");
    let text = done(&dir, &["-r", "-R", "root", "runit"]);
    assert!(text.contains("removed /etc/service/svscan\n"), "{text}");
    fs::remove_dir_all(root.join("etc/runit")).unwrap();
    assert_eq!(tree(&root), before);
}

#[test]
fn what_somebody_else_wrote_stays() {
    if testing_originals() {
        return;
    }
    let not_ours = "svboot did not write it\n";
    let torn = "the lines of svboot have lost their beginning or their end\n";
    let dir = Dir::new();
    let root = root(&dir);
    dir.file("root/etc/systemd/system/svscan.service", "[Service]\n");
    // Masked, by hand.
    symlink("/dev/null", dir.path("root/etc/init.d/svscan")).unwrap();
    // Something else of the same name, which only one part would meet.
    symlink("/etc/sv/other", dir.path("root/etc/service/svscan")).unwrap();
    dir.file("root/etc/inittab", "# BEGIN svboot\nSV::respawn:x\n");
    dir.mkdir("root/etc/cron.d/svscan");
    for (kind, path, why) in [
        ("systemd", "/etc/systemd/system/svscan.service", not_ours),
        ("sysv", "/etc/init.d/svscan", not_ours),
        ("openrc", "/etc/init.d/svscan", not_ours),
        ("runit", "/etc/service/svscan", not_ours),
        ("inittab", "/etc/inittab", torn),
        ("busybox", "/etc/inittab", torn),
    ] {
        let before = tree(&root);
        for option in ["-i", "-r"] {
            let done = svboot(&dir, &[option, "-R", "root", kind]);
            let words = format!("svboot: fatal: unable to change {path}: {why}");
            assert_eq!((done.code, done.err(), done.out().as_str()), (111, words, ""), "{kind}");
        }
        assert_eq!(tree(&root), before, "{kind}");
    }
    let done = svboot(&dir, &["-i", "-R", "root", "cron"]);
    assert_eq!(done.code, 111);
    assert!(done.err().starts_with("svboot: fatal: unable to read /etc/cron.d/svscan: "));
}

#[test]
fn links_lead_where_they_lead_below_the_root() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    root(&dir);
    // As on Red Hat's: absolute, which outside of it would be the machine's.
    fs::remove_dir(dir.path("root/etc/init.d")).unwrap();
    dir.mkdir("root/etc/rc.d/init.d");
    symlink("/etc/rc.d/init.d", dir.path("root/etc/init.d")).unwrap();
    done(&dir, &["-i", "-R", "root", "sysv"]);
    assert!(dir.path("root/etc/rc.d/init.d/svscan").is_file());
    // A profile that is kept elsewhere stays there, and its mode.
    fs::rename(dir.path("root/home/me/.profile"), dir.path("root/home/dots")).unwrap();
    symlink("/home/dots", dir.path("root/home/me/.profile")).unwrap();
    done(&dir, &["-i", "-R", "root", "profile"]);
    let text = fs::read_to_string(dir.path("root/home/dots")).unwrap();
    assert!(text.starts_with("umask 022\n# BEGIN svboot\n"), "{text}");
    assert!(dir.path("root/home/me/.profile").is_symlink());
    done(&dir, &["-r", "-R", "root", "profile"]);
    assert_eq!(fs::read_to_string(dir.path("root/home/dots")).unwrap(), "umask 022\n");
}

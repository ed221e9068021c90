//! What svboot puts in its place, and takes away again.

use super::{KINDS, done, root, svboot, tree};
use crate::support::{Dir, testing_originals};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

#[test]
fn what_is_installed_is_removed_and_nothing_else() {
    if testing_originals() {
        return;
    }
    // Those that are files below a root.
    for kind in KINDS.into_iter().filter(|kind| !["docker", "crontab"].contains(kind)) {
        let dir = Dir::new();
        let root = root(&dir);
        let before = tree(&root);
        let first = done(&dir, &["-i", "-R", "root", kind]);
        assert!(first.starts_with("wrote /"), "{kind}: {first}");
        let with = tree(&root);
        assert_ne!(with, before, "{kind}");
        // What is printed is what is there.
        let text = done(&dir, &["-R", "root", kind]);
        assert!(with.values().any(|content| content.contains(&text)), "{kind}");
        // A second time nothing is done.
        assert_eq!(
            done(&dir, &["-i", "-R", "root", kind]),
            format!("{kind}: it is there already\n")
        );
        assert_eq!(tree(&root), with, "{kind}");
        // What has changed is replaced.
        dir.mkdir("root/srv");
        done(&dir, &["-i", "-R", "root", "-d", "/srv", kind]);
        let other = tree(&root);
        assert_eq!(other.len(), with.len() + 1, "{kind}");
        assert_eq!(done(&dir, &["-i", "-R", "root", kind]).lines().count(), 1, "{kind}");
        fs::remove_dir(dir.path("root/srv")).unwrap();
        assert_eq!(tree(&root), with, "{kind}");
        let last = done(&dir, &["-r", "-R", "root", kind]);
        assert!(last.contains("removed /") || last.contains("wrote /"), "{kind}: {last}");
        assert_eq!(tree(&root), before, "{kind}");
        assert_eq!(
            done(&dir, &["-r", "-R", "root", kind]),
            format!("{kind}: there is nothing of ours\n")
        );
    }
}

#[test]
fn an_empty_file_stays_and_one_of_ours_does_not() {
    if testing_originals() {
        return;
    }
    for (kind, file) in [("inittab", "etc/inittab"), ("profile", "home/me/.profile")] {
        for is_there in [true, false] {
            let dir = Dir::new();
            let root = root(&dir);
            let path = root.join(file);
            fs::remove_file(&path).unwrap();
            if is_there {
                fs::write(&path, "").unwrap();
            }
            let before = tree(&root);
            for _ in 0..2 {
                svboot(&dir, &["-i", "-R", "root", kind]);
            }
            assert_ne!(tree(&root), before);
            svboot(&dir, &["-r", "-R", "root", kind]);
            assert_eq!(tree(&root), before, "{kind} {is_there}");
        }
    }
}

#[test]
fn a_script_that_cannot_run_is_written_again() {
    if testing_originals() {
        return;
    }
    for (kind, file) in [("sysv", "etc/init.d/svscan"), ("s6", "etc/s6/sv/svscan/run")] {
        let dir = Dir::new();
        let file = root(&dir).join(file);
        done(&dir, &["-i", "-R", "root", kind]);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(done(&dir, &["-i", "-R", "root", kind]).starts_with("wrote /"));
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o755);
    }
}

#[test]
fn what_leads_to_it_is_linked() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    root(&dir);
    let leads = |path: &str| fs::read_link(dir.path("root").join(path)).unwrap();
    done(&dir, &["-i", "-R", "root", "systemd"]);
    let wants = "etc/systemd/system/multi-user.target.wants/svscan.service";
    assert_eq!(leads(wants), Path::new("/etc/systemd/system/svscan.service"));
    done(&dir, &["-i", "-R", "root", "sysv"]);
    for name in ["rc0.d/K20svscan", "rc1.d/K20svscan", "rc2.d/S20svscan", "rc5.d/S20svscan"] {
        let path = Path::new("etc").join(name);
        assert!(dir.path("root").join(&path).exists(), "{name}");
        assert_eq!(leads(path.to_str().unwrap()), Path::new("../init.d/svscan"));
    }
    done(&dir, &["-i", "-R", "root", "runit"]);
    assert_eq!(leads("etc/service/svscan"), Path::new("/etc/sv/svscan"));
    // Void's place for it comes first.
    done(&dir, &["-r", "-R", "root", "runit"]);
    dir.mkdir("root/etc/runit/runsvdir/default");
    done(&dir, &["-i", "-R", "root", "runit"]);
    assert_eq!(leads("etc/runit/runsvdir/default/svscan"), Path::new("/etc/sv/svscan"));
    assert!(!dir.path("root/etc/service/svscan").exists());
}

#[test]
fn what_is_not_there_is_told() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("root");
    let done = svboot(&dir, &["-i", "-R", "root", "-b", "/bin", "s6"]);
    assert_eq!(done.code, 0);
    let words = "svboot: warning: there is no /bin/svscan\nsvboot: warning: there is no /service\n";
    assert_eq!(done.err(), words);
    assert_eq!(done.out(), "wrote /etc/s6/sv/svscan/run\n");
}

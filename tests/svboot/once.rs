//! What cron and a login do with the lines: svscan is there once, however often
//! they are run.

use super::{done, without_children};
use crate::support::{Dir, Process, Service, is_supervised, testing_originals};
use std::fs;
use std::path::Path;

/// The shell that a kind has run: by cron for the first two, by a login.
fn shell(dir: &Dir, scan: &Path, kind: &str) -> String {
    let text = done(dir, &["-d", scan.to_str().unwrap(), kind]);
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    match kind {
        "cron" => line.strip_prefix("@reboot root ").unwrap().to_owned(),
        "crontab" => line.strip_prefix("@reboot ").unwrap().to_owned(),
        _ => text,
    }
}

#[test]
fn svscan_is_there_once() {
    if testing_originals() {
        return;
    }
    for kind in ["cron", "crontab", "profile"] {
        is_there_once(kind);
    }
}

fn is_there_once(kind: &str) {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "service/s", "");
    let scan = dir.path("service");
    let shell = shell(&dir, &scan, kind);
    let run = |shell: &str| Process::start(dir.command("sh").args(["-c", shell]));
    // A login is over at once; cron's child is svscan.
    let begin = || {
        let process = run(&shell);
        if kind != "profile" {
            return Some(process);
        }
        assert_eq!(process.ends(), 0);
        None
    };
    let child = begin();
    service.up();
    let svscans = || {
        let all = dir.processes().into_iter();
        let all = all.filter(|(_, line)| line.contains("/svscan ")).map(|(pid, _)| pid);
        without_children(&all.collect::<Vec<_>>())
    };
    let first = svscans();
    assert_eq!(first.len(), 1);
    if let Some(child) = &child {
        assert_eq!(child.pid(), first[0].unsigned_abs());
    }
    // The second finds the lock taken, and is over when the shell's output is.
    let over = run(&shell.trim_end().replace(" &)", ")")).finish();
    assert_eq!((over.code, over.out().as_str(), over.err().as_str()), (0, "", ""));
    assert_eq!(svscans(), first);
    // It leads a session of its own.
    let stat = fs::read_to_string(format!("/proc/{}/stat", first[0])).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap();
    assert_eq!(session, first[0].to_string());
    assert!(is_supervised(&service.path));
    let pid = rustix::process::Pid::from_raw(first[0]).unwrap();
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(crate::support::readable(&pidfd, crate::support::deadline()));
    // Its end is that of the lock.
    assert_eq!(svscans(), [0; 0]);
    assert!(scan.join(".svscan-log").is_dir());
    let _child = begin();
    service.up();
}

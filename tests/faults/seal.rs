//! Nothing is allocated once svscan and supervise run. In a debug build an
//! allocation ends them, so it is enough that they live through everything.

use crate::support::{Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn supervise_allocates_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let mut supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-k");
    assert_ne!(service.up(), pid);
    service.svc(&dir, "-p");
    service.until("the pause", |seen| seen.paused);
    service.svc(&dir, "-chai");
    fs::write(service.path.join("supervise/control"), (0..=47).collect::<Vec<u8>>()).unwrap();
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    service.svc(&dir, "-o");
    service.up();
    fs::rename(service.path.join("run"), service.path.join("not-now")).unwrap();
    service.svc(&dir, "-kcphit");
    service.svc(&dir, "-u");
    supervise.complains("unable to start");
    supervise.complains("unable to start");
    fs::rename(service.path.join("not-now"), service.path.join("run")).unwrap();
    service.up();
    // A status that cannot be written, and commands in a lump.
    fs::remove_file(service.path.join("supervise/status")).unwrap();
    fs::create_dir_all(service.path.join("supervise/status/full")).unwrap();
    fs::write(service.path.join("supervise/control"), "pcpcpchhuoup".repeat(100)).unwrap();
    supervise.complains("unable to rename");
    service.svc(&dir, "-dx");
    let done = supervise.finish();
    assert!(done.code == 0 && !done.err().contains("fatal"), "{done:?}");
}

#[test]
fn svscan_allocates_nothing() {
    if testing_originals() {
        return;
    }
    const MANY: usize = 50;
    let dir = Dir::new();
    let name = |n: usize| (dir.path(format!("all/s{n}")), dir.path(format!("scan/s{n}")));
    for n in 0..MANY {
        dir.file(format!("all/s{n}/down"), "");
        if n % 5 == 0 {
            dir.file(format!("all/s{n}/log/down"), "");
        }
    }
    let mut first = Service::new(&dir, "scan/first", "");
    let mut svscan = Process::start(dir.tool("svscan", ["scan"]).env("PATH", super::path()));
    let pid = first.up();
    for n in 0..MANY {
        let (from, to) = name(n);
        symlink(from, to).unwrap();
    }
    for n in 0..MANY {
        supervised(&name(n).0);
    }
    // Half of them go: a look at all, then the end of what is not listed.
    for n in (0..MANY).step_by(2) {
        fs::remove_file(name(n).1).unwrap();
    }
    svscan.signal(Signal::ALARM);
    svscan.signal(Signal::HUP);
    for n in (0..MANY).step_by(2) {
        let (from, to) = name(n);
        // Each comes back under another name, gone already or still going.
        symlink(from, to.with_extension("again")).unwrap();
    }
    // A directory that is made in place, a link that leads nowhere, a name of
    // every length, and more names than one reading holds.
    symlink("nowhere", dir.path("scan/dangling")).unwrap();
    svscan.complains("unable to stat dangling");
    fs::remove_file(dir.path("scan/dangling")).unwrap();
    for length in 1..=255 {
        fs::write(dir.path("scan").join("n".repeat(length)), "").unwrap();
    }
    let mut last = Service::new(&dir, "scan/last", "");
    last.up();
    for n in 0..MANY {
        supervised(&name(n).0);
    }
    assert_eq!(first.seen().unwrap().pid, pid);
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert!(done.code == 0 && done.err().lines().all(|l| l.contains("dangling")), "{done:?}");
    dir.nobody_is_left();
}

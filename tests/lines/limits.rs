//! Where descriptors are few, and where a service is not root any more.

use super::end;
use crate::support::{Dir, Process, Service, testing_originals};
use rustix::process::geteuid;

#[test]
fn without_descriptors_a_service_has_svscans_output() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "echo hello");
    // Room for little more than what svscan keeps for itself.
    let mut command = dir.command("prlimit");
    let svscan = crate::support::program("svscan");
    command.arg("--nofile=79:79").arg(svscan).args(["-n", "scan"]);
    let mut svscan = Process::start(&mut command);
    first.up();
    assert_eq!(svscan.prints("hello"), "first: hello");
    let new = |n| Service::new(&dir, &format!("scan/s{n}"), "echo hello");
    let mut others: Vec<_> = (0..8).map(new).collect();
    for other in &mut others {
        other.up();
    }
    let (out, err) = end(&dir, svscan);
    let plain = out.lines().filter(|line| *line == "hello").count();
    let named = out.lines().filter(|line| line.ends_with(": hello")).count();
    assert!(plain > 0 && plain + named == 8, "{out}");
    let words = "writing where svscan does: process cannot open more files";
    let complaints = err.lines().filter(|line| line.ends_with(words)).count();
    assert_eq!((complaints, err.lines().count()), (1, 1), "{err}");
}

#[test]
fn whoever_is_not_root_any_more_can_open_it_again() {
    if testing_originals() || !geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let script = "setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \
                  'echo out >/dev/stdout; echo err >/dev/stderr'";
    let mut service = Service::new(&dir, "scan/s", script);
    let svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    assert_eq!(end(&dir, svscan), ("s: out\n".into(), "s: err\n".into()));
}

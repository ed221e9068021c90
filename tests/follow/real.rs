//! Daemons that fork and are not written for a test.

use crate::adopt::{kill, parent_of};
use crate::support::{Dir, Service, supervised, testing_originals};
use std::fs;
use std::path::Path;

/// Runs a service with this `run`, and has it killed and stopped.
fn follows(program: &str, follow: &str, start: &str) {
    if testing_originals() || !Path::new(program).exists() {
        return;
    }
    let dir = Dir::new();
    let service = Service::with_script(&dir, "s", &format!("exec {program} {start}"));
    dir.file("s/follow", follow);
    let supervise = service.supervise(&dir);
    supervised(&service.path);
    let first = service.until("it", |seen| is_followed(&service) && seen.pid != 0).pid;
    assert_eq!(parent_of(first), supervise.pid());
    kill(first);
    let another = |pid| ![0, first].contains(&pid) && is_followed(&service);
    let second = service.until("the next", |seen| another(seen.pid)).pid;
    assert_eq!(parent_of(second), supervise.pid());
    service.svc(&dir, "-dx");
    let done = supervise.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    dir.nobody_is_left();
}

/// Whether the process on record is not the one that was started.
fn is_followed(service: &Service) -> bool {
    fs::read(service.path.join("supervise/status")).unwrap()[69] & 128 != 0
}

#[test]
fn ssh_agent() {
    follows("/usr/bin/ssh-agent", "child", "-a \"$PWD/socket.$$\" >/dev/null");
}

#[test]
fn start_stop_daemon() {
    follows(
        "/usr/sbin/start-stop-daemon",
        "pidfile pid",
        "--start --quiet --background --make-pidfile --pidfile \"$PWD/pid\" \
         --startas /bin/tail -- -f /dev/null",
    );
}

#[test]
fn dbus_daemon() {
    follows(
        "/usr/bin/dbus-daemon",
        "pidfile pid",
        "--session --fork --nopidfile --address=\"unix:path=$PWD/socket.$$\" \
         --print-pid=3 3>pid",
    );
}

//! `kill-mode` and `timeout-kill`: whom a stop reaches, and that it ends.

use crate::support::{Dir, Process, Service, program, supervised, testing_originals};
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// Shell that leaves descendants behind: a child in the same group, one with a
/// session of its own, and one that has forked twice; deaf to TERM, all of
/// them. Each has said so when the service says that it is up.
const LITTER: &str = "
    deaf() { sh -c 'trap \"\" TERM HUP; echo ready >ready; exec sleep 1000' & }
    mkfifo ready; exec 8<>ready
    deaf
    setsid sh -c 'trap \"\" TERM HUP; echo ready >ready; exec sleep 1000' &
    (setsid sh -c 'trap \"\" TERM HUP; (sh -c \"echo ready >ready; exec sleep 1000\" &)' &)
    read r <&8; read r <&8; read r <&8; rm ready";

fn with_mode(dir: &Dir, name: &str, mode: &str, more: &str) -> Service {
    let service = Service::new(dir, name, more);
    fs::write(service.path.join("kill-mode"), mode).unwrap();
    service
}

/// What runs of a test, supervise and svscan left out.
fn left(dir: &Dir) -> Vec<String> {
    let lines = dir.processes().into_iter().map(|(_, line)| line);
    lines.filter(|line| !line.contains("supervise") && !line.contains("svscan")).collect()
}

/// Takes down a service that is up, and waits until its status says so.
fn down(dir: &Dir, service: &Service) {
    supervised(&service.path);
    service.svc(dir, "-d");
    let down = |seen: &crate::support::Seen| seen.pid == 0 && seen.want == b'd';
    service.until("the end", down);
    // Until nothing is left it says that it is still clearing up.
    let changes = crate::support::Changes::of(&[&service.path.join("supervise")]);
    changes.until("nothing left", || (stage(&service.path) == 0).then_some(()));
}

/// Where the record says that the service is.
fn stage(path: &Path) -> u8 {
    fs::read(path.join("supervise/status")).unwrap()[68]
}

#[test]
fn without_the_file_only_the_process() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", LITTER);
    let supervise = service.supervise(&dir);
    service.up();
    down(&dir, &service);
    assert_eq!(left(&dir).len(), 3);
    service.svc(&dir, "-x");
    assert_eq!(supervise.ends(), 0);
}

#[test]
fn the_group_is_what_has_not_left_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // Not deaf, this one: a child in the group, one in a session of its own.
    let litter = "sleep 1000 & setsid sleep 1001 &";
    let mut service = with_mode(&dir, "s", "group\n", litter);
    let supervise = service.supervise(&dir);
    service.up();
    down(&dir, &service);
    assert_eq!(left(&dir).iter().filter(|line| line.contains("1001")).count(), 1);
    // The child in the group has got the signal, and is dead when it is.
    dir.until_gone(|line| line.contains("sleep 1000"));
    service.svc(&dir, "-x");
    assert_eq!(supervise.ends(), 0);
}

/// By a cgroup where there is one, and by walking; ten at once, three times.
#[test]
fn of_a_tree_nothing_is_left() {
    if testing_originals() {
        return;
    }
    for refused in ["", "cgroup", "cgroup,pidfd", "cgroup-kill"] {
        let dir = Dir::new();
        let mut all: Vec<_> =
            (0..10).map(|n| with_mode(&dir, &format!("scan/s{n}"), "tree\n", LITTER)).collect();
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_REFUSE", refused));
        for round in 0..3 {
            for service in &mut all {
                service.up();
            }
            for service in &all {
                down(&dir, service);
            }
            assert_eq!(left(&dir), [""; 0], "round {round}, without {refused}");
            for service in &all {
                service.svc(&dir, "-u");
            }
        }
        for service in &mut all {
            service.up();
        }
        svscan.signal(Signal::TERM);
        let done = svscan.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""), "without {refused}");
        dir.nobody_is_left();
    }
}

#[test]
fn of_an_ordinary_users_tree_nothing_is_left() {
    if testing_originals() || !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let mut all: Vec<_> =
        (0..10).map(|n| with_mode(&dir, &format!("scan/s{n}"), "tree\n", LITTER)).collect();
    let nobody = 65534;
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o755)).unwrap();
    for n in 0..10 {
        for name in [format!("scan/s{n}"), format!("scan/s{n}.said"), format!("scan/s{n}.hold")] {
            chown(dir.path(name), Some(nobody), Some(nobody)).unwrap();
        }
    }
    chown(dir.path("scan"), Some(nobody), Some(nobody)).unwrap();
    let svscan = dir.copy(program("svscan"), "bin/svscan");
    dir.copy(program("supervise"), "bin/supervise");
    let mut command = dir.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let svscan = Process::start(command.arg(svscan).arg("scan"));
    for round in 0..3 {
        for service in &mut all {
            service.up();
        }
        for service in &all {
            down(&dir, service);
        }
        assert_eq!(left(&dir), [""; 0], "round {round}");
        for service in &all {
            service.svc(&dir, "-u");
        }
    }
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// What a crash leaves behind is gone before the next start, also when the
/// supervise that was there has been killed in between.
#[test]
fn nothing_is_started_beside_what_is_left() {
    if testing_originals() {
        return;
    }
    for refused in ["", "cgroup"] {
        let dir = Dir::new();
        let mut service = with_mode(&dir, "scan/s", "tree", LITTER);
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_REFUSE", refused));
        let pid = service.up();
        supervised(&service.path);
        assert_eq!(left(&dir).len(), 4);
        super::adopt::kill(pid);
        let next = service.up();
        assert_eq!(left(&dir).len(), 4, "{:?}", left(&dir));
        let supervise = super::adopt::parent_of(next);
        super::adopt::kill(supervise);
        super::adopt::supervised_by_another(&service, supervise);
        super::adopt::kill(next);
        service.up();
        assert_eq!(left(&dir).len(), 4, "{:?}", left(&dir));
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        dir.nobody_is_left();
    }
}

#[test]
fn what_is_deaf_is_killed_in_time() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let deaf = "trap 'echo TERM >$said' TERM";
    for (name, mode) in [("one", "process"), ("two", "group"), ("three", "tree")] {
        let mut service = with_mode(&dir, name, mode, deaf);
        fs::write(service.path.join("timeout-kill"), "1000\n").unwrap();
        let supervise = service.supervise(&dir);
        service.up();
        supervised(&service.path);
        service.svc(&dir, "-dx");
        assert_eq!(service.said.line(), "TERM");
        assert_eq!(supervise.finish().code, 0);
        assert_eq!(super::adopt::history(&service.path), ([2, 9], 1));
    }
}

/// The time goes on with the next supervise.
#[test]
fn what_is_deaf_is_killed_in_time_whoever_dies() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_mode(&dir, "s", "process", "trap 'echo TERM >$said' TERM");
    fs::write(service.path.join("timeout-kill"), "2000").unwrap();
    let first = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-dx");
    assert_eq!(service.said.line(), "TERM");
    super::adopt::until_leaving(&service);
    first.signal(Signal::KILL);
    assert_eq!(first.ends(), 137);
    assert_eq!(service.supervise(&dir).finish().code, 0);
    assert_eq!(super::adopt::history(&service.path).1, 1);
}

#[test]
fn a_file_that_says_nothing_is_reported_and_the_service_runs() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_mode(&dir, "s", "everything\n", "");
    fs::write(service.path.join("timeout-kill"), "soon").unwrap();
    let mut supervise = dir.start("supervise", ["s"]);
    let words = "supervise: warning: unable to use s/kill-mode, using process: \
                 no such value: everything";
    assert_eq!(supervise.complains("kill-mode"), words);
    let words = "supervise: warning: unable to use s/timeout-kill, using the default: \
                 no such value: soon";
    assert_eq!(supervise.complains("timeout-kill"), words);
    service.up();
    supervised(&service.path);
    fs::remove_file(service.path.join("kill-mode")).unwrap();
    fs::create_dir(service.path.join("kill-mode")).unwrap();
    service.svc(&dir, "-k");
    let words = "supervise: warning: unable to read s/kill-mode, using process: is a directory";
    assert_eq!(supervise.complains("kill-mode"), words);
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

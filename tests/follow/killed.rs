//! Whoever is killed at whatever step: there is one of the service, and the
//! next supervise goes on with it or with looking for it.

use super::{FORKS, FORKS_TWICE, daemon, said_up};
use crate::adopt::{dies, history, kill, parent_of, supervise_of, supervised_by_another};
use crate::support::{Dir, Process, supervised, testing_originals};
use rustix::process::Signal;

#[test]
fn at_every_step_of_following() {
    if testing_originals() {
        return;
    }
    let points = ["death: noticed", "follow: looks", "follow: found", "status: written"];
    for (point, follow) in
        points.iter().flat_map(|point| [(point, "pidfile pid"), (point, "child")])
    {
        let dir = Dir::new();
        let start =
            format!("read go <other\n{}", if follow == "child" { FORKS_TWICE } else { FORKS });
        let mut service = daemon(&dir, "scan/s", follow, &start);
        let other = dir.fifo("scan/s/other");
        let at = format!("{point}={}", dir.path("death").display());
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at));
        supervised(&service.path);
        service.until("run", |seen| seen.pid != 0);
        let supervise = supervise_of(&service);
        dir.file("death", "");
        other.say("on");
        let pid = said_up(&mut service);
        supervised_by_another(&service, supervise);
        service.until("the daemon", |seen| seen.pid == pid);
        assert!(!dir.path("death").exists(), "{point}: nobody came there");
        assert_eq!(history(&service.path).1, 1, "{point}");
        // Once more, when it has been found.
        let supervise = supervise_of(&service);
        kill(supervise);
        supervised_by_another(&service, supervise);
        assert_eq!(service.seen().unwrap().pid, pid);
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), "HUP");
        svscan.signal(Signal::TERM);
        let done = svscan.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{point}");
        assert!(service.said.is_silent(), "{point} {follow}");
        dir.nobody_is_left();
    }
}

/// It goes into the background while there is no supervise, so that it is
/// nobody's child whom it could be known by.
#[test]
fn while_there_is_no_supervise() {
    if testing_originals() {
        return;
    }
    for (follow, mode) in [
        ("pidfile pid", "process"),
        ("child", "process"),
        ("pidfile pid", "tree"),
        ("child", "tree"),
    ] {
        let dir = Dir::new();
        let start = if follow == "child" { FORKS_TWICE } else { FORKS };
        let mut service = daemon(&dir, "s", follow, &format!("read go <other\n{start}"));
        dir.file("s/kill-mode", mode);
        let other = dir.fifo("s/other");
        let first = service.supervise(&dir);
        supervised(&service.path);
        let run = service.until("run", |seen| seen.pid != 0).pid;
        first.signal(Signal::KILL);
        assert_eq!(first.ends(), 137);
        other.say("on");
        let pid = said_up(&mut service);
        dies(run);
        let second = service.supervise(&dir);
        service.until("the daemon", |seen| seen.pid == pid);
        supervised(&service.path);
        assert_ne!(parent_of(pid), second.pid());
        service.svc(&dir, "-dx");
        let done = second.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{follow} {mode}");
        assert!(service.said.is_silent());
        dir.nobody_is_left();
    }
}

/// Both go at once: nothing is left to be followed.
#[test]
fn with_the_service() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = daemon(&dir, "s", "pidfile pid", FORKS);
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    first.signal(Signal::KILL);
    assert_eq!(first.ends(), 137);
    kill(pid);
    dies(pid);
    let second = service.supervise(&dir);
    assert_ne!(service.up(), pid);
    supervised(&service.path);
    // It is looked for anew also by a supervise that executes itself anew.
    service.svc(&dir, "-e");
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    service.svc(&dir, "-dx");
    assert_eq!(second.finish().code, 0);
    assert_eq!(history(&service.path).1, 2);
}

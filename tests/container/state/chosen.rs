//! Which place svscan chooses, and that every program looks there.

use super::{
    SCAN, code, colons, comes_up, ends, entries, identity, is_executed_anew, is_found, place_in,
    plan, said_of, status, up,
};
use crate::support::container::{Plan, Who, both};
use crate::support::{Dir, Service};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The place that is to be had is found by whoever looks.
#[test]
fn the_first_place_that_is_to_be_had_is_taken() {
    both(|who| {
        let uid = if who == Who::Root { 0 } else { 65534 };
        for place in ["/run/upkeep", "/dev/shm/upkeep-U", "/tmp/upkeep-U"] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            let plan = Plan::new(&dir, who).in_made_root();
            let (run, shm) = (plan.inside("/run"), plan.inside("/dev/shm"));
            fs::create_dir(&run).unwrap();
            let mut plan = plan.read_only(dir.path("scan"));
            let inside = plan.inside(dir.path("scan"));
            plan = plan.read_only(inside);
            plan = if place.starts_with("/run") { plan.tmpfs(run, "1m") } else { plan.hide(run) };
            plan = if place.starts_with("/dev") { plan.tmpfs(shm, "1m") } else { plan.hide(shm) };
            let container = plan.start("svscan", ["scan"]);
            let pid = up(&mut service);
            let path = place.replace('U', &uid.to_string());
            is_found(&container, "scan/s", &mut service, pid);
            let root = container.path(&path);
            assert_eq!(entries(root.clone()), [identity(&dir.path("scan"))]);
            let place = container.path(place_in(&path, &dir));
            assert_eq!(entries(place), [SCAN.to_owned(), colons(&service.path)]);
            assert_eq!(entries(service.path.clone()), ["run"]);
            let mode = fs::metadata(&root).unwrap().permissions().mode();
            let expected = if path == "/run/upkeep" && uid == 0 { 0o755 } else { 0o700 };
            assert_eq!(mode & 0o7777, expected);
            assert_eq!(ends(container), said_of(&path, &dir));
        }
    });
}

/// A directory that belongs to whoever runs it is written to as ever, and
/// nothing is made elsewhere.
#[test]
fn what_can_be_written_to_is() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who);
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run", "supervise"]);
        assert!(!container.path("/run/upkeep").exists());
        assert_eq!(entries(container.path("/dev/shm")), [""; 0]);
        assert_eq!(ends(container), "");
    });
}

/// Whoever may not write to it without any mount in the way.
#[test]
fn directories_of_somebody_else_are_not_written_to() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        // For root, that nobody may write does not count.
        let mode = format!("chmod 555 {0}/scan/s {0}/scan", dir.path("").display());
        let plan = plan(&dir, who).setup(&mode);
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        let is_elsewhere = who == Who::Nobody;
        assert_eq!(container.path("/run/upkeep").is_dir(), is_elsewhere);
        is_found(&container, "scan/s", &mut service, pid);
        let said = if is_elsewhere { said_of("/run/upkeep", &dir) } else { String::new() };
        assert_eq!(ends(container), said);
    });
}

/// What the variable says is meant for who could do so.
#[test]
fn a_place_that_was_meant_for_somebody_else_is_none() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).setup("mkdir -m 555 /run/roots");
        let container = plan.environment(&["SUPERVISEDIR=/run/roots"]).start("svscan", ["scan"]);
        let pid = service.up();
        is_found(&container, "scan/s", &mut service, pid);
        let expected = "svscan: warning: unable to keep state in SUPERVISEDIR, doing without: \
                        /run/roots: access denied\n";
        assert_eq!(ends(container), expected);
    });
}

/// A supervise that somebody starts by hand lives there too, and stays there
/// when it is executed anew.
#[test]
fn a_supervise_by_hand_goes_where_svscan_would() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        let plan = plan(&dir, who).setup("mkdir -m 700 /run/upkeep");
        let container = plan.read_only(dir.path("s")).start("supervise", ["s"]);
        let pid = up(&mut service);
        comes_up(&container, "s");
        assert_eq!(entries(container.path("/run/upkeep")), [colons(&service.path)]);
        assert_eq!(code(&container, "svc", &["-e", "s"]), 0);
        assert_eq!(code(&container, "svc", &["-t", "s"]), 0);
        assert_ne!(up(&mut service), pid);
        // It may be killed with all the others when process 1 ends.
        let _ = code(&container, "svc", &["-dx", "s"]);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    });
}

/// Executed anew, svscan keeps to the place that it has.
#[test]
fn the_place_stays_when_svscan_is_executed_anew() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        let environ = || fs::read(format!("/proc/{}/environ", container.pid())).unwrap();
        let holds = |environ: Vec<u8>| {
            let entry = format!("SUPERVISEDIR={}", place_in("/run/upkeep", &dir));
            environ.split(|&b| b == 0).any(|other| other == entry.as_bytes())
        };
        assert!(!holds(environ()));
        is_executed_anew(&container, &dir, who, "scan");
        assert!(holds(environ()));
        let line = status(&container, "scan/s");
        assert!(line.starts_with("scan/s: up (pid "), "{line}");
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
    });
}

/// What has a colon in its name is not taken for what is below it, and a path
/// may be longer than a name.
#[test]
fn every_path_has_a_state_of_its_own() {
    both(|who| {
        let dir = Dir::new();
        let long = "n".repeat(200);
        let names = ["web", "web:log", &long];
        let mut all = names.map(|name| Service::new(&dir, &format!("{long}/{name}"), "echo line"));
        let log = format!("exec cat >{}", dir.path("log").display());
        dir.script(format!("{long}/web:log/log/run"), &log);
        dir.script(format!("{long}/web/log/run"), "exec cat >/dev/null");
        let plan = plan(&dir, who).read_only(dir.path(&long));
        let container = plan.start("svscan", [&long]);
        for (service, name) in all.iter_mut().zip(names) {
            let pid = up(service);
            is_found(&container, &format!("{long}/{name}"), service, pid);
        }
        let said = ends(container);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(fs::read_to_string(dir.path("log")).unwrap().starts_with("line\n"));
    });
}

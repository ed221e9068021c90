//! Several directories, in several containers, that share a place or a path.

use super::{
    bind, colons, comes_up, ends, entries, identity, is_up_as, plan, programs, shared, status, up,
};
use crate::support::container::{Plan, both};
use crate::support::{Dir, Service};
use std::fs;
use std::path::Path;

/// Two containers that share what is in memory, with other directories by the
/// same path, as those of a pod do, have nothing to do with each other.
#[test]
fn containers_that_share_their_memory_stay_apart() {
    both(|who| {
        let dir = Dir::new();
        let shared = shared(&dir);
        let sides = ["a", "b"].map(|side| {
            let service = Service::new(&dir, &format!("{side}/s"), "");
            let scan = service.path.parent().unwrap().to_owned();
            (service, scan)
        });
        dir.mkdir("scan");
        let [(mut first, first_scan), (mut second, second_scan)] = sides;
        let start = |scan: &Path| {
            Plan::new(&dir, who)
                .tmpfs("/dev/shm", "1m")
                .setup(&bind(&shared, Path::new("/run")))
                .setup(&bind(scan, &dir.path("scan")))
                .read_only(dir.path("scan"))
                .start("svscan", ["scan"])
        };
        let one = start(&first_scan);
        let pid = up(&mut first);
        comes_up(&one, "scan/s");
        let other = start(&second_scan);
        up(&mut second);
        comes_up(&other, "scan/s");
        assert_eq!(entries(shared.join("upkeep")).len(), 2);
        // Each program means its own.
        let before = status(&one, "scan/s");
        assert_eq!(other.start("svc", ["-t", "scan/s"]).finish().code, 0);
        up(&mut second);
        ends(other);
        let line = status(&one, "scan/s");
        let begins = format!("scan/s: up (pid {pid}) ");
        assert!(before.starts_with(&begins) && line.starts_with(&begins), "{before} {line}");
        ends(one);
    });
}

/// Where they are told the same place, the second one's services cannot be, and
/// say so; nothing of the first is touched.
#[test]
fn a_shared_place_belongs_to_whoever_was_there_first() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("state");
        let mut first = Service::new(&dir, "a/s", "");
        dir.script("b/s/run", "exec sleep 1000");
        dir.mkdir("scan");
        let start = |scan: &str| {
            let (scan, to) = (dir.path(scan), dir.path("scan"));
            plan(&dir, who).setup(&bind(&scan, &to)).start("svscan", ["-S", "state", "scan"])
        };
        let one = start("a");
        let pid = up(&mut first);
        comes_up(&one, "scan/s");
        let mut other = start("b");
        other.process.complains("another directory with this path has its state there");
        assert_eq!(other.start("svok", ["scan/s"]).finish().code, 100);
        let done = other.start("svc", ["-d", "scan/s"]).finish();
        assert!(done.err().starts_with("svc: warning: unable to "), "{done:?}");
        ends(other);
        is_up_as(&one, "scan/s", pid);
        ends(one);
    });
}

/// A directory that takes the place of one that has gone begins anew.
#[test]
fn what_another_directory_has_left_is_not_gone_on_with() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        dir.script(
            "init",
            "supervise s & read go <go; kill -9 $!; wait $!
            mv s old; cp -R old s; exec supervise s",
        );
        let go = dir.fifo("go");
        let programs = programs(&dir);
        let place = format!("SUPERVISEDIR={}", dir.mkdir("state").display());
        let plan = plan(&dir, who).environment(&[&programs, &place]);
        let _container = plan.start("./init", [""; 0]);
        let pid = up(&mut service);
        let state = dir.path("state").join(colons(&service.path));
        let owner = || fs::read_link(state.join("owner")).unwrap();
        assert_eq!(owner().to_str().unwrap(), identity(&service.path));
        go.say("go");
        assert_ne!(up(&mut service), pid);
        assert_eq!(owner().to_str().unwrap(), identity(&service.path));
    });
}

/// Two containers that have the same directory, read-only, and nothing else in
/// common, show what their own services write.
#[test]
fn who_shows_the_output_of_one_container_is_not_in_the_way_of_another() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/s/run", "echo line; exec sleep 1000");
        let start = || plan(&dir, who).read_only(dir.path("scan")).start("svscan", ["-n", "scan"]);
        let mut one = start();
        one.process.prints("s: line");
        let mut other = start();
        other.process.prints("s: line");
        ends(one);
        ends(other);
    });
}

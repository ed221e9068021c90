//! A place that svscan is told: who may use it, how it is found, and by whom it
//! is left.

use super::{colons, comes_up, ends, entries, identity, is_found, plan, programs, up};
use crate::support::container::{Who, both};
use crate::support::{Dir, Process, Service};
use std::fs;
use std::path::PathBuf;

/// With `--state` nothing is written to the service directory, and a link tells
/// where to look.
#[test]
fn a_place_that_is_told_is_announced() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who);
        let container = plan.start("svscan", ["--state", "here", "scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run"]);
        assert_eq!(entries(dir.path("here")), [colons(&service.path)]);
        let [scan, here] = ["scan", "here"].map(|name| identity(&dir.path(name)));
        let pointer = format!(":{scan}-{here}");
        assert_eq!(entries(container.path("/run/upkeep")), std::slice::from_ref(&pointer));
        let target = fs::read_link(container.path("/run/upkeep").join(pointer)).unwrap();
        assert_eq!(target, dir.path("here"));
        // It goes when there is nothing left to be found.
        let root = fs::File::open(container.path("/run/upkeep")).unwrap();
        let root = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&root));
        assert_eq!(ends(container), "");
        assert_eq!(entries(PathBuf::from(root)), [""; 0]);
    });
}

#[test]
fn a_place_that_others_could_change_is_refused() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("scan");
        for (make, named, said) in [
            (
                "mkdir -m 777 place",
                "place",
                "others can write to it; name a directory in it, to be made",
            ),
            ("ln -s scan place", "place", "it is a link"),
            (":>place", "place", "not a directory"),
            (":", "no/place", "file does not exist"),
            ("mkdir -m 777 place", "place/in", "others can remove or rename it"),
        ] {
            // Whoever is not root has meant it.
            if who == Who::Nobody && named == "place/in" {
                continue;
            }
            let here = dir.path("");
            let setup = format!("cd {}; rm -rf place; {make}", here.display());
            let plan = plan(&dir, who).setup(&setup);
            let mut command = plan.command("svscan", ["-S", named, "scan"]);
            let done = Process::start(&mut command).finish();
            let path = here.join(named);
            let expected =
                format!("svscan: fatal: unable to keep state in {}: {said}\n", path.display());
            assert_eq!((done.code, done.err()), (111, expected), "{make}");
            assert!(!dir.path("place/in").exists());
        }
    });
}

/// A volume that everybody may write to, as engines make them, will do for
/// whoever is not root.
#[test]
fn a_volume_for_everybody_has_room_for_a_place() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).setup("mkdir -m 777 /run/volume").read_only(dir.path("scan"));
        let container = plan.start("svscan", ["-S", "/run/volume/state/", "scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(container.path("/run/volume/state")), [colons(&service.path)]);
        assert_eq!(ends(container), "");
    });
}

/// The next svscan finds what the last one has left, also where it would not
/// have to go itself.
#[test]
fn what_lives_elsewhere_is_found_again() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        dir.script(
            "init",
            "svscan --state state scan & read go <go; kill -9 $!; wait $!
            exec svscan scan",
        );
        let go = dir.fifo("go");
        let programs = programs(&dir);
        let plan = plan(&dir, who).environment(&[&programs]);
        let container = plan.start("./init", [""; 0]);
        let pid = up(&mut service);
        go.say("go");
        let mut container = container;
        let said = container.process.complains("keep their state in");
        assert!(said.contains(dir.path("state").to_str().unwrap()), "{said}");
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run"]);
        ends(container);
    });
}

/// A svscan that is told another place goes where its services live.
#[test]
fn no_service_runs_twice_in_two_places() {
    both(|who| {
        for (begin, next) in [
            ("svscan -S one scan", "svscan -S two scan"),
            ("svscan -S one scan", "env SUPERVISEDIR=$PWD/three svscan scan"),
        ] {
            let dir = Dir::new();
            dir.mkdir("three");
            let mut service = Service::new(&dir, "scan/s", "");
            let script = format!("{begin} & read go <go; kill -9 $!; wait $!; exec {next}");
            dir.script("init", &script);
            let go = dir.fifo("go");
            let programs = programs(&dir);
            let plan = plan(&dir, who).environment(&[&programs]);
            let mut container = plan.start("./init", [""; 0]);
            let pid = up(&mut service);
            comes_up(&container, "scan/s");
            go.say("go");
            let said = container.process.complains("services that run keep their state in");
            assert!(said.contains(&format!("{}, not going to", dir.path("one").display())));
            is_found(&container, "scan/s", &mut service, pid);
            // Its link is this one's now.
            let root = fs::File::open(container.path("/run/upkeep")).unwrap();
            let root = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&root));
            ends(container);
            assert_eq!(entries(PathBuf::from(root)), [""; 0]);
        }
    });
}

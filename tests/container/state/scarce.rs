//! Little room, or nothing at all of what there usually is.

use super::{
    code, colons, comes_up, ends, is_executed_anew, is_found, is_read, is_up_as, place_in, plan,
    programs, said_of, up,
};
use crate::support::container::{Plan, both};
use crate::support::{Changes, Dir, Service, deadline, readable};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;

/// Where nothing can be written to at all, that is one line, and svscan goes
/// on.
#[test]
fn no_place_at_all_is_said() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("scan");
        let plan = Plan::new(&dir, who).in_made_root();
        let inside = ["/", "/dev/shm"].map(|path| plan.inside(path));
        let scan = plan.inside(dir.path("scan"));
        let [root, shm] = inside;
        let plan = plan.hide(shm).read_only(root).read_only(scan);
        let mut container = plan.start("svscan", ["scan"]);
        container.process.complains("there is no other place; use --state: ");
        // And nothing else.
        assert_eq!(ends(container), "");
    });
}

/// A record is a page there, so that so many services have room, and the others
/// run without a record of their own.
#[test]
fn a_state_of_64_kilobytes_is_enough_for_a_small_tree() {
    both(|who| {
        let dir = Dir::new();
        let mut all: Vec<_> = ["a", "b", "c", "d", "e"]
            .map(|name| {
                let log = dir.path(format!("{name}.log"));
                let more = format!("echo {name} begins");
                let service = Service::new(&dir, &format!("scan/{name}"), &more);
                let run = format!("exec multilog t {}", log.display());
                dir.script(format!("scan/{name}/log/run"), &run);
                service
            })
            .into();
        let programs = programs(&dir);
        let plan = plan(&dir, who).tmpfs("/run", "64k").read_only(dir.path("scan"));
        let container = plan.environment(&[&programs]).start("svscan", ["scan"]);
        for service in &mut all {
            up(service);
        }
        for (name, service) in ["./scan/a", "./scan/e"].iter().zip([0, 4]) {
            comes_up(&container, name);
            assert_eq!(code(&container, "svc", &["-t", name]), 0);
            up(&mut all[service]);
        }
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
        for name in ["a", "b", "c", "d", "e"] {
            let log = fs::read_to_string(dir.path(format!("{name}.log/current"))).unwrap();
            assert!(log.lines().all(|line| line.ends_with(&format!("{name} begins"))), "{log}");
            assert_eq!(log.lines().count(), if ["a", "e"].contains(&name) { 2 } else { 1 });
        }
    });
}

/// Past that, svscan and the services go on, and what is missing is said.
#[test]
fn a_state_that_is_full_stops_nobody() {
    both(|who| {
        let dir = Dir::new();
        let names: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
        let mut all: Vec<_> =
            names.iter().map(|name| Service::new(&dir, &format!("scan/{name}"), "")).collect();
        let plan = plan(&dir, who).tmpfs("/run", "32k").read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        for service in &mut all {
            up(service);
        }
        let said = ends(container);
        assert!(said.contains("supervise/status"), "{said}");
        assert!(said.lines().skip(1).all(|line| line.contains("out of disk space")), "{said}");
    });
}

/// No /proc, no /dev/shm, no /etc, no /tmp that can be written to, a user
/// without a name, and no environment: a supervise that is killed is followed
/// by one that goes on with its service.
#[test]
fn what_is_missing_is_done_without() {
    both(|who| {
        let dir = Dir::new();
        let trap = "trap 'echo heard >$said' ALRM";
        let mut service = Service::new(&dir, "scan/s", trap);
        let plan = Plan::new(&dir, who).in_made_root();
        let inside = ["/", "/proc", "/dev/shm", "/run"].map(|path| plan.inside(path));
        let scan = plan.inside(dir.path("scan"));
        let [root, proc, shm, run] = inside;
        fs::create_dir(&run).unwrap();
        let plan = plan.hide(proc).hide(shm).read_only(root).read_only(scan).tmpfs(run, "64k");
        let container = plan.environment(&[]).start("svscan", ["scan"]);
        let pid = up(&mut service);
        let pid = is_found(&container, "scan/s", &mut service, pid);
        let pids = |name: &str| -> Vec<i32> {
            let all = container.processes().into_iter();
            all.filter(|(_, is)| is == name).map(|(pid, _)| pid).collect()
        };
        let [supervise] = pids("supervise")[..] else { panic!("{:?}", container.processes()) };
        let supervise = Pid::from_raw(supervise).unwrap();
        let place = container.path(place_in("/run/upkeep", &dir));
        let state = place.join(colons(&service.path));
        let openings = Changes::openings(&state);
        let held = pidfd_open(supervise, PidfdFlags::empty()).unwrap();
        kill_process(supervise, Signal::KILL).unwrap();
        assert!(readable(&held, deadline()));
        openings.until("the next supervise", || is_read(&state.join("ok")).then_some(()));
        // The next one knows the service, which has lost nothing by it.
        assert_eq!(container.start("svc", ["-a", "scan/s"]).finish().code, 0);
        assert_eq!(service.said.line(), "heard");
        comes_up(&container, "scan/s");
        is_up_as(&container, "scan/s", pid);
        assert_ne!(pids("supervise"), [supervise.as_raw_pid()]);
        let expected = said_of("/run/upkeep", &dir);
        assert_eq!(ends(container), expected);
    });
}

/// Without /proc the kernel has no name of a program that was called by a
/// relative one; where it began tells, and tells again when it is executed anew.
#[test]
fn the_other_programs_are_found_without_proc() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).hide("/proc").environment(&[]);
        let begin = "cd programs && exec ./svscan ../scan";
        let container = plan.start("/bin/sh", ["-c", begin]);
        service.up();
        is_executed_anew(&container, &dir, who, "scan");
        // It would have said that it could not be.
        assert_eq!(ends(container), "");
    });
}

/// What services tell each other, and a logger that is a file, are there too.
#[test]
fn order_and_loggers_need_no_service_directory() {
    both(|who| {
        let dir = Dir::new();
        let mut first = Service::new(&dir, "scan/a", "");
        let mut second = Service::new(&dir, "scan/b", "echo line");
        dir.file("scan/b/needs/a", "");
        dir.file("scan/a/down", "");
        dir.script("scan/b/log", &format!("exec cat >{}", dir.path("log").display()));
        let plan = plan(&dir, who).read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        up(&mut first);
        let pid = up(&mut second);
        assert_eq!(
            code(&container, "svwait", &["-t", "9000", "-u", "scan/a", "scan/b", "scan/b/log"]),
            0
        );
        let done = container.start("svstat", ["scan/b"]).finish();
        let lines: Vec<_> = done.out().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with(&format!("scan/b: up (pid {pid}) ")), "{done:?}");
        assert!(lines[1].starts_with("scan/b log: up (pid "), "{done:?}");
        // The one that is needed goes last, and takes the other along.
        assert_eq!(code(&container, "svc", &["-d", "scan/a"]), 0);
        assert_eq!(code(&container, "svwait", &["-t", "9000", "-d", "scan/a", "scan/b"]), 0);
        assert_eq!(code(&container, "svc", &["-dx", "scan/b/log"]), 0);
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
        assert_eq!(fs::read_to_string(dir.path("log")).unwrap(), "line\n");
    });
}

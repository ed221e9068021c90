//! What svscans leave goes with the next ones, unless something of it lives or
//! may come again.

use super::{
    bind, code, colons, comes_up, ends, entries, identity, is_executed_anew, is_read, programs,
    shared, status, up,
};
use crate::support::container::{Container, Plan, Who, both};
use crate::support::{Changes, Dir, Service, deadline, readable};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;
use std::path::PathBuf;

/// Containers that share what is in memory, in each of which only one of the
/// scan directories `a` and `b` is to be seen.
struct Pod<'a> {
    dir: &'a Dir,
    who: Who,
    shared: PathBuf,
    /// More than an hour later than it is.
    late: String,
}

impl<'a> Pod<'a> {
    fn new(dir: &'a Dir, who: Who) -> Self {
        let late = format!("UPKEEP_CLOCK={}", dir.file("late", "3700").display());
        for scan in ["a", "b"] {
            dir.mkdir(scan);
        }
        Self { dir, who, shared: shared(dir), late }
    }

    fn plan(&self, scan: &str) -> Plan<'a> {
        let other = if scan == "a" { "b" } else { "a" };
        Plan::new(self.dir, self.who)
            .tmpfs("/dev/shm", "1m")
            .setup(&bind(&self.shared, "/run".as_ref()))
            .hide(self.dir.path(other))
            .read_only(self.dir.path(scan))
    }

    /// A container whose process 1 is svscan.
    fn start(&self, scan: &str, variables: &[&str]) -> Container<'a> {
        self.plan(scan).environment(variables).start("svscan", [scan])
    }

    /// The same from its start to its end.
    fn runs(&self, scan: &str, service: &mut Service, variables: &[&str]) {
        let container = self.start(scan, variables);
        up(service);
        ends(container);
    }

    fn place(&self, scan: &str) -> PathBuf {
        self.shared.join("upkeep").join(identity(&self.dir.path(scan)))
    }

    /// Those that there are, and nothing else.
    fn has(&self, scans: &[&str]) {
        let mut all: Vec<_> = scans.iter().map(|scan| identity(&self.dir.path(scan))).collect();
        all.sort();
        assert_eq!(entries(self.shared.join("upkeep")), all);
    }
}

fn services(dir: &Dir) -> [Service; 2] {
    ["a/s", "b/s"].map(|name| Service::new(dir, name, ""))
}

/// It may be started again until then.
#[test]
fn what_a_container_has_left_goes_an_hour_later() {
    both(|who| {
        let dir = Dir::new();
        let pod = Pod::new(&dir, who);
        let [mut first, mut second] = services(&dir);
        pod.runs("a", &mut first, &[]);
        for _ in 0..2 {
            pod.runs("b", &mut second, &[]);
            pod.has(&["a", "b"]);
        }
        // Started again, it is counted from anew.
        pod.runs("a", &mut first, &[]);
        pod.runs("b", &mut second, &[&pod.late]);
        pod.has(&["a", "b"]);
        pod.runs("b", &mut second, &[&pod.late]);
        pod.has(&["b"]);
        pod.runs("a", &mut first, &[]);
    });
}

/// Where the directory is to be seen, what a svscan has left is there for the
/// next one, however late that comes.
#[test]
fn what_was_told_is_remembered() {
    both(|who| {
        let dir = Dir::new();
        let pod = Pod::new(&dir, who);
        let [mut first, mut second] = services(&dir);
        let script = format!(
            "svscan a & read go <go; kill -9 $!; wait $!; echo killed >killed
            for late in {late} {late} nothing=; do
            read go <go; env $late svscan ${{next:-b}} & p=$!
            read go <go; kill $p; wait $p; case $n in 1) next=a;; *) n=1;; esac; done",
            late = pod.late
        );
        dir.script("init", &script);
        let (go, mut killed) = (dir.fifo("go"), dir.fifo("killed"));
        let plan = Plan::new(&dir, who).tmpfs("/run", "1m").tmpfs("/dev/shm", "1m");
        let plan = plan.read_only(dir.path("a")).read_only(dir.path("b"));
        let container = plan.environment(&[&programs(&dir)]).start("./init", [""; 0]);
        up(&mut first);
        comes_up(&container, "a/s");
        assert_eq!(code(&container, "svc", &["-wd", "-d", "a/s"]), 0);
        go.say("go");
        assert_eq!(killed.line(), "killed");
        let all = container.processes().into_iter();
        let supervise = all.filter(|(_, name)| name == "supervise").map(|(pid, _)| pid).next();
        let supervise = Pid::from_raw(supervise.unwrap()).unwrap();
        let held = pidfd_open(supervise, PidfdFlags::empty()).unwrap();
        kill_process(supervise, Signal::KILL).unwrap();
        assert!(readable(&held, deadline()));
        for _ in 0..2 {
            go.say("go");
            up(&mut second);
            go.say("go");
        }
        go.say("go");
        // What its supervise says when it has read what is on record.
        let place = container.path("/run/upkeep").join(identity(&dir.path("a")));
        let state = place.join(colons(&first.path));
        let openings = Changes::openings(&state);
        openings.until("the next supervise", || is_read(&state.join("ok")).then_some(()));
        let line = status(&container, "a/s");
        assert!(line.starts_with("a/s: down "), "{line}");
        go.say("go");
        assert_eq!(container.process.finish().code, 0);
    });
}

/// No process of another container is seen, but what it has locked is.
#[test]
fn a_svscan_in_another_container_keeps_its_place() {
    both(|who| {
        let dir = Dir::new();
        let pod = Pod::new(&dir, who);
        let mut second = Service::new(&dir, "b/s", "");
        let mut container = pod.start("a", &[]);
        container.process.complains("state is in ");
        for _ in 0..2 {
            pod.runs("b", &mut second, &[&pod.late]);
            pod.has(&["a", "b"]);
        }
        is_executed_anew(&container, &dir, who, "a");
        let place = fs::File::open(pod.place("a")).unwrap();
        assert_eq!(flock(&place, FlockOperation::NonBlockingLockExclusive), Err(Errno::AGAIN));
        ends(container);
        assert_eq!(flock(&place, FlockOperation::NonBlockingLockExclusive), Ok(()));
    });
}

/// Whoever removes it can be killed: what is left of it is in nobody's way, and
/// goes the next time.
#[test]
fn whoever_removes_it_can_be_killed() {
    both(|who| {
        for point in ["clean: found", "clean: put aside", "clean: removed"] {
            let dir = Dir::new();
            let pod = Pod::new(&dir, who);
            let [mut first, mut second] = services(&dir);
            pod.runs("a", &mut first, &[]);
            pod.runs("b", &mut second, &[]);
            let death = dir.file("death", "");
            let changes = Changes::of(&[&dir.path("")]);
            dir.script("init", "svscan b; read go <go; exec svscan b");
            let go = dir.fifo("go");
            let at = format!("UPKEEP_KILL_AT={point}={}", death.display());
            let plan = pod.plan("b").environment(&[&programs(&dir), &pod.late, &at]);
            let container = plan.start("./init", [""; 0]);
            changes.until(point, || (!death.exists()).then_some(()));
            // The same directory comes again meanwhile.
            pod.runs("a", &mut first, &[]);
            go.say("go");
            up(&mut second);
            ends(container);
            pod.has(&["a", "b"]);
        }
    });
}

/// A svscan that comes to its place while that is removed waits, and makes
/// another one.
#[test]
fn a_place_that_is_being_removed_is_made_anew() {
    both(|who| {
        let dir = Dir::new();
        let pod = Pod::new(&dir, who);
        let [mut first, mut second] = services(&dir);
        pod.runs("a", &mut first, &[]);
        pod.runs("b", &mut second, &[]);
        let go = dir.fifo("go");
        let at = format!("UPKEEP_KILL_AT=clean: found@={}", go.path().display());
        let waits = Changes::openings(&dir.path(""));
        let remover = pod.start("b", &[&pod.late, &at]);
        waits.of_file(c"go");
        let old = pod.place("a").join(colons(&first.path)).join("old");
        fs::write(&old, "").unwrap();
        let comes = Changes::openings(&pod.place("a"));
        let container = pod.start("a", &[]);
        let mut is_opened = false;
        let look = || core::mem::replace(&mut is_opened, true).then_some(());
        comes.until("somebody to open it", look);
        go.say("go");
        up(&mut first);
        up(&mut second);
        assert!(pod.place("a").is_dir() && !old.exists());
        ends(container);
        ends(remover);
        // What there was no time for, for want of the word to go.
        pod.runs("b", &mut second, &[]);
        pod.has(&["a", "b"]);
    });
}

/// Somebody who begins there by hand before it is put aside finds it again.
#[test]
fn a_place_in_which_somebody_begins_is_put_back() {
    both(|who| {
        let dir = Dir::new();
        let pod = Pod::new(&dir, who);
        let [mut first, mut second] = services(&dir);
        pod.runs("a", &mut first, &[]);
        pod.runs("b", &mut second, &[]);
        let go = dir.fifo("go");
        let at = format!("UPKEEP_KILL_AT=clean: found@={}", go.path().display());
        let waits = Changes::openings(&dir.path(""));
        let remover = pod.start("b", &[&pod.late, &at]);
        waits.of_file(c"go");
        let new = pod.place("a").join("new");
        fs::create_dir(&new).unwrap();
        go.say("go");
        up(&mut second);
        assert!(new.is_dir());
        ends(remover);
    });
}

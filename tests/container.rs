//! svscan as process 1 of a container, as root and as nobody.

mod again;
mod alone;
mod command;
mod environment;
mod essential;
mod limits;
mod machine;
mod misled;
mod rescue;
mod scripts;
mod signals;
mod state;
mod stop;
mod stuck;
mod terminal;

use crate::support::container::{Container, Plan, both};
use crate::support::{Dir, Service, supervised};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use std::fs;

#[test]
fn services_come_up_and_a_signal_ends_everything() {
    both(|who| {
        let dir = Dir::new();
        let mut a = Service::new(&dir, "scan/a", "");
        let mut b = Service::new(&dir, "scan/b", "");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        let pids = [a.up(), b.up()];
        for service in [&a, &b] {
            supervised(&service.path);
        }
        // Numbers of its own, and clients that are in it see the same.
        assert!(pids.iter().all(|&pid| pid < 100), "{pids:?}");
        let done = container.start("svstat", ["scan/a"]).finish();
        assert!(done.out().contains(&format!("up (pid {})", pids[0])), "{done:?}");
        assert_eq!(container.processes().len(), 5, "{:?}", container.processes());
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        dir.nobody_is_left();
    });
}

#[test]
fn orphans_are_waited_for() {
    const ORPHANS: usize = 30;
    both(|who| {
        let dir = Dir::new();
        let gate = dir.fifo("gate");
        let orphans = format!(
            "n=0; while [ $n -lt {ORPHANS} ]; do n=$((n+1))
            (sh -c 'echo $$ >'$said'; read go <{}' &); done",
            gate.path().display()
        );
        let mut service = Service::new(&dir, "scan/s", &orphans);
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        // Each says who it is, and the service does, in any order.
        let lines: Vec<_> = (0..=ORPHANS).map(|_| service.said.line()).collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with("up ")).count(), 1);
        let processes = container.processes();
        assert_eq!(processes.len(), 3 + ORPHANS, "{processes:?}");
        let orphans = processes.iter().filter(|(pid, _)| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let parent = format!("PPid:\t{}", container.pid());
            fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap().contains("read go")
                && status.lines().any(|line| line == parent)
        });
        let orphans: Vec<_> = orphans
            .map(|(pid, _)| pidfd_open(Pid::from_raw(*pid).unwrap(), PidfdFlags::empty()).unwrap())
            .collect();
        assert_eq!(orphans.len(), ORPHANS);
        for orphan in &orphans {
            rustix::process::pidfd_send_signal(orphan, Signal::KILL).unwrap();
        }
        // What comes up afterwards was started after they were waited for.
        let mut last = Service::new(&dir, "last", "");
        who.owns(&last.path);
        who.owns(last.said.path());
        who.owns(&dir.path("last.hold"));
        fs::rename(&last.path, dir.path("scan/last")).unwrap();
        last.path = dir.path("scan/last");
        last.up();
        let processes = container.processes();
        assert_eq!(processes.len(), 5, "{processes:?}");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

#[test]
fn nothing_is_needed_but_the_directory() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = Plan::new(&dir, who).in_made_root();
        let (proc, root) = (plan.inside("/proc"), plan.inside("/"));
        let plan = plan.hide(proc).read_only(root).environment(&[]);
        let container = plan.start("svscan", ["scan"]);
        service.up();
        let environ = fs::read(format!("/proc/{}/environ", container.pid())).unwrap();
        assert_eq!(environ, []);
        assert!(fs::read_dir(container.path("/proc")).unwrap().next().is_none());
        let refused = container.start("mkdir", ["/etc"]).finish();
        assert!(refused.err().contains("Read-only file system"), "{refused:?}");
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    });
}

/// A script that says which signals it gets, and goes on.
fn hearing(dir: &Dir) -> String {
    let hold = dir.fifo("hearing.hold");
    format!(
        "exec 3<>{}; n=1; while [ $n -le 64 ]; do
         case $n in 9|17|19|32|33) ;; *) trap \"echo got $n.\" $n;; esac; n=$((n+1)); done
         read no <&3 & echo hears; while :; do wait; done",
        hold.path().display()
    )
}

/// Its standard error is a pipe that nobody reads.
const UNREAD: &str = "mkfifo unread; exec 3<>unread 4>unread 3>&-; exec 2>&4 4>&-; exec \"$@\"";

/// Sends process 1 a signal that need not have a name.
fn send(container: &Container<'_>, number: u8) {
    let pid = Pid::from_raw(container.pid().cast_signed()).unwrap();
    upkeep_sys::signals::send(upkeep_sys::signals::Whom::One(pid), number).unwrap();
}

//! What is left in a pipe when everybody who holds it is killed at once, but
//! svhold: everything.

use crate::faults::set_limit;
use crate::support::{
    Changes, Dir, Process, Service, deadline, program, readable, supervised, testing_originals,
};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use upkeep_sys::{clock, mark};

/// A tree of logged services, each of which writes three lines and ends when
/// it is told.
struct Tree {
    dir: Dir,
    services: Vec<Logged>,
    /// The scan directory, open, so that looking at its marks opens nothing.
    scan: File,
    openings: Changes,
}

struct Logged {
    main: Service,
    log: Service,
    go: crate::support::Fifo,
    pid: u32,
    logger: u32,
}

impl Logged {
    fn new(dir: &Dir, name: &str) -> Self {
        let go = dir.fifo(format!("{name}.go"));
        let script = format!(
            "exec 3<>{}; echo up $$ >$said; read n <&3
            echo line $n; echo another $n; echo last $n; echo wrote >$said",
            go.path().display()
        );
        let log = "echo up $$ >$said; while read l; do echo $l >$said; done; echo eof >$said";
        // The logger first: a directory is taken up when its run is there.
        let log = Service::with_script(dir, &format!("scan/{name}/log"), log);
        let main = Service::with_script(dir, &format!("scan/{name}"), &script);
        Self { main, log, go, pid: 0, logger: 0 }
    }

    fn up(&mut self) {
        self.pid = self.main.up();
        self.logger = self.log.up();
        self.supervised();
    }

    fn supervised(&self) {
        supervised(&self.main.path);
        supervised(&self.log.path);
    }

    fn pipe(&self) -> PathBuf {
        self.main.path.join("supervise/output")
    }
}

impl Tree {
    fn new(count: usize) -> Self {
        let dir = Dir::new();
        let path = dir.mkdir("scan");
        let services = (0..count).map(|n| Logged::new(&dir, &format!("s{n}"))).collect();
        let openings = Changes::openings(&path);
        Self { dir, services, scan: File::open(&path).unwrap(), openings }
    }

    fn up(&mut self) {
        self.services.iter_mut().for_each(Logged::up);
    }

    /// Starts svscan and waits for its svhold to hold everything.
    fn start(&self) -> Process {
        let before = clock::monotonic();
        let svscan = self.dir.start("svscan", ["scan"]);
        self.complete(before);
        svscan
    }

    /// Waits until a svhold holds everything that began after `time`.
    fn complete(&self, time: u64) {
        let places = (1 << 62) + time..mark::LAST;
        let is_complete = || mark::is_set(&self.scan, places.clone()).unwrap().then_some(());
        self.openings.until("a svhold that has everything", is_complete);
    }

    /// Every svhold.
    fn holders(&self) -> Vec<u32> {
        let all = self.dir.processes().into_iter();
        let holders = all.filter(|(_, line)| line.starts_with("svhold"));
        holders.map(|(pid, _)| pid.cast_unsigned()).collect()
    }

    /// The only svhold, and which pipes it holds.
    fn holder(&self) -> (u32, Vec<PathBuf>) {
        let holders = self.holders();
        let &[holder] = holders.as_slice() else { panic!("these: {holders:?}") };
        (holder, held(holder))
    }

    /// Kills svscan, every supervise and every logger at once.
    fn kill_all_but_the_services(&self, svscan: Process) {
        let mut victims = Vec::new();
        for service in &self.services {
            service.supervised();
            let supervises = [service.pid, service.logger].map(|pid| parent_of(pid).unwrap());
            victims.extend(supervises.into_iter().chain([service.logger]).map(open));
        }
        svscan.signal(Signal::KILL);
        for victim in &victims {
            pidfd_send_signal(victim, Signal::KILL).unwrap();
        }
        assert_eq!(svscan.ends(), 137);
        victims.iter().for_each(ended);
    }

    /// What the services write then, and as they end, is in the logs.
    fn nothing_is_lost(&mut self, svscan: Process, round: usize) -> Process {
        self.kill_all_but_the_services(svscan);
        for service in &mut self.services {
            let process = open(service.pid);
            service.go.say(&round.to_string());
            assert_eq!(service.main.said.line(), "wrote");
            ended(&process);
        }
        let svscan = self.start();
        for service in &mut self.services {
            service.logger = service.log.up();
            for line in ["line", "another", "last"] {
                assert_eq!(service.log.said.line(), format!("{line} {round}"));
            }
            service.pid = service.main.up();
        }
        svscan
    }

    /// Ends it, after which nobody is left.
    fn end(&mut self, svscan: Process) {
        svscan.signal(Signal::TERM);
        let done = svscan.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        self.dir.nobody_is_left();
        for service in &mut self.services {
            assert_eq!(service.log.said.line(), "eof");
        }
    }
}

/// The parent of a process, if that is there.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn open(pid: u32) -> OwnedFd {
    pidfd_open(Pid::from_raw(pid.cast_signed()).unwrap(), PidfdFlags::empty()).unwrap()
}

fn kill(pid: u32) {
    let process = open(pid);
    pidfd_send_signal(&process, Signal::KILL).unwrap();
    ended(&process);
}

fn ended(process: &OwnedFd) {
    assert!(readable(process, deadline()), "a process does not end");
}

/// The FIFOs that a svhold has.
fn held(pid: u32) -> Vec<PathBuf> {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let links = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
    links.filter(|path| path.ends_with("supervise/output")).collect()
}

#[test]
fn no_line_is_lost_when_all_are_killed_at_once() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(4);
    let mut svscan = tree.start();
    tree.up();
    for round in 0..5 {
        svscan = tree.nothing_is_lost(svscan, round);
    }
    tree.end(svscan);
}

#[test]
fn a_svhold_that_is_killed_is_replaced() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(2);
    let svscan = tree.start();
    tree.up();
    for _ in 0..2 {
        let time = clock::monotonic();
        kill(tree.holder().0);
        tree.complete(time);
    }
    assert_eq!(tree.holder().1.len(), 2);
    let svscan = tree.nothing_is_lost(svscan, 7);
    tree.end(svscan);
}

#[test]
fn only_the_last_svhold_stays() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(3);
    let mut svscan = tree.start();
    tree.up();
    for round in 0..10 {
        svscan.signal(Signal::KILL);
        assert_eq!(svscan.ends(), 137);
        // Also one that has not come far.
        svscan = if round % 2 == 0 { tree.dir.start("svscan", ["scan"]) } else { tree.start() };
    }
    let others = tree.holders().into_iter().filter(|&pid| parent_of(pid) != Some(svscan.pid()));
    let others: Vec<_> = others
        .filter_map(|pid| pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok())
        .collect();
    others.iter().for_each(ended);
    assert_eq!(tree.holder().1.len(), 3);
    // One that has been left alone just now is gone after a clean end too.
    svscan.signal(Signal::KILL);
    assert_eq!(svscan.ends(), 137);
    let svscan = tree.dir.start("svscan", ["scan"]);
    let is_its = |pid: &u32| parent_of(*pid) == Some(svscan.pid());
    tree.openings.until("the next svhold", || tree.holders().iter().any(is_its).then_some(()));
    tree.end(svscan);
}

#[test]
fn a_service_that_is_removed_is_let_go_of() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(2);
    let svscan = tree.start();
    tree.up();
    let (holder, mut pipes) = tree.holder();
    pipes.sort();
    assert_eq!(pipes, [tree.services[0].pipe(), tree.services[1].pipe()]);
    // Tells when nobody has the other end any more.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let writer = rustix::fs::open(&pipes[0], flags, Mode::empty()).unwrap();
    fs::rename(&tree.services[0].main.path, tree.dir.path("away")).unwrap();
    svscan.signal(Signal::HUP);
    assert!(readable(&writer, deadline()), "the pipe is still held");
    drop(writer);
    assert_eq!(tree.holder(), (holder, vec![tree.services[1].pipe()]));
    tree.services.remove(0);
    tree.end(svscan);
}

#[test]
fn one_that_is_left_alone_goes_when_nothing_is_left_to_hold() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(2);
    let svscan = tree.start();
    tree.up();
    let (holder, pipes) = tree.holder();
    assert_eq!(pipes.len(), 2);
    let holder = open(holder);
    svscan.signal(Signal::KILL);
    assert_eq!(svscan.ends(), 137);
    for service in &mut tree.services {
        service.main.svc(&tree.dir, "-dx");
        service.log.svc(&tree.dir, "-x");
        assert_eq!(service.log.said.line(), "eof");
    }
    ended(&holder);
    assert_eq!(tree.holders(), []);
}

#[test]
fn no_more_descriptors_for_svhold() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(1);
    let mut svscan = tree.start();
    tree.up();
    let (holder, _) = tree.holder();
    let free = (0..).find(|n| fs::symlink_metadata(format!("/proc/{holder}/fd/{n}")).is_err());
    set_limit(&tree.dir, holder, &format!("nofile={}:", free.unwrap()));
    let mut other = Logged::new(&tree.dir, "other");
    let words = "svhold: warning: unable to hold every pipe, trying again: \
                 process cannot open more files";
    assert_eq!(svscan.complains("unable to hold"), words);
    other.up();
    assert_eq!(held(holder).len(), 1);
    // Asked for again every five seconds, and complained of once.
    set_limit(&tree.dir, holder, "nofile=1000:");
    tree.openings.until("the other pipe", || (held(holder).len() == 2).then_some(()));
    tree.services.push(other);
    tree.end(svscan);
}

/// svscan with its supervise, and no svhold anywhere.
#[test]
fn svscan_works_without_svhold() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new(2);
    for name in ["svscan", "supervise"] {
        tree.dir.copy(program(name), Path::new("bin").join(name));
    }
    let mut command = tree.dir.command(tree.dir.path("bin/svscan"));
    let svscan = Process::start(command.arg("scan").env("PATH", "/nowhere:/usr/bin:/bin"));
    tree.up();
    for service in &mut tree.services {
        service.go.say("1");
        assert_eq!(service.main.said.line(), "wrote");
        assert_eq!(service.log.said.line(), "line 1");
        for line in ["another 1", "last 1"] {
            assert_eq!(service.log.said.line(), line);
        }
        service.main.up();
    }
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    let words = "svscan: warning: unable to start svhold, lines are lost where all that hold a \
                 pipe to a logger are killed at once: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (0, words));
    tree.dir.nobody_is_left();
}

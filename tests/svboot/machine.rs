//! A machine with another init: a container whose process 1 that is, with a
//! root of its own, and svboot in it.

use crate::adopt::kill;
use crate::support::container::{Container, Plan, Who};
use crate::support::{
    Dir, Finished, Process, Service, deadline, is_supervised, readable, testing_originals,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

/// A machine that runs.
pub(super) struct Machine<'a> {
    dir: &'a Dir,
    pub(super) container: Container<'a>,
    /// Which tells what happens to it, and its logger in the same place.
    pub(super) service: Service,
}

/// Whether there can be one here, for upkeep.
pub(super) fn is_possible() -> bool {
    !testing_originals() && Who::Root.can()
}

/// What will be its process 1 begins in a root with these directories.
pub(super) fn plan<'a>(dir: &'a Dir, directories: &[&str]) -> Plan<'a> {
    let plan = Plan::new(dir, Who::Root).in_made_root();
    for path in directories {
        fs::create_dir_all(plan.inside(path)).unwrap();
    }
    plan
}

/// Puts a kind in its place before the machine begins. Its programs come with
/// the machine.
pub(super) fn installed(dir: &Dir, kind: &str) {
    let [programs, scan] = ["programs", "scan"].map(|name| dir.path(name).display().to_string());
    let done = super::svboot(dir, &["-i", "-R", "root", "-b", &programs, "-d", &scan, kind]);
    assert_eq!(done.code, 0, "{done:?}");
}

/// A service that is told to end says so to its logger, which says so, and what
/// the end of its input is to it.
pub(super) fn service(dir: &Dir) -> Service {
    let service = Service::new(dir, "scan/s", "trap 'echo bye; exit' TERM");
    let said = service.said.path().display().to_string();
    let log = format!(
        "trap '' TERM\nwhile read line; do echo \"log $line\" >{said}; done\necho log ends >{said}"
    );
    dir.script("scan/s/log/run", &log);
    service
}

impl<'a> Machine<'a> {
    /// Starts one with this process 1, and waits until that is in its root.
    pub(super) fn start(dir: &'a Dir, plan: Plan<'a>, init: &str, args: &[&str]) -> Self {
        let service = service(dir);
        let mut begins = dir.fifo("begins");
        let shell = format!("echo begins >{}; exec \"$@\"", begins.path().display());
        let words = ["-c", &shell, "sh", init].into_iter().chain(args.iter().copied());
        let container = plan.start("/bin/sh", words);
        begins.line();
        Self { dir, container, service }
    }

    /// A program that is to run in it. What svboot does there, it must not do to
    /// the machine of the tests.
    fn enter(&self, program: impl AsRef<OsStr>) -> Command {
        let inode =
            |path: PathBuf| fs::metadata(path).map(|stat| (stat.dev(), stat.ino())).unwrap();
        assert_eq!(inode(self.container.path("/")), inode(self.dir.path("root")));
        self.container.enter(program)
    }

    /// Runs shell in it, which has to succeed.
    pub(super) fn runs(&self, shell: &str) -> String {
        let done = self.ran(shell);
        assert_eq!(done.code, 0, "{shell}: {done:?}");
        done.out()
    }

    fn ran(&self, shell: &str) -> Finished {
        Process::start(self.enter("/bin/sh").args(["-c", shell])).finish()
    }

    /// Has svboot do something, and then does what svboot says. What is to end it
    /// may find it ended, by an init that looks after what is gone.
    pub(super) fn follows(&self, option: &str, kind: &str) {
        let scan = self.dir.path("scan").display().to_string();
        let mut svboot = self.enter(self.dir.path("programs/svboot"));
        let done = Process::start(svboot.args([option, "-d", &scan, kind])).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        let out = done.out();
        let last = out.lines().last().unwrap();
        if let Some(command) = last.strip_prefix("to start it now: ") {
            self.runs(command);
        }
        if let Some(command) = last.strip_prefix("if it still runs: ") {
            self.ran(command);
        }
    }

    /// The svscan that runs there, by its pid outside.
    pub(super) fn svscan(&self) -> u32 {
        let all = self.container.processes().into_iter();
        let all: Vec<_> = all.filter(|(_, name)| name == "svscan").map(|(pid, _)| pid).collect();
        let [pid] = super::without_children(&all)[..] else { panic!("svscan: {all:?}") };
        pid.unsigned_abs()
    }

    /// The same, held, to wait for its end.
    pub(super) fn held_svscan(&self) -> OwnedFd {
        let pid = Pid::from_raw(self.svscan().cast_signed()).unwrap();
        pidfd_open(pid, PidfdFlags::empty()).unwrap()
    }

    /// A svscan that is killed is there again, and the service has not noticed.
    pub(super) fn is_kept(&mut self) {
        let pid = self.service.up();
        kill(self.svscan());
        // Nobody else starts what is new.
        Service::new(self.dir, "scan/new", "").up();
        assert_eq!(self.service.seen().unwrap().pid, pid);
        assert!(self.service.said.is_silent());
    }

    /// The service goes down, and then its logger.
    pub(super) fn goes_down(&mut self) {
        assert_eq!(self.service.said.line(), "log bye");
        assert_eq!(self.service.said.line(), "log ends");
    }

    /// The same, until there is nothing.
    pub(super) fn ends(&mut self, svscan: &OwnedFd) {
        self.goes_down();
        assert!(readable(svscan, deadline()), "svscan does not end");
        assert!(!is_supervised(&self.service.path));
    }
}

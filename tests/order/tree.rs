//! Services that depend on each other, under one svscan, and what they say.

use crate::adopt::supervise_of;
use crate::support::{Changes, Dir, Fifo, Process, Service, ours, seen};
use rustix::process::{Pid, Signal, kill_process};
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The stages of the record that are asked for here.
pub(super) const DOWN: u8 = 0;
pub(super) const UP: u8 = 2;
pub(super) const NEEDING: u8 = 8;
pub(super) const THERE: u8 = 9;

/// A tree of services that say `NAME up` and `NAME down` on one FIFO, in the
/// order in which it happens.
pub(super) struct Tree {
    pub(super) dir: Dir,
    said: Fifo,
    /// Through which slow ones are let go on.
    go: RefCell<Vec<Fifo>>,
    svscan: Option<Process>,
}

impl Tree {
    pub(super) fn new() -> Self {
        let dir = Dir::new();
        dir.mkdir("scan");
        let said = dir.fifo("said");
        // What the services wait on, so that nobody polls.
        dir.hold("hold");
        Self { dir, said, go: RefCell::default(), svscan: None }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path("scan").join(name)
    }

    fn say(&self, name: &str, what: &str) -> String {
        format!("echo {name} {what} >{}", self.said.path().display())
    }

    /// A service that depends on these, each as `needs/NAME`.
    pub(super) fn service(&self, name: &str, depends: &[&str]) -> &Self {
        self.script(name, depends, "")
    }

    /// One that is ready when the test says so.
    pub(super) fn slow(&self, name: &str, depends: &[&str]) -> &Self {
        let go = self.dir.fifo(format!("{name}.go"));
        let notify = ours().join("svnotify");
        let more =
            format!("exec 4<>{}; read go <&4; {} ready", go.path().display(), notify.display());
        self.go.borrow_mut().push(go);
        self.script(name, depends, &more);
        self.dir.file(format!("scan/{name}/ready-by"), "notify");
        self
    }

    /// Lets that one go on.
    pub(super) fn go(&self, name: &str) {
        fs::write(self.dir.path(format!("{name}.go")), "go\n").unwrap();
    }

    fn script(&self, name: &str, depends: &[&str], more: &str) -> &Self {
        let script = format!(
            "trap '{}; exit 0' TERM\ntrap '{}; exit 3' USR1\n{}\n{more}\n\
             exec 3<>{}\nwhile :; do read nothing <&3; done",
            self.say(name, "down"),
            self.say(name, "crashed"),
            self.say(name, "up"),
            self.dir.path("hold").display(),
        );
        self.dir.script(format!("scan/{name}/run"), &script);
        self.depends(name, depends)
    }

    /// One that says that it was asked to end, and ends when it gets HUP.
    pub(super) fn deaf(&self, name: &str, depends: &[&str]) -> &Self {
        let script = format!(
            "trap '{}' TERM\ntrap '{}; exit 0' HUP\n{}\nexec 3<>{}\n\
             while :; do read nothing <&3; done",
            self.say(name, "asked"),
            self.say(name, "down"),
            self.say(name, "up"),
            self.dir.path("hold").display(),
        );
        self.dir.script(format!("scan/{name}/run"), &script);
        self.depends(name, depends)
    }

    pub(super) fn depends(&self, name: &str, depends: &[&str]) -> &Self {
        for file in depends {
            self.dir.file(format!("scan/{name}/{file}"), "");
        }
        self
    }

    /// A service that is done with `NAME do`, and undone with `NAME undo`. It
    /// exits with what the file `code` says.
    pub(super) fn oneshot(&self, name: &str, depends: &[&str]) -> &Self {
        self.dir.file(format!("scan/{name}/type"), "oneshot\n");
        let read = "[ -e code ] && read code <code || code=0";
        let script = format!("{read}\n{}\nexit $code", self.say(name, "do"));
        self.dir.script(format!("scan/{name}/up"), &script);
        self.dir.script(format!("scan/{name}/down"), &self.say(name, "undo"));
        self.depends(name, depends)
    }

    /// It starts out down.
    pub(super) fn down(&self, name: &str) -> &Self {
        self.dir.file(format!("scan/{name}/down"), "");
        self
    }

    pub(super) fn start(&mut self) {
        self.svscan = Some(self.dir.start("svscan", ["scan"]));
    }

    /// The same; a supervise that gets to `point` is killed there, once.
    pub(super) fn start_to_be_killed(&mut self, point: &str, name: &str) {
        let mut command = self.dir.tool("svscan", ["scan"]);
        let file = self.dir.file(format!("kill-{name}"), "");
        command.env("UPKEEP_KILL_AT", format!("{point}={}", file.display()));
        self.svscan = Some(Process::start(&mut command));
    }

    /// Whether that one is still to come.
    pub(super) fn is_to_be_killed(&self, name: &str) -> bool {
        self.dir.path(format!("kill-{name}")).exists()
    }

    /// Has the next one killed there.
    pub(super) fn kill_the_next(&self, name: &str) {
        self.dir.file(format!("kill-{name}"), "");
    }

    pub(super) fn svscan(&mut self) -> &mut Process {
        self.svscan.as_mut().expect("started")
    }

    /// The next thing that is said.
    #[track_caller]
    pub(super) fn says(&mut self, line: &str) {
        assert_eq!(self.said.line(), line);
    }

    /// The next things that are said, in any order.
    #[track_caller]
    pub(super) fn says_all(&mut self, lines: &[&str]) {
        let mut said: Vec<String> = lines.iter().map(|_| self.said.line()).collect();
        let mut lines = lines.to_vec();
        said.sort();
        lines.sort_unstable();
        assert_eq!(said, lines);
    }

    /// The next thing that is said; what was said before may be said again by
    /// one that was told twice, because its supervise was killed in between.
    #[track_caller]
    pub(super) fn says_after(&mut self, before: &str, line: &str) {
        loop {
            let said = self.said.line();
            if said == line {
                return;
            }
            assert_eq!(said, before);
        }
    }

    /// These, in any order; what has lost its supervise meanwhile, so that nobody knows how
    /// it ended, may be done again.
    #[track_caller]
    pub(super) fn says_all_perhaps_again(&mut self, lines: &[&str], again: &str) {
        let mut left = lines.to_vec();
        while !left.is_empty() {
            let line = self.said.line();
            match left.iter().position(|one| *one == line) {
                Some(at) => drop(left.remove(at)),
                None => assert_eq!(line, again),
            }
        }
    }

    #[track_caller]
    pub(super) fn is_silent(&self) {
        assert!(self.said.is_silent(), "{:?}", String::from_utf8_lossy(&self.said.bytes()));
    }

    /// Waits until its record is of this stage.
    pub(super) fn until(&self, name: &str, stage: u8) {
        let path = self.path(name);
        let parent = Changes::of(&[&path]);
        parent.until("supervise/", || path.join("supervise").is_dir().then_some(()));
        let changes = Changes::of(&[&path.join("supervise")]);
        let is = |record: Vec<u8>| record.get(68) == Some(&stage);
        let look = || fs::read(path.join("supervise/status")).is_ok_and(is).then_some(());
        changes.until(&format!("{name} to be {stage}"), look);
    }

    /// Whether it is wanted `u`p, `d`own, or 0.
    pub(super) fn wanted(&self, name: &str) -> u8 {
        seen(&self.path(name)).unwrap().want
    }

    pub(super) fn svc(&self, letters: &str, name: &str) {
        let done = self.dir.run("svc", [letters.as_ref(), self.path(name).as_os_str()]);
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    }

    /// What sv exits with and says of it, numbers left out.
    pub(super) fn sv(&self, command: &str, name: &str) -> (i32, String) {
        self.sv_with(&[command], name)
    }

    /// The same with options.
    pub(super) fn sv_with(&self, words: &[&str], name: &str) -> (i32, String) {
        let mut sv = self.dir.tool("sv", words.iter().chain(&[name]));
        let done = Process::start(sv.env("SVDIR", self.dir.path("scan"))).finish();
        (done.code, crate::sv::masked(&done.out()))
    }

    pub(super) fn svstat(&self, name: &str) -> String {
        self.service_at(name).svstat(&self.dir)
    }

    /// It, without a FIFO of its own.
    fn service_at(&self, name: &str) -> Service {
        let unused = self.dir.path(format!("{name}.unused"));
        let _ = fs::remove_file(unused);
        Service { path: self.path(name), said: self.dir.fifo(format!("{name}.unused")) }
    }

    /// The whole of what is on record.
    pub(super) fn record(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name).join("supervise/status")).unwrap()
    }

    /// Waits until its supervise has read all that was said to it: a letter
    /// that changes nothing has it write its record.
    pub(super) fn until_heard(&self, name: &str) {
        let changes = Changes::of(&[&self.path(name).join("supervise")]);
        let inode = |path| fs::metadata(path).map(|file| file.ino()).ok();
        let path = self.path(name).join("supervise/status");
        let before = inode(&path);
        self.svc("-c", name);
        changes.until("it to be heard", || (inode(&path) != before).then_some(()));
    }

    /// Says to its supervise that something has changed.
    pub(super) fn look(&self, name: &str) {
        fs::write(self.path(name).join("supervise/control"), "n").unwrap();
    }

    /// Stops its supervise where it is.
    pub(super) fn stop_supervise(&self, name: &str) -> u32 {
        let pid = supervise_of(&self.service_at(name));
        signal(pid, Signal::STOP);
        pid
    }

    pub(super) fn continue_supervise(&self, pid: u32) {
        signal(pid, Signal::CONT);
    }

    /// Kills its supervise, and waits until there is another one.
    pub(super) fn kill_supervise(&self, name: &str) {
        let service = self.service_at(name);
        let supervise = supervise_of(&service);
        crate::adopt::kill(supervise);
        crate::adopt::supervised_by_another(&service, supervise);
    }

    /// Takes all down; what they say on the way is for the test to hear.
    pub(super) fn end(&mut self) {
        self.svscan().signal(Signal::TERM);
    }

    pub(super) fn ends(mut self) {
        assert_eq!(self.svscan.take().expect("started").ends(), 0);
        self.is_silent();
    }
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

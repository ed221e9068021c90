//! A container as engines make them: a program that is process 1 of a PID
//! namespace, with the mounts that a test asks for, as root or as nobody in a
//! user namespace. It ends with the test, and its mounts end with it.
//!
//! Nothing here knows what runs inside.

use super::dir::{Dir, Fifo};
use super::process::Process;
use super::wait::{any_readable, deadline};
use super::{ours, program, testing_originals};
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The user and group of those who are nobody.
const NOBODY: u32 = 65534;

/// Who process 1 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Root, as engines start it.
    Root,
    /// Nobody, in a user namespace in which he alone exists, as engines
    /// without root start it. Where the tests have no root, whoever runs them.
    Nobody,
}

/// Runs `body` for each whom this machine lets have a container.
pub fn both(body: impl Fn(Who)) {
    if testing_originals() {
        return;
    }
    for who in [Who::Root, Who::Nobody] {
        if who.can() {
            eprintln!("in a container as {who:?}:");
            body(who);
        }
    }
}

impl Who {
    /// Whether there can be such a container; if not, it is said once, past
    /// the harness, which shows nothing of a test that succeeds.
    pub fn can(self) -> bool {
        static CAN: [OnceLock<bool>; 2] = [const { OnceLock::new() }; 2];
        *CAN[self as usize].get_or_init(|| {
            if self == Self::Root && !geteuid().is_root() {
                return false;
            }
            let dir = Dir::new();
            dir.mkdir("mount");
            let plan = Plan::new(&dir, self).tmpfs(dir.path("mount"), "64k");
            let done = Process::start(&mut plan.command("true", [""; 0])).finish();
            if done.code != 0 {
                let why = format!("no containers as {self:?} here: {}\n", done.err().trim_end());
                let _ = rustix::io::write(rustix::stdio::stderr(), why.as_bytes());
            }
            done.code == 0
        })
    }

    /// Whether he has to become somebody else first.
    fn changes(self) -> bool {
        self == Self::Nobody && geteuid().is_root()
    }

    /// The words that make a command run as him.
    fn becomes(self) -> Vec<String> {
        let id = |what: &str| format!("--{what}={NOBODY}");
        let change = [id("reuid"), id("regid"), "--clear-groups".to_owned()];
        let mut words = vec!["setpriv".to_owned(), "--pdeathsig=KILL".to_owned()];
        words.extend(change.into_iter().filter(|_| self.changes()));
        words
    }

    /// Gives him all that is in a directory.
    pub fn owns(self, path: &Path) {
        if !self.changes() {
            return;
        }
        lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        if path.symlink_metadata().unwrap().is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                self.owns(&entry.unwrap().path());
            }
        }
    }
}

/// A container that is to be started.
pub struct Plan<'a> {
    dir: &'a Dir,
    who: Who,
    /// Shell that does what was asked for.
    setup: String,
    root: Option<PathBuf>,
    /// Where process 1 begins, if it has a root of its own.
    begin: PathBuf,
    environment: Option<Vec<String>>,
    own_network: bool,
}

fn quoted(path: impl AsRef<Path>) -> String {
    format!("'{}'", path.as_ref().display())
}

impl<'a> Plan<'a> {
    /// One whose process 1 begins in `dir`, sees all of the machine's file
    /// system, and a /proc of its own. It owns all that is in `dir` by then.
    pub fn new(dir: &'a Dir, who: Who) -> Self {
        Self {
            dir,
            who,
            setup: String::new(),
            root: None,
            begin: dir.path(""),
            environment: None,
            own_network: false,
        }
    }

    /// Has this shell run before, by one who may mount. What fails in it ends
    /// the container.
    pub fn setup(mut self, shell: &str) -> Self {
        writeln!(self.setup, "{shell}").unwrap();
        self
    }

    /// Makes a directory read-only, with all that is in it. FIFOs can still be
    /// written to.
    pub fn read_only(self, path: impl AsRef<Path>) -> Self {
        let path = quoted(path);
        // What else the mount forbids may not be taken back by somebody who is
        // nobody, so that it is forbidden in any case.
        self.setup(&format!(
            "mount --rbind {path} {path}; mount -o remount,bind,ro,nosuid,nodev {path}"
        ))
    }

    /// Puts a file system in memory in the place of a directory: `size` as
    /// mount has it.
    pub fn tmpfs(self, path: impl AsRef<Path>, size: &str) -> Self {
        let path = quoted(path);
        self.setup(&format!("mount -t tmpfs -o mode=1777,size={size} none {path}"))
    }

    /// Puts an empty directory that cannot be written to in the place of this
    /// one: `/proc`, `/dev/shm`.
    pub fn hide(self, path: impl AsRef<Path>) -> Self {
        let path = quoted(path);
        self.setup(&format!("mount -t tmpfs -o ro,mode=555,size=4k none {path}"))
    }

    /// Gives it a root of its own, made here: the machine's /usr, /bin and /lib,
    /// read-only, its /dev, a /proc of its own, the test's directory at its
    /// place, and nothing else; no /etc, /tmp, /run. What is asked for before
    /// happens outside of it; what comes after names paths in it by
    /// [`inside`](Self::inside).
    pub fn in_made_root(mut self) -> Self {
        let root = self.dir.mkdir("root");
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr"] {
            let (outside, inside) = (Path::new("/").join(name), root.join(name));
            if let Ok(to) = fs::read_link(&outside) {
                std::os::unix::fs::symlink(to, inside).unwrap();
            } else if outside.is_dir() {
                fs::create_dir(&inside).unwrap();
                let (outside, inside) = (quoted(&outside), quoted(&inside));
                self = self.setup(&format!("mount --rbind {outside} {inside}"));
            }
        }
        for name in ["dev", "proc"] {
            fs::create_dir(root.join(name)).unwrap();
            let inside = quoted(root.join(name));
            self = self.setup(&format!("mount --rbind /{name} {inside}"));
        }
        self.root = Some(root);
        let here = self.inside(self.dir.path(""));
        fs::create_dir_all(&here).unwrap();
        let (there, here) = (quoted(self.dir.path("")), quoted(here));
        self.setup(&format!("mount --rbind {there} {here}"))
    }

    /// Gives it the root `root`, as it is, in which nothing else has to be: not
    /// even a directory of the test.
    pub fn in_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self.begin = PathBuf::from("/");
        self
    }

    /// Where a path of the container's is outside of it.
    pub fn inside(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Gives it a network in which nobody else is, and no more than loopback.
    pub fn own_network(mut self) -> Self {
        self.own_network = true;
        self.setup("ip link set lo up 2>/dev/null || busybox ip link set lo up")
    }

    /// Gives process 1 these variables and no others, such as `A=b`.
    pub fn environment(mut self, variables: &[&str]) -> Self {
        self.environment = Some(variables.iter().map(|&one| one.to_owned()).collect());
        self
    }

    /// The command that starts it, to be changed: its standard streams, and its
    /// environment, are those of process 1. `name` is looked for among the
    /// programs under test, unless it has a slash, and then in PATH.
    pub fn command<A: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        // What only root can reach is put where everybody can.
        let programs = self.dir.mkdir("programs");
        self.who.owns(&self.dir.path(""));
        let bind = format!("mount --bind {} {}\n", quoted(ours()), quoted(&programs));
        let is_root = geteuid().is_root();
        let (outer, mut setup) =
            if is_root { (bind, String::new()) } else { (String::new(), bind) };

        setup.push_str(&self.setup);
        setup.push_str("exec setpriv --inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot ");
        if let Some(variables) = &self.environment {
            setup.push_str("env -i ");
            for variable in variables {
                write!(setup, "'{variable}' ").unwrap();
            }
        }
        // The one thing that is left to it is what this needs.
        if let Some(root) = &self.root {
            let (root, begin) = (quoted(root), quoted(&self.begin));
            write!(setup, "unshare --root={root} --wd={begin} ").unwrap();
        }
        setup.push_str("\"$@\"");

        let mut command = self.dir.command("setpriv");
        command.arg("--pdeathsig=KILL");
        if is_root {
            let outer = outer + "exec \"$@\"";
            command.args(["unshare", "--mount", "sh", "-ec", &outer, "sh"]);
        }
        command.args(self.who.becomes());
        command.args(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]);
        command.args(Some("--net").filter(|_| self.own_network));
        if self.who == Who::Nobody {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        command.args(["sh", "-ec", &setup, "sh"]);
        command.arg(within(self.dir, name)).args(args);
        command
    }

    /// Starts it.
    pub fn start<A: AsRef<OsStr>>(
        self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Container<'a> {
        self.start_with(name, args, |_| {})
    }

    /// Starts it with a command that `change` has changed.
    pub fn start_with<A: AsRef<OsStr>>(
        mut self,
        name: &str,
        args: impl IntoIterator<Item = A>,
        change: impl FnOnce(&mut Command),
    ) -> Container<'a> {
        // Set up, it waits until it has been found: its program may be a short
        // one.
        let [ready, go] = ["container.ready", "container.go"].map(|name| self.dir.fifo(name));
        let (say, hear) = (quoted(ready.path()), quoted(go.path()));
        writeln!(self.setup, "exec 9<{hear}; echo >{say}; read go <&9; exec 9<&-").unwrap();
        let ready_path = ready.path().to_owned();
        let mut command = self.command(name, args);
        change(&mut command);
        let process = until_set_up(Process::start(&mut command), ready);
        let first = child_of(process.pid());
        let pidfd = pidfd_open(first, PidfdFlags::empty()).unwrap();
        go.say("go");
        // The next one in this directory makes its own.
        for done in [ready_path.as_path(), go.path()] {
            fs::remove_file(done).unwrap();
        }
        Container { dir: self.dir, who: self.who, root: self.root, first, pidfd, process }
    }
}

/// A program of ours, or one of the system's.
fn within(dir: &Dir, name: &str) -> PathBuf {
    let is_ours = !name.contains('/') && ours().join(name).exists();
    if is_ours {
        dir.path("programs").join(program(name).file_name().unwrap())
    } else {
        name.into()
    }
}

/// Process 1 says on `ready` that it is about to become the program.
fn until_set_up(process: Process, mut ready: Fifo) -> Process {
    let fds = [Some(ready.as_fd()), Some(process.as_fd())];
    match any_readable(&fds, deadline()) {
        Some(0) => {
            ready.line();
            process
        }
        Some(_) => panic!("the container was not set up: {:?}", process.finish()),
        None => panic!("the container is never set up"),
    }
}

/// The one child of `unshare`, which is process 1.
fn child_of(parent: u32) -> Pid {
    let is_it = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("PPid:\t") == Some(&parent.to_string()))
    };
    let pid = all().find(|&pid| is_it(pid)).expect("no process 1");
    Pid::from_raw(pid).unwrap()
}

/// Every process that is to be seen.
fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A container that runs. Dropping it kills all that is in it.
pub struct Container<'a> {
    dir: &'a Dir,
    who: Who,
    root: Option<PathBuf>,
    first: Pid,
    pidfd: OwnedFd,
    /// Its end is that of process 1, and its streams are.
    pub process: Process,
}

impl Container<'_> {
    /// The pid of process 1, as it is seen from outside.
    pub fn pid(&self) -> u32 {
        self.first.as_raw_pid().unsigned_abs()
    }

    /// Sends process 1 a signal. Before it takes care of that signal the kernel
    /// drops it, as it does for every process 1.
    pub fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.pidfd, signal).unwrap();
    }

    /// A program to be run in it, as the same user, in the root directory, with
    /// nothing else needed there.
    pub fn enter(&self, program: impl AsRef<OsStr>) -> Command {
        let words = self.who.becomes();
        let mut command = self.dir.command(&words[0]);
        command.args(&words[1..]).arg("nsenter").arg("--target").arg(self.pid().to_string());
        if self.who == Who::Nobody {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--mount", "--pid"]);
        if self.root.is_some() {
            command.arg("--root");
        }
        command.arg("--").arg(program);
        command
    }

    /// Starts a program in it, in the test's directory.
    pub fn start<A: AsRef<OsStr>>(&self, name: &str, args: impl IntoIterator<Item = A>) -> Process {
        let mut command = self.enter("sh");
        let shell = format!("cd {} && exec \"$@\"", quoted(self.dir.path("")));
        command.args(["-c", &shell, "sh"]).arg(within(self.dir, name)).args(args);
        Process::start(&mut command)
    }

    /// Where one of its paths is to be seen from outside.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        Path::new(&format!("/proc/{}/root", self.pid())).join(path.strip_prefix("/").unwrap())
    }

    /// The processes in it, by their pids outside and what they are called.
    /// Those that have ended and were not waited for are among them.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let space = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let name = |pid: i32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let own = space(self.first.as_raw_pid());
        let inside = all().filter(|&pid| own.is_some() && space(pid) == own);
        inside.map(|pid| (pid, name(pid).trim_end().to_owned())).collect()
    }
}

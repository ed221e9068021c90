//! A directory for one test, and everything that the test starts in it. What
//! still runs when the test is over is killed; what is left is removed.

use super::process::{Finished, Process};
use super::wait::{deadline, readable};
use super::{alone, hold};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, UNIX_EPOCH};

/// The variable that marks every process a test started.
const MARK: &str = "UPKEEP_TEST_MARK";

/// A test's own directory.
pub struct Dir {
    path: PathBuf,
    mark: String,
}

impl Dir {
    /// A new, empty one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Whoever has a process table of his own can have the same pid.
        static RUN: LazyLock<String> = LazyLock::new(|| {
            let now = UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
            format!("{}-{now:x}", std::process::id())
        });
        alone::once();
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("upkeep-{}-{n}", *RUN);
        let path = std::env::temp_dir().join(&mark);
        fs::create_dir(&path).unwrap();
        Self { path: path.canonicalize().unwrap(), mark }
    }

    /// Its path, or that of something in it.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.path.join(inside)
    }

    /// Makes a directory and those above it.
    pub fn mkdir(&self, inside: impl AsRef<Path>) -> PathBuf {
        let path = self.path(inside);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Makes a file, and the directories above it.
    pub fn file(&self, inside: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Makes an executable shell script. It appears whole: written beside and
    /// renamed, since somebody may be about to run it.
    pub fn script(&self, inside: impl AsRef<Path>, body: &str) -> PathBuf {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_extension("beside");
        install(&beside, |stdin| writeln!(stdin, "#!/bin/sh\n{body}").unwrap());
        fs::rename(&beside, &path).unwrap();
        path
    }

    /// Makes an executable copy of a program.
    pub fn copy(&self, from: impl AsRef<Path>, inside: impl AsRef<Path>) -> PathBuf {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let program = fs::read(from).unwrap();
        install(&path, |stdin| stdin.write_all(&program).unwrap());
        path
    }

    /// Makes the FIFO `inside` and reads what is said on it.
    pub fn fifo(&self, inside: impl AsRef<Path>) -> Fifo {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o622),
            0,
        )
        .unwrap();
        // Opened for both, so that it never is at its end between writers.
        let file = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
        Fifo { file: file.into(), held: Vec::new(), path }
    }

    /// Makes the FIFO `inside`, from which scripts read while they wait for a
    /// signal: `while :; do read nothing <&3; done`. Empty lines come of
    /// themselves.
    pub fn hold(&self, inside: impl AsRef<Path>) -> Fifo {
        let fifo = self.fifo(inside);
        hold::add(fifo.path.clone());
        fifo
    }

    /// A command that will run in this directory, marked as this test's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        alone::variables(&mut command);
        command.current_dir(&self.path).env(MARK, &self.mark).stdin(Stdio::null());
        command
    }

    /// A program under test with its arguments, to be changed or started.
    pub fn tool<A: AsRef<OsStr>>(&self, name: &str, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command(super::program(name));
        command.args(args);
        command
    }

    /// Starts a program under test.
    pub fn start<A: AsRef<OsStr>>(&self, name: &str, args: impl IntoIterator<Item = A>) -> Process {
        Process::start(&mut self.tool(name, args))
    }

    /// Runs a program under test to its end.
    pub fn run<A: AsRef<OsStr>>(&self, name: &str, args: impl IntoIterator<Item = A>) -> Finished {
        self.start(name, args).finish()
    }

    /// Every process that this test started, directly or not, and that kept
    /// its environment, or runs something from its directory.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let mark = format!("{MARK}={}", self.mark);
        let inside = format!("{}/", self.path.display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let is_marked = environ.split(|&b| b == 0).any(|v| v == mark.as_bytes());
            if is_marked || line.contains(&inside) {
                found.push((pid, line));
            }
        }
        found
    }

    /// Waits until those of them have gone that `is_it` knows by their command
    /// lines. Who was killed, or is about to exit, is there for a moment, and
    /// nobody but the parent hears of the end.
    pub fn until_gone(&self, is_it: impl Fn(&str) -> bool) {
        let until = deadline();
        while self.processes().iter().any(|(_, line)| is_it(line)) {
            assert!(Instant::now() < until, "{:?}", self.processes());
            std::thread::yield_now();
        }
    }

    /// Waits until there is none of them.
    pub fn nobody_is_left(&self) {
        self.until_gone(|_| true);
    }

    fn kill_all(&self) {
        let until = deadline();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for (pid, line) in left {
                let Some(pid) = Pid::from_raw(pid) else { continue };
                let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
                // Held by the descriptor, it can no longer be somebody else.
                if self.processes().iter().any(|(p, _)| *p == pid.as_raw_pid()) {
                    let _ = pidfd_send_signal(&fd, Signal::KILL);
                    assert!(readable(&fd, until), "cannot kill {line}");
                }
            }
        }
    }

    fn show(&self) {
        let tree = Command::new("find").arg(&self.path).args(["-ls"]).output();
        if let Ok(tree) = tree {
            eprintln!("{}", String::from_utf8_lossy(&tree.stdout));
        }
        for (pid, line) in self.processes() {
            eprintln!("process {pid}: {line}");
        }
    }
}

/// Writes an executable file by way of another process. Written by this one, it
/// could be open for writing in a child of another test that is just being
/// started, and so be "text busy".
fn install(path: &Path, write: impl FnOnce(&mut ChildStdin)) {
    let mut command = Command::new("install");
    command.args(["-m", "755", "/dev/stdin"]).arg(path);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    write(&mut child.stdin.take().unwrap());
    assert!(child.wait().unwrap().success(), "install {}", path.display());
}

impl Drop for Dir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
        self.kill_all();
        hold::forget(&self.path);
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl std::os::fd::AsFd for Fifo {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A FIFO on which services tell the test what they do.
pub struct Fifo {
    file: fs::File,
    held: Vec<u8>,
    path: PathBuf,
}

impl Fifo {
    /// The next line, without its end.
    pub fn line(&mut self) -> String {
        let until = deadline();
        loop {
            if let Some(end) = self.held.iter().position(|&b| b == b'\n') {
                let rest = self.held.split_off(end + 1);
                let line = std::mem::replace(&mut self.held, rest);
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(readable(&self.file, until), "nobody spoke on {}", self.path.display());
            let mut buffer = [0; 4096];
            let n = self.file.read(&mut buffer).unwrap();
            self.held.extend(&buffer[..n]);
        }
    }

    /// Everything that has been written so far.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        while readable(&self.file, Instant::now()) {
            let mut buffer = [0; 4096];
            let n = (&self.file).read(&mut buffer).unwrap();
            all.extend(&buffer[..n]);
        }
        all
    }

    /// What is written next, as it was.
    pub fn spoken(&self) -> Vec<u8> {
        assert!(readable(&self.file, deadline()), "nobody spoke on {}", self.path.display());
        self.bytes()
    }

    /// Writes a line, for a script that reads the FIFO.
    pub fn say(&self, line: &str) {
        let mut writer = fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        writeln!(writer, "{line}").unwrap();
    }

    /// Whether nothing is waiting to be read right now.
    pub fn is_silent(&self) -> bool {
        self.held.is_empty() && !readable(&self.file, Instant::now())
    }

    /// Its path, for the script that writes to it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

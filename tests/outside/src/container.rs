//! A program as process 1 of a pid namespace of its own, begun from outside.
//! Makes nothing but the namespace: its files and its network are those of
//! everybody else.

use crate::failure::{Context, Failure};
use crate::processes::{Process, children};
use crate::wait::{first, now};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::process::{Pid, geteuid};
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The name under which a program that uses this is [`begin`], as its `main`
/// has to see to.
pub const NAME: &str = "first";
/// Where that says that it is there.
const FIFO: &str = "first.there";

/// Is process 1 for a moment: tells the clock to the FIFO that is named first,
/// and becomes the program that is named next.
pub fn begin(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(fifo), Some(program)) = (args.next(), args.next()) else {
        return ExitCode::from(100);
    };
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut command = Command::new(program);
    command.args(args);
    if let Ok(fifo) = open(Path::new(&fifo), flags, Mode::empty()) {
        let _ = rustix::io::write(fifo, &now().to_le_bytes());
    }
    // It only comes back if it failed, which is seen by the end.
    let _ = command.exec();
    ExitCode::from(111)
}

/// Where process 1 says that it is there.
#[derive(Debug)]
pub struct Beginning(OwnedFd);

impl Beginning {
    /// What to run so that `command` becomes process 1, in the same environment
    /// and the same directory as that says. `root` takes what is needed for it,
    /// and this program is `exe`. The process that is started is `unshare`,
    /// which waits for process 1 and ends as that did; it does not outlive it,
    /// nor that it.
    pub fn prepare(root: &Path, exe: &Path, command: &Command) -> Result<(Self, Command), Failure> {
        let (link, path) = (root.join(NAME), root.join(FIFO));
        symlink(exe, &link).unable(format_args!("make {}", link.display()))?;
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .unable(format_args!("make {}", path.display()))?;
        // Opened for both, so that it never is at its end.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo =
            open(&path, flags, Mode::empty()).unable(format_args!("open {}", path.display()))?;
        let mut whole = unshare();
        whole.arg("--").arg(link).arg(path);
        whole.arg(command.get_program()).args(command.get_args());
        let given = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        whole.env_clear().envs(given);
        if let Some(dir) = command.get_current_dir() {
            whole.current_dir(dir);
        }
        Ok((Self(fifo), whole))
    }

    /// The clock of process 1 when it became what it is to be. None: `until`
    /// came before. `outer` is a pidfd of the process that was started.
    pub fn wait(&self, outer: BorrowedFd<'_>, until: u64) -> Result<Option<u64>, Failure> {
        match first(&[self.0.as_fd(), outer], until)? {
            None => Ok(None),
            Some(0) => {
                let mut bytes = [0; 8];
                rustix::io::read(&self.0, &mut bytes).unable("hear of process 1")?;
                Ok(Some(u64::from_le_bytes(bytes)))
            }
            Some(_) => Err("it has ended").unable("begin process 1"),
        }
    }
}

/// Process 1, as it is called outside; `outer` is the process that was
/// started.
pub fn process_one(outer: Pid) -> Result<Process, Failure> {
    let children = children(outer)?;
    children.into_iter().next().ok_or("it is gone").unable("find process 1")
}

/// Whether there can be a container here, and if not, why.
pub fn is_possible() -> Result<(), Failure> {
    let mut command = unshare();
    command.args(["--", "/bin/sh", "-c", "[ $$ = 1 ]"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unable("run unshare")?;
    status.success().then_some(()).ok_or("it is refused").unable("make a pid namespace")
}

/// `unshare` as it makes a namespace for whoever may have one.
fn unshare() -> Command {
    let places = ["/usr/bin/unshare", "/bin/unshare"].map(PathBuf::from);
    let found = places.into_iter().find(|path| path.is_file());
    let mut command = Command::new(found.unwrap_or_else(|| "unshare".into()));
    if !geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--fork", "--pid", "--mount-proc", "--kill-child"]);
    command
}

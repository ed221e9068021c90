//! A tree of service directories with a suite's scanner running on it. When it
//! is dropped nothing of it is left, neither process nor file.

use crate::failure::{Context, Failure};
use crate::processes::{self, Process};
use crate::service::{self, Start, Starts};
use crate::suites::Suite;
use crate::wait::{MILLISECOND, SECOND, now, until};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How long nothing may happen for a tree to count as quiet.
const QUIET: u64 = 100 * MILLISECOND;
/// How long to wait for that: one that never rests is measured as it is.
const RESTLESS: u64 = 5 * SECOND;

/// A tree that is being kept up.
pub(crate) struct Tree<'a> {
    pub(crate) suite: &'a Suite,
    /// The service directories.
    pub(crate) dirs: Vec<PathBuf>,
    /// When the scanner was started.
    pub(crate) began: u64,
    /// The scanner.
    pub(crate) pid: Pid,
    pidfd: OwnedFd,
    starts: Starts,
    files: Files,
}

/// What is removed in the end, after everybody who may write there.
struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = processes::end_all();
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl<'a> Tree<'a> {
    /// Makes `count` service directories in `root`, which must not exist, and
    /// starts the scanner. The services are this program, `exe`.
    pub(crate) fn start(
        suite: &'a Suite,
        root: PathBuf,
        exe: &Path,
        count: usize,
        ready: bool,
    ) -> Result<Self, Failure> {
        let scan = root.join("scan");
        fs::create_dir_all(&scan).unable(format_args!("make {}", scan.display()))?;
        let files = Files(root);
        let starts = Starts::new(&files.0)?;
        let dirs: Vec<PathBuf> = (0..count).map(|i| scan.join(format!("service-{i:04}"))).collect();
        for dir in &dirs {
            let made = fs::create_dir(dir).and_then(|()| symlink(exe, dir.join("run")));
            made.unable(format_args!("make {}", dir.display()))?;
            if ready && suite.knows_readiness() {
                fs::write(dir.join(service::READY.0), service::READY.1)
                    .unable("ask for readiness")?;
            }
        }
        let said = File::create(files.0.join("said")).unable("make a file for messages")?;
        let also = said.try_clone().unable("share the file for messages")?;
        let mut command = suite.scan(&scan);
        command.stdout(said).stderr(also);
        let began = now();
        let child = command.spawn().unable(format_args!("run {command:?}"))?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unable("watch the scanner")?;
        Ok(Self { suite, dirs, began, pid, pidfd, starts, files })
    }

    /// The next start of a service.
    pub(crate) fn next_start(&mut self) -> Result<Start, Failure> {
        self.starts.next(self.pidfd.as_fd()).map_err(|why| match why {
            Failure::Interrupted => why,
            Failure::Late(_) | Failure::Failed(_) => {
                let said = fs::read(self.files.0.join("said")).unwrap_or_default();
                let said = String::from_utf8_lossy(&said).into_owned();
                let last = said.lines().last().unwrap_or("nothing");
                Failure::Failed(format!("{why}; it said: {last}"))
            }
        })
    }

    /// Waits until every service started once.
    pub(crate) fn all_started(&mut self) -> Result<Vec<Start>, Failure> {
        (0..self.dirs.len()).map(|_| self.next_start()).collect()
    }

    /// The processes that keep the services, one for each.
    pub(crate) fn keepers(&self) -> Result<Vec<Process>, Failure> {
        let mut keepers = processes::children(self.pid)?;
        keepers.retain(|p| p.name == self.suite.keeper());
        if keepers.len() == self.dirs.len() {
            return Ok(keepers);
        }
        let (name, found, wanted) = (self.suite.keeper(), keepers.len(), self.dirs.len());
        Err(Failure::Failed(format!("{found} {name} below the scanner, not {wanted}")))
    }

    /// Waits until nobody who keeps a service does anything any more.
    pub(crate) fn quiet(&self) -> Result<(), Failure> {
        let keepers = self.keepers()?;
        let count =
            || keepers.iter().map(|k| processes::switches(k.pid)).collect::<Result<Vec<_>, _>>();
        let limit = now() + RESTLESS;
        let mut before = count()?;
        while now() < limit {
            until(now() + QUIET)?;
            let after = count()?;
            if before == after {
                break;
            }
            before = after;
        }
        Ok(())
    }
}

//! A tree of service directories with a suite's scanner running on it. When it
//! is dropped nothing of it is left, neither process nor file.

use crate::calls::traced;
use crate::processes;
use crate::service::{Report, Reports, What};
use crate::suites::Suite;
use crate::wait::{deadline, readable, until};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::{Process, children, end_all};
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// How long nothing may happen for a tree to count as quiet.
const QUIET: u64 = 100 * MILLISECOND;
/// How long to wait for that: one that never rests is measured as it is.
const RESTLESS: u64 = 5 * SECOND;

/// The directory of services, and the file with what the scanner says.
pub(crate) const SCAN: &str = "scan";
pub(crate) const SAID: &str = "said";

/// One more file in each service directory: its name and what is in it.
pub(crate) type Extra = (&'static str, &'static str);
/// For each service the numbers of those that it needs. Those beyond the end
/// need none.
pub(crate) type Needs = [Vec<usize>];

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
    reports: Reports,
    files: Files,
}

/// A scanner that was just started.
struct Scanner {
    began: u64,
    pid: Pid,
    pidfd: OwnedFd,
}

impl Scanner {
    /// On the services in `root`, which also is where its messages go; below
    /// strace if there is a file for what that counts.
    fn start(suite: &Suite, root: &Path, counts: Option<&Path>) -> Result<Self, Failure> {
        let path = root.join(SAID);
        // Another file each time: the one before may still be written to.
        let _ = fs::remove_file(&path);
        let said = File::create(path).unable("make a file for messages")?;
        let also = said.try_clone().unable("share the file for messages")?;
        let mut command = suite.scan(&root.join(SCAN));
        if let Some(counts) = counts {
            command = traced(&command, counts);
        }
        command.stdout(said).stderr(also);
        let began = now();
        let child = command.spawn().unable(format_args!("run {command:?}"))?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unable("watch the scanner")?;
        Ok(Self { began, pid, pidfd })
    }
}

/// What is removed in the end, after everybody who may write there.
pub(crate) struct Files(pub(crate) PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = end_all(deadline());
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes `count` service directories in `root`, which must not exist; the
/// services are this program, `exe`.
pub(crate) fn directories(
    root: &Path,
    exe: &Path,
    count: usize,
    extra: &[Extra],
) -> Result<Vec<PathBuf>, Failure> {
    let scan = root.join(SCAN);
    fs::create_dir_all(&scan).unable(format_args!("make {}", scan.display()))?;
    let dirs: Vec<PathBuf> = (0..count).map(|i| scan.join(format!("service-{i:04}"))).collect();
    for dir in &dirs {
        let made = fs::create_dir(dir).and_then(|()| symlink(exe, dir.join("run")));
        made.unable(format_args!("make {}", dir.display()))?;
        for (name, content) in extra {
            fs::write(dir.join(name), content).unable(format_args!("write {name}"))?;
        }
    }
    Ok(dirs)
}

impl<'a> Tree<'a> {
    /// Makes `count` service directories in `root`, which must not exist, and
    /// starts the scanner. The services are this program, `exe`.
    pub(crate) fn start(
        suite: &'a Suite,
        root: PathBuf,
        exe: &Path,
        count: usize,
        extra: &[Extra],
        needs: &Needs,
        counts: Option<&Path>,
    ) -> Result<Self, Failure> {
        let files = Files(root);
        let dirs = directories(&files.0, exe, count, extra)?;
        let reports = Reports::new(&files.0)?;
        for (dir, needs) in dirs.iter().zip(needs).filter(|(_, needs)| !needs.is_empty()) {
            let there = dir.join("needs");
            fs::create_dir(&there).unable(format_args!("make {}", there.display()))?;
            for need in needs {
                let file = there.join(dirs[*need].file_name().unwrap_or_default());
                File::create(&file).unable(format_args!("make {}", file.display()))?;
            }
        }
        let Scanner { began, pid, pidfd } = Scanner::start(suite, &files.0, counts)?;
        Ok(Self { suite, dirs, began, pid, pidfd, reports, files })
    }

    /// Kills the scanner and starts another one in its place.
    pub(crate) fn replace_scanner(&mut self) -> Result<(), Failure> {
        pidfd_send_signal(&self.pidfd, Signal::KILL).unable("kill the scanner")?;
        readable(&self.pidfd, "the end of a scanner that was killed")?;
        let Scanner { began, pid, pidfd } = Scanner::start(self.suite, &self.files.0, None)?;
        (self.began, self.pid, self.pidfd) = (began, pid, pidfd);
        Ok(())
    }

    /// The strace that was started as the scanner lets go of all it traces, and
    /// has counted.
    pub(crate) fn let_go(&self) -> Result<(), Failure> {
        pidfd_send_signal(&self.pidfd, Signal::INT).unable("interrupt strace")?;
        readable(&self.pidfd, "the end of strace")
    }

    /// What the scanner and those it started said until now.
    pub(crate) fn said(&self) -> String {
        let said = fs::read(self.files.0.join(SAID)).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// What is reported next. None: `until` came first.
    pub(crate) fn hear(&mut self, until: u64) -> Result<Option<Report>, Failure> {
        self.reports.next(self.pidfd.as_fd(), until)
    }

    /// The next start of a service.
    pub(crate) fn next_start(&mut self) -> Result<Report, Failure> {
        let limit = deadline();
        loop {
            let why = match self.hear(limit) {
                Ok(Some(report)) if report.what == What::Started => return Ok(report),
                Ok(Some(_)) => continue,
                Ok(None) => Failure::Late("the start of a service".to_owned()),
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(why @ (Failure::Late(_) | Failure::Failed(_))) => why,
            };
            let said = self.said();
            let last = said.lines().last().unwrap_or("nothing");
            return Err(Failure::Failed(format!("{why}; it said: {last}")));
        }
    }

    /// Waits until every service started once.
    pub(crate) fn all_started(&mut self) -> Result<Vec<Report>, Failure> {
        (0..self.dirs.len()).map(|_| self.next_start()).collect()
    }

    /// The processes that keep the services, one for each.
    pub(crate) fn keepers(&self) -> Result<Vec<Process>, Failure> {
        let mut keepers = children(self.pid)?;
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

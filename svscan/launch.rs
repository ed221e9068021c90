//! How a supervise is started: looked for beside this program, then in PATH,
//! with its end of the pipe in place.

use crate::watch::TOOL;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::CString;
use upkeep_core::scan::Which;
use upkeep_servicedir::names;
use upkeep_sys::exec;
use upkeep_sys::spawn::{Apart, Directory, Inherit, Spawn, Step};

/// What a start needs and what never changes.
pub(crate) struct Launcher {
    candidates: Vec<&'static CStr>,
    open_files: Rlimit,
}

impl Launcher {
    /// Looks where supervise is, and makes room for two descriptors for each
    /// logged service. What is started gets the old limit.
    pub(crate) fn new() -> Self {
        let mut candidates: Vec<CString> = Vec::new();
        if let Some(directory) = exec::own_directory() {
            candidates.extend(exec::candidates(&directory, c"supervise"));
        }
        let path = exec::variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
        candidates.extend(exec::candidates(path, c"supervise"));
        let open_files = getrlimit(Resource::Nofile);
        // Without it, what does not fit is tried again as services leave.
        let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
        let candidates = candidates.into_iter().map(|c| &*Box::leak(c.into_boxed_c_str()));
        Self { candidates: candidates.collect(), open_files }
    }

    /// Starts the supervise of `name`, or of its logger.
    pub(crate) fn start(
        &self,
        name: &CStr,
        which: Which,
        pipe: Option<&(OwnedFd, Option<OwnedFd>)>,
    ) -> Result<i32> {
        let (argument, directory): (&CStr, _) = match which {
            Which::Main => (name, None),
            Which::Log => (names::LOG, Some(Directory::Path(name))),
        };
        let end: Option<(BorrowedFd<'_>, i32)> = match (which, pipe) {
            (Which::Main, Some((_, Some(write)))) => Some((write.as_fd(), 1)),
            (Which::Log, Some((read, _))) => Some((read.as_fd(), 0)),
            (Which::Main, Some((_, None)) | None) | (Which::Log, None) => None,
        };
        let spawn = Spawn {
            candidates: &self.candidates,
            args: &[c"supervise", argument],
            fds: end.as_slice(),
            directory,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.open_files),
            variable: None,
            last: None,
        };
        let pid = spawn.start(&|step, why| complain(name, which, step, why))?;
        Ok(pid.as_raw_pid())
    }
}

fn complain(name: &CStr, which: Which, step: Step, why: Errno) {
    let what: &[u8] = match step {
        Step::Descriptors => b"unable to set up descriptors for ",
        Step::Directory => b"unable to switch to ",
        Step::Exec => b"unable to start supervise ",
    };
    let log: &[u8] = match (which, step) {
        (Which::Main, _) | (Which::Log, Step::Directory) => b"",
        (Which::Log, Step::Descriptors | Step::Exec) => b"/log",
    };
    TOOL.warn_os(&[what, name.to_bytes(), log, b": "], why);
}

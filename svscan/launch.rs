//! How a supervise is started, with its end of the pipe in place, and the
//! holder of pipes: looked for beside this program, then in PATH.

use crate::svscan::Others;
use crate::svscan::help::TOOL;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::CString;
use upkeep_core::scan::Which;
use upkeep_servicedir::names;
use upkeep_sys::exec;
use upkeep_sys::spawn::{Apart, Directory, Inherit, Spawn, Step};

/// What a start needs and what never changes.
pub(crate) struct Launcher {
    supervise: Vec<&'static CStr>,
    svhold: Vec<&'static CStr>,
    /// The limit on descriptors that this process was started with.
    pub(crate) open_files: Rlimit,
}

impl Launcher {
    /// Looks where both are, and makes room for two descriptors for each
    /// logged service. What is started gets the old limit.
    pub(crate) fn new(others: Others) -> Self {
        let open_files = getrlimit(Resource::Nofile);
        // Without it, what does not fit is tried again as services leave.
        let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
        Self {
            supervise: candidates(c"supervise", others),
            svhold: candidates(c"svhold", others),
            open_files,
        }
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
            candidates: &self.supervise,
            args: &[c"supervise", argument],
            fds: end.as_slice(),
            directory,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.open_files),
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        };
        let pid = spawn.start(&|step, why| complain(name, which, step, why))?;
        Ok(pid.as_raw_pid())
    }

    /// Starts the holder of pipes, with its end of the line to here. When it
    /// cannot be executed, `failed` says so.
    pub(crate) fn start_holder(&self, line: BorrowedFd<'_>, failed: &dyn Fn(Errno)) -> Result<i32> {
        let spawn = Spawn {
            candidates: &self.svhold,
            args: &[c"svhold"],
            fds: &[(line, 0)],
            directory: None,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.open_files),
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        };
        spawn.start(&|_, why| failed(why)).map(Pid::as_raw_pid)
    }
}

/// Where a program may be: in this one, beside it, then in PATH.
fn candidates(name: &'static CStr, others: Others) -> Vec<&'static CStr> {
    let mut all: Vec<CString> = Vec::new();
    if others == Others::Here {
        all.extend(exec::own_path());
    }
    if let Some(directory) = exec::own_directory() {
        all.extend(exec::candidates(&directory, name));
    }
    let path = exec::variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
    all.extend(exec::candidates(path, name));
    all.into_iter().map(|c| &*Box::leak(c.into_boxed_c_str())).collect()
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

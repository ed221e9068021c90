//! How a supervise is started, with its ends of the pipes in place, and those
//! that help svscan: looked for beside this program, then in PATH.

use crate::svscan::Others;
use crate::svscan::help::TOOL;
use crate::svscan::lines::Ends;
use crate::svscan::options::Options;
use crate::svscan::renew::Start;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, access};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio::stderr;
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_core::scan::Which;
use upkeep_servicedir::names;
use upkeep_sys::exec::{self, Variables};
use upkeep_sys::spawn::{Apart, Directory, Inherit, Spawn, Step};

/// How many descriptors the pipes to svlines leave for all else.
const KEPT: u64 = 64;

/// How many the pipes to loggers leave: for the directory, for svhold, and to
/// start a service that has no logger.
const SPARE: u64 = 6;

/// Descriptors from here on are not for pipes to loggers.
pub(crate) fn room_for_loggers() -> i32 {
    below(getrlimit(Resource::Nofile).current, SPARE)
}

fn below(limit: Option<u64>, left: u64) -> i32 {
    i32::try_from(limit.unwrap_or(u64::MAX).saturating_sub(left)).unwrap_or(i32::MAX)
}

/// A descriptor, and which one it becomes.
type End<'a> = Option<(BorrowedFd<'a>, i32)>;

/// What a start needs and what never changes.
pub(crate) struct Launcher {
    supervise: Vec<&'static CStr>,
    svhold: Vec<&'static CStr>,
    svlines: Vec<&'static CStr>,
    multilog: Vec<&'static CStr>,
    /// The limit on descriptors that this process was started with.
    pub(crate) open_files: Rlimit,
}

impl Launcher {
    /// Looks where both are, and makes room for two descriptors for each
    /// logged service. What is started gets the old limit.
    pub(crate) fn new(others: Others, options: &Options) -> Self {
        let open_files = getrlimit(Resource::Nofile);
        // Without it, what does not fit is tried again as services leave.
        let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
        // Names that are never asked for are memory all the same.
        let of = |name, wanted: bool| {
            if wanted { candidates(name, others) } else { Vec::new() }
        };
        let logs = options.log.is_some();
        Self {
            supervise: candidates(c"supervise", others),
            svhold: candidates(c"svhold", others),
            // Another svscan may have left what is to be read.
            svlines: of(c"svlines", options.tree),
            multilog: of(c"multilog", logs),
            open_files,
        }
    }

    /// Starts the supervise of `name`, or of its logger.
    pub(crate) fn start(
        &self,
        name: &CStr,
        which: Which,
        pipe: Option<&(OwnedFd, Option<OwnedFd>)>,
        streams: &Ends,
        environment: Option<&Variables>,
    ) -> Result<i32> {
        let (argument, directory): (&CStr, _) = match which {
            Which::Main => (name, None),
            Which::Log => (names::LOG, Some(Directory::Path(name))),
        };
        let end: End<'_> = match (which, pipe) {
            (Which::Main, Some((_, Some(write)))) => Some((write.as_fd(), 1)),
            (Which::Log, Some((read, _))) => Some((read.as_fd(), 0)),
            (Which::Main, Some((_, None)) | None) | (Which::Log, None) => None,
        };
        let [out, err] = [(0, 1), (1, 2)].map(|(stream, at): (usize, _)| {
            streams[stream].as_ref().map(|write| (write.as_fd(), at))
        });
        let (fds, count) = listed([end.or(out), err]);
        let spawn = Spawn {
            candidates: &self.supervise,
            args: &[c"supervise", argument],
            fds: &fds[..count],
            directory,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.open_files),
            environment,
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        };
        let pid = spawn.start(&|step, why| complain(name, which, step, why))?;
        Ok(pid.as_raw_pid())
    }

    /// Descriptors from here on are not for pipes to svlines.
    pub(crate) fn room(&self) -> i32 {
        below(self.open_files.maximum, KEPT)
    }

    /// Whether svlines is there, and the logger of all.
    pub(crate) fn find_readers(&self, log: bool, start: Start) -> core::result::Result<(), Exit> {
        let is_there =
            |places: &[&CStr]| places.iter().any(|path| access(*path, Access::EXEC_OK).is_ok());
        let lacks =
            |name: &[u8]| start.refuses(&[b"unable to find ", name, b": "], Some(Errno::NOENT));
        if !is_there(&self.svlines) {
            lacks(b"svlines")?;
        }
        if log && !is_there(&self.multilog) {
            lacks(b"multilog")?;
        }
        Ok(())
    }

    /// Starts svlines with its end of the line to here and, if there is one,
    /// the pipe to the logger of all.
    pub(crate) fn start_lines(
        &self,
        args: &[&CStr],
        line: BorrowedFd<'_>,
        log: Option<BorrowedFd<'_>>,
        failed: &dyn Fn(Errno),
    ) -> Result<i32> {
        let (fds, count) = listed([Some((line, 0)), log.map(|log| (log, 3))]);
        let spawn = self.helper(&self.svlines, args, &fds[..count]);
        spawn.start(&|_, why| failed(why)).map(Pid::as_raw_pid)
    }

    /// Starts the logger of all that have none, from where svscan was started.
    pub(crate) fn start_logger(
        &self,
        log: &CStr,
        input: BorrowedFd<'_>,
        from: Option<BorrowedFd<'_>>,
    ) -> Result<i32> {
        let args = [c"multilog", c"t", c"s1000000", c"n10", log];
        let fds = [(input, 0)];
        let mut spawn = self.helper(&self.multilog, &args, &fds);
        spawn.directory = from.map(Directory::Open);
        let failed = |_, why| TOOL.warn_os(&[b"unable to start multilog: "], why);
        spawn.start(&failed).map(Pid::as_raw_pid)
    }

    /// Starts the holder of pipes, with its end of the line to here. When it
    /// cannot be executed, `failed` says so.
    pub(crate) fn start_holder(&self, line: BorrowedFd<'_>, failed: &dyn Fn(Errno)) -> Result<i32> {
        let fds = [(line, 0)];
        let spawn = self.helper(&self.svhold, &[c"svhold"], &fds);
        spawn.start(&|_, why| failed(why)).map(Pid::as_raw_pid)
    }

    fn helper<'a>(
        &self,
        candidates: &'a [&'a CStr],
        args: &'a [&'a CStr],
        fds: &'a [(BorrowedFd<'a>, i32)],
    ) -> Spawn<'a> {
        Spawn {
            candidates,
            args,
            fds,
            directory: None,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.open_files),
            environment: None,
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        }
    }
}

/// Those that there are, in front, and how many.
fn listed(ends: [End<'_>; 2]) -> ([(BorrowedFd<'_>, i32); 2], usize) {
    match ends {
        [Some(one), Some(other)] => ([one, other], 2),
        [Some(one), None] | [None, Some(one)] => ([one, one], 1),
        [None, None] => ([(stderr(), 2); 2], 0),
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

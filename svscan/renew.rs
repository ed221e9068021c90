//! Executing this program anew, as after an upgrade: what it knows it finds
//! again, and what comes before the services is not done twice. It is rehearsed
//! before, and what has gone bad since ends nobody.

use crate::svscan::help::TOOL;
use crate::svscan::options::Options;
use crate::svscan::state::Told;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{Access, Mode, OFlags, access};
use rustix::io::{self, Errno};
use rustix::process::{Resource, chdir, fchdir, getpid, getrlimit, setrlimit};
use upkeep_cli::Exit;
use upkeep_core::scan::Which;
use upkeep_sys::inherited::{close_on_exec, make_mark, take_mark};
use upkeep_sys::spawn::rehearse;
use upkeep_sys::{exec, point};

/// What stands on the mark that this program leaves for itself, with its number
/// behind it, which stays the same.
const MARK: &[u8; 12] = b"svscan anew!";

/// The mark, and whether it was there: whether this program was executed by
/// itself.
pub(crate) fn mark() -> (io::Result<OwnedFd>, bool) {
    let mut mark = [0; 16];
    mark[..12].copy_from_slice(MARK);
    mark[12..].copy_from_slice(&getpid().as_raw_pid().to_ne_bytes());
    match take_mark(&mark) {
        Some(taken) => (Ok(taken), true),
        None => (make_mark(&mark), false),
    }
}

/// Makes the scan directory the current one. Of one that was executed anew it
/// is `kept`, if what names it has gone since.
pub(crate) fn go(dir: &CStr, kept: Option<&OwnedFd>, start: Start) -> Result<(), Exit> {
    let Err(why) = chdir(dir) else { return Ok(()) };
    let parts = [b"unable to chdir to ", dir.to_bytes(), b": "];
    match kept.map(fchdir) {
        Some(Ok(())) => {
            TOOL.warn_os(&parts, why);
            Ok(())
        }
        // Nothing can go on without it.
        _ if start == Start::Again => Err(TOOL.fatal_os(&parts, why)),
        _ => start.refuses(&parts, Some(why)),
    }
}

/// What reads all that is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A svscan that begins, and ends where that is trouble.
    First,
    /// One that is to be executed anew, and then is not.
    Rehearsed,
    /// One that was, and does without.
    Again,
}

impl Start {
    /// Says what is trouble.
    pub(crate) fn refuses(self, parts: &[&[u8]], why: Option<Errno>) -> Result<(), Exit> {
        match (self, why) {
            (Self::First, Some(why)) => return Err(TOOL.fatal_os(parts, why)),
            (Self::First, None) => return Err(TOOL.fatal(parts)),
            (Self::Rehearsed | Self::Again, Some(why)) => TOOL.warn_os(parts, why),
            (Self::Rehearsed | Self::Again, None) => TOOL.warn(parts),
        }
        if self == Self::Again { Ok(()) } else { Err(Exit::System) }
    }
}

impl Svscan {
    /// Whether the next one will find all that it reads: a copy of this process
    /// says what it does not.
    fn rehearses(&self, start: &OwnedFd) -> bool {
        let read = || {
            let Ok(options) = Options::read(self.args) else { return false };
            if let Err(why) = fchdir(start) {
                TOOL.warn_os(&[b"unable to go back to where this began: "], why);
                return false;
            }
            self.finds_all(&options).is_ok()
        };
        rehearse(read).unwrap_or_else(|why| {
            TOOL.warn_os(&[b"unable to fork: "], why);
            false
        })
    }

    fn finds_all(&self, options: &Options) -> Result<(), Exit> {
        let start = Start::Rehearsed;
        let told = Told::read(options, start)?;
        if self.lines.is_some() {
            self.launcher.find_readers(options.log.is_some(), start)?;
        }
        if let Some(log) = options.log.filter(|_| self.lines.is_some())
            && let Err(why) = access(log, Access::EXEC_OK)
        {
            start.refuses(&[b"unable to use log directory ", log.to_bytes(), b": "], Some(why))?;
        }
        if let Some(dir) = options.dir {
            go(dir, None, start)?;
        }
        told.environments(options, start).map(drop)
    }

    /// Has every supervise execute its program anew, and then does so itself.
    /// What this process knows it finds again: the supervises live on.
    pub(crate) fn renew(&mut self) {
        if self.start.as_ref().is_some_and(|start| !self.rehearses(start)) {
            return TOOL.warn(&[b"unable to execute svscan anew, going on"]);
        }
        for index in 0..self.roster.len() {
            for which in [Which::Main, Which::Log] {
                if self.roster.get(index).service.runs(which) {
                    let _ = self.elsewhere(index, which).send(b"e");
                }
            }
        }
        point!("renew: told");
        let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let scan = rustix::fs::open(c".", here, Mode::empty());
        // The arguments mean what they meant where this program began.
        let why = match (&self.start, &scan) {
            (Some(start), Ok(scan)) => match fchdir(start) {
                Ok(()) => {
                    // Where the services are may have got another name.
                    let _ = close_on_exec(scan, false);
                    let why = self.execute();
                    let _ = close_on_exec(scan, true);
                    let _ = fchdir(scan);
                    why
                }
                Err(why) => why,
            },
            (_, Err(why)) => *why,
            (None, Ok(_)) => Errno::BADF,
        };
        TOOL.warn_os(&[b"unable to execute svscan anew, going on: "], why);
    }

    /// With the limit that it was given, and a mark which says that everything
    /// is under way.
    fn execute(&self) -> Errno {
        let mark = match &self.mark {
            Ok(mark) => mark,
            Err(why) => return *why,
        };
        let _ = close_on_exec(mark, false);
        self.state.bequeath(true);
        let raised = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, self.launcher.open_files);
        let why = exec::anew(self.args);
        let _ = setrlimit(Resource::Nofile, raised);
        let _ = close_on_exec(mark, true);
        self.state.bequeath(false);
        why
    }
}

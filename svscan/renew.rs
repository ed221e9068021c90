//! Executing this program anew, as after an upgrade: what it knows it finds
//! again, and what comes before the services is not done twice.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, getpid, getrlimit, setrlimit};
use upkeep_core::scan::Which;
use upkeep_sys::inherited::{close_on_exec, make_mark, take_mark};
use upkeep_sys::{exec, point};

/// What stands on the mark that this program leaves for itself, with its number
/// behind it, which stays the same.
const MARK: &[u8; 12] = b"svscan anew!";

/// The mark, and whether it was there: whether this program was executed by
/// itself.
pub(crate) fn mark() -> (Result<OwnedFd>, bool) {
    let mut mark = [0; 16];
    mark[..12].copy_from_slice(MARK);
    mark[12..].copy_from_slice(&getpid().as_raw_pid().to_ne_bytes());
    match take_mark(&mark) {
        Some(taken) => (Ok(taken), true),
        None => (make_mark(&mark), false),
    }
}

impl Svscan {
    /// Has every supervise execute its program anew, and then does so itself.
    /// What this process knows it finds again: the supervises live on.
    pub(crate) fn renew(&mut self) {
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
            (Some(start), Ok(scan)) => match rustix::process::fchdir(start) {
                Ok(()) => {
                    let why = self.execute();
                    let _ = rustix::process::fchdir(scan);
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
        let raised = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, self.launcher.open_files);
        let why = exec::anew(self.args);
        let _ = setrlimit(Resource::Nofile, raised);
        let _ = close_on_exec(mark, true);
        why
    }
}

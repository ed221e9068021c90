//! Executing this program anew, as after an upgrade: what it knows it finds
//! again, and what comes before the services is not done twice.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use upkeep_core::scan::Which;
use upkeep_sys::inherited::{close_on_exec, take};
use upkeep_sys::{exec, point};

/// Whether this program was executed by itself: then the directory in which it
/// began is open already.
pub(crate) fn is_renewed(start: &OwnedFd) -> bool {
    rustix::fs::fstat(start).is_ok_and(|stat| take(&stat, 0).is_some())
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
                    // Left open, it says that everything is under way.
                    let _ = close_on_exec(start, false);
                    let why = exec::anew(self.args);
                    let _ = close_on_exec(start, true);
                    let _ = rustix::process::fchdir(scan);
                    why
                }
                Err(why) => why,
            },
            (_, Err(why)) => *why,
            (None, Ok(_)) => rustix::io::Errno::BADF,
        };
        TOOL.warn_os(&[b"unable to execute svscan anew, going on: "], why);
    }
}

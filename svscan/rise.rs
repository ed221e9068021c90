//! Whether the services have come up, for whom the main command waits, and
//! whether those that have not ever will: those that wait for each other in a
//! circle, or for one that has failed or is to be down, do not. It only looks.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::fd::AsFd;
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::Result;
use upkeep_core::order::{Rise, Tie, holds};
use upkeep_servicedir::order::{Neighbours, each};
use upkeep_sys::clock;
use upkeep_sys::table::Table;

/// So long nothing must change before it is believed that nothing will: no two
/// records are read at the same time.
const MOMENT: u64 = 100_000_000;

/// Since when it seems that nobody else comes up.
pub(crate) struct Stuck {
    /// When that is believed.
    pub(crate) due: Option<u64>,
}

impl Stuck {
    pub(crate) const fn new() -> Self {
        Self { due: None }
    }

    /// Some service has changed, or nobody asks.
    pub(crate) fn stirs(&mut self) {
        self.due = None;
    }
}

impl Svscan {
    fn have_all_begun(&self) -> bool {
        self.looked && self.settling.is_empty()
    }

    /// Whether every service that is wanted is ready, or over.
    pub(crate) fn are_all_ready(&self) -> bool {
        self.have_all_begun() && self.missing().next().is_none()
    }

    /// Those that are not.
    fn missing(&self) -> impl Iterator<Item = usize> {
        let is_missing = |index: &usize| {
            let entry = self.roster.get(*index);
            entry.service.listed && entry.heard.rise != Rise::Settled
        };
        (0..self.roster.len()).filter(is_missing)
    }

    /// Whether none of those will be by itself.
    pub(crate) fn are_all_stuck(&mut self) -> bool {
        let waits = |index| self.roster.get(index).heard.rise == Rise::Waits;
        // One that is on its way is waited for whatever the others do.
        let stuck = self.have_all_begun()
            && self.missing().all(waits)
            && self.missing().all(|index| self.is_held(self.roster.name(index)));
        let now = clock::monotonic();
        if !stuck {
            self.stuck.due = None;
        }
        stuck && *self.stuck.due.get_or_insert(now + MOMENT) <= now
    }

    /// Whether this service waits for one that does not come.
    fn is_held(&self, name: &CStr) -> bool {
        let look = || -> Result<bool> {
            let all = Neighbours::around(name)?;
            let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let dir = fs::openat(CWD, name, way, Mode::empty())?;
            let mut held = false;
            for tie in Tie::ALL {
                let answer = each(dir.as_fd(), tie, &mut |other| {
                    // Who has not heard the call yet may still come.
                    held |= !all.is_calling(other, name) && holds(tie, &all.look(other));
                    !held
                });
                // Without a list of what it needs it is not started.
                held |= answer.is_err() && tie == Tie::Needs;
            }
            Ok(held)
        };
        look().unwrap_or(false)
    }

    /// Says which are not ready in time.
    pub(crate) fn warn_of_services(&self) {
        for index in self.missing() {
            TOOL.warn(&[self.roster.name(index).to_bytes(), b" is not ready in time"]);
        }
    }

    /// Says which will not be, in one line, or one each if there is no memory.
    pub(crate) fn warn_of_stuck(&self) {
        let start = b"not waiting for what cannot come up:".as_slice();
        let mut names = Table::new();
        let mut add = |bytes: &[u8]| bytes.iter().try_for_each(|byte| names.push(*byte));
        let whole = self.missing().try_for_each(|index| {
            add(b" ")?;
            add(self.roster.name(index).to_bytes())
        });
        if whole.is_ok() {
            return TOOL.warn(&[start, &names]);
        }
        for index in self.missing() {
            TOOL.warn(&[start, b" ", self.roster.name(index).to_bytes()]);
        }
    }
}

//! Directories that are being filled. One that appears in place, by mkdir or
//! cp, is there before its `run` and its `log` are; started at once it would
//! fail and have no logger. One that is moved or linked here is whole.

use crate::svscan::notice::Notices;
use crate::svscan::roster::NAME;
use core::ffi::CStr;
use rustix::fs::{self, AtFlags, CWD};
use upkeep_sys::table::Table;

const MILLISECOND: u64 = 1_000_000;
/// Nothing has to have happened in it for so long.
const QUIET: u64 = 50 * MILLISECOND;
/// It is taken as it is after so long, as a periodic scan would.
const PATIENCE: u64 = 5000 * MILLISECOND;

struct Filling {
    name: [u8; NAME],
    watch: i32,
    quiet_at: u64,
    give_up: u64,
}

impl Filling {
    fn name(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.name).unwrap_or(c"")
    }

    /// When to look at it again.
    fn due(&self, now: u64) -> u64 {
        let unfinished = self.quiet_at <= now && !self.has_run();
        if unfinished { self.give_up } else { self.quiet_at.min(self.give_up) }
    }

    fn has_run(&self) -> bool {
        let mut path = [0; NAME + 4];
        let name = self.name().to_bytes();
        path[..name.len()].copy_from_slice(name);
        path[name.len()..name.len() + 4].copy_from_slice(b"/run");
        CStr::from_bytes_until_nul(&path)
            .is_ok_and(|path| fs::statat(CWD, path, AtFlags::empty()).is_ok())
    }
}

/// The directories that are not finished yet.
pub(crate) struct Settling {
    list: Table<Filling>,
}

impl Settling {
    pub(crate) const fn new() -> Self {
        Self { list: Table::new() }
    }

    /// Waits for `name`; says whether it can.
    pub(crate) fn add(&mut self, notices: &Notices, name: &CStr, now: u64) -> bool {
        let Ok(watch) = notices.watch(name) else { return false };
        let mut filling =
            Filling { name: [0; NAME], watch, quiet_at: now + QUIET, give_up: now + PATIENCE };
        filling.name[..name.count_bytes()].copy_from_slice(name.to_bytes());
        self.list.push(filling).is_ok()
    }

    /// Whether this name is still being filled.
    pub(crate) fn holds(&self, name: &CStr) -> bool {
        self.list.iter().any(|filling| filling.name() == name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Something happened in it.
    pub(crate) fn touch(&mut self, watch: i32, now: u64) {
        for filling in self.list.iter_mut().filter(|f| f.watch == watch) {
            filling.quiet_at = now + QUIET;
        }
    }

    pub(crate) fn deadline(&self, now: u64) -> Option<u64> {
        self.list.iter().map(|filling| filling.due(now)).min()
    }

    /// A directory that is finished, if there is one; its name goes to `name`.
    pub(crate) fn take(&mut self, notices: &Notices, now: u64, name: &mut [u8; NAME]) -> bool {
        let Some(index) = self.list.iter().position(|filling| filling.due(now) <= now) else {
            return false;
        };
        let filling = self.list.swap_remove(index);
        notices.unwatch(filling.watch);
        *name = filling.name;
        true
    }
}

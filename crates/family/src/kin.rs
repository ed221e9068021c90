//! What a service's process has left behind when it ended, for those that put
//! themselves into the background: nobody is signalled here.

use crate::identity::Identity;
use crate::process::Proc;
use crate::stat::Stat;
use crate::walk::{Roots, Walk};
use core::ffi::CStr;
use rustix::fs;
use rustix::io::Result;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use upkeep_sys::table::Table;

/// Those that descend from one service.
pub struct Kin {
    id: Identity,
    /// Whether there may be some that another supervise started.
    strangers: bool,
}

/// Children of this process that it has started beside the service.
pub type Spared = [Option<Pid>; 6];

/// What is left.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// This one, and what descends from it.
    One(Pid),
    /// More, or it cannot be told.
    Several,
}

impl Kin {
    /// Those of the service whose directory is the current one. From now on
    /// what descends from this process stays below it.
    #[inline(never)]
    pub fn gather() -> Result<Self> {
        let dir = fs::stat(c".")?;
        let _ = Walk::begin();
        Ok(Self { id: Identity::new(dir.st_dev, dir.st_ino), strangers: false })
    }

    /// What they have in their environment, so that the next supervise knows
    /// them.
    #[must_use]
    pub fn marker(&self) -> &CStr {
        self.id.marker()
    }

    /// There may be some that this process did not start.
    pub fn expect_strangers(&mut self) {
        self.strangers = true;
    }

    /// Whether this is one of them, started at `since` or later, in ticks
    /// since the boot. The children `spared` of this process are none.
    #[must_use]
    #[inline(never)]
    pub fn has(&self, pid: Pid, since: u64, spared: Spared) -> bool {
        match self.all(spared) {
            Some((all, _)) => {
                let number = pid.as_raw_pid().unsigned_abs();
                all.iter().any(|stat| stat.pid == number && stat.born >= since)
            }
            // Without /proc only our own children can be told.
            None => !spared.contains(&Some(pid)) && waitid(WaitId::Pid(pid), LOOK).is_ok(),
        }
    }

    /// What is left of them that was started at `since` or later.
    pub fn rest(&self, since: u64, spared: Spared) -> Rest {
        match self.look(since, spared) {
            // Who was made with a small number during the first look is seen
            // by the second.
            Rest::Nothing => self.look(since, spared),
            rest @ (Rest::One(_) | Rest::Several) => rest,
        }
    }

    #[inline(never)]
    fn look(&self, since: u64, spared: Spared) -> Rest {
        let Some((mut all, whole)) = self.all(spared) else {
            let none = !self.strangers && waitid(WaitId::All, LOOK).is_err();
            return if none { Rest::Nothing } else { Rest::Several };
        };
        all.sort_unstable_by_key(|stat| stat.pid);
        let is_child = |stat: &Stat| {
            let parent = all.binary_search_by_key(&stat.parent, |stat| stat.pid);
            parent.is_ok_and(|at| all[at].born <= stat.born)
        };
        let is_first = |stat: &&Stat| stat.born >= since && !is_child(stat);
        let mut first = all.iter().filter(is_first);
        match (first.next(), first.next(), whole) {
            (None, _, true) => Rest::Nothing,
            (Some(stat), None, true) => {
                Pid::from_raw(stat.pid.cast_signed()).map_or(Rest::Several, Rest::One)
            }
            (_, Some(_), _) | (_, None, false) => Rest::Several,
        }
    }

    /// All of them that live, and whether these are all.
    fn all(&self, spared: Spared) -> Option<(Table<Stat>, bool)> {
        let (proc, walk) = (Proc::open()?, Walk::among(self.strangers));
        let mut all = Table::new();
        let mut fits = true;
        let marker = self.id.marker().to_bytes();
        let roots = Roots { service: None, marker, spared };
        let whole = walk.pass(&proc, roots, &mut |stat| fits &= all.push(*stat).is_ok());
        Some((all, whole.is_ok() && fits))
    }
}

const LOOK: WaitIdOptions =
    WaitIdOptions::EXITED.union(WaitIdOptions::NOHANG).union(WaitIdOptions::NOWAIT);

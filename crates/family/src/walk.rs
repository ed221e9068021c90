//! The tree by /proc: who descends from whom. A process cannot run away from
//! it by forking: it is stopped when it is seen, so that in the end nobody is
//! left to fork, and then all are killed.
//!
//! The list lives in memory that is asked of the kernel for each walk and
//! given back after it.

use crate::Left;
use crate::kin::Spared;
use crate::process::Proc;
use crate::stat::Stat;
use rustix::io::{Errno, Result};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, set_child_subreaper, test_kill_process, waitid,
};
use upkeep_sys::table::Table;

/// As often as /proc is gone through in one call before what has been found
/// is killed. The caller comes again for the rest.
const PASSES: usize = 64;

/// Where a walk begins.
#[derive(Clone, Copy)]
pub(crate) struct Roots<'a> {
    /// The service's process, if there is one.
    pub(crate) service: Option<Pid>,
    /// What is in the environment of everything it started.
    pub(crate) marker: &'a [u8],
    /// Children of this process that are not the service's.
    pub(crate) spared: Spared,
}

/// Finds what descends from a service.
pub(crate) struct Walk {
    proc: Option<Proc>,
    /// Whether there may be some of the service's that are not below this
    /// process, because another supervise started them.
    strangers: bool,
}

/// A process on the list.
#[derive(Clone, Copy)]
struct Entry {
    stat: Stat,
    /// Whether it is the service's.
    ours: bool,
    /// Whether it can never be.
    spared: bool,
}

/// What `waitid` knows of our children.
#[derive(PartialEq, Eq)]
enum Children {
    None,
    Running,
    Ended,
}

impl Walk {
    /// From now on what descends from this process stays below it.
    #[doc(alias = "PR_SET_CHILD_SUBREAPER")]
    pub(crate) fn begin() -> Self {
        // Before Linux 3.4 orphans are found by their environment only.
        let _ = set_child_subreaper(Some(rustix::process::getpid()));
        Self { proc: Proc::open(), strangers: true }
    }

    /// One that only looks.
    pub(crate) const fn among(strangers: bool) -> Self {
        Self { proc: None, strangers }
    }

    /// Whether there is a /proc to walk in.
    pub(crate) fn sees(&self) -> bool {
        self.proc.is_some()
    }

    /// There may be some that this process did not start.
    pub(crate) fn expect_strangers(&mut self) {
        self.strangers = true;
    }

    /// Sends `signal` to each of them once.
    pub(crate) fn signal(&self, roots: Roots<'_>, signal: Signal) {
        let Some(proc) = &self.proc else { return };
        let mut all = Table::new();
        // First all are found: one that dies of the signal leaves its children
        // to somebody else.
        let _ = self.pass(proc, roots, &mut |found| {
            if all.push(*found).is_err() {
                let _ = proc.send(found.pid, found.born, signal);
            }
        });
        for found in all.iter() {
            let _ = proc.send(found.pid, found.born, signal);
        }
    }

    /// Stops them until no more are found, and kills them.
    pub(crate) fn kill(&self, roots: Roots<'_>) {
        let Some(proc) = &self.proc else { return };
        let mut held: Table<Stat> = Table::new();
        for _ in 0..PASSES {
            let before = held.len();
            let whole = self.pass(proc, roots, &mut |found| {
                let known = held[..before].binary_search_by_key(&found.pid, |stat| stat.pid);
                if known.is_ok_and(|at| held[at].born == found.born) {
                    return;
                }
                let _ = proc.send(found.pid, found.born, Signal::STOP);
                if held.push(*found).is_err() {
                    let _ = proc.send(found.pid, found.born, Signal::KILL);
                }
            });
            held.sort_unstable_by_key(|stat| stat.pid);
            if whole.is_err() || held.len() == before {
                break;
            }
        }
        for stat in held.iter() {
            let _ = proc.send(stat.pid, stat.born, Signal::KILL);
        }
    }

    /// What is left of them.
    pub(crate) fn left(&mut self, roots: Roots<'_>) -> Left {
        let children = children();
        if !self.strangers && children == Children::None {
            return Left::Nothing;
        }
        let Some(proc) = &self.proc else {
            return match children {
                Children::Ended => Left::Something,
                Children::Running => Left::OutOfReach,
                Children::None if roots.service.is_some() => Left::OutOfReach,
                // Strangers cannot be told without /proc.
                Children::None => Left::Nothing,
            };
        };
        // Who was made with a small number during the first look is seen by
        // the second.
        for _ in 0..2 {
            let mut left = Left::Nothing;
            let whole = self.pass(proc, roots, &mut |found| {
                let pid = Pid::from_raw(found.pid.cast_signed());
                let forbidden = pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::PERM));
                left = left.max(if forbidden { Left::OutOfReach } else { Left::Something });
            });
            if whole.is_err() {
                return Left::Something;
            }
            if left != Left::Nothing {
                return left;
            }
        }
        match self::children() {
            Children::None => {
                self.strangers = false;
                Left::Nothing
            }
            Children::Ended => Left::Something,
            Children::Running if roots.spared.iter().any(Option::is_some) => Left::Nothing,
            // There is one, and /proc hides it.
            Children::Running => Left::OutOfReach,
        }
    }

    /// Goes through /proc once and calls `found` once for each of the
    /// service's processes that runs, at the moment when it is known to be
    /// one. Parents mostly have smaller numbers than their children, so that
    /// is mostly when it is seen.
    pub(crate) fn pass(
        &self,
        proc: &Proc,
        roots: Roots<'_>,
        found: &mut dyn FnMut(&Stat),
    ) -> Result<()> {
        let mut list: Table<Entry> = Table::new();
        let mut whole = Ok(());
        proc.each(|pid| match proc.stat(pid) {
            Ok(stat) => {
                let is_it = |own: Pid| own.as_raw_pid().unsigned_abs() == pid;
                let own = roots.spared.into_iter().flatten().any(is_it);
                let spared = pid <= 1 || pid == proc.me || own;
                let ours = !spared
                    && (is_child_of_ours(&list, &stat)
                        || self.is_root(proc, roots, &stat).unwrap_or_else(|why| {
                            whole = Err(why);
                            false
                        }));
                if ours && stat.alive {
                    found(&stat);
                }
                if let Err(why) = list.push(Entry { stat, ours, spared }) {
                    whole = Err(why);
                }
            }
            // It has gone, or is not shown to us.
            Err(Errno::NOENT | Errno::SRCH | Errno::ACCESS | Errno::PERM) => {}
            Err(why) => whole = Err(why),
        })?;
        list.sort_unstable_by_key(|entry| entry.stat.pid);
        let mut changed = true;
        while changed {
            changed = false;
            for at in 0..list.len() {
                let entry = list[at];
                if !entry.ours && !entry.spared && is_child_of_ours(&list, &entry.stat) {
                    list[at].ours = true;
                    changed = true;
                    if entry.stat.alive {
                        found(&entry.stat);
                    }
                }
            }
        }
        whole
    }

    /// Whether a walk begins with it.
    fn is_root(&self, proc: &Proc, roots: Roots<'_>, stat: &Stat) -> Result<bool> {
        let is_service =
            roots.service.is_some_and(|pid| pid.as_raw_pid().unsigned_abs() == stat.pid);
        if stat.parent == proc.me || is_service {
            return Ok(true);
        }
        // What keeps services may have been started from a shell that has the
        // marker, and so may we.
        Ok(self.strangers
            && stat.alive
            && !stat.keeper
            && proc.has_variable(stat, roots.marker)?
            && !proc.is_above_us(stat.pid))
    }
}

/// Whether its parent is on the list, and the service's. Nobody is older than
/// his parent: where that seems so, it is somebody else with its number.
fn is_child_of_ours(list: &[Entry], stat: &Stat) -> bool {
    let parent = list.binary_search_by_key(&stat.parent, |entry| entry.stat.pid);
    parent.is_ok_and(|at| list[at].ours && list[at].stat.born <= stat.born)
}

fn children() -> Children {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::All, how) {
        Ok(Some(_)) => Children::Ended,
        Ok(None) => Children::Running,
        Err(_) => Children::None,
    }
}

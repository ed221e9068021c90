//! What supervise asks of a tree. What has large buffers is not inlined: they
//! would be pages of stack that every supervise keeps, also without a tree.

use crate::Left;
use crate::cgroup::{self, Cgroup};
use crate::identity::Identity;
use crate::kin::Spared;
use crate::place;
use crate::process::Proc;
use crate::text::Text;
use crate::walk::{Roots, Walk};
use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use upkeep_sys::group::session_of;

/// How a tree is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By a cgroup of its own.
    Cgroup,
    /// By a walk through /proc.
    Walk,
    /// There is neither: only the process group is reached.
    Blind,
}

/// What makes a new process one of the family.
#[derive(Clone, Copy, Debug)]
pub enum Enter<'a> {
    /// It calls `enter` before it becomes the new program.
    Cgroup(BorrowedFd<'a>),
    /// It has this entry, `NAME=value`, in its environment. It is found
    /// without as long as the supervise that started it lives.
    Marker(&'a CStr),
}

impl Enter<'_> {
    /// Run by the new process; it makes system calls only. The cgroup cannot
    /// be entered (`BUSY`) as long as cgroups that the service made below it
    /// are in use.
    pub fn enter(&self) -> Result<()> {
        match self {
            Self::Cgroup(door) => rustix::io::write(door, b"0").map(|_| ()),
            Self::Marker(_) => Ok(()),
        }
    }
}

/// Everything that descends from one service.
pub struct Family {
    id: Identity,
    /// The cgroup that the service's own is made in, if that can be done.
    place: Option<OwnedFd>,
    cgroup: Option<Cgroup>,
    /// For what is in no cgroup.
    walk: Option<Walk>,
    spared: Spared,
}

impl Family {
    /// The family of the service whose directory is the current one, with
    /// what an earlier supervise may have left of it.
    #[inline(never)]
    pub fn open() -> Result<Self> {
        let dir = fs::stat(c".")?;
        let id = Identity::new(dir.st_dev, dir.st_ino);
        let place = place::path_of(c"/proc/self/cgroup").and_then(|p| cgroup::usable(p.bytes()));
        let cgroup = place.as_ref().and_then(|place| Cgroup::open(place, id.cgroup()).ok());
        let walk = if place.is_none() { Some(Walk::begin()) } else { None };
        Ok(Self { id, place, cgroup, walk, spared: [None; 6] })
    }

    /// How the tree is found now.
    #[must_use]
    pub fn means(&self) -> Means {
        match &self.walk {
            None => Means::Cgroup,
            Some(walk) if walk.sees() => Means::Walk,
            Some(_) => Means::Blind,
        }
    }

    /// The service runs as `pid`, started by an earlier supervise, which may
    /// have been in another cgroup or had none to give.
    #[inline(never)]
    pub fn adopt(&mut self, pid: Pid) {
        let path = cgroup::of(pid.as_raw_pid().unsigned_abs());
        let own = path.as_ref().and_then(|path| self.id.own_part(path.bytes()));
        if let Some(parent) = own.and_then(|own| own.strip_suffix(self.id.cgroup().to_bytes()))
            && let Some(place) = cgroup::usable(parent)
            && let Ok(cgroup) = Cgroup::open(&place, self.id.cgroup())
        {
            self.place = Some(place);
            self.cgroup = Some(cgroup);
        } else {
            self.walk.get_or_insert_with(Walk::begin).expect_strangers();
        }
    }

    /// What the next process of the service needs to be of the family. To be
    /// asked for before each start.
    #[inline(never)]
    pub fn enter(&mut self) -> Enter<'_> {
        if let (None, Some(place)) = (&self.cgroup, &self.place) {
            self.cgroup = Cgroup::make(place, self.id.cgroup()).ok();
        }
        match &self.cgroup {
            Some(cgroup) => Enter::Cgroup(cgroup.door()),
            None => {
                self.walk.get_or_insert_with(Walk::begin);
                Enter::Marker(self.id.marker())
            }
        }
    }

    /// Sends `signal` to all of them. `service` is the service's process as
    /// long as it is known not to have been waited for.
    #[inline(never)]
    pub fn signal(&self, service: Option<Pid>, signal: Signal) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.signal(&self.id, signal);
        }
        match &self.walk {
            Some(walk) if walk.sees() => walk.signal(self.roots(service), signal),
            Some(_) => {
                if let Some(leader) = service {
                    let _ = signal_group(leader, None, signal);
                }
            }
            None => {}
        }
    }

    /// Kills all of them, and says what is left at once; they may still be
    /// dying. To be called again on SIGCHLD, when `watch` has something, or
    /// after a moment.
    #[inline(never)]
    pub fn kill_all(&mut self, service: Option<Pid>) -> Left {
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill(&self.id);
        }
        match &self.walk {
            Some(walk) if walk.sees() => walk.kill(self.roots(service)),
            Some(_) => {
                if let Some(leader) = service {
                    let _ = signal_group(leader, None, Signal::KILL);
                }
            }
            None => {}
        }
        self.left(service)
    }

    /// Whether the process `pid` is in the cgroup.
    #[inline(never)]
    #[must_use]
    pub fn holds(&self, pid: Pid) -> bool {
        self.cgroup.is_some() && cgroup::is_in(&self.id, pid.as_raw_pid().unsigned_abs())
    }

    /// These children of ours are none of them.
    pub const fn spare(&mut self, children: Spared) {
        self.spared = children;
    }

    /// What is left of them.
    pub fn left(&mut self, service: Option<Pid>) -> Left {
        let inside = self.cgroup.as_ref().map_or(Left::Nothing, Cgroup::left);
        let marker = self.id.marker().to_bytes();
        let roots = Roots { service, marker, spared: self.spared };
        inside.max(self.walk.as_mut().map_or(Left::Nothing, |walk| walk.left(roots)))
    }

    /// Has something for `POLLPRI` when the cgroup may have become empty.
    #[must_use]
    pub fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.cgroup.as_ref().map(Cgroup::events)
    }

    /// Removes the cgroup when nothing is left in it. `BUSY` says that
    /// something is; then it stays, for the next start or the next supervise.
    pub fn clear_away(&mut self) -> Result<()> {
        let (Some(place), Some(cgroup)) = (&self.place, &self.cgroup) else { return Ok(()) };
        cgroup.prune();
        match fs::unlinkat(place, self.id.cgroup(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {
                self.cgroup = None;
                Ok(())
            }
            Err(why) => Err(why),
        }
    }

    fn roots(&self, service: Option<Pid>) -> Roots<'_> {
        Roots { service, marker: self.id.marker().to_bytes(), spared: self.spared }
    }
}

/// Whether the process `pid` is `service`, of its session, or descends from it.
/// One that has ended and was waited for is not.
#[inline(never)]
#[must_use]
pub fn belongs(pid: Pid, service: Pid) -> bool {
    let number = |pid: Pid| pid.as_raw_pid().unsigned_abs();
    is_of_session(pid, service)
        || Proc::open().is_some_and(|proc| proc.is_above(number(service), number(pid)))
}

/// Whether the process `pid` is `service` or of its session.
#[must_use]
pub fn is_of_session(pid: Pid, service: Pid) -> bool {
    pid == service || session_of(pid) == Some(service)
}

/// The user of a process, as far as /proc shows it.
#[must_use]
pub fn user_of(pid: Pid) -> Option<u32> {
    let path =
        Text::<32>::new().push(b"/proc/").push_number(pid.as_raw_pid().unsigned_abs().into(), 10);
    fs::stat(path.path()?).ok().map(|stat| stat.st_uid)
}

/// Signals the process group that `leader` leads. With a pidfd of it that is
/// safe for ever; without, as long as it has not been waited for.
pub fn signal_group(leader: Pid, pidfd: Option<BorrowedFd<'_>>, signal: Signal) -> Result<()> {
    let answer = pidfd.map_or(Err(Errno::NOSYS), |pidfd| upkeep_sys::group::signal(pidfd, signal));
    match answer {
        // Before Linux 6.9.
        Err(Errno::NOSYS | Errno::INVAL) => kill_process_group(leader, signal),
        answer => answer,
    }
}

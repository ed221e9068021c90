//! Removing what svscans have left that will not come again: places in a root
//! whose scan directory is not there and in which nothing lives. svscan looks
//! when it takes a place beside them.
//!
//! Whoever lives there may be in another container, where neither its processes
//! nor its directories are to be seen. What is seen everywhere are locks and who
//! has a FIFO open. As long as a place has either it is left alone, and all its
//! locks are held by whoever removes it. That the scan directory is not seen
//! may mean only that it is not seen from here: a place goes when nothing of it
//! was seen for an hour, so that a container that is started again finds what
//! it has left. No link is followed, and nothing is done that takes room.

use super::make::{self, SCAN};
use super::mounts::Mounts;
use super::{LEFT, is_open_to_others, within};
use crate::identity::{Identity, is_same};
use crate::names;
use crate::origin::origin;
use crate::place::tail;
use core::cell::{Cell, OnceCell};
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, geteuid};
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use upkeep_core::record::{Identity as Process, Record, SIZE, Verdict};
use upkeep_sys::held::lock_open_file;
use upkeep_sys::process::{self, Held};
use upkeep_sys::{clock, point};

/// How many places are looked at in one start.
pub(super) const MOST: usize = 16;
/// How long that may take, in nanoseconds. It takes a few milliseconds, and more
/// only on a disk that is slow, or where a place is large.
const LONGEST: u64 = 200_000_000;
/// For how many seconds nothing of a place is seen before it goes.
const ABSENCE: i64 = 3600;
/// The same where processes are on record that would not be seen from here.
const LONG_ABSENCE: i64 = 24 * ABSENCE;
/// How deep directories are in a place: a service's, its logger's, and what is
/// in those.
const DEPTH: u32 = 4;

/// Looks at the places in `root`, all but `own`, and removes what is dead.
pub(super) fn clean(root: &CStr, own: &[u8]) {
    let places = within(root, geteuid().as_raw());
    let (now, turn) = clock::wall();
    let until = clock::monotonic() + LONGEST;
    if let Some(cleaning) = Cleaning::begin(root, &places, own, now, until) {
        // Other ones each time, so that each has its turn.
        cleaning.look(&places, turn as usize % places.len());
    }
}

/// The look at one root.
pub(super) struct Cleaning<'a> {
    root: OwnedFd,
    /// What is on another one is not looked into.
    device: u64,
    own: &'a [u8],
    now: i64,
    until: u64,
    /// Whether somebody is on record in a place who would not be seen.
    unseen: Cell<bool>,
    /// Read when the first scan directory is looked for.
    mounts: OnceCell<Option<Mounts>>,
}

impl<'a> Cleaning<'a> {
    /// Nothing is opened if there is no place but the own one.
    pub(super) fn begin(
        root: &CStr,
        places: &[&[u8]],
        own: &'a [u8],
        now: i64,
        until: u64,
    ) -> Option<Self> {
        places.iter().any(|name| *name != own).then_some(())?;
        let root = fs::open(root, DIRECTORY, Mode::empty()).ok()?;
        let device = fs::fstat(&root).ok().filter(is_own)?.st_dev;
        let (unseen, mounts) = (Cell::new(false), OnceCell::new());
        Some(Self { root, device, own, now, until, unseen, mounts })
    }

    /// Looks at the places from the one with this number on.
    pub(super) fn look(&self, places: &[&[u8]], first: usize) {
        let turns = places.iter().cycle().skip(first).take(places.len());
        for name in turns.filter(|name| **name != self.own).take(MOST) {
            if self.is_late() {
                return;
            }
            if let Ok(name) = CString::new(*name) {
                // What cannot be done now may be another time.
                let _ = self.look_at(&name);
            }
        }
    }

    fn is_late(&self) -> bool {
        clock::monotonic() >= self.until
    }

    fn look_at(&self, name: &CStr) -> Result<()> {
        let (place, opened) = self.open(self.root.as_fd(), name)?;
        // A svscan has it, or somebody else is at it.
        fs::flock(&place, FlockOperation::NonBlockingLockExclusive)?;
        // It may have been removed, and another one made, before that.
        let stat = fs::statat(&self.root, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if !is_same(&opened, &stat) {
            return Ok(());
        }
        let is_left = name.to_bytes().starts_with(LEFT);
        let absent = is_absent(&stat).then(|| self.now - stat.st_ctime).filter(|time| *time >= 0);
        if !is_left {
            if self.is_there(&place, name) {
                return make::is_seen(&place, &stat);
            }
            if absent.is_some_and(|time| time < ABSENCE) {
                return Ok(());
            }
        }
        let mut locks = Vec::new();
        let names = entries(place.as_fd())?;
        self.unseen.set(false);
        let is_free = self.is_free(place.as_fd(), DEPTH, &mut locks);
        if self.is_late() {
            return Err(Errno::TIME);
        }
        if !is_free {
            return make::is_seen(&place, &stat);
        }
        if is_left {
            return self.remove(self.root.as_fd(), name, &place, DEPTH);
        }
        if absent.is_none() {
            return make::is_not_seen(&place, &stat);
        }
        if self.unseen.get() && absent.is_some_and(|time| time < LONG_ABSENCE) {
            return Ok(());
        }
        // From now on nobody finds it, however much of it is left.
        let left = CString::new([LEFT, name.to_bytes()].concat()).map_err(|_| Errno::INVAL)?;
        point!("clean: found");
        fs::renameat(&self.root, name, &self.root, &left)?;
        point!("clean: put aside");
        // A supervise by hand can have begun until then, with a lock of its own.
        if entries(place.as_fd())?.len() != names.len() {
            return fs::renameat(&self.root, &left, &self.root, name);
        }
        self.remove(self.root.as_fd(), &left, &place, DEPTH)
    }

    /// Whether the scan directory of a place is where it was. What may not be
    /// looked at may be, and what may not answer is not asked.
    fn is_there(&self, place: &OwnedFd, name: &CStr) -> bool {
        let Ok(path) = fs::readlinkat(place, SCAN, []) else { return false };
        let mounts = self.mounts.get_or_init(|| Mounts::read().ok());
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        if !mounts.as_ref().is_some_and(|mounts| mounts.are_local(path)) {
            return true;
        }
        match fs::stat(path) {
            Ok(stat) => Identity::of(&stat).as_c_str() == name,
            Err(why) => ![Errno::NOENT, Errno::NOTDIR].contains(&why),
        }
    }

    /// A directory of this user's own, on the root's file system.
    fn open(&self, from: BorrowedFd<'_>, name: &CStr) -> Result<(OwnedFd, Stat)> {
        let dir = fs::openat(from, name, DIRECTORY, Mode::empty())?;
        let stat = fs::fstat(&dir)?;
        if is_own(&stat) && stat.st_dev == self.device { Ok((dir, stat)) } else { Err(Errno::PERM) }
    }

    /// Whether nothing lives there, as far as can be found out. Nobody can
    /// begin to as long as `locks` are held.
    fn is_free(&self, dir: BorrowedFd<'_>, depth: u32, locks: &mut Vec<OwnedFd>) -> bool {
        let Ok(names) = entries(dir) else { return false };
        names.iter().all(|name| {
            if self.is_late() {
                return false;
            }
            let Ok(stat) = fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let inner = self.open(dir, name);
                    depth > 0
                        && inner.is_ok_and(|(dir, _)| self.is_free(dir.as_fd(), depth - 1, locks))
                }
                FileType::Fifo => is_let_go(dir, name).unwrap_or(false),
                FileType::RegularFile => self.is_idle(dir, name, locks).unwrap_or(false),
                FileType::Symlink
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => true,
            }
        })
    }

    /// Whether nobody has a file locked that is a lock, nor lives who is on record.
    fn is_idle(&self, dir: BorrowedFd<'_>, name: &CStr, locks: &mut Vec<OwnedFd>) -> Result<bool> {
        let open = |flags| fs::openat(dir, name, flags | FLAGS, Mode::empty());
        let (lock, service) = (is_called(name, names::LOCK), is_called(name, names::SERVICE_LOCK));
        if lock || service {
            let file = open(OFlags::WRONLY)?;
            if lock {
                fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            } else if !lock_open_file(&file)? {
                return Ok(false);
            }
            locks.push(file);
        } else if is_called(name, names::STATUS) {
            let mut bytes = [0; SIZE];
            let count = rustix::io::read(open(OFlags::RDONLY)?, &mut bytes)?;
            let Some(Record { own, .. }) = Record::decode(&bytes[..count]) else { return Ok(true) };
            if own.process.pid == 0 || own.boot != origin(process::boot(), dir)? {
                return Ok(true);
            }
            let here = process::namespace();
            self.unseen.set(self.unseen.get() || here == 0 || own.process.namespace != here);
            return Ok(!is_alive(&own.process));
        }
        Ok(true)
    }

    /// Removes a directory and what is in it, as far as there is time.
    fn remove(&self, from: BorrowedFd<'_>, name: &CStr, dir: &OwnedFd, depth: u32) -> Result<()> {
        for entry in entries(dir.as_fd())? {
            if self.is_late() {
                return Err(Errno::TIME);
            }
            match fs::unlinkat(dir, &entry, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) if depth > 0 => {
                    let (inner, _) = self.open(dir.as_fd(), &entry)?;
                    self.remove(dir.as_fd(), &entry, &inner, depth - 1)?;
                }
                answer => answer?,
            }
            point!("clean: removed");
        }
        fs::unlinkat(from, name, AtFlags::REMOVEDIR)
    }
}

const FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = FLAGS.union(OFlags::DIRECTORY);

fn is_own(stat: &Stat) -> bool {
    stat.st_uid == geteuid().as_raw() && !is_open_to_others(stat)
}

/// Whether the last who looked saw nothing of a place. When that was for the
/// first time is when it was last changed.
fn is_absent(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX)
}

fn entries(dir: BorrowedFd<'_>) -> Result<Vec<CString>> {
    let mut all = Vec::new();
    for entry in fs::Dir::read_from(dir)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            all.push(entry.file_name().to_owned());
        }
    }
    Ok(all)
}

/// Whether nobody has a FIFO open. A supervise reads those by which it is told
/// something; writers to them are clients.
fn is_let_go(dir: BorrowedFd<'_>, name: &CStr) -> Result<bool> {
    match fs::openat(dir, name, OFlags::WRONLY | FLAGS, Mode::empty()) {
        Err(Errno::NXIO) => {}
        answer => return answer.map(|_| false),
    }
    if [names::OK, names::CONTROL].iter().any(|file| is_called(name, file)) {
        return Ok(true);
    }
    // Opened while there is a writer, an end is told that there is none.
    let both = fs::openat(dir, name, OFlags::RDWR | FLAGS, Mode::empty())?;
    let read = fs::openat(dir, name, OFlags::RDONLY | FLAGS, Mode::empty())?;
    drop(both);
    let mut fds = [PollFd::new(&read, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default()))?;
    Ok(fds[0].revents() == PollFlags::HUP)
}

fn is_called(name: &CStr, file: &CStr) -> bool {
    tail(file).get(1..) == Some(name.to_bytes())
}

/// Whether a process on record is seen from here, or one that may be it.
fn is_alive(process: &Process) -> bool {
    let namespace = process::namespace();
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return false };
    if process.namespace != namespace {
        return false;
    }
    let unique = match Held::open(pid) {
        Ok(held) => held.unique(),
        Err(Errno::SRCH) => return false,
        Err(_) => 0,
    };
    let started = process::started(pid).map_or(0, |started| started.0);
    let there = Process { pid: process.pid, started, unique, namespace };
    process.compare(&there) != Verdict::Another
}

#[cfg(test)]
mod tests;

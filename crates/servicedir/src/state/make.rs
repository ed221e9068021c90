//! Making a place for the state, which svscan does: a root of its user's, or
//! the directory that it was told. It follows nobody's link and takes nobody's
//! directory.

use super::clean::clean;
use super::{
    POINTER, TO_WRITE, is_private, is_within_reach, judge, open_private, paths, safe_parent,
    safe_way,
};
use crate::identity::is_same;
use crate::identity::{self, Identity};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, CWD, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::{geteuid, umask};
use std::ffi::CString;
use upkeep_sys::{clock, process};

/// Why a directory is not used for the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The system's reason.
    Os(Errno),
    /// It is a link, which may be anybody's.
    Link,
    /// It belongs to another user.
    Anothers,
    /// Others can write to it.
    Open,
    /// Others can remove or rename it.
    Parent,
}

impl Refusal {
    /// The reason in words, and the system's where that is behind them.
    #[must_use]
    pub const fn words(self) -> (&'static str, Option<Errno>) {
        match self {
            Self::Os(why) => ("", Some(why)),
            Self::Link => ("it is a link", None),
            Self::Anothers => ("it belongs to another user", None),
            Self::Open => ("others can write to it", None),
            Self::Parent => ("others can remove or rename it", None),
        }
    }

    /// Whether somebody stands in the way, and not only the system.
    #[must_use]
    pub const fn is_somebodys(self) -> bool {
        match self {
            Self::Os(why) => matches!(why, Errno::NOTDIR),
            Self::Link | Self::Anothers | Self::Open | Self::Parent => true,
        }
    }
}

/// Which scan directory a place is for: a link, which takes no room. It has a
/// name that no service can have.
pub(super) const SCAN: &CStr = c":scan";
/// How long somebody is waited for who removes a place.
const PATIENCE: u64 = 3_000_000_000;
/// How often it is tried.
const STEP: u64 = 5_000_000;

/// A directory for the state. Nobody removes it as long as this lives.
#[derive(Debug)]
pub struct Place {
    /// From the root.
    pub path: CString,
    /// What holds it.
    pub held: OwnedFd,
}

/// A directory for the services of the current one, in the first of this user's
/// roots that is there and can be written to or, if there is none, in the first
/// that can be made. It is called by the identity of the current directory:
/// where others share the roots, their services may have the same paths.
/// `refused` is told of each root that cannot be used.
pub fn choose(refused: &mut dyn FnMut(&CStr, Refusal)) -> Option<Place> {
    let name = Identity::here().ok()?;
    let inner = |root: &CStr, user| {
        let path = [root.to_bytes(), b"/", name.bytes()].concat();
        let path = CString::new(path).map_err(|_| Refusal::Os(Errno::INVAL))?;
        let held = match take(&path, mode_in(root, user), user) {
            // There may be room when what is dead has gone.
            Err(Refusal::Os(Errno::NOSPC | Errno::DQUOT)) => {
                clean(root, name.bytes());
                take(&path, mode_in(root, user), user)?
            }
            taken => {
                clean(root, name.bytes());
                taken?
            }
        };
        writable(&path).map(|()| Place { path, held })
    };
    choose_with(&inner, refused)
}

/// Makes a place for the current directory, or takes the one that is there, and
/// holds it. Somebody may be removing that: then it is waited for, and made
/// anew.
fn take(path: &CStr, mode: Mode, user: u32) -> Result<OwnedFd, Refusal> {
    let patience = clock::monotonic() + PATIENCE;
    loop {
        let is_new = make(path, mode)?;
        let (place, stat) = match open_private(path, OFlags::RDONLY) {
            Err(Refusal::Os(Errno::NOENT)) if clock::monotonic() < patience => continue,
            answer => answer?,
        };
        judge(&stat, user)?;
        lock(&place, patience).map_err(Refusal::Os)?;
        match fs::stat(path) {
            Ok(named) if is_same(&named, &stat) => {
                note(&place, is_new);
                is_seen(&place, &named).map_err(Refusal::Os)?;
                return Ok(place);
            }
            _ if clock::monotonic() < patience => {}
            _ => return Err(Refusal::Os(Errno::AGAIN)),
        }
    }
}

/// Others may hold it too; nobody does who removes it. Where there are no
/// locks, nobody removes anything.
fn lock(place: &OwnedFd, patience: u64) -> Result<(), Errno> {
    loop {
        match fs::flock(place, FlockOperation::NonBlockingLockShared) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if clock::monotonic() < patience => {
                clock::pause_until(clock::monotonic() + STEP);
            }
            Err(Errno::AGAIN) => return Err(Errno::AGAIN),
            _ => return Ok(()),
        }
    }
}

/// Writes down which directory the place is for.
fn note(place: &OwnedFd, is_new: bool) {
    let mut here = [0; 4096];
    let Ok(here) = process::current_directory(&mut here) else { return };
    if !is_new {
        let mut room = [MaybeUninit::uninit(); 4096];
        let noted = fs::readlinkat_raw(place, SCAN, &mut room[..]);
        if noted.is_ok_and(|(noted, _)| *noted == *here.to_bytes()) {
            return;
        }
        let _ = fs::unlinkat(place, SCAN, AtFlags::empty());
    }
    // Without it nobody sees the directory.
    let _ = fs::symlinkat(here, place, SCAN);
}

/// Holds a directory in which the state is, so that nobody removes it. One that
/// nobody would is whoever's it is.
#[must_use]
pub fn hold(dir: &CStr) -> Option<OwnedFd> {
    let (place, stat) = may_be_cleaned(dir).then(|| hold_place(dir)).flatten()?;
    let _ = is_seen(&place, &stat);
    Some(place)
}

/// The same of one that may be removed.
pub(super) fn hold_place(dir: &CStr) -> Option<(OwnedFd, Stat)> {
    let (place, stat) = open_private(dir, OFlags::RDONLY).ok()?;
    lock(&place, clock::monotonic() + PATIENCE).ok()?;
    Some((place, stat))
}

/// The same where services live that another svscan has left.
#[must_use]
pub fn go_on(dir: &CStr) -> Option<OwnedFd> {
    let held = hold(dir);
    if let Some((root, name)) = parts(dir) {
        clean(&root, name);
    }
    held
}

/// The root and the name of a place.
fn parts(dir: &CStr) -> Option<(CString, &[u8])> {
    let at = dir.to_bytes().iter().rposition(|&b| b == b'/')?;
    let (root, name) = (CString::new(&dir.to_bytes()[..at]).ok()?, &dir.to_bytes()[at + 1..]);
    let is_root = paths(geteuid().as_raw()).any(|path| path == root);
    (is_root && identity::is_one(name)).then_some((root, name))
}

fn may_be_cleaned(dir: &CStr) -> bool {
    parts(dir).is_some()
}

/// Something of a place was seen.
pub(super) fn is_seen(place: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.contains(Mode::SVTX) { fs::fchmod(place, mode - Mode::SVTX) } else { Ok(()) }
}

/// Nothing was, now. That takes no room, as a file would.
pub(super) fn is_not_seen(place: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
    fs::fchmod(place, Mode::from_raw_mode(stat.st_mode) | Mode::SVTX)
}

/// The same for what `with` makes in a root.
fn choose_with<T>(
    with: &dyn Fn(&CStr, u32) -> Result<T, Refusal>,
    refused: &mut dyn FnMut(&CStr, Refusal),
) -> Option<T> {
    let user = geteuid().as_raw();
    let mut missing = Vec::new();
    for path in paths(user) {
        match use_root(&path, user).and_then(|()| with(&path, user)) {
            Ok(made) => return Some(made),
            Err(Refusal::Os(Errno::NOENT)) => missing.push(path),
            Err(refusal) => refused(&path, refusal),
        }
    }
    missing.into_iter().find_map(|path| {
        let made = make_root(&path, user).and_then(|()| with(&path, user));
        made.inspect_err(|refusal| refused(&path, *refusal)).ok()
    })
}

/// Takes `dir` for the state, from the root, which it was told, and makes it if
/// it is not there. What it is in is judged for root alone, and before anything
/// is made: whoever could change it would be root then. Another user has meant
/// it.
pub fn accept(dir: &CStr) -> Result<(), Refusal> {
    let user = geteuid().as_raw();
    if matches!(fs::lstat(dir), Err(Errno::NOENT)) {
        may_make(dir, user)?;
    }
    let is_new = make(dir, Mode::RWXU)?;
    let accepted = is_private(dir, user).and_then(|()| {
        if is_within_reach(dir, user) { writable(dir) } else { Err(Refusal::Parent) }
    });
    if is_new && accepted.is_err() {
        let _ = fs::rmdir(dir);
    }
    accepted
}

/// Whether nobody else could change where it would be.
fn may_make(dir: &CStr, user: u32) -> Result<(), Refusal> {
    if user != 0 {
        return Ok(());
    }
    safe_parent(dir, user)?;
    let end = dir.to_bytes().iter().rposition(|&b| b == b'/').unwrap_or(0);
    let around = CString::new(&dir.to_bytes()[..end.max(1)]).unwrap_or_default();
    safe_way(&around, user)
}

/// A link in a root, by which clients find the state.
#[derive(Debug)]
pub struct Pointer {
    link: CString,
    to: CString,
}

impl Pointer {
    /// Removes it, if it still leads where it was meant to: the next svscan may
    /// have left its own.
    pub fn withdraw(&self) {
        let mut room = [MaybeUninit::uninit(); 4096];
        if fs::readlinkat_raw(CWD, &self.link, &mut room[..])
            .is_ok_and(|(to, _)| *to == *self.to.to_bytes())
        {
            let _ = fs::unlink(&self.link);
        }
    }
}

/// Leaves a link to `dir` in a root, by which clients find it. It is called by
/// the identities of the current directory and of `dir`, so that each svscan
/// has its own.
pub fn announce(
    dir: &CStr,
    refused: &mut dyn FnMut(&CStr, Refusal),
) -> Option<Result<Pointer, Errno>> {
    choose_with(&|root, _| Ok(root.to_owned()), refused).map(|root| link(&root, dir))
}

/// The link to `dir` that was left before this program was executed anew.
#[must_use]
pub fn found(dir: &CStr) -> Option<Pointer> {
    let user = geteuid().as_raw();
    let mut names = paths(user).filter_map(|root| name(&root, dir).ok());
    let is_it = |link: &CString| fs::readlink(link, []).is_ok_and(|to| *to == *dir);
    names.find(is_it).map(|link| Pointer { link, to: dir.to_owned() })
}

/// The path of such a link.
fn name(root: &CStr, dir: &CStr) -> Result<CString, Errno> {
    let (here, there) = (Identity::here()?, Identity::of(&fs::stat(dir)?));
    let parts = [root.to_bytes(), b"/", &[POINTER], here.bytes(), b"-", there.bytes()];
    CString::new(parts.concat()).map_err(|_| Errno::INVAL)
}

fn link(root: &CStr, dir: &CStr) -> Result<Pointer, Errno> {
    let link = name(root, dir)?;
    match fs::symlink(dir, &link) {
        Err(Errno::EXIST) => {
            // Nobody but this user can have left it.
            fs::unlink(&link)?;
            fs::symlink(dir, &link)?;
        }
        answer => answer?,
    }
    Ok(Pointer { link, to: dir.to_owned() })
}

fn use_root(path: &CStr, user: u32) -> Result<(), Refusal> {
    is_private(path, user)?;
    safe_parent(path, user)?;
    writable(path)
}

fn make_root(path: &CStr, user: u32) -> Result<(), Refusal> {
    safe_parent(path, user)?;
    make(path, mode_in(path, user))?;
    if is_full(path) {
        let _ = fs::rmdir(path);
        return Err(Refusal::Os(Errno::NOSPC));
    }
    use_root(path, user)
}

/// Everybody may look for what root keeps; what is in it is root's alone.
fn mode_in(root: &CStr, user: u32) -> Mode {
    let readable = Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
    if user == 0 && root == super::FIRST { Mode::RWXU | readable } else { Mode::RWXU }
}

/// Whether nothing more fits there. A file system without a size is not full.
fn is_full(path: &CStr) -> bool {
    fs::statvfs(path).is_ok_and(|all| all.f_blocks > 0 && all.f_bavail == 0)
}

/// Makes a directory with this mode, whatever the mask says; one that is there
/// stays as it is. Says whether it was made.
fn make(path: &CStr, mode: Mode) -> Result<bool, Refusal> {
    // Changed afterwards, it could be another one's by then.
    let mask = umask(Mode::empty());
    let made = fs::mkdir(path, mode);
    umask(mask);
    match made {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(why) => Err(Refusal::Os(why)),
    }
}

/// This user has a right to write there, and it can be written to at all.
fn writable(path: &CStr) -> Result<(), Refusal> {
    fs::accessat(CWD, path, TO_WRITE, AtFlags::EACCESS).map_err(Refusal::Os)
}

//! Where the state is kept of service directories that cannot be written to:
//! directories of known names, the roots, and those that a link in one of them
//! points to. They are in places where anybody may put something, so each is
//! believed only of whoever it belongs to. Nothing here makes one; `make` does.

mod clean;
mod make;
mod mounts;

use crate::identity::{self, Owner, owner};
use crate::names;
use crate::place::{LOGGER, Path};
use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Access, AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

pub use make::{Place, Pointer, Refusal, accept, announce, choose, found, go_on, hold};

/// The first, which has no user's number in its name.
const FIRST: &CStr = c"/run/upkeep";
/// What the others are called before that number.
const OTHERS: [&str; 2] = ["/dev/shm/upkeep-", "/tmp/upkeep-"];
/// What a link in a root begins with that points to another place.
const POINTER: u8 = b':';
/// What a place is called before its name that is being removed.
const LEFT: &[u8] = b":left:";

/// A directory that may hold the state of services.
#[derive(Clone, Copy, Debug)]
struct Root {
    dir: &'static CStr,
    /// Only what is his is looked for there, and what root or this user runs.
    owner: u32,
    /// Whether a link leads to it, which is that of `--state`.
    is_told: bool,
}

/// What there is of a supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing.
    Nowhere,
    /// It has ended.
    Ended,
    /// It may not be asked.
    Denied,
    /// It lives.
    Lives,
}

std::thread_local! {
    static KNOWN: RefCell<Vec<Root>> = const { RefCell::new(Vec::new()) };
    /// The users whose roots have been looked for.
    static ASKED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    /// What is left of places that were being removed, in this user's roots.
    static RESTS: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
    static FIRST_OF_ALL: Cell<Option<u32>> = const { Cell::new(None) };
}

/// The root in which the service here lives, or in which it would: if it lives
/// nowhere, and it cannot be in its own directory. Whoever is to live there can
/// do so in his own only.
pub(crate) fn root_of_here(is_logger: bool, to_live: bool) -> Option<&'static [u8]> {
    let here = fs::stat(c".").ok()?;
    let roots = believed(&here);
    let there = |root: &Root| life_in(root, &here, is_logger).unwrap_or(Life::Nowhere);
    let living = roots.iter().find(|root| there(root) == Life::Lives);
    let found = living.or_else(|| roots.iter().find(|root| there(root) == Life::Denied));
    let found = found.or_else(|| {
        let user = geteuid().as_raw();
        let mut possible = roots.iter().filter(|root| !to_live || root.owner == user).peekable();
        // Whoever only asks is better told what he may not look into.
        let denied = || life(names::OK) == Life::Denied;
        if possible.peek().is_none() || is_writable_here() || !to_live && denied() {
            return None;
        }
        possible.clone().find(|root| there(root) == Life::Ended).or_else(|| possible.next())
    });
    found.map(|root| root.dir.to_bytes())
}

/// Whether the service, or logger, here lives in another root than `dir`, where
/// it is said that it is to. A user who has no root has none started there.
pub(crate) fn lives_beside(dir: &[u8], is_logger: bool) -> bool {
    let lives = |here: &Stat| {
        let others = believed(here).into_iter().filter(|root| root.dir.to_bytes() != dir);
        others.map(|root| life_in(&root, here, is_logger)).any(|life| life == Ok(Life::Lives))
    };
    has_own() && fs::stat(c".").is_ok_and(|here| lives(&here))
}

/// The roots that are believed of the service here.
fn believed(here: &Stat) -> Vec<Root> {
    let trusted = trusted(here.st_uid);
    trusted.iter().for_each(|user| look_for(*user));
    KNOWN.with_borrow(|known| {
        known.iter().filter(|root| trusted.contains(&root.owner)).copied().collect()
    })
}

/// Whether this user has a root, which is all that a supervise asks that finds
/// its directory free.
pub(crate) fn has_own() -> bool {
    let user = geteuid().as_raw();
    look_for(user);
    KNOWN.with_borrow(|known| known.iter().any(|root| root.owner == user))
}

/// This user's roots, for svscan, which asks whether somebody lives there whom
/// another one has left; and whether each is one that a link leads to.
#[must_use]
pub fn own() -> Vec<(&'static CStr, bool)> {
    let user = geteuid().as_raw();
    look_for(user);
    let own = |known: &Vec<Root>| {
        let own = known.iter().filter(|root| root.owner == user);
        own.map(|root| (root.dir, root.is_told)).collect()
    };
    KNOWN.with_borrow(own)
}

/// Whose roots are believed of a service: this user's, root's, those of whoever
/// runs everything here, and those of the owner of the service's directory, who
/// decides what is in that as well.
fn trusted(owner: u32) -> [u32; 4] {
    let first = FIRST_OF_ALL.get().unwrap_or_else(|| {
        let user = fs::stat(c"/proc/1").map_or(0, |stat| stat.st_uid);
        FIRST_OF_ALL.set(Some(user));
        user
    });
    [geteuid().as_raw(), 0, first, owner]
}

/// Finds the roots of a user, once.
fn look_for(user: u32) {
    let is_new = ASKED.with_borrow_mut(|asked| {
        let is_new = !asked.contains(&user);
        if is_new {
            asked.push(user);
        }
        is_new
    });
    if !is_new {
        return;
    }
    for path in paths(user) {
        // One that only its owner may look into says nothing to anybody else.
        if is_root_of(&path, user) && may(&path, Access::EXEC_OK) {
            let dir = keep(path);
            add(dir, user, false);
            let Entries { within, pointed_to, left } = entries(dir);
            if user == geteuid().as_raw() {
                RESTS.with_borrow_mut(|rests| rests.extend(left));
            }
            for inner in within {
                if is_private(&inner, user).is_ok() && may(&inner, Access::EXEC_OK) {
                    add(keep(inner), user, false);
                }
            }
            for target in pointed_to {
                if is_private(&target, user).is_ok() && is_within_reach(&target, user) {
                    add(keep(target), user, true);
                }
            }
        }
    }
}

fn add(dir: &'static CStr, owner: u32, is_told: bool) {
    KNOWN.with_borrow_mut(|known| {
        if known.iter().all(|root| (root.dir, root.owner) != (dir, owner)) {
            known.push(Root { dir, owner, is_told });
        }
    });
}

fn keep(path: CString) -> &'static CStr {
    Box::leak(path.into_boxed_c_str())
}

/// Where a user's roots may be, in the order in which they are made.
fn paths(user: u32) -> impl Iterator<Item = CString> {
    let others =
        OTHERS.iter().map(move |front| CString::new(format!("{front}{user}")).unwrap_or_default());
    core::iter::once(FIRST.to_owned()).chain(others)
}

/// Whether it is a directory of his that nobody else can write to, and nobody
/// else can have put there.
fn is_root_of(path: &CStr, user: u32) -> bool {
    is_private(path, user).is_ok() && safe_parent(path, user).is_ok()
}

/// The directory, if it is one, is his, and can be written to by nobody else.
/// A link is none.
fn is_private(path: &CStr, user: u32) -> Result<(), Refusal> {
    open_private(path, OFlags::PATH).and_then(|(_, stat)| judge(&stat, user))
}

fn open_private(path: &CStr, how: OFlags) -> Result<(OwnedFd, Stat), Refusal> {
    let flags = how | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = fs::open(path, flags, Mode::empty()).map_err(|why| match why {
        Errno::NOTDIR if is_link(path) => Refusal::Link,
        why => Refusal::Os(why),
    })?;
    let stat = fs::fstat(&dir).map_err(Refusal::Os)?;
    Ok((dir, stat))
}

fn judge(stat: &Stat, user: u32) -> Result<(), Refusal> {
    match () {
        () if stat.st_uid != user => Err(Refusal::Anothers),
        () if is_open_to_others(stat) => Err(Refusal::Open),
        () => Ok(()),
    }
}

fn is_link(path: &CStr) -> bool {
    let stat = fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

fn is_open_to_others(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH)
}

/// Nobody else can remove or rename what is his in the directory that `path` is
/// in.
fn safe_parent(path: &CStr, user: u32) -> Result<(), Refusal> {
    let bytes = path.to_bytes();
    let end = bytes.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let stat = fs::stat(&bytes[..end.max(1)]).map_err(Refusal::Os)?;
    let is_sticky = Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX);
    let is_safe = is_safe_owner(&stat, user) && (is_sticky || !is_open_to_others(&stat));
    is_safe.then_some(()).ok_or(Refusal::Parent)
}

/// Whether nobody else can put something in the place of what is his. Who is
/// not root, and asks for what is his own, has chosen the place himself.
fn is_within_reach(path: &CStr, user: u32) -> bool {
    user != 0 && user == geteuid().as_raw() || safe_way(path, user).is_ok()
}

/// Nobody else can change what `path`, from the root, leads to: neither by what
/// it names nor by where that is.
fn safe_way(path: &CStr, user: u32) -> Result<(), Refusal> {
    let named = PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    let trouble =
        |why: std::io::Error| Refusal::Os(Errno::from_io_error(&why).unwrap_or(Errno::IO));
    for way in [named.canonicalize().map_err(trouble)?, named] {
        for step in way.ancestors().filter(|step| step.parent().is_some()) {
            let step = CString::new(step.as_os_str().as_bytes()).unwrap_or_default();
            safe_parent(&step, user)?;
            let stat = fs::statat(CWD, &step, AtFlags::SYMLINK_NOFOLLOW).map_err(Refusal::Os)?;
            if !is_safe_owner(&stat, user) {
                return Err(Refusal::Parent);
            }
        }
    }
    Ok(())
}

/// Whether whoever has it is this user or root. Whoever has the root directory
/// can do as he likes anyway; where that is not 0, as in a user name space, its
/// number stands for root.
fn is_safe_owner(stat: &Stat, user: u32) -> bool {
    [0, user].contains(&stat.st_uid) || fs::stat(c"/").is_ok_and(|root| root.st_uid == stat.st_uid)
}

/// What a root has of svscan's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    /// The directories in it, each for a scan directory and called by its
    /// identity.
    within: Vec<CString>,
    /// Where the links point to.
    pointed_to: Vec<CString>,
    /// Such directories that were being removed.
    left: Vec<CString>,
}

fn entries(root: &CStr) -> Entries {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut all = Entries::default();
    let Ok(dir) = fs::open(root, flags, Mode::empty()) else { return all };
    let Ok(list) = fs::Dir::read_from(&dir) else { return all };
    for entry in list.filter_map(Result::ok) {
        let name = entry.file_name();
        let path = || CString::new([root.to_bytes(), b"/", name.to_bytes()].concat()).ok();
        if identity::is_one(name.to_bytes()) {
            all.within.extend(path());
        } else if name.to_bytes().strip_prefix(LEFT).is_some_and(identity::is_one) {
            all.left.extend(path());
        } else if name.to_bytes().first() == Some(&POINTER) {
            let target = fs::readlinkat(&dir, name, []).ok();
            all.pointed_to.extend(target.filter(|target| target.to_bytes().starts_with(b"/")));
        }
    }
    all
}

/// The names of a user's places in a root, and of what is left of others.
fn within(root: &CStr, user: u32) -> Vec<&'static [u8]> {
    look_for(user);
    let own = |known: &Vec<Root>| {
        let own = known.iter().filter(|known| known.owner == user && !known.is_told);
        own.map(|known| known.dir).collect::<Vec<_>>()
    };
    let rests = RESTS.take().into_iter().map(keep);
    let all = rests.chain(KNOWN.with_borrow(own));
    let name =
        |path: &'static CStr| path.to_bytes().strip_prefix(root.to_bytes())?.strip_prefix(b"/");
    all.filter_map(name).collect()
}

/// What there is in a root of the supervise of the service, or logger, here.
fn life_in(root: &Root, here: &Stat, is_logger: bool) -> rustix::io::Result<Life> {
    let mut path = Path::new();
    path.push_moved(root.dir.to_bytes())?;
    path.push(if is_logger { LOGGER } else { b"" })?;
    let life = path.with_name(names::OK, life);
    let is_anothers = || path.with_name(names::OWNER, |path| owner(CWD, path, here));
    Ok(match life {
        // By the same path, it is another directory that somebody supervises.
        Life::Lives | Life::Ended if is_anothers() == Owner::Another => Life::Nowhere,
        life @ (Life::Nowhere | Life::Ended | Life::Denied | Life::Lives) => life,
    })
}

/// What a `supervise/ok` tells.
pub(crate) fn life(ok: &CStr) -> Life {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match fs::open(ok, flags, Mode::empty()) {
        Ok(_) => Life::Lives,
        Err(Errno::ACCESS) => Life::Denied,
        Err(Errno::NXIO) => Life::Ended,
        Err(_) => Life::Nowhere,
    }
}

/// Whether this user can write in `supervise/` here, or make it.
fn is_writable_here() -> bool {
    is_writable(c"supervise", c".")
}

/// Whether the state of the service of this name, here, can be in its own
/// directory. A link there leads wherever somebody meant it to.
#[must_use]
pub fn can_be_in_place(service: &CStr) -> bool {
    let below = |name: &[u8]| CString::new([service.to_bytes(), b"/", name].concat());
    let Ok(supervise) = below(names::SUPERVISE.to_bytes()) else { return false };
    is_writable(&supervise, service)
}

fn is_writable(supervise: &CStr, around: &CStr) -> bool {
    if is_link(supervise) {
        return true;
    }
    let is_there = fs::access(supervise, Access::EXISTS).is_ok();
    may(if is_there { supervise } else { around }, TO_WRITE)
}

const TO_WRITE: Access = Access::WRITE_OK.union(Access::EXEC_OK);

fn may(directory: &CStr, rights: Access) -> bool {
    fs::accessat(CWD, directory, rights, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests;

//! Making a place for the state, which svscan does: a root of its user's, or
//! the directory that it was told. It follows nobody's link and takes nobody's
//! directory.

use super::{POINTER, TO_WRITE, is_private, is_within_reach, paths, safe_parent};
use core::ffi::CStr;
use rustix::fs::{self, CWD, Mode};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::CString;
use upkeep_sys::process;

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

/// The first of this user's roots that is there and can be written to or, if
/// there is none, the first that can be made. `refused` is told of each that
/// cannot be.
pub fn choose(refused: &mut dyn FnMut(&CStr, Refusal)) -> Option<CString> {
    let user = geteuid().as_raw();
    let mut missing = Vec::new();
    for path in paths(user) {
        match use_root(&path, user) {
            Ok(()) => return Some(path),
            Err(Refusal::Os(Errno::NOENT)) => missing.push(path),
            Err(refusal) => refused(&path, refusal),
        }
    }
    missing.into_iter().find(|path| match make_root(path, user) {
        Ok(()) => true,
        Err(refusal) => {
            refused(path, refusal);
            false
        }
    })
}

/// Takes `dir` for the state, from the root, which it was told, and makes it if
/// it is not there. What it is in is judged for root alone: whoever could change
/// it would be root then. Another user has meant it.
pub fn accept(dir: &CStr) -> Result<(), Refusal> {
    let user = geteuid().as_raw();
    make(dir, Mode::RWXU)?;
    is_private(dir, user)?;
    if !is_within_reach(dir, user) {
        return Err(Refusal::Parent);
    }
    writable(dir)
}

/// Leaves a link to `dir` in a root, by which clients find it, and says where.
/// It is called like the current directory, so that each svscan has its own.
pub fn announce(
    dir: &CStr,
    refused: &mut dyn FnMut(&CStr, Refusal),
) -> Option<Result<CString, Errno>> {
    choose(refused).map(|root| link(&root, dir))
}

fn link(root: &CStr, dir: &CStr) -> Result<CString, Errno> {
    let mut here = [0; 4096];
    let here = process::current_directory(&mut here)?.to_bytes();
    let mut path = [root.to_bytes(), b"/"].concat();
    let name = here.iter().map(|&b| if b == b'/' { POINTER } else { b });
    path.extend(name);
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    match fs::symlink(dir, &path) {
        Err(Errno::EXIST) => {
            // Nobody but this user can have left it.
            fs::unlink(&path)?;
            fs::symlink(dir, &path)?;
        }
        answer => answer?,
    }
    Ok(path)
}

fn use_root(path: &CStr, user: u32) -> Result<(), Refusal> {
    is_private(path, user)?;
    safe_parent(path, user)?;
    writable(path)
}

fn make_root(path: &CStr, user: u32) -> Result<(), Refusal> {
    safe_parent(path, user)?;
    // Everybody may look for what root keeps; what is in it is root's alone.
    let readable = Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
    let is_roots = user == 0 && path == super::FIRST;
    make(path, if is_roots { Mode::RWXU | readable } else { Mode::RWXU })?;
    if is_full(path) {
        let _ = fs::rmdir(path);
        return Err(Refusal::Os(Errno::NOSPC));
    }
    use_root(path, user)
}

/// Whether nothing more fits there. A file system without a size is not full.
fn is_full(path: &CStr) -> bool {
    fs::statvfs(path).is_ok_and(|all| all.f_blocks > 0 && all.f_bavail == 0)
}

/// Makes a directory with this mode, whatever the mask says; one that is there
/// stays as it is.
fn make(path: &CStr, mode: Mode) -> Result<(), Refusal> {
    match fs::mkdir(path, mode) {
        Ok(()) => fs::chmodat(CWD, path, mode, fs::AtFlags::empty()).map_err(Refusal::Os),
        Err(Errno::EXIST) => Ok(()),
        Err(why) => Err(Refusal::Os(why)),
    }
}

/// This user has a right to write there, and it can be written to at all.
fn writable(path: &CStr) -> Result<(), Refusal> {
    fs::accessat(CWD, path, TO_WRITE, fs::AtFlags::EACCESS).map_err(Refusal::Os)
}

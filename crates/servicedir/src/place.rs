//! Where the files are that supervise keeps: in `supervise/` or, where
//! `$SUPERVISEDIR` says so, elsewhere, as encore has it. Without the variable
//! every name is used as it is, unless nobody lives there and `state` knows of
//! a place where somebody does.

use crate::identity::{Identity, Owner, is_same, owner};
use crate::names;
use crate::state::{self, Life};
use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Access, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use rustix::process::{chdir, fchdir};
use std::ffi::CString;
use upkeep_sys::{exec, process};

/// The longest path that the kernel takes, its closing zero included.
const LONGEST: usize = 4096;
/// What is kept of a logger that is a file is there, in what is kept of its
/// service.
pub(crate) const LOGGER: &[u8] = b"/log";
/// The longest name of a file.
const NAME: usize = 255;
/// Room for the longest name in `supervise/`.
const ROOM: usize = 40;

/// What stands for `supervise` where the current directory is.
#[derive(Clone, Copy)]
struct Here {
    own: Option<&'static CStr>,
    /// The same of the service that the logger here reads: without it, it is in
    /// the directory above.
    service: Option<&'static CStr>,
    /// Whether it is the logger that is meant, which is a file here.
    logger: bool,
    /// Whether it is known that it is this place and no other.
    settled: bool,
    /// Whether it would be elsewhere if another directory were not there.
    crowded: bool,
}

impl Here {
    const IN_PLACE: Self =
        Self { own: None, service: None, logger: false, settled: false, crowded: false };
}

std::thread_local! {
    static HERE: Cell<Here> = const { Cell::new(Here::IN_PLACE) };
    static KEPT: RefCell<Vec<&'static CStr>> = const { RefCell::new(Vec::new()) };
}

/// Where `$SUPERVISEDIR` says that they are. From the root, it is one directory
/// for all services.
pub(crate) fn moved() -> Option<&'static [u8]> {
    exec::variable(names::SUPERVISEDIR).filter(|dir| !dir.is_empty())
}

/// From now on they are in `dir`, for everything that is started as well; an
/// empty one is that of each service.
pub fn keep_in(dir: &[u8]) {
    exec::set_variable(names::SUPERVISEDIR, dir);
}

/// The current directory is another service directory now.
pub(crate) fn arrive() -> Result<()> {
    HERE.set(match moved() {
        None => Here::IN_PLACE,
        Some(dir) => find(dir)?,
    });
    make_way();
    Ok(())
}

/// Where the supervise of another directory lives, there is no place for this
/// one.
fn make_way() {
    let here = HERE.get();
    if is_elsewhere() && whose() == Owner::Another && at(names::OK, state::life) == Life::Lives {
        HERE.set(Here { logger: here.logger, crowded: true, ..Here::IN_PLACE });
    }
}

/// Whether that is so.
pub(crate) fn is_crowded() -> bool {
    HERE.get().crowded
}

/// Whether the state is in a directory for many services.
fn is_elsewhere() -> bool {
    HERE.get().own.is_some_and(|own| own.to_bytes().starts_with(b"/"))
}

/// Whether an open file is still the one of this name. In a service's own
/// directory nobody removes it.
pub(crate) fn is_still(file: &CStr, opened: &OwnedFd) -> bool {
    let is = |named: Stat| fs::fstat(opened).is_ok_and(|opened| is_same(&named, &opened));
    !is_elsewhere() || stat(file).is_ok_and(is)
}

fn whose() -> Owner {
    let Ok(here) = fs::stat(c".") else { return Owner::Unknown };
    at(names::OWNER, |path| owner(CWD, path, &here))
}

/// Says whose the state is, if it is elsewhere. What another directory has left
/// there, where nobody lives, is not about this one.
pub(crate) fn take_over() {
    if !is_elsewhere() {
        return;
    }
    let before = whose();
    if before == Owner::Own {
        return;
    }
    if before == Owner::Another {
        for file in [names::STATUS, names::DEATH_TALLY, names::OWNER] {
            let _ = unlink(file);
        }
    }
    // Without it, it is believed to be everybody's who comes by this path.
    if let Ok(identity) = Identity::here() {
        let _ = at(names::OWNER, |path| fs::symlink(identity.as_c_str(), path));
    }
}

/// Nobody lives in `supervise/`. Looks whether somebody does where the state is
/// kept of directories that cannot be written to, or would if anybody did; says
/// whether it is there that everything is about from now on.
pub(crate) fn settle() -> bool {
    let here = HERE.get();
    if here.settled {
        return false;
    }
    HERE.set(Here { settled: true, ..here });
    let Some(root) = state::root_of_here(here.logger, false) else { return false };
    let found = find(root).and_then(|there| if here.logger { there.logger() } else { Ok(there) });
    found.is_ok_and(|there| {
        HERE.set(there);
        true
    })
}

/// The same for a supervise that is to live in the one or the other: from then
/// on its neighbours are there too, and its service's programs.
pub(crate) fn settle_all() {
    let here = HERE.get();
    if here.settled || here.crowded {
        return;
    }
    HERE.set(Here { settled: true, ..here });
    if state::has_own()
        && let Some(root) = state::root_of_here(here.logger, true)
    {
        keep_in(root);
        // The path has had its room when the root was found.
        let _ = if here.logger { arrive_at_logger() } else { arrive() };
    }
}

/// Whether it was said where it is to live, and it does already in another place
/// that is known.
pub(crate) fn is_taken_elsewhere() -> bool {
    moved().is_some_and(|dir| state::lives_beside(dir, HERE.get().logger))
}

/// Whether somebody lives in `supervise/`, though it is elsewhere that is meant.
pub(crate) fn life_in_place() -> Life {
    let ok = if is_logger() { c"supervise/log/ok" } else { names::OK };
    let is_elsewhere = moved().is_some() && at(names::OK, |path| path != ok);
    if is_elsewhere { state::life(ok) } else { Life::Nowhere }
}

/// The same, and its logger is meant, which is the file `log`. What is kept of
/// that is below what is kept of the service.
pub(crate) fn arrive_at_logger() -> Result<()> {
    arrive()?;
    HERE.set(HERE.get().logger()?);
    make_way();
    Ok(())
}

impl Here {
    /// The same of the logger that is a file there.
    fn logger(self) -> Result<Self> {
        let service = self.own.unwrap_or(names::SUPERVISE);
        Ok(Self { own: Some(below(service)?), service: Some(service), logger: true, ..self })
    }
}

/// Apart, because its buffers are pages of stack that every supervise would
/// keep.
#[inline(never)]
fn find(dir: &[u8]) -> Result<Here> {
    let mut path = Path::new();
    let mut service = Path::new();
    if dir.starts_with(b"/") {
        path.push_moved(dir)?;
        // The service's directory is the one above its logger's.
        if path.is_by_identity(dir.len()) {
            let here = fs::open(c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            chdir(c"..")?;
            let pushed = service.push_moved(dir);
            fchdir(&here)?;
            pushed?;
            let (own, service) = (Some(path.keep()), Some(service.keep()));
            return Ok(Here { own, service, settled: true, ..Here::IN_PLACE });
        }
        let above = path.bytes().iter().rposition(|&b| b == b':').filter(|at| *at > dir.len());
        service.push(above.map_or(b"", |at| &path.bytes()[..at]))?;
    } else {
        path.push(dir)?;
        service.push(b"../")?;
        service.push(dir)?;
    }
    let (own, service) = (Some(path.keep()), Some(service.keep()));
    Ok(Here { own, service, logger: false, settled: true, crowded: false })
}

#[inline(never)]
fn below(service: &CStr) -> Result<&'static CStr> {
    let mut path = Path::new();
    path.push(service.to_bytes())?;
    path.push(LOGGER)?;
    Ok(path.keep())
}

/// Whether what is done here is about the logger, which is a file, and not
/// about the service.
pub fn is_logger() -> bool {
    HERE.get().logger
}

/// The program that is kept up here.
pub fn program() -> &'static CStr {
    if is_logger() { names::LOG_FILE } else { names::RUN }
}

/// Calls `with` with the path of `file`, one of those in `supervise/`.
pub(crate) fn at<T>(file: &CStr, with: impl FnOnce(&CStr) -> T) -> T {
    match HERE.get().own {
        None => with(file),
        Some(dir) => elsewhere(dir, file, with),
    }
}

#[inline(never)]
fn elsewhere<T>(dir: &CStr, file: &CStr, with: impl FnOnce(&CStr) -> T) -> T {
    let mut path = Path::new();
    // What was kept has had its room here before.
    let _ = path.push(dir.to_bytes());
    path.push_name(file);
    with(path.as_c_str())
}

/// The same with the one pipe that a logger here reads.
pub(crate) fn at_input<T>(with: impl FnOnce(&CStr) -> T) -> T {
    match HERE.get().service {
        None => with(names::INPUT),
        Some(dir) => elsewhere(dir, names::OUTPUT, with),
    }
}

/// The directory in which the logger's is, if one is meant that is a file.
pub(crate) fn around() -> Option<&'static CStr> {
    let here = HERE.get();
    here.service.filter(|_| here.logger)
}

/// A path that is put together.
pub(crate) struct Path {
    bytes: [u8; LONGEST + ROOM],
    len: usize,
}

impl Path {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; LONGEST + ROOM], len: 0 }
    }

    /// Adds a part. What is too long for the kernel is refused as it would.
    pub(crate) fn push(&mut self, part: &[u8]) -> Result<()> {
        let end = self.len + part.len();
        let place = self.bytes[..LONGEST].get_mut(self.len..end);
        place.ok_or(Errno::NAMETOOLONG)?.copy_from_slice(part);
        self.len = end;
        Ok(())
    }

    /// Adds what is behind `supervise` in the name of `file`: there is room.
    pub(crate) fn push_name(&mut self, file: &CStr) {
        let name = tail(file);
        self.bytes[self.len..self.len + name.len()].copy_from_slice(name);
        self.len += name.len();
    }

    /// Calls `with` with the path of `file` there.
    #[inline(never)]
    pub(crate) fn with_name<T>(&self, file: &CStr, with: impl FnOnce(&CStr) -> T) -> T {
        let mut path = Self { ..*self };
        path.push_name(file);
        with(path.as_c_str())
    }

    /// Whether the name that was added to a directory of this length is that of
    /// an identity.
    fn is_by_identity(&self, len: usize) -> bool {
        self.bytes().get(len + 1) == Some(&b':')
    }

    /// Adds `dir`, which is from the root, and in it the name that stands for
    /// the current directory: its own path, with colons. One that has colons
    /// already, or is too long for a name, is called by its identity, with one
    /// in front.
    pub(crate) fn push_moved(&mut self, dir: &[u8]) -> Result<()> {
        let mut here = [0; LONGEST];
        let here = process::current_directory(&mut here)?.to_bytes();
        self.push(dir)?;
        let start = self.len;
        if here.len() > 1 + NAME || here.contains(&b':') {
            self.push(b"/:")?;
            return self.push(Identity::here()?.bytes());
        }
        self.push(here)?;
        // The first one parts it from what is before it.
        let name = self.bytes[start..self.len].iter_mut().skip(1);
        name.filter(|byte| **byte == b'/').for_each(|byte| *byte = b':');
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// For as long as the program runs, each once: whoever follows many services
    /// comes to each of them again and again.
    fn keep(&self) -> &'static CStr {
        KEPT.with_borrow_mut(|kept| {
            let path = self.as_c_str();
            let old = kept.iter().copied().find(|old| *old == path);
            old.unwrap_or_else(|| {
                let new = Box::leak(CString::from(path).into_boxed_c_str());
                kept.push(new);
                new
            })
        })
    }
}

/// What is behind `supervise` in the name of a file in it.
pub(crate) fn tail(file: &CStr) -> &[u8] {
    let name = file.to_bytes();
    name.strip_prefix(names::SUPERVISE.to_bytes()).unwrap_or(name)
}

pub(crate) fn open(file: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    at(file, |path| fs::open(path, flags, mode))
}

pub(crate) fn make_fifo(file: &CStr, mode: Mode) -> Result<()> {
    at(file, |path| fs::mknodat(CWD, path, FileType::Fifo, mode, 0))
}

pub(crate) fn stat(file: &CStr) -> Result<Stat> {
    at(file, |path| fs::stat(path))
}

pub(crate) fn rename(file: &CStr, name: &CStr) -> Result<()> {
    at(file, |file| at(name, |name| fs::rename(file, name)))
}

pub(crate) fn unlink(file: &CStr) -> Result<()> {
    at(file, |path| fs::unlink(path))
}

pub(crate) fn exists(file: &CStr) -> bool {
    at(file, |path| fs::access(path, Access::EXISTS).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_elsewhere() {
        let path = |dir, file| elsewhere(dir, file, CStr::to_owned);
        assert_eq!(path(c"/run/sv/etc:web", names::LOCK).as_c_str(), c"/run/sv/etc:web/lock");
        assert_eq!(path(c"state", names::SUPERVISE).as_c_str(), c"state");
    }

    #[test]
    fn each_path_is_kept_once() {
        let keep = |dir: &[u8]| {
            let mut path = Path::new();
            path.push(dir).unwrap();
            path.keep().as_ptr()
        };
        let first = keep(b"run/a");
        assert_ne!(keep(b"run/b"), first);
        assert_eq!(keep(b"run/a"), first);
    }

    #[test]
    fn there_is_always_room_for_a_name() {
        let mut path = Path::new();
        assert_eq!(path.push(&[b'd'; LONGEST + 1]), Err(Errno::NAMETOOLONG));
        path.push(&[b'd'; LONGEST]).unwrap();
        for file in [names::SERVICE_LOCK, names::STATUS_NEW, names::STAT_NEW, names::NOTIFY] {
            let mut path = Path { ..path };
            path.push_name(file);
            assert!(path.as_c_str().to_bytes().ends_with(tail(file)));
        }
    }
}

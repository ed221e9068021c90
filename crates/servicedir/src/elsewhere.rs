//! A service directory, or its logger's, that is not the current one: what
//! svscan, which is in the directory above, asks and tells.

use crate::client::{ControlTrouble, send_to};
use crate::identity::{Owner, owner};
use crate::keeper::make_directory;
use crate::names;
use crate::order::directory;
use crate::origin::origin;
use crate::place::{self, LOGGER, Path, tail};
use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{self, Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::fchdir;
use upkeep_core::order::Tie;
use upkeep_core::record::{Boot, Record, SIZE, Stage};

/// What the logger of a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// A service directory `log`.
    Directory,
    /// A program `log`.
    File,
}

/// The directory `service`, or its logger.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere<'a> {
    /// The directory that the service is in.
    pub from: BorrowedFd<'a>,
    /// The service's name there.
    pub service: &'a CStr,
    /// Whether it is the logger that is meant, and what that is.
    pub logger: Option<Log>,
}

/// The longest name of a service, and the longest of ours behind it.
const ROOM: usize = 256 + 40;

impl Elsewhere<'_> {
    /// Calls `with` with the path of `file`, one of those in `supervise/`.
    pub(crate) fn at<T>(&self, file: &CStr, with: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
        if let Some(dir) = place::moved() {
            return self.at_moved(dir, file, with);
        }
        let (log, below) = self.parts();
        let all = [self.service.to_bytes(), log, b"/", names::SUPERVISE.to_bytes(), below];
        let mut path = [0; ROOM];
        with(joined(&mut path, &all, tail(file))?)
    }

    /// The same where `$SUPERVISEDIR` is `dir`.
    #[inline(never)]
    fn at_moved<T>(
        &self,
        dir: &[u8],
        file: &CStr,
        with: impl FnOnce(&CStr) -> Result<T>,
    ) -> Result<T> {
        let (log, below) = self.parts();
        let mut service = [0; ROOM];
        let service = joined(&mut service, &[self.service.to_bytes()], log)?;
        let mut path = Path::new();
        if dir.starts_with(b"/") {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let here = fs::open(c".", flags, Mode::empty())?;
            let there = fs::openat(self.from, service, flags, Mode::empty())?;
            fchdir(&there)?;
            let pushed = path.push_moved(dir);
            fchdir(&here)?;
            pushed?;
        } else {
            for part in [service.to_bytes(), b"/", dir] {
                path.push(part)?;
            }
        }
        path.push(below)?;
        path.push_name(file);
        with(path.as_c_str())
    }

    /// Whether it is the supervise of another directory of this path that has,
    /// or had, its state there.
    fn is_anothers_in(&self, dir: &[u8]) -> bool {
        let (log, _) = self.parts();
        let stat = || {
            let mut path = [0; ROOM];
            let path = joined(&mut path, &[self.service.to_bytes()], log)?;
            fs::statat(self.from, path, AtFlags::empty())
        };
        let is = |path: &CStr| stat().map(|stat| owner(self.from, path, &stat) == Owner::Another);
        dir.starts_with(b"/") && self.at_moved(dir, names::OWNER, is) == Ok(true)
    }

    fn is_anothers(&self) -> bool {
        place::moved().is_some_and(|dir| self.is_anothers_in(dir))
    }

    /// Nothing is said to that one, nor put beside what is its.
    pub(crate) fn is_free(&self) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let is_anothers = self.is_anothers() && self.open(names::OK, flags).is_ok();
        if is_anothers { Err(Errno::BUSY) } else { Ok(()) }
    }

    /// What is behind the service's directory, and behind its `supervise`.
    const fn parts(&self) -> (&'static [u8], &'static [u8]) {
        match self.logger {
            None => (b"", b""),
            Some(Log::Directory) => (LOGGER, b""),
            Some(Log::File) => (b"", LOGGER),
        }
    }

    /// Calls `with` with the path of `entry` in `directory`, one of those in
    /// `supervise/`.
    pub(crate) fn below<T>(
        &self,
        directory: &CStr,
        entry: &CStr,
        with: impl FnOnce(&CStr) -> Result<T>,
    ) -> Result<T> {
        self.at(directory, |path| {
            let mut whole = [0; 2 * ROOM];
            with(joined(&mut whole, &[path.to_bytes(), b"/"], entry.to_bytes())?)
        })
    }

    /// Whether there is this file in the service directory, or this entry in
    /// this directory of it.
    pub(crate) fn has(&self, file: &CStr, entry: Option<&CStr>) -> bool {
        let mut path = [0; 2 * ROOM];
        let (slash, entry): (&[u8], _) = match entry {
            Some(entry) => (b"/", entry.to_bytes()),
            None => (b"", b"".as_slice()),
        };
        let parts = [self.service.to_bytes(), b"/", file.to_bytes(), slash];
        joined(&mut path, &parts, entry).is_ok_and(|path| self.is_there(path))
    }

    /// Whether there is something at this path from there.
    pub(crate) fn is_there(&self, path: &CStr) -> bool {
        fs::accessat(self.from, path, Access::EXISTS, AtFlags::empty()).is_ok()
    }

    fn open(&self, file: &CStr, flags: OFlags) -> Result<OwnedFd> {
        self.at(file, |path| fs::openat(self.from, path, flags, Mode::empty()))
    }

    /// What is in `file`, one of those in `supervise/`, as far as it fits.
    pub(crate) fn read(&self, file: &CStr, into: &mut [u8]) -> Result<usize> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::io::read(self.open(file, flags)?, into)
    }

    /// Whether a supervise lives there: what is answered tells, by `POLLERR`,
    /// when it ends.
    pub fn living(&self) -> Result<Option<OwnedFd>> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match self.open(names::OK, flags) {
            Ok(fd) => Ok(Some(fd).filter(|_| !self.is_anothers())),
            Err(why @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => Err(why),
            // Nobody is there, or nobody that could be told anything.
            Err(_) => Ok(None),
        }
    }

    /// Whether one lives whose state is in `root`, a directory from the root.
    #[must_use]
    pub fn lives_in(&self, root: &[u8]) -> bool {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let open = |path: &CStr| fs::openat(self.from, path, flags, Mode::empty());
        self.at_moved(root, names::OK, open).is_ok() && !self.is_anothers_in(root)
    }

    /// Whether it says that it depends on `other` so; of nobody in particular,
    /// whether it may depend on any.
    #[must_use]
    pub fn depends(&self, tie: Tie, other: &CStr) -> bool {
        self.has(directory(tie), Some(other))
    }

    /// Tells the supervise there something.
    pub fn send(&self, bytes: &[u8]) -> core::result::Result<(), ControlTrouble> {
        self.is_free().map_err(ControlTrouble::Open)?;
        self.at(names::CONTROL, |path| Ok(send_to(self.from, path, bytes, false)))
            .map_err(ControlTrouble::Open)?
    }

    /// Whether everything is to end when the service is over.
    #[must_use]
    pub fn is_essential(&self) -> bool {
        self.has(names::ESSENTIAL, None)
    }

    /// Calls `with` with the path of its directory `supervise`, which is made
    /// if it is not there.
    pub fn with_directory<T>(&self, with: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
        self.is_free()?;
        self.at(names::SUPERVISE, |path| {
            make_directory(self.from, path)?;
            with(path)
        })
    }

    /// What the supervise there wrote that was found alive.
    #[must_use]
    pub fn living_record(&self) -> Option<Record> {
        let mut bytes = [0; SIZE];
        let count = self.read(names::STATUS, &mut bytes).ok()?;
        Record::decode(&bytes[..count])
    }

    /// This is the beginning of a container: of what an earlier one has left
    /// on record, what had no process begins anew, as after a boot.
    pub fn begin_anew(&self, boot: &Boot) {
        let was_idle = |record: Record| {
            use Stage::{Down, Needing, Over, There, Waiting};
            matches!(record.own.stage, Down | Waiting | Needing | Over | There)
        };
        if matches!(self.living(), Ok(None)) && self.record(boot).is_some_and(was_idle) {
            // What cannot be removed goes on as it was.
            let _ = self.at(names::STATUS, |path| fs::unlinkat(self.from, path, AtFlags::empty()));
        }
    }

    /// Leaves word for a supervise that is on its way and does not listen yet:
    /// it is there as long as what is answered is open.
    pub fn leave(&self, bytes: &[u8]) -> Result<OwnedFd> {
        self.with_directory(|_| Ok(()))?;
        self.at(names::CONTROL, |path| {
            // It may be there already, also as something else: a look will tell.
            let _ = fs::mknodat(self.from, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0);
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let fifo = fs::openat(self.from, path, flags, Mode::empty())?;
            if FileType::from_raw_mode(fs::fstat(&fifo)?.st_mode) != FileType::Fifo {
                return Err(Errno::EXIST);
            }
            rustix::io::write(&fifo, bytes)?;
            Ok(fifo)
        })
    }

    /// What the supervise there wrote in this boot.
    #[must_use]
    pub fn record(&self, boot: &Boot) -> Option<Record> {
        let mut bytes = [0; SIZE];
        let count = self.read(names::STATUS, &mut bytes).ok()?;
        let directory = self.open(names::SUPERVISE, OFlags::PATH | OFlags::CLOEXEC).ok()?;
        let origin = origin(*boot, &directory).ok()?;
        Record::of_this_boot(&bytes[..count], &origin)
    }
}

fn joined<'a>(into: &'a mut [u8], parts: &[&[u8]], last: &[u8]) -> Result<&'a CStr> {
    let mut at = 0;
    for part in parts.iter().chain([&last]) {
        // The last place stays the zero that ends it.
        let (_, room) = into.split_last_mut().ok_or(Errno::NAMETOOLONG)?;
        let place = room.get_mut(at..at + part.len()).ok_or(Errno::NAMETOOLONG)?;
        place.copy_from_slice(part);
        at += part.len();
    }
    CStr::from_bytes_until_nul(into).map_err(|_| Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn paths_lead_there() {
        let path = |service, logger, file| {
            Elsewhere { from: CWD, service, logger }.at(file, |path| Ok(path.to_owned())).unwrap()
        };
        let (directory, file) = (Some(Log::Directory), Some(Log::File));
        assert_eq!(path(c"web", None, names::OK).as_c_str(), c"web/supervise/ok");
        assert_eq!(path(c"web", directory, names::OK).as_c_str(), c"web/log/supervise/ok");
        assert_eq!(path(c"web", file, names::OK).as_c_str(), c"web/supervise/log/ok");
        let mut long = vec![b'n'; 255];
        long.push(0);
        let service = CStr::from_bytes_with_nul(&long).unwrap();
        assert_eq!(path(service, directory, names::STATUS_NEW).count_bytes(), 255 + 25);
        let moved = |logger| {
            let there = Elsewhere { from: CWD, service: c"web", logger };
            there.at_moved(b"run/sv", names::OK, |path| Ok(path.to_owned())).unwrap()
        };
        assert_eq!(moved(directory).as_c_str(), c"web/log/run/sv/ok");
        assert_eq!(moved(file).as_c_str(), c"web/run/sv/log/ok");
    }
}

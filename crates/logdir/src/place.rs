//! A log directory by its descriptor, and what is done in it: no path is
//! looked up twice, and the process stays where it is.

use crate::runit::Svlogd;
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, CWD, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use upkeep_cli::Exit;

/// svlogd says so of a directory that it could not begin with, whose name it
/// has not noted yet.
const CLOSE: &[&[u8]] = &[b"close: "];

/// The directory.
#[derive(Debug)]
pub(crate) struct Place {
    name: &'static CStr,
    fd: OwnedFd,
    /// Held open because it is held locked.
    _lock: OwnedFd,
}

impl Place {
    /// Opens the directory as svlogd does, and locks it. A warning says why it
    /// cannot be used.
    pub(crate) fn open_as_runit(
        name: &'static CStr,
        runit: &Svlogd,
        voice: &mut Voice,
    ) -> core::result::Result<Self, Exit> {
        let (what, why): (&[u8], _) = match open_directory(name) {
            Ok(fd) => match lock(&fd) {
                Ok(lock) => return Ok(Self { name, fd, _lock: lock }),
                Err(why) => {
                    runit.tell(CLOSE, voice);
                    (b"unable to lock directory: ", why)
                }
            },
            Err(why) if rustix::fs::access(name, Access::READ_OK).is_ok() => {
                runit.tell(CLOSE, voice);
                (b"unable to change directory: ", why)
            }
            Err(why) => (b"unable to open log directory: ", why),
        };
        voice.warn(&[what, name.to_bytes(), b": "], why);
        Err(Exit::System)
    }

    /// Opens the directory, making it if need be, and locks it.
    pub(crate) fn open(name: &'static CStr, voice: &mut Voice) -> core::result::Result<Self, Exit> {
        // If it cannot be made, opening it says why, or it was there.
        let _ = rustix::fs::mkdirat(CWD, name, modes::DIRECTORY);
        let fd = match open_directory(name) {
            Ok(fd) => fd,
            Err(why) => {
                return Err(
                    voice.fatal(&[b"unable to open directory ", name.to_bytes(), b": "], why)
                );
            }
        };
        match lock(&fd) {
            Ok(lock) => Ok(Self { name, fd, _lock: lock }),
            Err(why) => {
                Err(voice.fatal(&[b"unable to lock directory ", name.to_bytes(), b": "], why))
            }
        }
    }

    /// Its name, for messages.
    pub(crate) fn name(&self) -> &'static [u8] {
        self.name.to_bytes()
    }

    /// Its descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Opens a file to add to it, making it if it is not there.
    pub(crate) fn append(&self, file: &CStr) -> Result<OwnedFd> {
        append(&self.fd, file)
    }

    /// Opens a file to read it.
    pub(crate) fn read(&self, file: &CStr) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, file, flags, Mode::empty())
    }

    /// Makes a file, or empties it.
    pub(crate) fn create(&self, file: &CStr) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::TRUNC | OFlags::CREATE;
        rustix::fs::openat(&self.fd, file, flags | OFlags::CLOEXEC, modes::OPEN)
    }

    /// What is known about a file, or nothing if it is not there.
    pub(crate) fn look(&self, file: &CStr) -> Result<Option<Stat>> {
        match rustix::fs::statat(&self.fd, file, AtFlags::empty()) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// Removes a file.
    pub(crate) fn remove(&self, file: &CStr) -> Result<()> {
        rustix::fs::unlinkat(&self.fd, file, AtFlags::empty())
    }

    /// Gives a file another name, in the place of what had it.
    pub(crate) fn rename(&self, from: &CStr, to: &CStr) -> Result<()> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
    }

    /// Gives a file a second name.
    pub(crate) fn link(&self, file: &CStr, name: &CStr) -> Result<()> {
        rustix::fs::linkat(&self.fd, file, &self.fd, name, AtFlags::empty())
    }

    /// Marks a file as finished.
    pub(crate) fn mark_finished(&self, file: &CStr) -> Result<()> {
        rustix::fs::chmodat(&self.fd, file, modes::FINISHED, AtFlags::empty())
    }
}

fn open_directory(name: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(CWD, name, flags, Mode::empty())?;
    // One that may be read but not entered is of no use.
    rustix::fs::statat(&fd, c".", AtFlags::empty())?;
    Ok(fd)
}

fn lock(directory: &OwnedFd) -> Result<OwnedFd> {
    let fd = append(directory, files::LOCK)?;
    rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
    Ok(fd)
}

fn append(directory: &OwnedFd, file: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::APPEND | OFlags::CREATE;
    rustix::fs::openat(directory, file, flags | OFlags::CLOEXEC, modes::PRIVATE)
}

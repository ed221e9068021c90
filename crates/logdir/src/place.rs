//! A log directory by its descriptor, and what is done in it: no path is
//! looked up twice, and the process stays where it is.

use crate::{Settings, Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, CWD, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use upkeep_cli::Exit;

/// What could not be done in a directory.
pub(crate) struct Refusal {
    pub(crate) verb: &'static [u8],
    pub(crate) dir: &'static [u8],
    /// A file in it, if it is about one.
    pub(crate) file: &'static [u8],
    pub(crate) why: Errno,
    /// The directory as a svlogd knows it that leaves it.
    pub(crate) left: Option<&'static [u8]>,
}

impl Refusal {
    /// What is between the directory and the file.
    pub(crate) const fn slash(&self) -> &'static [u8] {
        if self.file.is_empty() { b"" } else { b"/" }
    }

    /// Says so. It is the end, but for a svlogd, which may have others.
    pub(crate) fn report(&self, settings: &Settings, voice: &mut Voice) -> Exit {
        let parts = [self.verb, self.dir, self.slash(), self.file, b": "];
        if let Some(runit) = settings.runit {
            if let Some(left) = self.left {
                runit.tell(&[b"close: ", left], voice);
            }
            voice.warn(&parts, self.why);
            return Exit::System;
        }
        voice.fatal(&parts, self.why)
    }
}

/// The directory.
#[derive(Debug)]
pub(crate) struct Place {
    name: &'static CStr,
    fd: OwnedFd,
    /// Its device and inode.
    id: (u64, u64),
    /// Held open because it is held locked.
    lock: OwnedFd,
}

impl Place {
    /// Opens the directory, and locks it.
    pub(crate) fn open(settings: &Settings) -> core::result::Result<Self, Refusal> {
        match settings.runit {
            None if settings.s6.is_some() => Self::open_or_make(settings.name, modes::OPEN),
            None => Self::open_or_make(settings.name, modes::PRIVATE),
            Some(_) => Self::open_as_runit(settings.name),
        }
    }

    /// Opens the directory as svlogd does, and locks it.
    fn open_as_runit(name: &'static CStr) -> core::result::Result<Self, Refusal> {
        let (verb, why, left): (&'static [u8], _, Option<&[u8]>) = match open_directory(name) {
            Ok((fd, stat)) => match lock(&fd, modes::PRIVATE) {
                Ok(lock) => {
                    let id = (stat.st_dev, stat.st_ino);
                    return Ok(Self { name, fd, id, lock });
                }
                Err(why) => (b"unable to lock directory: ", why, Some(b"")),
            },
            Err(why) if rustix::fs::access(name, Access::READ_OK).is_ok() => {
                (b"unable to change directory: ", why, Some(b""))
            }
            Err(why) => (b"unable to open log directory: ", why, None),
        };
        Err(Refusal { verb, dir: name.to_bytes(), file: b"", why, left })
    }

    /// Opens the directory, making it if need be, and locks it.
    fn open_or_make(name: &'static CStr, mode: Mode) -> core::result::Result<Self, Refusal> {
        let refusal = |verb| {
            move |why| {
                let dir = name.to_bytes();
                Refusal { verb, dir, file: b"", why, left: None }
            }
        };
        // If it cannot be made, opening it says why, or it was there.
        let _ = rustix::fs::mkdirat(CWD, name, modes::DIRECTORY);
        let (fd, stat) = open_directory(name).map_err(refusal(b"unable to open directory "))?;
        let lock = lock(&fd, mode).map_err(refusal(b"unable to lock directory "))?;
        Ok(Self { name, fd, id: (stat.st_dev, stat.st_ino), lock })
    }

    /// Whether its name still leads to it.
    pub(crate) fn is_in_its_place(&self) -> bool {
        rustix::fs::statat(CWD, self.name, AtFlags::empty())
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.id)
    }

    /// Whether somebody has removed it.
    pub(crate) fn is_removed(&self) -> bool {
        rustix::fs::fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// What was done, or nothing if it cannot be because somebody has removed
    /// the directory.
    pub(crate) fn unless_removed<T>(&self, done: Result<T>) -> Result<Option<T>> {
        match done {
            Err(Errno::NOENT) if self.is_removed() => Ok(None),
            other => other.map(Some),
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

    /// What holds the lock.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Opens a file to add to it, making it if it is not there.
    pub(crate) fn append(&self, file: &CStr) -> Result<OwnedFd> {
        append(&self.fd, file, modes::PRIVATE)
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

    /// Makes a file that nobody else has open.
    pub(crate) fn create_new(&self, file: &CStr) -> Result<OwnedFd> {
        let _ = self.remove(file);
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CREATE | OFlags::EXCL;
        rustix::fs::openat(&self.fd, file, flags | OFlags::CLOEXEC, modes::OPEN)
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

fn open_directory(name: &CStr) -> Result<(OwnedFd, Stat)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(CWD, name, flags, Mode::empty())?;
    // One that may be read but not entered is of no use.
    let stat = rustix::fs::statat(&fd, c".", AtFlags::empty())?;
    Ok((fd, stat))
}

/// Whether a logger has the directory.
#[must_use]
pub fn is_in_use(directory: impl AsFd) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(directory, files::LOCK, flags, Mode::empty())
        .and_then(|lock| rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive))
        == Err(Errno::WOULDBLOCK)
}

/// `mode` is for a new file.
fn lock(directory: &OwnedFd, mode: Mode) -> Result<OwnedFd> {
    let fd = append(directory, files::LOCK, mode)?;
    rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
    Ok(fd)
}

fn append(directory: &OwnedFd, file: &CStr, mode: Mode) -> Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::APPEND | OFlags::CREATE;
    rustix::fs::openat(directory, file, flags | OFlags::CLOEXEC, mode)
}

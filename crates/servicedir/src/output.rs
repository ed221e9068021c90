//! The pipe between a service and its logger: a FIFO with a name, so that
//! anyone can pick it up again, held by svscan, svhold and both supervises, so
//! that no one death empties it, ends it or breaks it.

use crate::elsewhere::Elsewhere;
use crate::keeper::make_directory;
use crate::{names, place};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::stdio::{stdin, stdout};
use upkeep_sys::inherited;

/// Both ends of the pipe of `service`, reading end first. Makes it if it is
/// not there.
pub fn open_output(service: &CStr) -> Result<(OwnedFd, OwnedFd)> {
    let service = Elsewhere { from: CWD, service, logger: None };
    service.at(names::SUPERVISE, |path| make_directory(CWD, path))?;
    service.at(names::OUTPUT, open)
}

fn open(path: &CStr) -> Result<(OwnedFd, OwnedFd)> {
    // It may be there already, also as something else: a look will tell.
    let _ = fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0);
    // Opened for both, no end waits for the other, and both are such that
    // whoever inherits them waits as with any pipe.
    let both = fs::open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    if FileType::from_raw_mode(fs::fstat(&both)?.st_mode) != FileType::Fifo {
        return Err(Errno::EXIST);
    }
    let read = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    drop(both);
    let write = fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((read, write))
}

/// The ends that a supervise holds beside the one that its service has: of its
/// own service's pipe the reading end, of the pipe that its service reads the
/// writing end.
#[derive(Debug, Default)]
pub struct Pipes {
    reader: Option<OwnedFd>,
    writer: Option<OwnedFd>,
}

impl Pipes {
    /// Takes hold of what the current directory has and is in use here.
    #[must_use]
    pub fn hold() -> Self {
        let reader = place::at(names::OUTPUT, |output| hold(output, stdout(), OFlags::RDONLY));
        let writer = place::at_input(|input| hold(input, stdin(), OFlags::WRONLY));
        Self { reader, writer }
    }

    /// The reader may see the end now, when the last writer has gone.
    pub fn let_end(&mut self) {
        self.writer = None;
    }

    /// Lets them survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        for fd in [&self.reader, &self.writer].into_iter().flatten() {
            inherited::close_on_exec(fd, !survives)?;
        }
        Ok(())
    }
}

fn hold(name: &CStr, used: rustix::fd::BorrowedFd<'_>, mode: OFlags) -> Option<OwnedFd> {
    let stat = fs::fstat(used).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return None;
    }
    let named = fs::stat(name).ok()?;
    if (stat.st_dev, stat.st_ino) != (named.st_dev, named.st_ino) {
        return None;
    }
    inherited::take(&named, mode.bits())
        .or_else(|| fs::open(name, mode | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok())
}

//! The pipe between a service and its logger, and those from a service to
//! svlines: FIFOs with names, so that anyone can pick them up again, held by
//! svscan, svhold and supervises, so that no one death empties them, ends them
//! or breaks them.

use crate::elsewhere::Elsewhere;
use crate::{names, place};
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::stdio::{stderr, stdin, stdout};
use upkeep_core::hold::Stream;
use upkeep_sys::inherited;

/// Both ends of the pipe of `service`, reading end first. Makes it if it is
/// not there.
pub fn open_output(service: &CStr) -> Result<(OwnedFd, OwnedFd)> {
    let service = Elsewhere { from: CWD, service, logger: None };
    service.with_directory(|_| Ok(()))?;
    service.at(names::OUTPUT, open_fifo)
}

/// The same for one of the pipes of `service` to svlines. Whoever has it may
/// open it again, by /dev/stdout, also when he is not root any more; nobody
/// else gets into the directory in which it is.
pub fn open_stream(service: &CStr, stream: Stream) -> Result<(OwnedFd, OwnedFd)> {
    let service = Elsewhere { from: CWD, service, logger: None };
    service.with_directory(|_| Ok(()))?;
    let (read, write) = service.at(name(stream), open_fifo)?;
    // Somebody else's is as he wants it.
    let _ = fs::fchmod(&read, Mode::from_raw_mode(0o622));
    Ok((read, write))
}

/// Whether somebody writes to that pipe, as whoever was started with it does.
#[must_use]
pub fn is_written(service: &CStr, stream: Stream) -> bool {
    let service = Elsewhere { from: CWD, service, logger: None };
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
    let looked = service.at(name(stream), |path| {
        // Opened while there is a writer, an end is told that there is none.
        let both = fs::open(path, OFlags::RDWR | flags, Mode::empty())?;
        let read = fs::open(path, OFlags::RDONLY | flags, Mode::empty())?;
        drop(both);
        let mut fds = [PollFd::new(&read, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default()))?;
        Ok(!fds[0].revents().contains(PollFlags::HUP))
    });
    looked.unwrap_or(false)
}

const fn name(stream: Stream) -> &'static CStr {
    match stream {
        Stream::Out => names::STDOUT,
        Stream::Err => names::STDERR,
    }
}

/// Both ends of the FIFO `path`, reading end first. Makes it if it is not
/// there.
pub fn open_fifo(path: &CStr) -> Result<(OwnedFd, OwnedFd)> {
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
/// own service's pipes the reading ends, of the pipe that its service reads the
/// writing end.
#[derive(Debug, Default)]
pub struct Pipes {
    readers: [Option<OwnedFd>; 2],
    writer: Option<OwnedFd>,
}

impl Pipes {
    /// Takes hold of what the current directory has and is in use here.
    #[must_use]
    pub fn hold() -> Self {
        let read = |name, used| place::at(name, |name| hold(name, used, OFlags::RDONLY));
        let out = read(names::OUTPUT, stdout()).or_else(|| read(names::STDOUT, stdout()));
        let readers = [out, read(names::STDERR, stderr())];
        let writer = place::at_input(|input| hold(input, stdin(), OFlags::WRONLY));
        Self { readers, writer }
    }

    /// The reader may see the end now, when the last writer has gone.
    pub fn let_end(&mut self) {
        self.writer = None;
    }

    /// Lets them survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        for fd in self.readers.iter().chain([&self.writer]).flatten() {
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

//! The socket on which a service says how it does, as systemd has it. Its name
//! is abstract, so that it is within reach of a service that has left its user
//! or its root directory, and stands in a file, so that the next supervise
//! opens it under the same name.

use crate::keeper::{Trouble, replace};
use crate::{names, place};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_core::notice::Texts;
use upkeep_sys::datagram::{self, NAME, Name, Received};
use upkeep_sys::inherited;

/// supervise's end.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    name: Name,
}

impl Socket {
    /// Opens it, under the name that it had if that can be had.
    pub fn open() -> Result<Self> {
        if let Some(name) = recorded()
            && let Ok(socket) = Self::under(name)
        {
            return Ok(socket);
        }
        let socket = Self::under(datagram::new_name()?)?;
        write(&socket.name)?;
        Ok(socket)
    }

    /// The one that an earlier supervise had, or another one of the same name:
    /// the service knows no other.
    #[must_use]
    pub fn again() -> Option<Self> {
        let name = recorded()?;
        let fd = datagram::inherited(&name);
        fd.map_or_else(|| Self::under(name).ok(), |fd| Some(Self { fd, name }))
    }

    fn under(name: Name) -> Result<Self> {
        Ok(Self { fd: datagram::open(&name)?, name })
    }

    /// Its name, without what tells that it is abstract.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// Takes the next message.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Received> {
        datagram::receive(&self.fd, buffer)
    }

    /// Lets it survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        inherited::close_on_exec(&self.fd, !survives)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn recorded() -> Option<Name> {
    let file = place::open(names::SOCKET, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut line = [0; NAME + 2];
    let count = rustix::io::read(&file, &mut line).ok()?;
    let (name, rest) = line[..count].strip_prefix(b"@")?.split_first_chunk()?;
    (rest == b"\n" && name.iter().all(u8::is_ascii_hexdigit)).then_some(*name)
}

fn write(name: &Name) -> Result<()> {
    let mut line = [b'\n'; NAME + 2];
    line[0] = b'@';
    line[1..=NAME].copy_from_slice(name);
    replace(names::SOCKET_NEW, names::SOCKET, &line)
        .map_err(|trouble| trouble.why.unwrap_or(Errno::IO))
}

/// What the service has said for people so far, and its supervise has written
/// down.
#[must_use]
pub fn said_before() -> Texts {
    let mut texts = Texts::NONE;
    let mut lines = [0; 512];
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = place::open(names::SAID, flags, Mode::empty());
    if let Ok(count) = file.and_then(|file| rustix::io::read(&file, &mut lines)) {
        for line in lines[..count].split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            texts.put(line);
        }
    }
    texts
}

/// Writes down what the service has said for people, or that it has said
/// nothing.
pub fn write_said(lines: &[u8]) -> core::result::Result<(), Trouble> {
    if !lines.is_empty() {
        return replace(names::SAID_NEW, names::SAID, lines);
    }
    match place::unlink(names::SAID) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(why) => Err(Trouble { verb: "remove", file: names::SAID, why: Some(why) }),
    }
}

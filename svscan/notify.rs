//! Telling whoever has started svscan how far it is, as systemd's services do:
//! one message when the services have been started, and one when they are about
//! to go. A main command speaks for itself, and has the socket to itself.

use crate::svscan::options::Options;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Result;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};
use upkeep_sys::exec;

/// Names the socket; nothing that svscan starts but the command is to have it.
pub(crate) const SOCKET: &CStr = c"NOTIFY_SOCKET";

/// What was said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Ready,
    Stopping,
}

/// The line to whoever wants to know.
pub(crate) struct Notify {
    line: Option<OwnedFd>,
    said: Said,
}

impl Notify {
    /// Who does not say where it can be told is not told, nor who cannot be
    /// reached.
    pub(crate) fn new(options: &Options) -> Self {
        let name = exec::variable(SOCKET.to_bytes()).filter(|_| options.command.is_none());
        Self { line: name.and_then(|name| line_to(name).ok()), said: Said::Nothing }
    }

    pub(crate) fn ready(&mut self) {
        self.say(Said::Ready, b"READY=1");
    }

    pub(crate) fn stopping(&mut self) {
        self.say(Said::Stopping, b"STOPPING=1");
    }

    fn say(&mut self, what: Said, message: &[u8]) {
        if self.said < what {
            self.said = what;
            if let Some(line) = &self.line {
                // One that is full, or gone, is not waited for.
                let _ = send(line, message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
            }
        }
    }
}

fn line_to(name: &[u8]) -> Result<OwnedFd> {
    let to = match name.strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(name)?,
    };
    let line = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    connect(&line, &to)?;
    Ok(line)
}

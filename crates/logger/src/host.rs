//! A log host: a datagram for each line, which is lost if it is lost.

use rustix::fd::OwnedFd;
use rustix::io::{Errno, IoSlice};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sendmsg_addr,
    socket_with,
};
use std::net::SocketAddr;
use upkeep_logdir::Voice;

/// As many parts may a line have.
const PARTS: usize = 3;

/// Where copies of lines go.
pub(crate) struct Host {
    to: SocketAddr,
    socket: Option<OwnedFd>,
    /// Whether it was said that it does not work.
    said: bool,
}

impl Host {
    /// Nothing is sent yet.
    pub(crate) const fn new(to: SocketAddr) -> Self {
        Self { to, socket: None, said: false }
    }

    /// Sends one line, which has at most three parts, if that can be done now.
    pub(crate) fn send(&mut self, line: &[&[u8]], voice: &mut Voice) {
        match self.try_to_send(line) {
            Ok(()) => self.said = false,
            // Nobody listened to an earlier one, or there is no room now.
            Err(Errno::CONNREFUSED | Errno::AGAIN | Errno::NOBUFS | Errno::INTR) => {}
            Err(why) => {
                if !core::mem::replace(&mut self.said, true) {
                    let to = self.to.to_string();
                    voice.warn(&[b"unable to send to ", to.as_bytes(), b": "], why);
                }
            }
        }
    }

    fn try_to_send(&mut self, line: &[&[u8]]) -> Result<(), Errno> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => {
                let family =
                    if self.to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
                let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
                self.socket.insert(socket_with(family, SocketType::DGRAM, flags, None)?)
            }
        };
        let mut slices = [IoSlice::new(b""); PARTS];
        for (slice, part) in slices.iter_mut().zip(line) {
            *slice = IoSlice::new(part);
        }
        let mut nothing = SendAncillaryBuffer::default();
        sendmsg_addr(socket, &self.to, &slices, &mut nothing, SendFlags::empty()).map(|_| ())
    }
}

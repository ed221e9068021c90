//! The line between svscan and svhold, or svlines. A pipe is not told by its
//! name but handed over, so that it is held from the moment at which it was
//! sent, whoever is killed then, and also if it has no name.

use core::mem::MaybeUninit;
use rustix::cmsg_space;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::fstat;
use rustix::io::{Errno, IoSlice, IoSliceMut, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, recvmsg,
    send, sendmsg, socketpair,
};
use upkeep_core::hold::{Message, Pipe};

/// Which pipe it is.
pub fn identify(pipe: impl AsFd) -> Result<Pipe> {
    fstat(pipe).map(|stat| Pipe { device: stat.st_dev, inode: stat.st_ino })
}

/// svscan's end. It never waits: `AGAIN` means that there is no room now.
#[derive(Debug)]
pub struct Teller(OwnedFd);

/// What svscan hears from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// Not everything could be held: tell it again later.
    Again,
    /// Nothing is left in this pipe, which was let go of.
    Done(Pipe),
    /// Nobody is there any more.
    Gone,
}

impl Teller {
    /// A line; the other end is to be its standard input.
    pub fn open() -> Result<(Self, OwnedFd)> {
        let (domain, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
        let (one, other) = socketpair(domain, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), other))
    }

    /// Says something that goes without a pipe.
    pub fn tell(&self, message: Message) -> Result<()> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        send(&self.0, &message.encode(), flags).map(drop)
    }

    /// Hands over a pipe.
    pub fn hold(&self, pipe: BorrowedFd<'_>) -> Result<()> {
        self.hand(pipe, identify(pipe)?, b"")
    }

    /// Hands over a pipe, and says what it is.
    pub fn hand(&self, pipe: BorrowedFd<'_>, which: Pipe, what: &[u8]) -> Result<()> {
        let message = Message::Hold(which).encode();
        let pipes = [pipe];
        let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        if !control.push(SendAncillaryMessage::ScmRights(&pipes)) {
            return Err(Errno::NOBUFS);
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let parts = [IoSlice::new(&message), IoSlice::new(what)];
        sendmsg(&self.0, &parts, &mut control, flags).map(drop)
    }

    /// What it has to say.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let mut bytes = [0; Message::SIZE];
        loop {
            match recv(&self.0, &mut bytes[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Answer::Gone,
                Ok((n, _)) => match Message::decode(&bytes[..n]) {
                    Some(Message::LetGo(which)) => return Answer::Done(which),
                    _ => return Answer::Again,
                },
                Err(Errno::AGAIN) => return Answer::Nothing,
                Err(Errno::INTR) => {}
                Err(_) => return Answer::Gone,
            }
        }
    }
}

impl AsFd for Teller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What svhold and svlines hear from svscan.
#[derive(Debug)]
pub enum Heard {
    /// Hold this pipe. Without a descriptor there was no room for one.
    Hold(Pipe, Option<OwnedFd>),
    /// Anything else.
    Other(Message),
    /// svscan is no more.
    Gone,
}

/// The next message on `line`, svhold's end; waits for it.
pub fn hear(line: BorrowedFd<'_>) -> Result<Heard> {
    hear_what(line, &mut []).map(|(heard, _)| heard)
}

/// The same, and how long what was said with it is, which is put into `what`.
pub fn hear_what(line: BorrowedFd<'_>, what: &mut [u8]) -> Result<(Heard, usize)> {
    loop {
        let mut bytes = [0; Message::SIZE];
        let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let mut parts = [IoSliceMut::new(&mut bytes), IoSliceMut::new(what)];
        let message = match recvmsg(line, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // That what was said here has not been heard comes before what
            // is still to be heard.
            Err(Errno::INTR | Errno::CONNRESET) => continue,
            answer => answer?,
        };
        let mut pipe = None;
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(mut pipes) = part {
                pipe = pipes.next();
            }
        }
        if message.bytes == 0 {
            return Ok((Heard::Gone, 0));
        }
        let is_cut = message.flags.contains(ReturnFlags::TRUNC);
        let said = message.bytes.saturating_sub(Message::SIZE);
        match Message::decode(&bytes[..message.bytes - said]).filter(|_| !is_cut) {
            Some(Message::Hold(which)) => return Ok((Heard::Hold(which, pipe), said)),
            Some(other) => return Ok((Heard::Other(other), said)),
            // Of a svscan that is newer than this.
            None => {}
        }
    }
}

/// Asks svscan to tell everything again later.
pub fn ask_again(line: BorrowedFd<'_>) {
    // Without room it has been asked already, and one that is no more cannot
    // be asked.
    let _ = send(line, b"?", SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// Tells svscan that nothing is left in a pipe; says whether that could be
/// said now.
pub fn done(line: BorrowedFd<'_>, which: Pipe) -> bool {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    // One that is no more need not know.
    send(line, &Message::LetGo(which).encode(), flags) != Err(Errno::AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_handed_over() {
        let (teller, line) = Teller::open().unwrap();
        let (read, write) = rustix::pipe::pipe().unwrap();
        teller.hold(read.as_fd()).unwrap();
        // From now on it is held.
        let expected = identify(&read).unwrap();
        drop(read);
        assert_eq!(rustix::io::write(&write, b"line"), Ok(4));
        let Ok(Heard::Hold(which, Some(pipe))) = hear(line.as_fd()) else { panic!("no pipe") };
        assert_eq!((which, identify(&pipe)), (expected, Ok(expected)));
        let mut text = [0; 8];
        assert_eq!(rustix::io::read(&pipe, &mut text), Ok(4));
    }

    #[test]
    fn what_is_said_comes_in_order_and_after_a_death_too() {
        let (teller, line) = Teller::open().unwrap();
        assert_eq!(teller.answer(), Answer::Nothing);
        ask_again(line.as_fd());
        assert_eq!(teller.answer(), Answer::Again);
        for message in [Message::Told, Message::End] {
            teller.tell(message).unwrap();
        }
        ask_again(line.as_fd());
        drop(teller);
        assert!(matches!(hear(line.as_fd()), Ok(Heard::Other(Message::Told))));
        assert!(matches!(hear(line.as_fd()), Ok(Heard::Other(Message::End))));
        assert!(matches!(hear(line.as_fd()), Ok(Heard::Gone)));
    }

    #[test]
    fn nobody_is_waited_for() {
        let (teller, line) = Teller::open().unwrap();
        let told = (0..100_000).map(|_| teller.tell(Message::Told));
        assert_eq!(told.filter_map(Result::err).next(), Some(Errno::AGAIN));
        drop(line);
        assert_eq!(teller.answer(), Answer::Gone);
        assert_eq!(teller.tell(Message::Told), Err(Errno::PIPE));
    }
}

//! A socket that takes messages from anybody on this machine, and with each
//! the number of the process that has sent it.

use crate::exec::last_errno;
use crate::inherited::close_on_exec;
use core::mem::{size_of, zeroed};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::{FdFlags, Result, fcntl_getfd};

/// The length of a name.
pub const NAME: usize = 16;
/// A name in the abstract name space, without the zero byte before it.
pub type Name = [u8; NAME];
/// Room for who has sent a message, and for descriptors that come along.
const CONTROL: usize = 192;

/// A message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// How long it is.
    pub len: usize,
    /// Who has sent it; 0 if that cannot be named here.
    pub sender: u32,
    /// For which user.
    pub user: u32,
    /// Whether it did not fit.
    pub cut: bool,
}

/// A name that nobody has, as far as chance goes.
pub fn new_name() -> Result<Name> {
    let mut random = [0_u8; NAME / 2];
    // SAFETY: the buffer is as long as it says.
    let count = unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) };
    if count != random.len().cast_signed() {
        return Err(last_errno());
    }
    let digit = |byte: u8| b"0123456789abcdef"[usize::from(byte & 15)];
    let mut name = [0; NAME];
    for (pair, byte) in name.chunks_exact_mut(2).zip(random) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte)]);
    }
    Ok(name)
}

/// Opens a socket under this name.
pub fn open(name: &Name) -> Result<OwnedFd> {
    // SAFETY: a new socket.
    let raw = unsafe {
        libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
    };
    if raw == -1 {
        return Err(last_errno());
    }
    // SAFETY: it was just opened, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    let on: libc::c_int = 1;
    let (address, len) = address(name);
    // SAFETY: each value is as long as it says.
    let done = unsafe {
        libc::setsockopt(
            raw,
            libc::SOL_SOCKET,
            libc::SO_PASSCRED,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        ) == 0
            && libc::bind(raw, (&raw const address).cast(), len) == 0
    };
    if done { Ok(socket) } else { Err(last_errno()) }
}

/// The socket of this name that survived an exec.
#[must_use]
pub fn inherited(name: &Name) -> Option<OwnedFd> {
    let (wanted, wanted_len) = address(name);
    (3..=31).find_map(|number| {
        // SAFETY: it is only looked at, and where it is not open, every call
        // says so.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl_getfd(fd).ok()?.contains(FdFlags::CLOEXEC) {
            return None;
        }
        // SAFETY: all zeros is an address.
        let mut found: libc::sockaddr_un = unsafe { zeroed() };
        let mut len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        // SAFETY: the address is as long as `len` says.
        let answer = unsafe { libc::getsockname(number, (&raw mut found).cast(), &raw mut len) };
        if answer != 0 || len != wanted_len || found.sun_path != wanted.sun_path {
            return None;
        }
        // SAFETY: it survived an exec, so nothing in this program has it.
        let owned = unsafe { OwnedFd::from_raw_fd(number) };
        close_on_exec(&owned, true).ok()?;
        Some(owned)
    })
}

/// Takes a message. Descriptors that came with it are closed, which is what
/// those who wait for their message to be read wait for.
#[inline(never)]
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<Received> {
    #[repr(align(8))]
    struct Control([u8; CONTROL]);
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all zeros is a header.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL as _;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the header points at buffers of the lengths that it says.
    let count = unsafe { libc::recvmsg(fd, &raw mut header, libc::MSG_CMSG_CLOEXEC) };
    let len = usize::try_from(count).map_err(|_| last_errno())?;
    let (mut sender, mut user) = (0, u32::MAX);
    // SAFETY: the kernel has filled the header in; what is behind each part is
    // read as what the part says that it is, wherever it is aligned.
    unsafe {
        let mut part = libc::CMSG_FIRSTHDR(&raw const header);
        while !part.is_null() {
            let data = libc::CMSG_DATA(part);
            match ((*part).cmsg_level, (*part).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => {
                    let who: libc::ucred = core::ptr::read_unaligned(data.cast());
                    sender = who.pid.unsigned_abs();
                    user = who.uid;
                }
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let size = size_of::<libc::c_int>();
                    let bytes =
                        ((*part).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
                    for at in 0..bytes / size {
                        libc::close(core::ptr::read_unaligned(data.add(at * size).cast()));
                    }
                }
                _ => {}
            }
            part = libc::CMSG_NXTHDR(&raw const header, part);
        }
    }
    Ok(Received { len, sender, user, cut: header.msg_flags & libc::MSG_TRUNC != 0 })
}

fn address(name: &Name) -> (libc::sockaddr_un, libc::socklen_t) {
    // SAFETY: all zeros is an address.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    // The zero before the name is what makes it abstract.
    for (slot, byte) in address.sun_path[1..].iter_mut().zip(name) {
        *slot = *byte as _;
    }
    let len = core::mem::offset_of!(libc::sockaddr_un, sun_path) + 1 + NAME;
    (address, len as libc::socklen_t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    #[test]
    fn a_message_comes_with_its_sender() {
        let name = new_name().unwrap();
        assert_ne!(name, new_name().unwrap());
        let socket = open(&name).unwrap();
        assert_eq!(open(&name).unwrap_err(), rustix::io::Errno::ADDRINUSE);
        let mut buffer = [0; 8];
        let again = rustix::io::Errno::AGAIN;
        assert_eq!(receive(&socket, &mut buffer).unwrap_err(), again);
        let to = SocketAddr::from_abstract_name(name).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.send_to_addr(b"READY=1", &to).unwrap();
        let sender = std::process::id();
        let user = rustix::process::getuid().as_raw();
        let expected = Received { len: 7, sender, user, cut: false };
        assert_eq!(receive(&socket, &mut buffer), Ok(expected));
        assert_eq!(&buffer[..7], b"READY=1");
        client.send_to_addr(b"READY=1 and more", &to).unwrap();
        assert!(receive(&socket, &mut buffer).unwrap().cut);
    }

    /// As many as there is room for are made, and none is kept.
    #[test]
    fn descriptors_are_closed() {
        use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix};
        use std::mem::MaybeUninit;
        let name = new_name().unwrap();
        let socket = open(&name).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        for count in [1, 36, 200] {
            let passed = vec![writer.as_fd(); count];
            let mut room = vec![MaybeUninit::uninit(); 2048];
            let mut control = SendAncillaryBuffer::new(&mut room);
            assert!(control.push(SendAncillaryMessage::ScmRights(&passed)));
            let to = SocketAddrUnix::new_abstract_name(&name).unwrap();
            let message = [rustix::io::IoSlice::new(b"x")];
            let flags = SendFlags::empty();
            rustix::net::sendmsg_addr(&client, &to, &message, &mut control, flags).unwrap();
            receive(&socket, &mut [0; 8]).unwrap();
        }
        drop(writer);
        // Nobody has the other end any more.
        let mut fds = [rustix::event::PollFd::new(&reader, rustix::event::PollFlags::empty())];
        let now = rustix::event::Timespec::default();
        assert_eq!(rustix::event::poll(&mut fds, Some(&now)), Ok(1));
    }
}

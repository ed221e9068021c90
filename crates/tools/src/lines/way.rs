//! The way to somebody who may not read. Others write to the same pipe, so that
//! it may be full by the time that something is written: nothing waits in there
//! even then, and the flag for that, which all who share an open file share,
//! stays as they have it.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{self, Errno, IoSlice, ReadWriteFlags, Result};
use rustix::net::{SendFlags, send};
use rustix::termios::isatty;
use upkeep_sys::refuse::refused;

/// How one writes there.
#[derive(Debug)]
pub(crate) enum Way {
    /// A pipe or a terminal, opened anew: that flag is its own.
    Own(OwnedFd),
    /// A socket, which is told each time.
    Socket(BorrowedFd<'static>),
    /// A pipe that cannot be opened anew: the kernel is told each time. One
    /// before Linux 6.4 does not hear it, nor does any of a pipe with a name;
    /// there nothing but a look before each write keeps it from waiting.
    Pipe(BorrowedFd<'static>),
    /// A file, or a device, which nobody has to read.
    Plain(BorrowedFd<'static>),
}

/// The device of the side of a pseudo terminal that shows it: opened anew, it is
/// that of another one.
const MASTER: (u32, u32) = (5, 2);

/// What `fd` is open for, opened anew for writing without waiting, if that is a
/// pipe or a terminal, can be found and may be opened.
#[must_use]
pub fn open_own(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    let stat = fs::fstat(fd).ok()?;
    let is_terminal = || isatty(fd) && stat.st_rdev != fs::makedev(MASTER.0, MASTER.1);
    if refused(b"proc") || !(is(&stat, FileType::Fifo) || is_terminal()) {
        return None;
    }
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let own = fs::openat(CWD, path, flags, Mode::empty()).ok()?;
    let found = fs::fstat(&own).ok()?;
    ((found.st_dev, found.st_ino) == (stat.st_dev, stat.st_ino)).then_some(own)
}

fn is(stat: &fs::Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

impl Way {
    /// The one to what `fd` is open for.
    pub(crate) fn to(fd: BorrowedFd<'static>) -> Self {
        if let Some(own) = open_own(fd) {
            return Self::Own(own);
        }
        match fs::fstat(fd) {
            Ok(stat) if is(&stat, FileType::Socket) => Self::Socket(fd),
            Ok(stat) if is(&stat, FileType::Fifo) => Self::Pipe(fd),
            _ => Self::Plain(fd),
        }
    }

    /// Whether it never waits, so that nobody has to look before.
    pub(crate) const fn is_sure(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Socket(_))
    }

    /// Writes some of it; `AGAIN` if there is no room.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Own(fd) => io::write(fd, bytes),
            Self::Plain(fd) => io::write(fd, bytes),
            Self::Socket(fd) => send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Pipe(fd) => {
                // Not at a place: where it is.
                let place = u64::MAX;
                match io::pwritev2(fd, &[IoSlice::new(bytes)], place, ReadWriteFlags::NOWAIT) {
                    Err(Errno::OPNOTSUPP | Errno::NOSYS) => io::write(fd, bytes),
                    written => written,
                }
            }
        }
    }
}

impl AsFd for Way {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Socket(fd) | Self::Pipe(fd) | Self::Plain(fd) => *fd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fcntl_getfl;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use rustix::pipe::{fcntl_getpipe_size, pipe};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn leak(fd: OwnedFd) -> BorrowedFd<'static> {
        let fd: &'static OwnedFd = Box::leak(Box::new(fd));
        fd.as_fd()
    }

    /// A pipe in which there is room for so much and no more, because another
    /// has written to it.
    fn pipe_with_room(room: usize) -> (OwnedFd, BorrowedFd<'static>) {
        let (read, write) = pipe().unwrap();
        let others = vec![b'x'; fcntl_getpipe_size(&write).unwrap() - room];
        assert_eq!(io::write(&write, &others), Ok(others.len()));
        (read, leak(write))
    }

    /// What is answered, unless that takes too long.
    fn written(way: Way, len: usize) -> Result<usize> {
        let (say, hear) = channel();
        std::thread::spawn(move || say.send(way.write(&vec![b'y'; len])));
        hear.recv_timeout(Duration::from_secs(20)).expect("waits for a reader")
    }

    #[test]
    fn the_master_of_a_terminal_is_not_opened_anew() {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let master = fs::openat(CWD, "/dev/ptmx", flags, Mode::empty()).unwrap();
        assert!(open_own(master.as_fd()).is_none());
    }

    #[test]
    fn a_pipe_that_another_has_filled_is_not_waited_for() {
        for room in [0, 100] {
            let (read, write) = pipe_with_room(room);
            assert!(matches!(Way::to(write), Way::Own(_)));
            assert_eq!(written(Way::to(write), 200), Err(Errno::AGAIN));
            // The others wait as they did.
            assert!(!fcntl_getfl(write).unwrap().contains(OFlags::NONBLOCK));
            io::read(&read, &mut [0; 4096]).unwrap();
            assert_eq!(written(Way::to(write), 200), Ok(200));
        }
    }

    #[test]
    fn one_that_cannot_be_opened_anew_neither() {
        let (_read, write) = pipe_with_room(100);
        let one = [IoSlice::new(b"y")];
        if io::pwritev2(write, &one, u64::MAX, ReadWriteFlags::NOWAIT).is_ok() {
            assert_eq!(written(Way::Pipe(write), 200), Err(Errno::AGAIN));
        }
        assert_eq!(written(Way::Pipe(write), 99), Ok(99));
    }

    #[test]
    fn a_full_socket_is_not_waited_for() {
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let (one, other) = socketpair(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        let one = leak(one);
        while send(one, &[0; 4096], SendFlags::DONTWAIT).is_ok() {}
        assert!(matches!(Way::to(one), Way::Socket(_)));
        assert_eq!(written(Way::to(one), 200), Err(Errno::AGAIN));
        drop(other);
        assert_eq!(written(Way::to(one), 200), Err(Errno::PIPE));
    }

    #[test]
    fn a_file_is_written_at_its_end() {
        let name = c"upkeep-way";
        let file = fs::memfd_create(name, fs::MemfdFlags::CLOEXEC).unwrap();
        assert_eq!(io::write(&file, b"one "), Ok(4));
        let file = leak(file);
        let way = Way::to(file);
        assert!(matches!(way, Way::Plain(_)));
        assert_eq!(way.write(b"two"), Ok(3));
        let mut all = [0; 8];
        assert_eq!(io::pread(file, &mut all, 0), Ok(7));
        assert_eq!(&all[..7], b"one two");
    }
}

//! supervise's side: claim the directory, keep its FIFOs open, write its
//! status. Nothing here allocates.

use crate::names;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, Result};

/// What could not be done, to which file, and why.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// As in "unable to `verb`".
    pub verb: &'static str,
    /// The file, from the service directory.
    pub file: &'static CStr,
    /// The system's reason, or none if the file itself is the trouble.
    pub why: Option<Errno>,
}

impl Trouble {
    fn because(verb: &'static str, file: &'static CStr) -> impl Fn(Errno) -> Self {
        move |why| Self { verb, file, why: Some(why) }
    }

    /// The reason where it is not the system's.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        if self.why.is_some() { "" } else { "not a fifo" }
    }
}

/// A claimed service directory. It is held as long as this lives.
#[derive(Debug)]
pub struct Keeper {
    _lock: OwnedFd,
    control: OwnedFd,
    /// Keeps the FIFO from being at its end while no client is there.
    _control_writer: OwnedFd,
    ok: Option<OwnedFd>,
}

const MINE: Mode = Mode::from_raw_mode(0o600);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const WRITE: OFlags = OFlags::WRONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Keeper {
    /// Locks the current directory and opens its control FIFO.
    pub fn claim() -> core::result::Result<Self, Trouble> {
        make_directory().map_err(Trouble::because("read", names::SUPERVISE))?;
        let lock = lock().map_err(Trouble::because("acquire", names::LOCK))?;
        let control = open_fifo(names::CONTROL)?;
        let writer = fs::open(names::CONTROL, WRITE, Mode::empty())
            .map_err(Trouble::because("write", names::CONTROL))?;
        Ok(Self { _lock: lock, control, _control_writer: writer, ok: None })
    }

    /// Opens the FIFO that says that somebody is here. The status has to be
    /// there before.
    pub fn open_ok(&mut self) -> core::result::Result<(), Trouble> {
        self.ok = Some(open_fifo(names::OK)?);
        Ok(())
    }

    /// The control bytes that came, as many as fit.
    pub fn read_control<'a>(&self, buffer: &'a mut [u8]) -> &'a [u8] {
        match rustix::io::read(&self.control, &mut *buffer) {
            Ok(n) => &buffer[..n],
            Err(_) => &[],
        }
    }

    /// Replaces the status record, whole.
    pub fn write_status(&self, record: &[u8]) -> core::result::Result<(), Trouble> {
        let flags =
            OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let file = fs::open(names::STATUS_NEW, flags, Mode::from_raw_mode(0o644))
            .map_err(Trouble::because("open", names::STATUS_NEW))?;
        match rustix::io::write(&file, record) {
            Ok(n) if n == record.len() => {}
            Ok(_) => return Err(Trouble::because("write", names::STATUS_NEW)(Errno::NOSPC)),
            Err(why) => return Err(Trouble::because("write", names::STATUS_NEW)(why)),
        }
        drop(file);
        fs::rename(names::STATUS_NEW, names::STATUS)
            .map_err(Trouble::because("rename", names::STATUS_NEW))
    }

    /// Whether the directory has been removed under our feet.
    #[must_use]
    pub fn is_gone() -> bool {
        fs::stat(c".").is_ok_and(|stat| stat.st_nlink == 0)
    }
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// Makes `supervise/`, or what it points at where it is a dangling link, which
/// is how it is moved away from a read-only file system.
fn make_directory() -> Result<()> {
    let mode = Mode::from_raw_mode(0o700);
    if fs::mkdir(names::SUPERVISE, mode).is_ok() || fs::stat(names::SUPERVISE).is_ok() {
        return Ok(());
    }
    make_target(mode)
}

/// Apart, because its buffers are pages of stack that every supervise would
/// keep.
#[inline(never)]
fn make_target(mode: Mode) -> Result<()> {
    let mut buffer = [core::mem::MaybeUninit::uninit(); 4096];
    match fs::readlinkat_raw(CWD, names::SUPERVISE, &mut buffer[..4095]) {
        Ok((target, _)) => {
            let mut path = [0; 4096];
            path[..target.len()].copy_from_slice(target);
            if let Ok(path) = CStr::from_bytes_until_nul(&path) {
                // If it is there already, or cannot be, the lock will tell.
                let _ = fs::mkdir(path, mode);
            }
            Ok(())
        }
        Err(Errno::NOENT | Errno::INVAL) => Ok(()),
        Err(why) => Err(why),
    }
}

fn lock() -> Result<OwnedFd> {
    let flags = WRITE | OFlags::APPEND | OFlags::CREATE;
    let file = fs::open(names::LOCK, flags, MINE)?;
    fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

fn open_fifo(name: &'static CStr) -> core::result::Result<OwnedFd, Trouble> {
    // It may be there already, also as something else: the open will tell.
    let _ = fs::mknodat(CWD, name, FileType::Fifo, MINE, 0);
    let fd = fs::open(name, READ, Mode::empty()).map_err(Trouble::because("read", name))?;
    let stat = fs::fstat(&fd).map_err(Trouble::because("read", name))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        // Read as commands, a file would be obeyed over and over.
        return Err(Trouble { verb: "read", file: name, why: None });
    }
    Ok(fd)
}

//! The clients' side: is anybody there, what is the state, say something.

use crate::facts::{down_is_a_task, is_directory};
use crate::{names, place};
use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_core::record::{Own, Record, SIZE};
use upkeep_core::status::{self, CLASSIC, Status};

/// Why nothing could be said to a supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlTrouble {
    /// The FIFO is there, and nobody reads it.
    NotRunning,
    /// What is there is not a FIFO.
    NotAFifo,
    /// It could not be opened.
    Open(Errno),
    /// It could not be written.
    Write(Errno),
}

/// Why the state is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusTrouble {
    /// Nobody supervises.
    NotRunning,
    /// `supervise/ok` could not be opened.
    Ok(Errno),
    /// `supervise/status` could not be opened.
    Open(Errno),
    /// It could not be read.
    Read(Errno),
    /// It is too short.
    BadFormat,
}

/// Why the file `down` is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownTrouble {
    /// It is what undoes a oneshot.
    Task,
    /// It could not be made or removed.
    Os(Errno),
}

/// Whether a supervise lives: its end of `supervise/ok` is open.
pub fn is_supervised() -> Result<bool> {
    Ok(listener()?.is_some())
}

/// The other end of that, which tells, by `POLLERR`, when it is closed.
pub(crate) fn listener() -> Result<Option<OwnedFd>> {
    match listener_here() {
        Ok(None) | Err(Errno::NOENT | Errno::ACCESS) if place::settle() => listener_here(),
        answer => answer,
    }
}

/// The same, where it is taken to be and nowhere else.
pub(crate) fn listener_here() -> Result<Option<OwnedFd>> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match place::open(names::OK, flags, Mode::empty()) {
        Ok(ok) => Ok(Some(ok)),
        Err(Errno::NXIO) => Ok(None),
        Err(why) => Err(why),
    }
}

/// Whether the service starts out up, that is, has no `down` file. A logger that
/// is a file does: whoever brings up its service would wait for it.
pub fn normally_up() -> Result<bool> {
    if place::is_logger() {
        return Ok(true);
    }
    match fs::stat(names::DOWN) {
        Ok(_) => Ok(down_is_a_task()),
        Err(Errno::NOENT) => Ok(true),
        Err(why) => Err(why),
    }
}

/// Says whether the service is to start out up. A logger that is a file always
/// does, and so does a oneshot, whose `down` is a program of its own.
pub fn set_normally_up(up: bool) -> core::result::Result<(), DownTrouble> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let is_task = down_is_a_task();
    let always = place::is_logger() || is_task;
    match up {
        true if always => Ok(()),
        false if is_task => Err(DownTrouble::Task),
        false if always => Err(DownTrouble::Os(Errno::OPNOTSUPP)),
        true => match fs::unlink(names::DOWN) {
            Err(Errno::NOENT) => Ok(()),
            answer => answer.map_err(DownTrouble::Os),
        },
        false => {
            let made = fs::open(names::DOWN, flags, Mode::from_raw_mode(0o666));
            made.map(drop).map_err(DownTrouble::Os)
        }
    }
}

/// What supervise wrote last: what everybody writes, and what only ours does.
pub fn read_status() -> core::result::Result<(Status, Option<Own>), StatusTrouble> {
    supervised()?;
    last_status()
}

/// The same, whether a supervise lives or not.
pub fn last_status() -> core::result::Result<(Status, Option<Own>), StatusTrouble> {
    last_status_of(CLASSIC)
}

/// The same, if the record has at least `least` bytes.
fn last_status_of(least: usize) -> core::result::Result<(Status, Option<Own>), StatusTrouble> {
    let mut record = [0; SIZE];
    let record = read_record(&mut record, least)?;
    let status = Status::decode(record).ok_or(StatusTrouble::BadFormat)?;
    Ok((status, Record::decode(record).map(|record| record.own)))
}

/// What runit's `sv` would see, which knows nothing of daemontools' shorter
/// records, and what only ours writes.
pub fn read_status_as_runit() -> core::result::Result<(Status, Option<Own>), StatusTrouble> {
    supervised()?;
    last_status_of(status::SIZE)
}

/// Whether the control byte `x` also ends the service, as in runit, where it
/// runs: to a supervise of ours it does where there are scripts that stand in
/// for signals, and otherwise waits for its end.
#[must_use]
pub fn exit_ends() -> bool {
    let is_ours = matches!(last_status(), Ok((_, Some(_))));
    !is_ours || is_directory(names::SCRIPTS)
}

fn supervised() -> core::result::Result<(), StatusTrouble> {
    match is_supervised() {
        Ok(true) => Ok(()),
        Ok(false) => Err(StatusTrouble::NotRunning),
        Err(why) => Err(StatusTrouble::Ok(why)),
    }
}

/// The record, if it has at least `least` bytes.
fn read_record(
    record: &mut [u8; SIZE],
    least: usize,
) -> core::result::Result<&[u8], StatusTrouble> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match place::open(names::STATUS, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::ACCESS) if place::settle() => {
            place::open(names::STATUS, flags, Mode::empty())
        }
        answer => answer,
    };
    let file = file.map_err(StatusTrouble::Open)?;
    let n = rustix::io::read(&file, &mut *record).map_err(StatusTrouble::Read)?;
    record.get(..n).filter(|_| n >= least).ok_or(StatusTrouble::BadFormat)
}

/// Writes control bytes, in this order and together, so that what two clients
/// say is not mixed.
pub fn send(bytes: &[u8]) -> core::result::Result<(), ControlTrouble> {
    // A FIFO that is full because its supervise is stopped is waited for, as
    // daemontools does: what was asked is not dropped.
    send_here(bytes, true)
}

/// The same, but a FIFO without room is trouble and not waited for.
pub fn send_now(bytes: &[u8]) -> core::result::Result<(), ControlTrouble> {
    send_here(bytes, false)
}

fn send_here(bytes: &[u8], waits: bool) -> core::result::Result<(), ControlTrouble> {
    let send = || place::at(names::CONTROL, |path| send_to(CWD, path, bytes, waits));
    match send() {
        Err(ControlTrouble::NotRunning | ControlTrouble::Open(Errno::NOENT | Errno::ACCESS))
            if place::settle() =>
        {
            send()
        }
        answer => answer,
    }
}

/// The same by path, waiting for room or not.
pub(crate) fn send_to(
    from: BorrowedFd<'_>,
    path: &CStr,
    bytes: &[u8],
    waits: bool,
) -> core::result::Result<(), ControlTrouble> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fifo = match fs::openat(from, path, flags, Mode::empty()) {
        Ok(fifo) => fifo,
        Err(Errno::NXIO) => return Err(ControlTrouble::NotRunning),
        Err(why) => return Err(ControlTrouble::Open(why)),
    };
    let stat = fs::fstat(&fifo).map_err(ControlTrouble::Open)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return Err(ControlTrouble::NotAFifo);
    }
    if waits {
        fs::fcntl_setfl(&fifo, OFlags::empty()).map_err(ControlTrouble::Write)?;
    }
    let mut left = bytes;
    while !left.is_empty() {
        match rustix::io::write(&fifo, left) {
            Ok(n) => left = &left[n..],
            Err(Errno::INTR) => {}
            Err(why) => return Err(ControlTrouble::Write(why)),
        }
    }
    Ok(())
}

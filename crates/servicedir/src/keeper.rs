//! supervise's side: claim the directory, keep its FIFOs open, write its
//! status. Nothing here allocates.

use crate::facts::Facts;
use crate::origin::origin;
use crate::state::Life;
use crate::{find, names, place};
use core::cell::Cell;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_core::dialect::Dialect;
use upkeep_core::record::{self, Boot, Record};
use upkeep_core::texts;
use upkeep_sys::{clock, inherited};

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
    pub(crate) fn because(verb: &'static str, file: &'static CStr) -> impl Fn(Errno) -> Self {
        move |why| Self { verb, file, why: Some(why) }
    }

    /// The reason where it is not the system's.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.why {
            Some(_) => "",
            None if self.file == names::LOCK => CROWDED,
            None if self.verb == "open" => DENIED,
            None => "not a fifo",
        }
    }
}

/// A claimed service directory. It is held as long as this lives.
#[derive(Debug)]
pub struct Keeper {
    lock: OwnedFd,
    control: OwnedFd,
    /// Keeps the FIFO from being at its end while no client is there.
    _control_writer: OwnedFd,
    ok: Option<OwnedFd>,
    /// Whether the status is to be there in runit's words too.
    words: bool,
    /// Which process those name.
    named: Cell<Option<u32>>,
}

const DENIED: &str =
    "access denied, and another user may run it; remove its supervise if nobody does";
const CROWDED: &str = "another directory with this path has its state there; use another place";

const MINE: Mode = Mode::from_raw_mode(0o600);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const WRITE: OFlags = OFlags::WRONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// How long a lock is waited for that somebody has who may be about to let go
/// of it.
const PATIENCE: u64 = 1_000_000_000;
/// How often it is tried.
const STEP: u64 = 5_000_000;

impl Keeper {
    /// Locks the current directory and opens its control FIFO.
    pub fn claim() -> core::result::Result<Self, Trouble> {
        // Never two for one directory, wherever each of them keeps its state.
        let is_taken = place::is_taken_elsewhere();
        place::settle_all();
        if place::is_crowded() {
            return Err(Trouble { verb: "acquire", file: names::LOCK, why: None });
        }
        let here = if is_taken { Life::Lives } else { place::life_in_place() };
        match here {
            Life::Lives => return Err(Trouble::because("acquire", names::LOCK)(Errno::AGAIN)),
            // Better none than two.
            Life::Denied => return Err(Trouble { verb: "open", file: names::OK, why: None }),
            Life::Nowhere | Life::Ended => {}
        }
        if let Some(service) = place::around() {
            make_directory(CWD, service).map_err(Trouble::because("read", names::SUPERVISE))?;
        }
        place::at(names::SUPERVISE, |path| make_directory(CWD, path))
            .map_err(Trouble::because("read", names::SUPERVISE))?;
        let lock = lock().map_err(Trouble::because("acquire", names::LOCK))?;
        place::take_over();
        let control = open_fifo(names::CONTROL)?;
        Self::with(lock, control, None)
    }

    /// The directory that this program held when it executed itself anew, and
    /// in which it still is: nobody could claim it meanwhile, and what was
    /// said meanwhile is there to be read. `name` is what it was told.
    #[must_use]
    pub fn inherit(name: &CStr) -> Option<Self> {
        place::arrive().ok()?;
        Self::take().or_else(|| {
            find::service_of(name)?;
            place::arrive_at_logger().ok()?;
            Self::take()
        })
    }

    fn take() -> Option<Self> {
        let held = |name, mode: OFlags| inherited::take(&place::stat(name).ok()?, mode.bits());
        let lock = held(names::LOCK, OFlags::WRONLY)?;
        let control = held(names::CONTROL, OFlags::RDONLY)?;
        Self::with(lock, control, held(names::OK, OFlags::RDONLY)).ok()
    }

    fn with(
        lock: OwnedFd,
        control: OwnedFd,
        ok: Option<OwnedFd>,
    ) -> core::result::Result<Self, Trouble> {
        let writer = place::open(names::CONTROL, WRITE, Mode::empty())
            .map_err(Trouble::because("write", names::CONTROL))?;
        let facts = Facts::look();
        let words = facts.has_readers(facts.spoken());
        Ok(Self { lock, control, _control_writer: writer, ok, words, named: Cell::new(None) })
    }

    /// Lets the directory survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        for fd in [Some(&self.lock), Some(&self.control), self.ok.as_ref()].into_iter().flatten() {
            inherited::close_on_exec(fd, !survives)?;
        }
        Ok(())
    }

    /// Whoever has a copy of this holds the directory.
    #[must_use]
    pub fn claim_itself(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Opens the FIFO that says that somebody is here. The status has to be
    /// there before.
    pub fn open_ok(&mut self) -> core::result::Result<(), Trouble> {
        if self.ok.is_none() {
            self.ok = Some(open_fifo(names::OK)?);
        }
        Ok(())
    }

    /// What the records of this directory are believed by in this boot.
    #[must_use]
    pub fn origin(boot: Boot) -> Boot {
        // A directory that cannot be told from another is believed nothing.
        let directory =
            place::open(names::SUPERVISE, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        directory.and_then(|directory| origin(boot, &directory)).unwrap_or([0; 16])
    }

    /// The record that the last supervise left, as far as it fits. One that is
    /// there and cannot be read now may be about a process that lives.
    pub fn last_record<'a>(
        &self,
        buffer: &'a mut [u8; record::SIZE],
    ) -> core::result::Result<&'a [u8], Trouble> {
        let file = match place::open(names::STATUS, READ, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(&[]),
            answer => answer.map_err(Trouble::because("open", names::STATUS))?,
        };
        match rustix::io::read(&file, &mut buffer[..]) {
            Ok(count) => Ok(&buffer[..count]),
            Err(Errno::ISDIR) => Ok(&[]),
            Err(why) => Err(Trouble::because("read", names::STATUS)(why)),
        }
    }

    /// The control bytes that came, as many as fit.
    pub fn read_control<'a>(&self, buffer: &'a mut [u8]) -> &'a [u8] {
        match rustix::io::read(&self.control, &mut *buffer) {
            Ok(n) => &buffer[..n],
            Err(_) => &[],
        }
    }

    /// Replaces the status record, whole. Where there is no room for a new one,
    /// the old one is written over.
    pub fn write_status(&self, record: &Record) -> core::result::Result<(), Trouble> {
        let record = record.encode();
        replace(names::STATUS_NEW, names::STATUS, &record).or_else(|trouble| {
            if trouble.why == Some(Errno::NOSPC) && write_over(&record) {
                Ok(())
            } else {
                Err(trouble)
            }
        })
    }

    /// Whether anybody may read the status in runit's words.
    #[must_use]
    pub const fn speaks_runit(&self) -> bool {
        self.words
    }

    /// Looks again whether anybody may read the status in runit's words.
    pub fn look_for_readers(&mut self, facts: &Facts, dialect: Dialect) {
        self.words = facts.has_readers(dialect);
    }

    /// Writes the status in runit's words, if anybody may read it, the process
    /// only when it is another one. Readers who wait for a new status find
    /// these new as well if they are written first.
    pub fn write_words(&self, record: &Record) -> core::result::Result<(), Trouble> {
        let pid = record.status.pid;
        if !self.words {
            self.named.set(None);
            return Ok(());
        }
        if self.named.get() != Some(pid) {
            replace(names::PID_NEW, names::PID, texts::pid(record).bytes())?;
            self.named.set(Some(pid));
        }
        replace(names::STAT_NEW, names::STAT, texts::stat(record).bytes())
    }

    /// Whether the directory has been removed under our feet.
    #[must_use]
    pub fn is_gone() -> bool {
        fs::stat(c".").is_ok_and(|stat| stat.st_nlink == 0)
    }
}

/// Puts a new file in the place of another, whole.
pub(crate) fn replace(
    new: &'static CStr,
    name: &CStr,
    content: &[u8],
) -> core::result::Result<(), Trouble> {
    let flags =
        OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let file = place::open(new, flags, Mode::from_raw_mode(0o644))
        .map_err(Trouble::because("open", new))?;
    match rustix::io::write(&file, content) {
        Ok(n) if n == content.len() => {}
        Ok(_) => return Err(Trouble::because("write", new)(Errno::NOSPC)),
        Err(why) => return Err(Trouble::because("write", new)(why)),
    }
    drop(file);
    place::rename(new, name).map_err(Trouble::because("rename", new))
}

/// A record of this size has its room on the disk already.
fn write_over(record: &[u8]) -> bool {
    let Ok(file) = place::open(names::STATUS, WRITE, Mode::empty()) else { return false };
    fs::fstat(&file).is_ok_and(|stat| stat.st_size.cast_unsigned() >= record.len() as u64)
        && rustix::io::pwrite(&file, record, 0) == Ok(record.len())
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// Makes `supervise/`, or what it points at where it is a dangling link, which
/// is how it is moved away from a read-only file system.
pub(crate) fn make_directory(from: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    let mode = Mode::from_raw_mode(0o700);
    if fs::mkdirat(from, path, mode).is_ok() || fs::statat(from, path, AtFlags::empty()).is_ok() {
        return Ok(());
    }
    make_target(from, path, mode)
}

/// Apart, because its buffers are pages of stack that every supervise would
/// keep.
#[inline(never)]
fn make_target(at: BorrowedFd<'_>, link: &CStr, mode: Mode) -> Result<()> {
    let mut buffer = [core::mem::MaybeUninit::uninit(); 4096];
    match fs::readlinkat_raw(at, link, &mut buffer[..4095]) {
        Ok((target, _)) => {
            let mut path = [0; 4096];
            let from = if target.starts_with(b"/") { 0 } else { directory_length(link) };
            let (head, tail) = path.split_at_mut(from);
            head.copy_from_slice(&link.to_bytes()[..from]);
            if let Some(place) = tail.get_mut(..target.len()) {
                place.copy_from_slice(target);
            }
            if let Ok(path) = CStr::from_bytes_until_nul(&path) {
                // If it is there already, or cannot be, the lock will tell.
                let _ = fs::mkdirat(at, path, mode);
            }
            Ok(())
        }
        Err(Errno::NOENT | Errno::INVAL) => Ok(()),
        Err(why) => Err(why),
    }
}

/// How much of a path is its directory, with the slash.
fn directory_length(path: &CStr) -> usize {
    path.to_bytes().iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1)
}

/// Locks the directory. Whoever has it may be the last child of a supervise
/// that was killed, on its way to become the service: it lets go in a moment.
fn lock() -> Result<OwnedFd> {
    let flags = WRITE | OFlags::APPEND | OFlags::CREATE;
    let mut file = place::open(names::LOCK, flags, MINE)?;
    let patience = clock::monotonic() + PATIENCE;
    loop {
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if place::is_still(names::LOCK, &file) => return Ok(file),
            // Somebody has just removed what was left behind there.
            Ok(()) => file = place::open(names::LOCK, flags, MINE)?,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if clock::monotonic() < patience => {
                clock::pause_until(clock::monotonic() + STEP);
            }
            Err(why) => return Err(why),
        }
    }
}

fn open_fifo(name: &'static CStr) -> core::result::Result<OwnedFd, Trouble> {
    // It may be there already, also as something else: the open will tell.
    let _ = place::make_fifo(name, MINE);
    let fd = place::open(name, READ, Mode::empty()).map_err(Trouble::because("read", name))?;
    let stat = fs::fstat(&fd).map_err(Trouble::because("read", name))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        // Read as commands, a file would be obeyed over and over.
        return Err(Trouble { verb: "read", file: name, why: None });
    }
    Ok(fd)
}

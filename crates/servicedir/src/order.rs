//! Order among services: the directories in which one says what it depends on,
//! the one in which it is known who depends on it, and the other services of
//! the same scan directory, to look at and to speak to.

use crate::client::ControlTrouble;
use crate::elsewhere::Elsewhere;
use crate::keeper::make_directory;
use crate::{names, place};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, Result};
use upkeep_core::order::{Sight, Tie};
use upkeep_core::record::{Record, SIZE};
use upkeep_core::status::{CLASSIC, Status};
use upkeep_sys::{inherited, process};

const LIST: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// The longest name, with the zero that ends it.
pub const NAME: usize = 256;

/// Where a service says that it depends on others so.
#[must_use]
pub const fn directory(tie: Tie) -> &'static CStr {
    match tie {
        Tie::Needs => names::NEEDS,
        Tie::Wants => names::WANTS,
        Tie::After => names::AFTER,
    }
}

/// Calls `visit` with the name of each service that the one in `from` depends
/// on so, until it answers false. A directory that is not there has none.
#[inline(never)]
pub fn each(from: BorrowedFd<'_>, tie: Tie, visit: &mut dyn FnMut(&CStr) -> bool) -> Result<()> {
    list(fs::openat(from, directory(tie), LIST, Mode::empty()), visit)
}

/// Calls `visit` with the name of each service that has said that it depends on
/// the one here, until it answers false.
#[inline(never)]
pub fn each_dependent(visit: &mut dyn FnMut(&CStr) -> bool) -> Result<()> {
    list(place::open(names::NEEDED, LIST, Mode::empty()), visit)
}

/// Calls `visit` with the name of each service that has called this one, and
/// was not forgotten since, until it answers false.
#[inline(never)]
pub fn each_caller(visit: &mut dyn FnMut(&CStr) -> bool) -> Result<()> {
    list(place::open(names::CALLED, LIST, Mode::empty()), visit)
}

/// What this one has called for has been heard.
pub fn forget_caller(name: &CStr) {
    forget(names::CALLED, name);
}

/// Whether there may be some.
#[must_use]
pub fn has_dependents() -> bool {
    place::exists(names::NEEDED)
}

/// Notes for people whom the service here waits for. It means something as long
/// as the record says that it waits.
pub fn note_waiting(tie: Tie, name: &CStr) {
    let mut target = [0; 2 * NAME];
    let parts = [directory(tie).to_bytes(), b"/", name.to_bytes()];
    let mut at = 0;
    for part in parts {
        let end = at + part.len();
        let Some(place) = target.get_mut(at..end) else { return };
        place.copy_from_slice(part);
        at = end;
    }
    let Ok(target) = CStr::from_bytes_until_nul(&target) else { return };
    let _ = place::unlink(names::WAITS_FOR);
    let _ = place::at(names::WAITS_FOR, |path| fs::symlink(target, path));
}

/// Whom the service here waits for, as it was noted last.
#[must_use]
pub fn waits_for() -> Option<Waited> {
    let mut buffer = [MaybeUninit::uninit(); 2 * NAME];
    let link = place::at(names::WAITS_FOR, |path| fs::readlinkat_raw(CWD, path, &mut buffer));
    let (target, _) = link.ok()?;
    let start = target.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
    let len = (target.len() - start).min(NAME);
    let mut waited = Waited { name: [0; NAME], len };
    waited.name[..len].copy_from_slice(&target[start..][..len]);
    Some(waited)
}

/// The name of a service that is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    name: [u8; NAME],
    len: usize,
}

impl Waited {
    /// The bytes.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name[..self.len]
    }
}

/// One that does not, or is no more, is forgotten.
pub fn forget_dependent(name: &CStr) {
    forget(names::NEEDED, name);
}

fn forget(directory: &CStr, name: &CStr) {
    if let Ok(dir) = place::open(directory, LIST, Mode::empty()) {
        let _ = fs::unlinkat(&dir, name, AtFlags::empty());
    }
}

fn list(opened: Result<OwnedFd>, visit: &mut dyn FnMut(&CStr) -> bool) -> Result<()> {
    let dir = match opened {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        answer => answer?,
    };
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(&dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().starts_with(b".") && !visit(name) {
            break;
        }
    }
    Ok(())
}

/// The scan directory of a service, as that sees it.
#[derive(Debug)]
pub struct Neighbours {
    dir: OwnedFd,
}

impl Neighbours {
    /// The directory that the service directory `service` is in, before that
    /// becomes the current one.
    pub fn around(service: &CStr) -> Result<Self> {
        let path = service.to_bytes();
        let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
        let start = path[..end].iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let above: &[u8] = match (&path[..start], &path[start..end]) {
            (_, b"" | b"." | b"..") => return Self::open(&path[..end], b"/.."),
            (b"", _) => b".",
            (above, _) => above,
        };
        Self::open(above, b"")
    }

    #[inline(never)]
    fn open(path: &[u8], last: &[u8]) -> Result<Self> {
        let mut whole = place::Path::new();
        whole.push(path)?;
        whole.push(last)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { dir: fs::open(whole.as_c_str(), flags, Mode::empty())? })
    }

    /// The one that this program had when it executed itself anew; without it,
    /// the one above.
    pub fn inherit() -> Result<Self> {
        inherited::take_directory().map_or_else(|| Self::open(b"..", b""), |dir| Ok(Self { dir }))
    }

    /// Lets it survive an exec, or not.
    pub fn bequeath(&self, survives: bool) -> Result<()> {
        inherited::close_on_exec(&self.dir, !survives)
    }

    fn of<'a>(&'a self, name: &'a CStr) -> Elsewhere<'a> {
        Elsewhere { from: self.dir.as_fd(), service: name, logger: None }
    }

    /// What there is to be seen of the service `name`.
    #[must_use]
    #[inline(never)]
    pub fn look(&self, name: &CStr) -> Sight {
        let there = self.of(name);
        if matches!(there.living(), Ok(None)) {
            return self.look_closer(name);
        }
        let mut bytes = [0; SIZE];
        let count = there.read(names::STATUS, &mut bytes).unwrap_or(0);
        let record = &bytes[..count.max(CLASSIC)];
        match (Record::decode(record), Status::decode(record)) {
            (Some(record), _) => Sight::Known(record),
            (None, Some(status)) => Sight::Foreign(status),
            (None, None) => Sight::Nobody { normally_up: true },
        }
    }

    fn look_closer(&self, name: &CStr) -> Sight {
        let stat = |path: &CStr| fs::statat(&self.dir, path, AtFlags::empty());
        if !stat(name).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir()) {
            return Sight::Missing;
        }
        // Where there is something to be done, `down` undoes that.
        let there = self.of(name);
        let task = there.has(names::DO, None) && there.has(names::TYPE, None);
        Sight::Nobody { normally_up: task || !there.has(names::DOWN, None) }
    }

    /// The members of the service `name`, if that is a group: it has no process
    /// and others that it needs.
    #[must_use]
    pub fn group(&self, name: &CStr) -> Option<OwnedFd> {
        let there = self.of(name);
        let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let programs = [names::RUN, names::START, names::TYPE];
        let is = there.has(names::NEEDS, None) && !programs.iter().any(|one| there.has(one, None));
        is.then(|| fs::openat(&self.dir, name, way, Mode::empty()).ok()).flatten()
    }

    /// The record of the service `name`, whoever supervises it.
    #[must_use]
    #[inline(never)]
    pub fn record(&self, name: &CStr) -> Option<Record> {
        let mut bytes = [0; SIZE];
        let count = self.of(name).read(names::STATUS, &mut bytes).ok()?;
        Record::decode(&bytes[..count])
    }

    /// The same, if it was written in this boot.
    #[must_use]
    #[inline(never)]
    pub fn record_now(&self, name: &CStr) -> Option<Record> {
        self.of(name).record(&process::boot())
    }

    /// Whether somebody supervises it.
    #[must_use]
    pub fn is_supervised(&self, name: &CStr) -> bool {
        !matches!(self.of(name).living(), Ok(None))
    }

    /// Tells its supervise something. One that is not there hears nothing.
    pub fn say(&self, name: &CStr, bytes: &[u8]) -> core::result::Result<(), ControlTrouble> {
        self.of(name).send(bytes)
    }

    /// Has it known there that the service `own` depends on it.
    pub fn sign(&self, name: &CStr, own: &CStr) -> Result<()> {
        self.put(name, names::NEEDED, own)
    }

    /// Has it known there that the service `own` was told to be up, and so that
    /// one is to be. It stays known until it has been heard.
    pub fn call(&self, name: &CStr, own: &CStr) -> Result<()> {
        self.put(name, names::CALLED, own)
    }

    /// Whether that has not been heard yet.
    #[must_use]
    pub fn is_calling(&self, name: &CStr, own: &CStr) -> bool {
        let there = self.of(name);
        there.below(names::CALLED, own, |path| Ok(there.is_there(path))) == Ok(true)
    }

    fn put(&self, name: &CStr, directory: &CStr, own: &CStr) -> Result<()> {
        match self.make(name, directory, own) {
            Err(Errno::NOENT) => {}
            answer => return answer,
        }
        let there = self.of(name);
        for path in [names::SUPERVISE, directory] {
            there.at(path, |path| make_directory(self.dir.as_fd(), path))?;
        }
        self.make(name, directory, own)
    }

    fn make(&self, name: &CStr, directory: &CStr, own: &CStr) -> Result<()> {
        let mode = Mode::from_raw_mode(0o600);
        let put = |path: &CStr| fs::mknodat(&self.dir, path, FileType::RegularFile, mode, 0);
        match self.of(name).below(directory, own, put) {
            Err(Errno::EXIST) => Ok(()),
            answer => answer,
        }
    }

    /// Whether `own` is what the service is called whose directory is the current
    /// one: it may have been renamed.
    #[must_use]
    pub fn is_here(&self, own: &CStr) -> bool {
        let there = fs::statat(&self.dir, own, AtFlags::empty());
        match (there, fs::stat(c".")) {
            (Ok(there), Ok(here)) => (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino),
            _ => false,
        }
    }

    /// Whether it is known there.
    #[must_use]
    pub fn has_signed(&self, name: &CStr, own: &CStr) -> bool {
        let there = self.of(name);
        there.below(names::NEEDED, own, |path| Ok(there.is_there(path))) == Ok(true)
    }

    /// Whether the service `name` says that it depends on `own` so.
    #[must_use]
    pub fn depends(&self, name: &CStr, tie: Tie, own: &CStr) -> bool {
        self.of(name).depends(tie, own)
    }
}

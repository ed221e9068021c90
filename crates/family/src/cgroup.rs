//! A cgroup of the service's own: what is in it descends from the service,
//! and cannot leave it by forking.

use crate::Left;
use crate::identity::Identity;
use crate::place;
use crate::process::send_if;
use crate::stat::number;
use crate::text::Text;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, Result};
use rustix::process::Signal;
use upkeep_sys::refuse::refused;

/// How deep cgroups that the service made below its own are looked into.
const DEPTH: usize = 8;
/// As often as the processes are gone through where `cgroup.kill` is missing.
const PASSES: usize = 8;

/// The cgroup of one service, open.
pub(crate) struct Cgroup {
    dir: OwnedFd,
    procs: OwnedFd,
    events: OwnedFd,
    /// Since Linux 5.14. Open from the start, since there may be no more
    /// descriptors when it is needed.
    kill: Option<OwnedFd>,
}

/// The directory of the cgroup `path`, if cgroups can be made below it and
/// processes moved from it into them.
pub(crate) fn usable(path: &[u8]) -> Option<OwnedFd> {
    let dir = place::open(path)?;
    open(&dir, c"cgroup.procs", OFlags::WRONLY).ok()?;
    Some(dir)
}

impl Cgroup {
    /// Opens the cgroup `name` in `place`.
    pub(crate) fn open(place: &OwnedFd, name: &CStr) -> Result<Self> {
        let dir = open(place, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let kill = if refused(b"cgroup-kill") {
            None
        } else {
            open(&dir, c"cgroup.kill", OFlags::WRONLY).ok()
        };
        let procs = open(&dir, c"cgroup.procs", OFlags::RDWR)?;
        let events = open(&dir, c"cgroup.events", OFlags::RDONLY)?;
        Ok(Self { dir, procs, events, kill })
    }

    /// Makes it if it is not there.
    pub(crate) fn make(place: &OwnedFd, name: &CStr) -> Result<Self> {
        match fs::mkdirat(place, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => Self::open(place, name),
            Err(why) => Err(why),
        }
    }

    /// Where a process writes `0` that enters.
    pub(crate) fn door(&self) -> BorrowedFd<'_> {
        self.procs.as_fd()
    }

    /// Has something for `POLLPRI` when it has become empty or stopped being
    /// so since `left` was asked.
    pub(crate) fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// Whether anything runs in it or below it.
    pub(crate) fn left(&self) -> Left {
        let mut text = [0; 256];
        match rustix::io::pread(&self.events, &mut text, 0) {
            Ok(n) if text[..n].split(|&b| b == b'\n').any(|line| line == b"populated 0") => {
                Left::Nothing
            }
            // Removed by somebody, which only an empty one can be.
            Err(Errno::NODEV) => Left::Nothing,
            Ok(_) | Err(_) => Left::Something,
        }
    }

    /// Sends `signal` to each process in it and below it.
    pub(crate) fn signal(&self, id: &Identity, signal: Signal) {
        // Those of the service's own cgroup can be reached without another
        // descriptor.
        signal_those_in(&self.procs, id, signal);
        each_below(self.dir.as_fd(), DEPTH, &mut |dir| {
            if let Ok(procs) = open(dir, c"cgroup.procs", OFlags::RDONLY) {
                signal_those_in(&procs, id, signal);
            }
        });
    }

    /// Kills everything in it and below it.
    pub(crate) fn kill(&self, id: &Identity) {
        if self.kill.as_ref().is_some_and(|kill| rustix::io::write(kill, b"1").is_ok()) {
            return;
        }
        // Frozen, nobody can fork; before Linux 5.2 they are outrun.
        self.freeze(b"1");
        for _ in 0..PASSES {
            self.signal(id, Signal::KILL);
            if self.left() == Left::Nothing {
                break;
            }
        }
        self.freeze(b"0");
    }

    fn freeze(&self, word: &[u8]) {
        if let Ok(file) = open(&self.dir, c"cgroup.freeze", OFlags::WRONLY) {
            let _ = rustix::io::write(&file, word);
        }
    }

    /// Removes what is empty below it.
    pub(crate) fn prune(&self) {
        prune(self.dir.as_fd(), DEPTH);
    }
}

fn open(dir: impl AsFd, name: &CStr, how: OFlags) -> Result<OwnedFd> {
    fs::openat(dir, name, how | OFlags::CLOEXEC, Mode::empty())
}

/// Signals those that `procs` lists, if they are still there when they are
/// held.
fn signal_those_in(procs: &OwnedFd, id: &Identity, signal: Signal) {
    let _ = fs::seek(procs, fs::SeekFrom::Start(0));
    let mut text = [0; 1024];
    let mut held = 0;
    loop {
        match rustix::io::read(procs, &mut text[held..]) {
            Ok(0) => return,
            Ok(n) => held += n,
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let mut start = 0;
        while let Some(length) = text[start..held].iter().position(|&b| b == b'\n') {
            // 0 is one that is not in our pid namespace.
            let pid = number(&text[start..start + length]).and_then(|pid| u32::try_from(pid).ok());
            if let Some(pid) = pid.filter(|&pid| pid != 0) {
                let _ = send_if(pid, signal, || Ok(is_in(id, pid)));
            }
            start += length + 1;
        }
        text.copy_within(start..held, 0);
        held -= start;
    }
}

/// Whether the process is in the service's cgroup or below it.
pub(crate) fn is_in(id: &Identity, pid: u32) -> bool {
    of(pid).is_some_and(|path| id.own_part(path.bytes()).is_some())
}

/// The path of the cgroup of a process.
pub(crate) fn of(pid: u32) -> Option<place::Path> {
    let file = Text::<32>::new().push(b"/proc/").push_number(pid.into(), 10).push(b"/cgroup");
    place::path_of(file.path()?)
}

/// Calls `visit` for every cgroup below `dir`.
fn each_below(dir: BorrowedFd<'_>, depth: usize, visit: &mut dyn FnMut(BorrowedFd<'_>)) {
    each_child(dir, |_, child| {
        visit(child);
        if depth > 1 {
            each_below(child, depth - 1, visit);
        }
    });
}

/// Removes the cgroups below `dir` that are empty.
fn prune(dir: BorrowedFd<'_>, depth: usize) {
    each_child(dir, |name, child| {
        if depth > 1 {
            prune(child, depth - 1);
        }
        // One that is in use stays.
        let _ = fs::unlinkat(dir, name, AtFlags::REMOVEDIR);
    });
}

fn each_child(dir: BorrowedFd<'_>, mut visit: impl FnMut(&CStr, BorrowedFd<'_>)) {
    // A descriptor of its own, so that each look begins at the beginning.
    let Ok(list) = open(dir, c".", OFlags::RDONLY | OFlags::DIRECTORY) else { return };
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(&list, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name();
        if entry.file_type() == FileType::Directory
            && !name.to_bytes().starts_with(b".")
            && let Ok(child) = open(dir, name, OFlags::RDONLY | OFlags::DIRECTORY)
        {
            visit(name, child.as_fd());
        }
    }
}

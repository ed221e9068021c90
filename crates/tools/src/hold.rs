//! What svhold needs: the pipes it holds, its place among others of its kind,
//! as svlines has one among others of its, and what tells one that was left
//! alone that it is not needed any more.

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::inotify::{self, WatchFlags};
use rustix::fs::{Mode, OFlags, mkdir, open, openat};
use rustix::io::Result;
use std::ffi::CString;
use upkeep_core::hold::Pipe;
use upkeep_servicedir::{Identity, names};
use upkeep_sys::table::Table;
use upkeep_sys::{clock, exec, mark};

/// The pipes, each by its reading end.
#[derive(Default)]
pub struct Pipes(Table<(Pipe, OwnedFd)>);

impl Pipes {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Table::new())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one is held.
    #[must_use]
    pub fn holds(&self, which: Pipe) -> bool {
        self.0.iter().any(|(pipe, _)| *pipe == which)
    }

    /// Holds one more.
    pub fn hold(&mut self, which: Pipe, end: OwnedFd) -> Result<()> {
        self.0.push((which, end))
    }

    /// Holds it no more.
    pub fn let_go(&mut self, which: Pipe) {
        self.remove(|(pipe, _)| *pipe == which);
    }

    fn remove(&mut self, is_it: impl Fn(&(Pipe, OwnedFd)) -> bool) {
        if let Some(index) = self.0.iter().position(is_it) {
            drop(self.0.swap_remove(index));
        }
    }
}

/// What a directory tells of the others: each has a mark there, at the time at
/// which it began, and another one when it holds everything. It is the current
/// one, which all are about, or one that stands for it where the state of its
/// services is elsewhere: two containers may have the same directory, read-only.
pub struct Rank {
    directory: OwnedFd,
    path: CString,
    kind: u64,
    since: u64,
}

/// Those that are compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// svhold.
    Holder,
    /// svlines.
    Reader,
}

impl Rank {
    /// Where the second marks are.
    const COMPLETE: u64 = 1 << 62;
    /// How many places a kind has for each: what a clock says in a lifetime.
    const PLACES: u64 = 1 << 61;

    /// Takes a place among the others, as the youngest.
    pub fn take(kind: Kind) -> Result<Self> {
        if let Some(place) = elsewhere()
            && let Ok(rank) = Self::take_in(&place, kind)
        {
            return Ok(rank);
        }
        Self::take_in(c".", kind)
    }

    fn take_in(path: &CStr, kind: Kind) -> Result<Self> {
        let directory = open(path, HERE, Mode::empty())?;
        let kind = kind as u64 * Self::PLACES;
        let since = kind + clock::monotonic();
        mark::set(&directory, since)?;
        Ok(Self { directory, path: path.to_owned(), kind, since })
    }

    /// Says that everything is held, and wakes those that wait for that.
    pub fn complete(&self) -> Result<()> {
        mark::set(&self.directory, Self::COMPLETE + self.since)?;
        // Those that watch the directory notice.
        openat(&self.directory, c".", HERE, Mode::empty()).map(drop)
    }

    /// Whether a younger one holds everything.
    #[must_use]
    pub fn has_heir(&self) -> bool {
        let younger = self.since + 1..self.kind + Self::PLACES;
        let complete = Self::COMPLETE + younger.start..Self::COMPLETE + younger.end;
        mark::is_set(&self.directory, complete) == Ok(true)
    }

    /// Tells when somebody opens the directory.
    pub fn openings(&self) -> Result<OwnedFd> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let notices = inotify::init(flags)?;
        inotify::add_watch(&notices, &self.path, WatchFlags::OPEN | WatchFlags::ONLYDIR)?;
        Ok(notices)
    }

    /// Whether one that is older is still there.
    #[must_use]
    pub fn has_elder(&self) -> bool {
        mark::is_set(&self.directory, self.kind..self.since) == Ok(true)
    }

    /// Waits, not for ever, until all that are older have gone.
    pub fn outlive(&self, patience: u64) {
        const STEP: u64 = 2_000_000;
        let until = clock::monotonic() + patience;
        while clock::monotonic() < until && self.has_elder() {
            clock::pause_until(clock::monotonic() + STEP);
        }
    }
}

/// The directory that stands for the current one where the state is elsewhere.
/// svscan has made it where it has chosen the place itself.
fn elsewhere() -> Option<CString> {
    let dir = exec::variable(names::SUPERVISEDIR).filter(|dir| dir.starts_with(b"/"))?;
    let here = Identity::here().ok()?;
    if dir.rsplit(|&b| b == b'/').next() == Some(here.bytes()) {
        return CString::new(dir).ok();
    }
    let place = CString::new([dir, b"/", here.bytes()].concat()).ok()?;
    // It may be there already, or cannot be: the open will tell.
    let _ = mkdir(&place, Mode::RWXU);
    Some(place)
}

const HERE: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Tells when an heir may be there, and which pipes nobody can need.
pub struct Watch {
    epoll: OwnedFd,
    /// Without it, the directory is looked at again and again.
    notices: Option<OwnedFd>,
}

/// Stands for the notices where a pipe has its descriptor.
const NOTICES: u64 = u64::MAX;

impl Watch {
    /// Watches the directory of that rank and the pipes.
    pub fn open(rank: &Rank, pipes: &Pipes) -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let notices = notices(rank, &epoll).ok();
        for (_, end) in pipes.0.iter() {
            // That nobody writes any more is always told.
            let number = u64::from(end.as_raw_fd().unsigned_abs());
            epoll::add(&epoll, end, EventData::new_u64(number), EventFlags::empty())?;
        }
        Ok(Self { epoll, notices })
    }

    /// Waits until something happens. A pipe that nobody writes to and that
    /// has nothing in it is let go of. One that has is held on to.
    pub fn wait(&self, pipes: &mut Pipes) {
        const SECOND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
        let limit = if self.notices.is_some() { None } else { Some(&SECOND) };
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 64];
        let count = epoll::wait(&self.epoll, &mut events[..], limit).unwrap_or(0);
        for event in &events[..count] {
            let number = event.data.u64();
            if number == NOTICES
                && let Some(notices) = &self.notices
            {
                drain(notices);
                continue;
            }
            let is_it = |end: &OwnedFd| u64::from(end.as_raw_fd().unsigned_abs()) == number;
            let Some((_, end)) = pipes.0.iter().find(|(_, end)| is_it(end)) else { continue };
            // It would be told again and again.
            let _ = epoll::delete(&self.epoll, end);
            if rustix::io::ioctl_fionread(end.as_fd()) == Ok(0) {
                pipes.remove(|(_, end)| is_it(end));
            }
        }
    }
}

/// Takes what was told.
pub fn drain(notices: &OwnedFd) {
    let mut room = [MaybeUninit::uninit(); 4096];
    while rustix::io::read(notices, &mut room[..]).is_ok() {}
}

fn notices(rank: &Rank, epoll: &OwnedFd) -> Result<OwnedFd> {
    let notices = rank.openings()?;
    epoll::add(epoll, &notices, EventData::new_u64(NOTICES), EventFlags::IN)?;
    Ok(notices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    fn held(pipes: &mut Pipes, n: u64) -> (OwnedFd, Pipe) {
        let (read, write) = pipe().unwrap();
        let which = Pipe { device: 1, inode: n };
        pipes.hold(which, read).unwrap();
        (write, which)
    }

    #[test]
    fn a_pipe_is_held_until_it_is_let_go_of() {
        let mut pipes = Pipes::new();
        let (write, which) = held(&mut pipes, 7);
        assert!(pipes.holds(which) && !pipes.is_empty());
        assert_eq!(rustix::io::write(&write, b"x"), Ok(1));
        pipes.let_go(Pipe { device: 1, inode: 8 });
        assert!(pipes.holds(which));
        pipes.let_go(which);
        assert!(pipes.is_empty());
    }

    #[test]
    fn what_nobody_can_need_is_let_go_of() {
        let mut pipes = Pipes::new();
        let (full, with_line) = held(&mut pipes, 1);
        let (empty, without) = held(&mut pipes, 2);
        let (_open, written) = held(&mut pipes, 3);
        assert_eq!(rustix::io::write(&full, b"line"), Ok(4));
        let rank = Rank::take_in(c"/", Kind::Holder).unwrap();
        let watch = Watch::open(&rank, &pipes).unwrap();
        drop(full);
        drop(empty);
        while pipes.holds(without) {
            watch.wait(&mut pipes);
        }
        assert!(pipes.holds(with_line) && pipes.holds(written));
    }

    #[test]
    fn only_the_young_and_complete_are_heirs() {
        let dir = std::env::temp_dir().join(format!("upkeep-rank-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let path = CString::new(dir.to_str().unwrap()).unwrap();
        let take = |kind| Rank::take_in(&path, kind).unwrap();
        let reader = take(Kind::Reader);
        let (first, second) = (take(Kind::Holder), take(Kind::Holder));
        assert!(!reader.has_elder() && !first.has_elder() && second.has_elder());
        reader.complete().unwrap();
        assert!(!first.has_heir() && !second.has_heir());
        first.complete().unwrap();
        assert!(!first.has_heir() && !second.has_heir());
        second.complete().unwrap();
        assert!(first.has_heir() && !second.has_heir());
        let before = clock::monotonic();
        second.outlive(5_000_000);
        assert!(clock::monotonic() - before >= 5_000_000);
        drop(first);
        // At once.
        second.outlive(u64::MAX / 4);
        std::fs::remove_dir(&dir).unwrap();
    }
}

//! The changes of many service directories at once, as the kernel tells of
//! them. Whoever waits subscribes first and reads then, so that nothing is
//! missed; what is told is that something may have changed, never what.

use crate::{client, names, place};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::fs::CWD;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::CString;
use upkeep_sys::clock;
use upkeep_sys::refuse::refused;

/// Service directories that are watched, each under a number that its user
/// gives it.
#[derive(Debug)]
pub struct Changes {
    inotify: OwnedFd,
    services: Services,
    /// Writing ends of `supervise/ok` whose reading end may be about to close.
    closing: Vec<(usize, OwnedFd)>,
}

/// A service that may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub service: usize,
    /// Whether a supervise has ended there; another one may have begun since.
    pub ended: bool,
}

/// Why a service cannot be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchTrouble {
    /// There can be no more of what watches.
    NoWatcher,
    /// There can be no more directories that are watched.
    NoWatch,
    /// The system's reason.
    Os(Errno),
}

impl WatchTrouble {
    /// The reason in words, and the system's where that is behind them.
    #[must_use]
    pub const fn words(self) -> (&'static str, Option<Errno>) {
        match self {
            Self::NoWatcher => {
                ("no more descriptors, or inotify instances (fs.inotify.max_user_instances)", None)
            }
            Self::NoWatch => ("no more inotify watches (fs.inotify.max_user_watches)", None),
            Self::Os(why) => ("", Some(why)),
        }
    }
}

type Answer<T> = Result<T, WatchTrouble>;

/// What is always asked for: a new status or text, or a status that is written
/// over, the end of a supervise, which closes `ok`, and that `supervise` is
/// removed or, where it is not there yet, that it appears. A directory that is
/// removed is gone for the kernel only when nobody has a file in it open any
/// more: that `ok` is removed comes before.
const ALWAYS: WatchFlags = WatchFlags::MOVED_TO
    .union(WatchFlags::DELETE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::CLOSE_NOWRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);
/// What is asked for as well as long as there is no supervise: it opens `ok`
/// last. Once it has, every client that looks opens it too, this one among
/// them, and would wake itself up.
const UNSUPERVISED: WatchFlags = ALWAYS.union(WatchFlags::OPEN);

impl Changes {
    /// Watches nothing yet.
    pub fn open() -> Answer<Self> {
        if refused(b"inotify") {
            return Err(WatchTrouble::NoWatcher);
        }
        let inotify =
            inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(|why| {
                if why == Errno::MFILE { WatchTrouble::NoWatcher } else { WatchTrouble::Os(why) }
            })?;
        Ok(Self { inotify, services: Services::default(), closing: Vec::new() })
    }

    /// Subscribes to the changes of the current service directory under the
    /// number `service`, and says whether it has a supervise. What is read of
    /// it from now on is either the last or changes, and then `wait` tells. It
    /// has to be called again, before the next reading, for each change that
    /// was told.
    pub fn subscribe(&mut self, service: usize) -> Answer<bool> {
        let look = || match client::listener_here() {
            Err(Errno::NOENT) => Ok(None),
            answer => answer.map_err(WatchTrouble::Os),
        };
        let mut subscribe =
            || place::at(names::SUPERVISE, |directory| self.subscribe_to(service, directory, look));
        match subscribe() {
            Ok(false) | Err(WatchTrouble::Os(Errno::ACCESS)) if place::settle() => subscribe(),
            answer => answer,
        }
    }

    fn subscribe_to(
        &mut self,
        service: usize,
        directory: &CStr,
        look: impl Fn() -> Answer<Option<OwnedFd>>,
    ) -> Answer<bool> {
        self.closing.retain(|(other, _)| *other != service);
        let may_close = self.services.looked_at(service);
        let watch = self.reach_towards(directory)?;
        if let Some(old) = self.services.give(service, watch) {
            self.unwatch(old);
        }
        if !watch.there {
            return Ok(false);
        }
        let mut ok = look()?;
        if ok.is_none() {
            self.watch(directory, UNSUPERVISED)?;
            ok = look()?;
        }
        let Some(ok) = ok else { return Ok(false) };
        self.watch(directory, ALWAYS)?;
        if may_close {
            // That a descriptor is closed is told just before it is: this one
            // tells when it was the last.
            self.closing.push((service, ok));
        }
        Ok(true)
    }

    /// Waits until a service may have changed, or until `deadline` (monotonic
    /// nanoseconds) has come; says whether there is anything to `take`.
    pub fn wait(&mut self, deadline: Option<u64>) -> Answer<bool> {
        self.wait_beside(&[], deadline)?;
        Ok(!self.services.changed.is_empty())
    }

    /// The same, or until something has happened at one of `others`; says at
    /// which of them, the first.
    pub fn wait_beside(
        &mut self,
        others: &[PollFd<'_>],
        deadline: Option<u64>,
    ) -> Answer<Option<usize>> {
        loop {
            self.drain();
            if !self.services.changed.is_empty() {
                return Ok(None);
            }
            let left = deadline.map(clock::until);
            if left.is_some_and(|left| left.tv_sec == 0 && left.tv_nsec == 0) {
                return Ok(None);
            }
            let mut fds = Vec::with_capacity(others.len() + 1 + self.closing.len());
            fds.extend_from_slice(others);
            fds.push(PollFd::new(&self.inotify, PollFlags::IN));
            // Of these it is only of interest that nobody reads any more.
            fds.extend(self.closing.iter().map(|(_, ok)| PollFd::new(ok, PollFlags::empty())));
            match poll(&mut fds, left.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => return Err(WatchTrouble::Os(why)),
            }
            let happened: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            let mut closed = happened[others.len() + 1..].iter();
            self.closing.retain(|(service, _)| {
                let closed = closed.next() == Some(&true);
                if closed {
                    self.services.changed.insert(*service);
                }
                !closed
            });
            if let Some(other) = happened[..others.len()].iter().position(|happened| *happened) {
                return Ok(Some(other));
            }
        }
    }

    /// The next service that may have changed, each once, the lowest number
    /// first.
    pub fn take(&mut self) -> Option<Change> {
        let service = self.services.changed.pop_first()?;
        let ended = self.services.all.get(service).is_some_and(|one| one.ended);
        Some(Change { service, ended })
    }

    /// Notes everything that the kernel has to tell.
    fn drain(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    self.services.note(event.wd(), event.events(), event.file_name());
                }
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn watch(&self, directory: &CStr, what: WatchFlags) -> Answer<i32> {
        inotify::add_watch(&self.inotify, directory, what).map_err(|why| match why {
            Errno::NOSPC => WatchTrouble::NoWatch,
            why => WatchTrouble::Os(why),
        })
    }

    /// Watches the directory or, if it is not there, what is there of the way
    /// to it. What appears while that is found out is found, too.
    fn reach_towards(&self, directory: &CStr) -> Answer<Watch> {
        let mut last = None;
        loop {
            let (number, there) = self.reach_nearest(directory)?;
            if there || last == Some(number) {
                return Ok(Watch { number, there });
            }
            if let Some(before) = last.replace(number) {
                self.unwatch(before);
            }
        }
    }

    /// Watches the first that is there of the directory and those around it;
    /// says whether it is the directory itself.
    fn reach_nearest(&self, directory: &CStr) -> Answer<(i32, bool)> {
        // Another service may be waiting for more in the same directory.
        let what = ALWAYS | WatchFlags::MASK_ADD;
        let mut around = match self.watch(directory, what) {
            Err(WatchTrouble::Os(Errno::NOENT)) => outwards(directory),
            answer => return Ok((answer?, true)),
        };
        loop {
            // Around everything is the current directory.
            let here = around.as_deref().unwrap_or(c".");
            match self.watch(here, what) {
                Err(WatchTrouble::Os(Errno::NOENT)) if around.is_some() => {
                    around = outwards(here);
                }
                answer => return Ok((answer?, false)),
            }
        }
    }

    fn unwatch(&self, watch: i32) {
        if !self.services.has(watch) {
            // It is gone by itself where the directory is.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
    }
}

/// A watch that a service gets.
#[derive(Clone, Copy)]
struct Watch {
    number: i32,
    /// Whether it is on the directory itself, and not on the way to it.
    there: bool,
}

/// Where to look for `path`, which is not there, to appear: where it points
/// to, if it is a link, or the directory that it is in.
fn outwards(path: &CStr) -> Option<CString> {
    let bytes = path.to_bytes();
    let end = bytes.iter().rposition(|&b| b == b'/');
    let mut buffer = [MaybeUninit::uninit(); 4096];
    if let Ok((target, _)) = rustix::fs::readlinkat_raw(CWD, path, &mut buffer[..4095]) {
        let inside = if target.starts_with(b"/") { 0 } else { end.map_or(0, |end| end + 1) };
        return CString::new([&bytes[..inside], target].concat()).ok();
    }
    let end = end?;
    CString::new(&bytes[..end.max(1)]).ok().filter(|outer| outer.to_bytes().len() < bytes.len())
}

/// Which watch is whose, and what was told.
#[derive(Debug, Default)]
struct Services {
    all: Vec<Service>,
    /// Each watch with each of its services: those of one directory share it.
    watches: BTreeSet<(i32, usize)>,
    changed: BTreeSet<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Service {
    watch: Option<i32>,
    /// Whether that is on the directory itself.
    there: bool,
    /// Whether a supervise has ended there since it was looked at.
    ended: bool,
    /// Whether one may have.
    unclear: bool,
}

impl Services {
    /// The service is being looked at; says whether its supervise may be about
    /// to have ended.
    fn looked_at(&mut self, service: usize) -> bool {
        if service >= self.all.len() {
            self.all.resize(service + 1, Service::default());
        }
        self.changed.remove(&service);
        let one = &mut self.all[service];
        let may_close = one.ended || one.unclear;
        (one.ended, one.unclear) = (false, false);
        may_close
    }

    /// Gives a service its watch; says which one it had instead.
    fn give(&mut self, service: usize, watch: Watch) -> Option<i32> {
        let one = self.all.get_mut(service)?;
        one.there = watch.there;
        self.watches.insert((watch.number, service));
        let old = one.watch.replace(watch.number).filter(|old| *old != watch.number)?;
        self.watches.remove(&(old, service));
        Some(old)
    }

    fn has(&self, watch: i32) -> bool {
        self.watches.range((watch, 0)..=(watch, usize::MAX)).next().is_some()
    }

    /// Notes an event.
    fn note(&mut self, watch: i32, what: ReadFlags, name: Option<&CStr>) {
        if what.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.all.iter_mut().for_each(|one| one.unclear = true);
            self.changed.extend(0..self.all.len());
            return;
        }
        let is = |file: &CStr| name.is_some_and(|name| place::tail(file)[1..] == *name.to_bytes());
        let itself = what.intersects(
            ReadFlags::IGNORED | ReadFlags::UNMOUNT | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF,
        );
        let appeared = what.intersects(ReadFlags::MOVED_TO | ReadFlags::CREATE);
        let ended = what.contains(ReadFlags::CLOSE_NOWRITE) && is(names::OK);
        let changed = ended
            || what.intersects(ReadFlags::OPEN | ReadFlags::DELETE) && is(names::OK)
            || (appeared || what.contains(ReadFlags::MODIFY)) && is(names::STATUS)
            || appeared && is(names::SAID);
        let theirs: Vec<_> =
            self.watches.range((watch, 0)..=(watch, usize::MAX)).copied().collect();
        for (watch, service) in theirs {
            let one = &mut self.all[service];
            if what.contains(ReadFlags::IGNORED) {
                self.watches.remove(&(watch, service));
                one.watch = None;
            }
            one.ended |= ended && one.there;
            if itself || if one.there { changed } else { appeared } {
                self.changed.insert(service);
            }
        }
    }
}

#[cfg(test)]
mod tests;

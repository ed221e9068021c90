//! Being told when there may be more to read: by the kernel, or where it does
//! not tell, by the clock. What is told is that something may have changed,
//! never what.

use crate::files::{Where, input_is_file};
use crate::forward::Forward;
use crate::trouble;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::{Errno, Result};
use std::collections::BTreeSet;
use std::ffi::CString;
use upkeep_sys::clock;
use upkeep_sys::refuse::refused;

/// How often it is looked where the kernel does not tell.
const LOOK: u64 = 250_000_000;

/// That something else is in a directory, or the directory is elsewhere.
const PLACE: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::MASK_ADD);
/// The same, or that something was written.
const WRITTEN: WatchFlags = PLACE.union(WatchFlags::MODIFY);

/// Watches logs.
#[derive(Debug)]
pub(crate) struct Watcher {
    inotify: Option<OwnedFd>,
    /// Each watch with each of its logs.
    watches: BTreeSet<(i32, usize)>,
    /// The logs that can not be watched.
    blind: BTreeSet<usize>,
}

impl Watcher {
    pub(crate) fn new() -> Self {
        let refuses = if refused(b"inotify") { Err(Errno::MFILE) } else { Ok(()) };
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let inotify = refuses.and_then(|()| inotify::init(flags));
        let inotify = inotify.inspect_err(|why| {
            trouble::warn_os(
                &[b"unable to be told of changes, looking for them four times a second: "],
                *why,
            );
        });
        let (watches, blind) = Default::default();
        Self { inotify: inotify.ok(), watches, blind }
    }

    /// Watches a log. What is read from now on is either the last or changes,
    /// and then `wait` tells.
    pub(crate) fn watch(&mut self, number: usize, place: &Where) {
        if self.inotify.is_none() {
            return;
        }
        let told = match place {
            Where::Input => self.input(number),
            // A directory that is removed while it is open does not tell so,
            // and a link does not tell where it goes: what it is in does.
            Where::Directory(path) => self.around(number, path, PLACE),
            Where::File(path) => self.around(number, path, WRITTEN),
        };
        if let Err(why) = told
            && self.blind.insert(number)
        {
            trouble::warn_os(
                &[b"unable to watch ", place.shown(), b", looking four times a second: "],
                why,
            );
        }
    }

    /// Watches standard input if it is a file; everything else is polled.
    fn input(&mut self, number: usize) -> Result<()> {
        if input_is_file() {
            let watch = self.add(c"/proc/self/fd/0", WatchFlags::MODIFY)?;
            self.watches.insert((watch, number));
        }
        Ok(())
    }

    /// Watches what is at the path, and for `what` the directory that it is in.
    fn around(&mut self, number: usize, path: &CStr, what: WatchFlags) -> Result<()> {
        if let Some(around) = outwards(path) {
            self.towards(number, &around, what)?;
        }
        self.towards(number, path, WRITTEN)
    }

    /// Watches what is at the path or, if nothing is, what is there of the way
    /// to it. What appears while that is found out is found, too.
    fn towards(&mut self, number: usize, path: &CStr, wanted: WatchFlags) -> Result<()> {
        let mut last = None;
        loop {
            let mut at = path.to_owned();
            let mut what = wanted;
            let watch = loop {
                match self.add(&at, what) {
                    Err(Errno::NOENT | Errno::NOTDIR) => {}
                    answer => break answer?,
                }
                let Some(around) = outwards(&at) else { return Err(Errno::NOENT) };
                (at, what) = (around, PLACE);
            };
            self.watches.insert((watch, number));
            if at.as_c_str() == path || last == Some(watch) {
                return Ok(());
            }
            last = Some(watch);
        }
    }

    fn add(&self, path: &CStr, what: WatchFlags) -> Result<i32> {
        let inotify = self.inotify.as_ref().ok_or(Errno::MFILE)?;
        inotify::add_watch(inotify, path, what)
    }

    /// Waits until there may be more in one of the logs. Not when nobody reads
    /// what is shown of them any more: then it says so.
    pub(crate) fn wait(&mut self, logs: &[Forward], output: BorrowedFd<'_>) -> bool {
        // Of that it is only of interest that nobody reads it.
        let mut fds = vec![PollFd::from_borrowed_fd(output, PollFlags::empty())];
        fds.extend(
            logs.iter().filter_map(Forward::stream).map(|fd| PollFd::new(fd, PollFlags::IN)),
        );
        fds.extend(self.inotify.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let is_blind = self.inotify.is_none() || !self.blind.is_empty();
        let deadline = is_blind.then(|| clock::monotonic() + LOOK);
        let told = poll(&mut fds, deadline.map(clock::until).as_ref());
        if told.is_ok() && !fds[0].revents().is_empty() {
            return false;
        }
        drop(fds);
        let moved = self.drain();
        for log in logs {
            if moved.contains(&log.source()) {
                self.watch(log.source(), log.log());
            }
        }
        true
    }

    /// Takes note of everything that the kernel has to tell; answers which
    /// logs may be elsewhere.
    fn drain(&mut self) -> BTreeSet<usize> {
        let mut moved = BTreeSet::new();
        let Some(inotify) = &self.inotify else { return moved };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(inotify, &mut buffer);
        let gone = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
        loop {
            let (watch, what) = match reader.next() {
                Ok(event) => (event.wd(), event.events()),
                Err(Errno::INTR) => continue,
                Err(_) => return moved,
            };
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                moved.extend(self.watches.iter().map(|(_, number)| *number));
                continue;
            }
            let of_it = (watch, 0)..=(watch, usize::MAX);
            let is_gone = what.intersects(gone);
            let appeared = what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
            let theirs = self.watches.range(of_it).map(|(_, number)| *number);
            moved.extend(theirs.filter(|_| is_gone || appeared));
            if what.contains(ReadFlags::IGNORED) {
                self.watches.retain(|(other, _)| *other != watch);
            }
        }
    }
}

/// The directory that a path is in.
fn outwards(path: &CStr) -> Option<CString> {
    let bytes = path.to_bytes();
    let name = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == b'/').count();
    let dir = match bytes[..name].iter().rposition(|byte| *byte == b'/') {
        Some(slash) => &bytes[..slash.max(1)],
        None if bytes.starts_with(b"/") || bytes == b"." => return None,
        None => b".",
    };
    CString::new(dir).ok()
}

//! The streams that are read: the reading ends of pipes, each with the name of
//! its service. They keep their places, by which they are known to the kernel.

use crate::lines::cut::LONGEST;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use upkeep_core::hold::Pipe;
use upkeep_sys::table::Table;

/// The longest name, and what is behind it.
const NAME: usize = 255 + 2;

/// One of them.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) pipe: Pipe,
    pub(crate) end: OwnedFd,
    /// The longest line: so much is sure to fit into the pipe.
    pub(crate) most: usize,
    /// As much is in it at least when nothing more fits.
    pub(crate) full: usize,
    /// Whether the last line was ended here.
    pub(crate) broken: bool,
    /// Whether it goes as soon as nobody writes to it any more.
    pub(crate) over: bool,
    /// When what has no end is to be shown as it is.
    pub(crate) late_at: u64,
    /// When to look at it though nothing was told.
    look_at: u64,
    /// How long to wait for that the next time; 0 for not at all.
    pub(crate) pause: u64,
    prefix: [u8; NAME],
    len: usize,
}

impl Stream {
    /// The service's name as it stands in front of a line.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix[..self.len]
    }

    fn call(&mut self, name: &[u8]) {
        let name = &name[..name.len().min(NAME - 2)];
        self.prefix[..name.len()].copy_from_slice(name);
        // A newline would make two lines of one, and a terminal may obey others.
        for byte in self.prefix[..name.len()].iter_mut().filter(|byte| byte.is_ascii_control()) {
            *byte = b'?';
        }
        self.prefix[name.len()..name.len() + 2].copy_from_slice(b": ");
        self.len = name.len() + 2;
    }
}

/// When there is nothing to look at.
pub(crate) const NEVER: u64 = u64::MAX;

/// All of them.
#[derive(Debug)]
pub(crate) struct Streams {
    places: Table<Option<Stream>>,
    epoll: OwnedFd,
    /// Not after the first of their times.
    soonest: u64,
}

/// That something was written, or that nobody writes any more, is told once.
const FLAGS: EventFlags = EventFlags::IN.union(EventFlags::ET);

impl Streams {
    pub(crate) fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { places: Table::new(), epoll, soonest: NEVER })
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.iter().all(Option::is_none)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Stream> {
        self.places.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Stream> {
        self.places.get_mut(place)?.as_mut()
    }

    fn find(&self, which: Pipe) -> Option<usize> {
        let is_it = |place: &Option<Stream>| place.as_ref().is_some_and(|s| s.pipe == which);
        self.places.iter().position(is_it)
    }

    /// Reads one more, or knows an old one by its new name. `room` says how long
    /// its lines may be, and how much is in the pipe when it is full.
    pub(crate) fn add(
        &mut self,
        pipe: Pipe,
        name: &[u8],
        end: Option<OwnedFd>,
        room: impl Fn(&OwnedFd) -> Result<(usize, usize)>,
    ) -> Result<()> {
        if let Some(stream) = self.find(pipe).and_then(|place| self.get_mut(place)) {
            stream.call(name);
            stream.over = false;
            return Ok(());
        }
        let end = end.ok_or(Errno::MFILE)?;
        let (most, full) = room(&end)?;
        let most = most.min(LONGEST);
        let (prefix, len) = ([0; NAME], 0);
        let (broken, over, pause) = (false, false, 0);
        let (late_at, look_at) = (NEVER, NEVER);
        let mut stream =
            Stream { pipe, end, most, full, broken, over, late_at, look_at, pause, prefix, len };
        stream.call(name);
        let place = match self.places.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.places.push(None)?;
                self.places.len() - 1
            }
        };
        epoll::add(&self.epoll, &stream.end, EventData::new_u64(place as u64), FLAGS)?;
        self.places[place] = Some(stream);
        Ok(())
    }

    /// It goes as soon as nobody writes to it any more.
    pub(crate) fn let_go(&mut self, which: Pipe) {
        if let Some(place) = self.find(which) {
            if let Some(stream) = self.get_mut(place) {
                stream.over = true;
            }
            self.again(place);
        }
    }

    /// All of them do.
    pub(crate) fn let_go_of_all(&mut self) {
        for place in 0..self.places.len() {
            if let Some(stream) = self.get_mut(place) {
                stream.over = true;
                self.again(place);
            }
        }
    }

    pub(crate) fn remove(&mut self, place: usize) {
        if let Some(stream) = self.places[place].take() {
            // Others hold it too, so that closing it would not be enough.
            let _ = epoll::delete(&self.epoll, &stream.end);
        }
    }

    /// The next one in which something happened, and whether nobody writes to
    /// it any more.
    pub(crate) fn next(&self) -> Option<(usize, bool)> {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 1];
        let now = rustix::event::Timespec::default();
        let count = epoll::wait(&self.epoll, &mut events[..], Some(&now)).ok()?;
        let event = events[..count].first()?;
        let place = usize::try_from(event.data.u64()).ok()?;
        // Copied, because the kernel's own is not where a reference may be.
        let flags = event.flags;
        Some((place, flags.contains(EventFlags::HUP)))
    }

    /// Comes to this one again, after the others that wait.
    pub(crate) fn again(&self, place: usize) {
        if let Some(stream) = self.get(place) {
            let _ =
                epoll::modify(&self.epoll, &stream.end, EventData::new_u64(place as u64), FLAGS);
        }
    }

    /// Comes to this one at that time, if nothing is told before.
    pub(crate) fn look_at(&mut self, place: usize, time: u64) {
        if let Some(stream) = self.get_mut(place) {
            stream.look_at = time;
            self.soonest = self.soonest.min(time);
        }
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        (self.soonest != NEVER).then_some(self.soonest)
    }

    /// Comes to those whose time it is.
    pub(crate) fn tick(&mut self, now: u64) {
        if now < self.soonest {
            return;
        }
        self.soonest = NEVER;
        for place in 0..self.places.len() {
            let Some(stream) = self.get_mut(place) else { continue };
            let time = stream.look_at;
            if time <= now {
                stream.look_at = NEVER;
                self.again(place);
            } else {
                self.soonest = self.soonest.min(time);
            }
        }
    }
}

impl AsFd for Streams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

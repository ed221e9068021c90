//! The files of one log, in order, and those that come after them. What was
//! read is known by what it is and not by what it is called, so that nothing
//! is read twice, or not at all, however it is renamed and compressed.

use crate::entry::Stamps;
use crate::listing::{self, Held, Id, Listing, Stem};
use crate::part::{self, Feed, Part, size};
use crate::seek::{self, Before};
use crate::trouble;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::rc::Rc;
use upkeep_core::tai::Tai64n;
use upkeep_logdir::files::{CURRENT, PROCESSED};

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What it is called in front of its lines.
    pub name: Vec<u8>,
    /// Where it is.
    pub place: Where,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// In this log directory.
    Directory(CString),
    /// In this file alone.
    File(CString),
    /// In what standard input gives.
    Input,
}

impl Where {
    /// The path, for people.
    #[must_use]
    pub fn shown(&self) -> &[u8] {
        match self {
            Self::Directory(path) | Self::File(path) => path.to_bytes(),
            Self::Input => b"standard input",
        }
    }

    /// Says that asking for times there is in vain.
    pub(crate) fn tell_unstamped(&self) {
        trouble::warn(&[b"no line of ", self.shown(), b" has a stamp"]);
    }
}

/// Whether standard input is a file.
pub(crate) fn input_is_file() -> bool {
    part::kind(rustix::stdio::stdin()) == Some(FileType::RegularFile)
}

/// A place in a log: in which of its files, and where in what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) part: usize,
    pub(crate) offset: u64,
}

/// Its files that are still to be read.
#[derive(Debug)]
pub(crate) struct Files {
    place: Where,
    /// Whether what comes later is read, too.
    follow: bool,
    dir: Option<(OwnedFd, Id)>,
    pub(crate) list: Vec<Part>,
    /// Nothing before that is read: standard input may stand elsewhere than at
    /// its beginning.
    pub(crate) begin: Place,
    /// The archives that are read or will be.
    known: BTreeSet<Stem>,
    /// Files that are read or will be and that have no archive's name yet.
    /// They are kept open, so that no new one can be taken for them.
    unnamed: Vec<Held>,
    /// The one that is being written.
    current: Option<Id>,
    /// Those that cannot be opened, which has been said.
    unreadable: Vec<(&'static CStr, Errno)>,
}

impl Files {
    /// All that are there now. There may be none.
    pub(crate) fn open(place: &Where, follow: bool) -> Result<Self> {
        let mut files = Self {
            place: place.clone(),
            follow,
            dir: None,
            list: Vec::new(),
            begin: Place::default(),
            known: BTreeSet::new(),
            unnamed: Vec::new(),
            current: None,
            unreadable: Vec::new(),
        };
        if *place == Where::Input {
            let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
            let part = Part::open_as(c"standard input", Rc::new(input));
            files.begin.offset = part.stands_at();
            files.list.push(part);
        } else {
            files.look()?;
        }
        Ok(files)
    }

    /// The directory's name for people.
    pub(crate) fn shown(&self) -> &[u8] {
        match &self.place {
            Where::Directory(path) => path.to_bytes(),
            Where::File(_) | Where::Input => b"",
        }
    }

    pub(crate) const fn place(&self) -> &Where {
        &self.place
    }

    pub(crate) fn is_input(&self) -> bool {
        self.place == Where::Input
    }

    /// Whether it comes but once, as out of a pipe.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.list.as_slice(), [part] if part.is_stream())
    }

    fn fd(&self) -> Option<&OwnedFd> {
        self.dir.as_ref().map(|(fd, _)| fd)
    }

    /// What is in one of them from `at` on.
    pub(crate) fn feed(&mut self, part: &mut Part, at: u64) -> Option<Feed> {
        let feed = part.feed(self.shown(), self.fd(), at);
        part.tell_if_gone();
        feed
    }

    /// What is in the one with this number, to be read from anywhere.
    pub(crate) fn content(&mut self, number: usize) -> Option<Rc<OwnedFd>> {
        let mut part = self.list.get_mut(number)?.clone();
        let content = part.content(self.shown(), self.fd());
        part.tell_if_gone();
        self.list[number] = part;
        content
    }

    /// Done with this one.
    pub(crate) fn close(&mut self, number: usize) {
        if let Some(part) = self.list.get_mut(number) {
            part.close();
        }
    }

    /// The end of what is there now.
    pub(crate) fn end(&mut self) -> Place {
        let Some(last) = self.list.len().checked_sub(1) else { return Place::default() };
        let offset = self.content(last).map_or(0, |content| size(&content));
        Place { part: last, offset }
    }

    /// Where the line begins that is not finished at this place, which is where
    /// a file ends.
    pub(crate) fn line_at(&mut self, place: Place) -> Place {
        let begins = self.content(place.part).map(|content| seek::line_at(&content, place.offset));
        Place { offset: begins.unwrap_or(place.offset), ..place }.max(self.begin)
    }

    /// The place of the first line that is stamped with a moment for which
    /// `late` holds. What was closed before such a moment is not looked at.
    pub(crate) fn first(
        &mut self,
        stamps: &mut Stamps,
        late: impl Fn(Tai64n) -> bool,
    ) -> Option<Place> {
        let is_early = |part: &Part| {
            let closed = part.stem.as_ref().and_then(listing::closed);
            closed.is_some_and(|closed| !late(closed))
        };
        let early = self.list.partition_point(is_early);
        (early..self.list.len()).find_map(|part| {
            let content = self.content(part)?;
            let place = seek::first(&content, size(&content), stamps, &late);
            match place {
                Ok(Some(offset)) => return Some(Place { part, offset }.max(self.begin)),
                Ok(None) => self.close(part),
                Err(why) => self.list[part].unreadable(self.shown(), why),
            }
            None
        })
    }

    /// The moment of the last stamped line before a place, if that is not far.
    pub(crate) fn moment_before(&mut self, place: Place, stamps: &mut Stamps) -> Option<Tai64n> {
        for part in (0..=place.part).rev() {
            let Some(content) = self.content(part) else { continue };
            let offset = if part == place.part { place.offset } else { size(&content) };
            match seek::before(&content, offset, stamps) {
                Before::Moment(moment) => return Some(moment),
                Before::Nothing => {}
                Before::Far => return None,
            }
        }
        None
    }

    /// Whether the one that was being written is not any more, because there
    /// is another one in its place.
    pub(crate) fn is_replaced(&self) -> bool {
        let there = match &self.place {
            Where::Input => return false,
            Where::File(path) => fs::stat(path).map(Id::from),
            // The directory may be another one, too.
            Where::Directory(path) => match fs::stat(path).map(Id::from) {
                Ok(id) if self.dir.as_ref().is_some_and(|(_, own)| *own == id) => {
                    self.fd().map_or(Err(Errno::NOENT), |dir| Id::at(dir, CURRENT))
                }
                Ok(_) => return true,
                Err(why) => Err(why),
            },
        };
        there.is_ok_and(|id| self.current != Some(id))
    }

    /// Puts what is new at the end of the list.
    pub(crate) fn look(&mut self) -> Result<()> {
        match self.place.clone() {
            Where::Input => Ok(()),
            Where::File(path) => self.look_at_file(&path),
            Where::Directory(path) => self.look_at_directory(&path),
        }
    }

    fn look_at_file(&mut self, path: &CStr) -> Result<()> {
        let file = match open_file(path, self.follow) {
            Err(Errno::NOENT) => return Ok(()),
            answer => answer?,
        };
        let id = Id::of(&file)?;
        if self.current.replace(id) != Some(id) {
            self.list.push(Part::open_as(path, Rc::new(file)));
        }
        Ok(())
    }

    /// A FIFO once more, when its last writer has gone: others may come.
    pub(crate) fn reopened(&self) -> Option<OwnedFd> {
        let Where::File(path) = &self.place else { return None };
        let file = open_file(path, true).ok().filter(part::is_fifo)?;
        (Id::of(&file).ok() == self.current).then_some(file)
    }

    fn look_at_directory(&mut self, path: &CStr) -> Result<()> {
        self.enter(path)?;
        let Some((dir, _)) = &self.dir else { return Ok(()) };
        let Listing { archives, closed, current, unreadable } = Listing::of(dir)?;
        for (name, why) in unreadable.iter().filter(|it| !self.unreadable.contains(it)) {
            let name = name.to_bytes();
            trouble::note_os(&[b"unable to read ", self.shown(), b"/", name, b": "], *why);
        }
        self.unreadable = unreadable;
        let (old, mut new) = archives
            .iter()
            .map(|(stem, name)| (*stem, name.clone()))
            .partition::<Vec<_>, _>(|(stem, _)| self.known.contains(stem));
        let being_written = current.as_ref().map(|current| current.id);
        self.forget_named(&mut new, closed.as_ref(), being_written, &old);
        self.list.extend(new.into_iter().map(|(stem, name)| Part::archive(stem, name)));
        for held in closed.into_iter().chain(current.clone()) {
            if self.unnamed.iter().all(|known| known.id != held.id) {
                self.list.push(Part::held(&held));
                self.unnamed.push(held);
            }
        }
        // One that is not there any more is nobody's number any more.
        self.current = being_written;
        self.known = archives.into_keys().collect();
        Ok(())
    }

    /// Opens the directory, or another one that is there instead by now.
    fn enter(&mut self, path: &CStr) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = match fs::openat(CWD, path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            answer => answer?,
        };
        let id = Id::of(&dir)?;
        if self.dir.as_ref().is_none_or(|(_, own)| *own != id) {
            self.dir = Some((dir, id));
            self.known.clear();
            self.unnamed.clear();
        }
        Ok(())
    }

    /// Takes out of the new archives those that were read under another name,
    /// or that were made of what was read.
    fn forget_named(
        &mut self,
        new: &mut Vec<(Stem, CString)>,
        closed: Option<&Held>,
        current: Option<Id>,
        old: &[(Stem, CString)],
    ) {
        let Some((dir, _)) = &self.dir else { return };
        if self.unnamed.is_empty() {
            return;
        }
        let candidate = |(stem, name): &(Stem, CString)| {
            (Part::archive(*stem, name.clone()), Id::at(dir, name).ok())
        };
        let mut candidates: Vec<_> = new.iter().map(candidate).collect();
        // What a processor has made of the last one, until it has its name.
        let processed = closed.filter(|closed| closed.name == PROCESSED);
        candidates.extend(processed.map(|held| (Part::held(held), Some(held.id))));
        let mut read = core::mem::take(&mut self.unnamed);
        let all: Vec<_> = read.iter().map(|held| held.id).collect();
        // The oldest go first: if one that is older is there, so is what was
        // made of it. It has to be there after what is not was looked for.
        let older_is_there = old.iter().rev().any(|(_, name)| Id::at(dir, name).is_ok());
        // Both are in order, so what was made of one is next.
        let mut next = 0;
        read.retain(|held| {
            let id = Some(held.id);
            if id == current || id == closed.map(|closed| closed.id) {
                return true;
            }
            let same = candidates.iter().position(|(_, other)| *other == id);
            let made = || {
                let is_another = |other: Option<Id>| other.is_some_and(|it| all.contains(&it));
                let is_it = |part: &Part| older_is_there || is_made_of(dir, part, held);
                let rest = candidates.iter().enumerate().skip(next);
                let mut rest = rest.take_while(|(_, (_, other))| !is_another(*other));
                rest.find(|(_, (part, _))| is_it(part)).map(|(at, _)| at)
            };
            if let Some(at) = same.or_else(made) {
                candidates.remove(at);
                if at < new.len() {
                    new.remove(at);
                }
                next = at;
            }
            false
        });
        if let Some(processed) = processed
            && candidates.len() == new.len()
        {
            read.push(processed.clone());
        }
        self.unnamed = read;
    }
}

/// Opens a file. Who follows others meanwhile does not wait for the writer of a
/// FIFO.
fn open_file(path: &CStr, at_once: bool) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    let flags = if at_once { flags | OFlags::NONBLOCK } else { flags };
    fs::open(path, flags, Mode::empty())
}

/// Whether an archive begins as the file does that was read.
fn is_made_of(dir: &OwnedFd, part: &Part, held: &Held) -> bool {
    let begins = |feed: Option<Feed>| {
        let mut text = vec![0; 4096];
        let len = feed.and_then(|mut feed| feed.read(&mut text).ok()).unwrap_or(0);
        text.truncate(len);
        text
    };
    let theirs = begins(part.clone().feed(b"", Some(dir), 0));
    let own = begins(Some(Feed::File(Rc::clone(&held.file), 0)));
    let len = own.len().min(theirs.len());
    len > 0 && own[..len] == theirs[..len]
}

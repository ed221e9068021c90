//! The journal in the lock file, as memory: what is noted there stays when
//! the process is killed, and costs no system call. What a journal says is
//! not known here.

use crate::files;
use crate::place::Place;
use core::cell::RefCell;
use rustix::fd::AsFd;
use rustix::fs::{FallocateFlags, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::rc::Rc;
use upkeep_core::journal::{BEGUN, Begun, Held, MAGIC, MARK, Mark, RECORD, Record, WORDS, place};
use upkeep_sys::point;
use upkeep_sys::shared::Shared;

/// The size of the file.
const SIZE: u64 = WORDS as u64 * 8;

/// An open journal. A clone is the same one: when the directory is another
/// one, both are that one's.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Words,
    words: [u64; RECORD],
}

/// The words of the file that is the journal now. Without one they are 0, and
/// nothing is noted.
#[derive(Clone, Debug)]
struct Words(Rc<RefCell<Option<Shared>>>);

impl Words {
    fn open(place: &Place) -> Option<Shared> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(place.fd(), files::LOCK, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let len = u64::try_from(stat.st_size).ok()?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || (len != 0 && len != SIZE)
        {
            return None;
        }
        // A store for which there is no room would be a fault.
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SIZE).ok()?;
        let shared = Shared::map(file, WORDS).ok()?;
        match shared.get(place::MAGIC) {
            MAGIC => {}
            0 => {
                shared.put(0, &[0; WORDS]);
                shared.publish(place::MAGIC, MAGIC);
            }
            _ => return None,
        }
        Some(shared)
    }

    fn get(&self, index: usize) -> u64 {
        self.0.borrow().as_ref().map_or(0, |shared| shared.get(index))
    }

    fn put(&self, index: usize, values: &[u64]) {
        if let Some(shared) = &*self.0.borrow() {
            shared.put(index, values);
        }
    }

    fn publish(&self, index: usize, value: u64) {
        if let Some(shared) = &*self.0.borrow() {
            shared.publish(index, value);
        }
    }

    fn mark(&self, index: usize) -> u8 {
        self.0.borrow().as_ref().map_or(0, |shared| shared.mark(index))
    }

    fn set_mark(&self, index: usize, mark: u8) {
        if let Some(shared) = &*self.0.borrow() {
            shared.set_mark(index, mark);
        }
    }
}

impl Journal {
    /// Opens the one in `place`, which is locked, or makes it. There is none
    /// where the file system does not offer what it takes, where there is no
    /// room for it, and where the file holds something else.
    pub(crate) fn open(place: &Place) -> Option<Self> {
        let shared = Words(Rc::new(RefCell::new(Some(Words::open(place)?))));
        Some(Self { shared, words: [0; RECORD] })
    }

    /// Another one in `place`, which says what this one says, and that nothing
    /// of what is in hand is in a log there.
    pub(crate) fn copy_to(&self, place: &Place, mark: &Mark) -> Option<Self> {
        let new = Self::open(place)?;
        new.forget();
        for index in place::RECORD + 1..WORDS {
            new.shared.put(index, &[self.shared.get(index)]);
        }
        new.set_mark(&Mark { file: 0, size: 0, ..*mark });
        new.shared.publish(place::RECORD, self.shared.get(place::RECORD));
        point!("reopen: copied");
        Some(new)
    }

    /// From now on this is the other one. Nothing that is in hand is left in
    /// the old one. Without another one, this is none.
    pub(crate) fn become_it(&self, other: Option<Self>) {
        self.forget();
        point!("reopen: left");
        let new = other.and_then(|other| other.shared.0.borrow_mut().take());
        *self.shared.0.borrow_mut() = new;
    }

    /// The record of the input, what is held, and what shows whether its
    /// batch was taken.
    #[must_use]
    pub fn record(&self) -> Option<(Record, Held, u8)> {
        let generation = self.generation(place::RECORD)?;
        let from = place::record(generation);
        let words = core::array::from_fn(|n| self.shared.get(from + n));
        let (record, held) = Record::decode(&words)?;
        Some((record, held, self.shared.mark(place::taken(generation))))
    }

    /// Notes another one in its place. A batch that it takes is not taken
    /// yet.
    pub fn note(&mut self, record: &Record, held: &[u8]) {
        let generation = self.next(place::RECORD);
        let len = record.encode(held, &mut self.words);
        self.shared.put(place::record(generation), &self.words[..len]);
        self.shared.set_mark(place::taken(generation), !record.raw.last);
        point!("noting");
        self.shared.publish(place::RECORD, generation);
    }

    /// From now on there is none.
    pub fn forget(&self) {
        self.shared.publish(place::RECORD, 0);
    }

    /// Takes this many bytes out of the pipe `from`, and with them notes that
    /// they are taken.
    pub fn take(&self, from: impl AsFd, count: usize) -> Result<usize> {
        let generation = self.generation(place::RECORD).ok_or(Errno::NOENT)?;
        let shared = self.shared.0.borrow();
        shared.as_ref().ok_or(Errno::NOENT)?.read_marked(from, count, place::taken(generation))
    }

    /// Notes that the batch whose last byte is this has been taken.
    pub fn set_taken(&self, last: u8) {
        if let Some(generation) = self.generation(place::RECORD) {
            self.shared.set_mark(place::taken(generation), last);
        }
    }

    /// The directory's mark.
    pub(crate) fn mark(&self) -> Option<Mark> {
        let from = place::mark(self.generation(place::MARK)?);
        let words: [u64; MARK] = core::array::from_fn(|n| self.shared.get(from + n));
        Mark::decode(&words)
    }

    /// Sets another one.
    pub(crate) fn set_mark(&self, mark: &Mark) {
        let generation = self.next(place::MARK);
        self.shared.put(place::mark(generation), &mark.encode());
        point!("marking");
        self.shared.publish(place::MARK, generation);
    }

    /// When current, the file with this inode, began.
    pub(crate) fn begun(&self, current: u64) -> Option<i64> {
        let words: [u64; BEGUN] = core::array::from_fn(|n| self.shared.get(place::BEGUN + n));
        Begun::decode(&words).filter(|begun| begun.file == current).map(|begun| begun.seconds)
    }

    /// Notes it.
    pub(crate) fn set_begun(&self, begun: &Begun) {
        self.shared.put(place::BEGUN, &begun.encode());
    }

    fn generation(&self, index: usize) -> Option<u64> {
        let generation = self.shared.get(index);
        (generation != 0).then_some(generation)
    }

    /// The generation to come. 0 is left out.
    fn next(&self, index: usize) -> u64 {
        self.shared.get(index).checked_add(1).unwrap_or(2)
    }
}

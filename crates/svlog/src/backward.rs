//! The lines of one log, the newest first, by reading blocks from the end. A
//! compressed file is decompressed into a file without a name first, one at a
//! time. Of a line that is longer than is kept in memory the last piece comes
//! first.

use crate::Entry;
use crate::entry::Stamps;
use crate::files::{Files, Place};
use crate::lines::LONGEST;
use crate::part::size;
use crate::seek::fill;
use core::ops::Range;
use memchr::memrchr;
use rustix::fd::OwnedFd;
use std::rc::Rc;
use upkeep_core::tai::Tai64n;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Goes through a log.
#[derive(Debug)]
pub(crate) struct Backward {
    source: usize,
    pub(crate) files: Files,
    stamps: Stamps,
    from: Place,
    /// The place of the line that it is at; before the first, the end.
    place: Place,
    content: Option<Rc<OwnedFd>>,
    buffer: Vec<u8>,
    /// What of it is filled and has not been taken.
    held: Range<usize>,
    line: Range<usize>,
    /// What lines count as that come before the next stamped one.
    moment: Option<Option<Tai64n>>,
}

impl Backward {
    pub(crate) fn new(source: usize, files: Files, stamps: Stamps, from: Place, to: Place) -> Self {
        Self {
            source,
            files,
            stamps,
            from,
            place: to,
            content: None,
            buffer: Vec::new(),
            held: 0..0,
            line: 0..0,
            moment: None,
        }
    }

    /// Where the line begins that it is at.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// The line that it is at.
    pub(crate) fn entry(&mut self) -> Entry<'_> {
        Entry::of_line(self.source, &self.buffer[self.line.clone()], &mut self.stamps)
    }

    /// The moment of the line, or of the last one before it that has one.
    pub(crate) fn moment(&mut self) -> Option<Tai64n> {
        let own = self.stamps.moment(&self.buffer[self.line.clone()]);
        if own.is_some() {
            self.moment = None;
            return own;
        }
        let (files, stamps, place) = (&mut self.files, &mut self.stamps, self.place);
        *self.moment.get_or_insert_with(|| files.moment_before(place, stamps))
    }

    /// Goes to the line before; says whether there is one.
    pub(crate) fn advance(&mut self) -> bool {
        loop {
            if self.content.is_none() && !self.open() {
                return false;
            }
            let floor = if self.place.part == self.from.part { self.from.offset } else { 0 };
            let text = &self.buffer[self.held.clone()];
            let begins = self.place.offset - text.len() as u64;
            let newline = text.split_last().and_then(|(_, before)| memrchr(b'\n', before));
            let start = match newline {
                Some(newline) => self.held.start + newline + 1,
                None if begins > floor && text.len() < LONGEST => {
                    self.load(begins, floor);
                    continue;
                }
                None if text.is_empty() => {
                    self.close();
                    continue;
                }
                None => self.held.start,
            };
            self.line = start..self.held.end;
            self.held.end = start;
            self.place.offset -= self.line.len() as u64;
            return true;
        }
    }

    /// Opens the file that the place is in, or the next one before it.
    fn open(&mut self) -> bool {
        loop {
            if self.place.part < self.files.list.len() && self.place >= self.from {
                self.content = self.files.content(self.place.part);
                if let Some(content) = &self.content {
                    self.place.offset = self.place.offset.min(size(content));
                    self.held = 0..0;
                    return true;
                }
            }
            if self.place.part <= self.from.part {
                return false;
            }
            self.place = Place { part: self.place.part - 1, offset: u64::MAX };
        }
    }

    /// Done with this file.
    fn close(&mut self) {
        self.content = None;
        self.files.close(self.place.part);
        if self.place.part > self.from.part {
            self.place = Place { part: self.place.part - 1, offset: u64::MAX };
        } else {
            // Nothing before it is wanted.
            self.from = Place { part: self.place.part, offset: u64::MAX };
        }
    }

    /// Reads what is before what is held.
    fn load(&mut self, begins: u64, floor: u64) {
        let block = usize::try_from(begins - floor).map_or(BLOCK, |left| left.min(BLOCK));
        let held = self.held.len();
        if self.held.start < block {
            let size = (held + block).max(2 * BLOCK).next_power_of_two();
            let mut buffer = vec![0; size];
            buffer[size - held..].copy_from_slice(&self.buffer[self.held.clone()]);
            (self.buffer, self.held) = (buffer, size - held..size);
        }
        let start = self.held.start - block;
        let room = &mut self.buffer[start..self.held.start];
        let from = begins - block as u64;
        let len = self.content.as_ref().map_or(Ok(0), |content| fill(content, room, from));
        if len == Ok(block) {
            self.held.start = start;
        } else {
            // It has been cut off meanwhile: what was here is no more.
            self.held = self.held.end..self.held.end;
            self.place.offset = floor;
        }
    }
}

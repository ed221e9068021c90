//! One log that is being written: what goes to it is gathered, cut where the
//! original would cut it, and written in large pieces.

use crate::by_clock::ByClock;
use crate::durable::Durable;
use crate::gathered::Gathered;
use crate::journal::Journal;
use crate::recover::Current;
use crate::rotate::{Missing, Rotation};
use crate::{Settings, Voice, files, modes};
use rustix::fd::OwnedFd;
use rustix::io::IoSlice;
use upkeep_cli::Exit;
use upkeep_core::journal::Mark;
use upkeep_core::rotation::{Cut, Pace, Which};
use upkeep_sys::point;

/// As much is gathered before it is written, by all directories together.
const TOGETHER: usize = 256 * 1024;
/// And by each at least.
const LEAST: usize = 4 * 1024;
/// A piece of this size is worth a writing of its own.
const LARGE: usize = 16 * 1024;

/// An open log directory.
#[derive(Debug)]
pub struct LogDirectory {
    pub(crate) rotation: Rotation,
    pub(crate) current: OwnedFd,
    pace: Pace,
    pub(crate) cut: Cut,
    out: Gathered,
    pub(crate) journal: Option<Journal>,
    pub(crate) by_clock: ByClock,
    pub(crate) durable: Durable,
    /// What of the batch is in a log, and where current stands. The journal
    /// has it as it was before current got anything of the batch.
    pub(crate) stored: Mark,
    /// As many of the next bytes are in a log since before this began.
    again: u64,
}

impl LogDirectory {
    /// Goes on with a recovered directory.
    pub(crate) fn new(
        rotation: Rotation,
        current: Current,
        journal: Option<Journal>,
        stored: Mark,
        neighbours: usize,
        voice: &mut Voice,
    ) -> Result<Self, Exit> {
        let room = (TOGETHER / (neighbours + 1)).max(LEAST);
        let mut out = Gathered::new(room).map_err(|_| voice.out_of_memory())?;
        out.written(current.bytes);
        let works = rotation.settings.keeping.clock;
        let by_clock =
            ByClock::new(works, &current.fd, current.bytes, stored.file, journal.as_ref());
        Ok(Self {
            pace: Pace::default(),
            cut: cut(&rotation.settings, current.bytes),
            by_clock,
            durable: Durable::default(),
            rotation,
            current: current.fd,
            out,
            journal,
            stored,
            again: stored.done,
        })
    }

    /// What comes now is the batch `id`. Everything before it is written.
    pub fn begin(&mut self, id: u64) {
        self.stored = Mark { id, done: 0, ..self.stored };
        self.again = 0;
        self.note();
    }

    /// Notes what is stored for good.
    pub(crate) fn note(&self) {
        if let Some(journal) = &self.journal {
            journal.set_mark(&self.stored);
        }
    }

    /// Takes the first 1000 bytes of a line, or all of it and then its end;
    /// `stamp` is a part of them, and comes first.
    pub fn line(&mut self, stamp: &[u8], text: &[u8], voice: &mut Voice) {
        if self.again > 0 {
            self.more(stamp, voice);
            return self.more(text, voice);
        }
        let ended = text.last() == Some(&b'\n');
        let len = stamp.len() + text.len() - usize::from(ended);
        self.make_room(len + 1, voice);
        self.out.add(stamp);
        self.out.add(text);
        if self.rotation.settings.ends_anywhere() {
            return self.pass(stamp.len() + text.len(), voice);
        }
        for portion in self.pace.line(len) {
            self.pass(portion, voice);
        }
        if ended {
            let (before, _) = self.pace.bytes(1);
            self.pass(before, voice);
        }
    }

    /// Takes more bytes of a line, or its end.
    pub fn more(&mut self, mut bytes: &[u8], voice: &mut Voice) {
        if self.again > 0 {
            let known = usize::try_from(self.again).map_or(bytes.len(), |n| n.min(bytes.len()));
            self.again -= known as u64;
            bytes = &bytes[known..];
        }
        if self.rotation.settings.ends_anywhere() {
            for piece in bytes.chunks(LEAST) {
                self.make_room(piece.len(), voice);
                self.out.add(piece);
                self.pass(piece.len(), voice);
            }
            return;
        }
        while !bytes.is_empty() {
            let (before, taken) = self.pace.bytes(bytes.len());
            self.pass(before, voice);
            let (now, rest) = bytes.split_at(taken);
            self.make_room(taken, voice);
            self.out.add(now);
            bytes = rest;
        }
    }

    /// Nothing that was given so far is to wait for what is given later.
    pub fn flush(&mut self, voice: &mut Voice) {
        let held = self.pace.flush();
        self.pass(held, voice);
    }

    /// How many bytes `copy` and `put` may be given.
    #[must_use]
    pub fn spare(&self) -> u64 {
        self.cut.spare()
    }

    /// Takes any bytes, right after `flush` and no more than `spare` says.
    pub fn copy(&mut self, bytes: &[u8], voice: &mut Voice) {
        if self.again > 0 {
            self.more(bytes, voice);
            return self.flush(voice);
        }
        debug_assert!(self.out.waiting().is_empty(), "what is copied does not overtake");
        if !self.cut.add(bytes.len()) {
            self.more(bytes, voice);
            return self.flush(voice);
        }
        if bytes.len() >= LARGE.min(self.out.room()) {
            self.write(bytes, voice);
        } else {
            self.make_room(bytes.len(), voice);
            self.out.add(bytes);
            self.out.pass(bytes.len());
        }
    }

    /// Takes whole lines, each behind a stamp, as `copy` does.
    pub fn put_lines(&mut self, stamp: &[u8], mut lines: &[u8], voice: &mut Voice) {
        while !lines.is_empty() {
            let mut rest = lines;
            if self.again == 0 {
                let (taken, made) = self.out.add_lines(stamp, lines);
                let fits = self.cut.add(made);
                debug_assert!(fits, "there is room in the log");
                self.out.pass(made);
                rest = &lines[taken..];
            }
            // One that goes in another way, and makes room.
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            if end > 0 {
                self.copy(stamp, voice);
                self.copy(&rest[..end], voice);
            }
            lines = &rest[end..];
        }
    }

    /// Takes a line or a part of one, at most 1001 bytes and its stamp, as
    /// `copy` does.
    #[inline]
    pub fn put(&mut self, stamp: &[u8], text: &[u8], voice: &mut Voice) {
        debug_assert!(self.again > 0 || self.out.waiting().is_empty(), "nor is what is put");
        let len = stamp.len() + text.len();
        if self.again > 0 || !self.cut.add(len) {
            self.more(stamp, voice);
            self.more(text, voice);
            return self.flush(voice);
        }
        self.make_room(len, voice);
        self.out.add(stamp);
        self.out.add(text);
        self.out.pass(len);
    }

    /// Writes everything that was flushed.
    pub fn write_out(&mut self, voice: &mut Voice) {
        if !self.out.passed().is_empty() {
            self.write(b"", voice);
        }
    }

    /// Nothing will come for a while.
    pub fn rest(&mut self) {
        self.out.rest();
    }

    /// Ends current, unless it is empty.
    pub fn rotate(&mut self, voice: &mut Voice) {
        self.flush(voice);
        if self.cut.written() > 0 {
            self.end(voice);
            self.cut.restart();
        }
    }

    /// Ends the logging: everything is on the disk, and marked so.
    pub fn close(mut self, voice: &mut Voice) {
        self.rotation.compressor.stop();
        self.flush(voice);
        self.write_out(voice);
        if let Some(runit) = self.rotation.settings.runit {
            self.rotation.leave_work(&runit, voice);
            runit.tell(&[b"close: ", self.rotation.place.name()], voice);
            self.rotation.finish_current(&self.current, voice);
            point!("closed");
            return;
        }
        self.rotation.sync(&self.current, files::CURRENT, voice);
        let dir = self.rotation.place.name();
        point!("closing");
        voice.insist(&[b"unable to set mode of ", dir, b"/current, pausing: "], || {
            rustix::fs::fchmod(&self.current, modes::FINISHED)
        });
        point!("closed");
    }

    #[inline]
    fn make_room(&mut self, n: usize, voice: &mut Voice) {
        if !self.out.fits(n) {
            self.write_out(voice);
        }
    }

    /// The next `n` bytes go to a log.
    fn pass(&mut self, mut n: usize, voice: &mut Voice) {
        if self.cut.add(n) {
            self.out.pass(n);
            return;
        }
        while n > 0 {
            let piece = self.cut.piece(&self.out.waiting()[..n], newline);
            if piece.end_before {
                self.end(voice);
            }
            self.out.pass(piece.len);
            n -= piece.len;
            if piece.end_after {
                self.end(voice);
            }
        }
    }

    pub(crate) fn end(&mut self, voice: &mut Voice) {
        self.write_out(voice);
        point!("ending");
        let size = self.stored.size;
        // All of it is in a log that is full, and current is no longer it.
        self.stored = Mark { file: 0, size: 0, ..self.stored };
        self.note();
        point!("ended");
        self.by_clock.end();
        if let Err(Missing) = self.rotation.rotate(&mut self.current, size, voice) {
            self.find_current(voice);
        }
        point!("rotated");
        self.is_another();
        self.stored.file = inode(&self.current);
        self.note();
        self.out.written(self.stored.size);
    }

    /// Writes what belongs to current, then `more`.
    fn write(&mut self, more: &[u8], voice: &mut Voice) {
        if self.by_clock.is_unbegun() {
            self.by_clock.begin(self.stored.file, self.journal.as_ref());
        }
        let dir = self.rotation.place.name();
        let mut slices = [IoSlice::new(self.out.passed()), IoSlice::new(more)];
        // One alone is quicker for the kernel.
        let mut left = if more.is_empty() { &mut slices[..1] } else { &mut slices[..] };
        IoSlice::advance_slices(&mut left, 0);
        let mut written = 0;
        while !left.is_empty() {
            let unable: [&[u8]; 3] = match self.rotation.settings.runit {
                None => [b"unable to write to ", dir, b"/current, pausing: "],
                Some(_) => [b"unable to write to current: ", dir, b": "],
            };
            let n = self.rotation.insist(voice, &unable, || {
                match rustix::io::writev(&self.current, left) {
                    // The kernel gave no reason; room on the disk is it.
                    Ok(0) => Err(rustix::io::Errno::NOSPC),
                    other => other,
                }
            });
            IoSlice::advance_slices(&mut left, n);
            self.stored.done += n as u64;
            self.stored.size += n as u64;
            written += n as u64;
            point!("written");
        }
        self.has_written(written);
        if self.by_clock.is_set() {
            let last = more.last().or_else(|| self.out.passed().last());
            self.by_clock.between_lines = last == Some(&b'\n');
        }
        self.out.written(self.stored.size);
    }
}

fn newline(which: Which, slice: &[u8]) -> Option<usize> {
    match which {
        Which::First => memchr::memchr(b'\n', slice),
        Which::Last => memchr::memrchr(b'\n', slice),
    }
}

/// Where a log is cut that is kept so, and holds as many bytes.
pub(crate) fn cut(settings: &Settings, bytes: u64) -> Cut {
    match (settings.runit, settings.s6) {
        (Some(runit), _) => Cut::at_first(settings.size, runit.near, bytes),
        // A line is never cut.
        (None, Some(near)) => {
            Cut::at_first(u64::MAX, u64::MAX - settings.size.saturating_sub(near), bytes)
        }
        (None, None) => Cut::new(settings.size, bytes),
    }
}

/// What a mark knows an open file by; 0 if it cannot be known.
pub(crate) fn inode(file: &OwnedFd) -> u64 {
    rustix::fs::fstat(file).map_or(0, |stat| stat.st_ino)
}

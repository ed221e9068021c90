//! One log that is being written: what goes to it is gathered, cut where the
//! original would cut it, and written in large pieces.

use crate::place::Place;
use crate::recover::recover;
use crate::rotate::Rotation;
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::IoSlice;
use upkeep_cli::Exit;
use upkeep_core::archives::Stamps;
use upkeep_core::rotation::{Cut, Pace};
use upkeep_sys::signals::Mask;

/// As much is gathered before it is written.
const GATHERED: usize = 128 * 1024;
/// A piece of this size is worth a writing of its own.
const LARGE: usize = 16 * 1024;

/// How a log directory is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its path.
    pub name: &'static CStr,
    /// How large current may become.
    pub size: u64,
    /// How many files it may hold, current among them.
    pub keep: u64,
    /// What old logs go through, for the shell.
    pub processor: Option<&'static CStr>,
    /// The signal mask that the processor should find.
    pub mask: Mask,
}

/// An open log directory.
#[derive(Debug)]
pub struct LogDirectory {
    rotation: Rotation,
    current: OwnedFd,
    pace: Pace,
    cut: Cut,
    /// What is not written yet. The first `passed` bytes belong to current;
    /// of the others it is not known yet.
    out: Vec<u8>,
    passed: usize,
}

impl LogDirectory {
    /// Opens, locks and recovers the directory.
    pub fn open(settings: Settings, voice: &mut Voice) -> Result<Self, Exit> {
        let mut out = Vec::new();
        out.try_reserve_exact(GATHERED).map_err(|_| voice.out_of_memory())?;
        let mut rotation = Rotation {
            place: Place::open(settings.name, voice)?,
            keep: settings.keep,
            processor: settings.processor,
            mask: settings.mask,
            stamps: Stamps::default(),
        };
        let current = recover(&mut rotation, voice)?;
        let cut = Cut::new(settings.size, current.bytes);
        Ok(Self { rotation, current: current.fd, pace: Pace::default(), cut, out, passed: 0 })
    }

    /// Takes the first 1000 bytes of a line, or all of it and then its end;
    /// `stamp` is a part of them, and comes first.
    pub fn line(&mut self, stamp: &[u8], text: &[u8], voice: &mut Voice) {
        let ended = text.last() == Some(&b'\n');
        let len = stamp.len() + text.len() - usize::from(ended);
        self.make_room(len + 1, voice);
        self.out.extend_from_slice(stamp);
        self.out.extend_from_slice(text);
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
        while !bytes.is_empty() {
            let (before, taken) = self.pace.bytes(bytes.len());
            self.pass(before, voice);
            let (now, rest) = bytes.split_at(taken);
            self.make_room(taken, voice);
            self.out.extend_from_slice(now);
            bytes = rest;
        }
    }

    /// Nothing that was given so far is to wait for what is given later.
    pub fn flush(&mut self, voice: &mut Voice) {
        let held = self.pace.flush();
        self.pass(held, voice);
    }

    /// How many bytes `copy` may be given.
    #[must_use]
    pub fn spare(&self) -> u64 {
        self.cut.spare()
    }

    /// Takes any bytes, right after `flush` and no more than `spare` says.
    pub fn copy(&mut self, bytes: &[u8], voice: &mut Voice) {
        if !self.cut.add(bytes.len()) {
            return self.more(bytes, voice);
        }
        if bytes.len() >= LARGE {
            self.write(bytes, voice);
        } else {
            self.make_room(bytes.len(), voice);
            self.out.extend_from_slice(bytes);
            self.passed += bytes.len();
        }
    }

    /// Writes everything that was flushed.
    pub fn write_out(&mut self, voice: &mut Voice) {
        if self.passed > 0 {
            self.write(b"", voice);
        }
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
        self.flush(voice);
        self.write_out(voice);
        self.rotation.sync(&self.current, files::CURRENT, voice);
        let dir = self.rotation.place.name();
        voice.insist(&[b"unable to set mode of ", dir, b"/current, pausing: "], || {
            rustix::fs::fchmod(&self.current, modes::FINISHED)
        });
    }

    fn make_room(&mut self, n: usize, voice: &mut Voice) {
        if self.out.len() + n > GATHERED {
            self.write_out(voice);
        }
    }

    /// The next `n` bytes go to a log.
    fn pass(&mut self, mut n: usize, voice: &mut Voice) {
        if self.cut.add(n) {
            self.passed += n;
            return;
        }
        while n > 0 {
            let waiting = &self.out[self.passed..self.passed + n];
            let piece = self.cut.piece(waiting, |slice| memchr::memrchr(b'\n', slice));
            if piece.end_before {
                self.end(voice);
            }
            self.passed += piece.len;
            n -= piece.len;
            if piece.end_after {
                self.end(voice);
            }
        }
    }

    fn end(&mut self, voice: &mut Voice) {
        self.write_out(voice);
        self.rotation.rotate(&mut self.current, voice);
    }

    /// Writes what belongs to current, then `more`.
    fn write(&mut self, more: &[u8], voice: &mut Voice) {
        let dir = self.rotation.place.name();
        let mut slices = [IoSlice::new(&self.out[..self.passed]), IoSlice::new(more)];
        let mut left = &mut slices[..];
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let n = voice.insist(&[b"unable to write to ", dir, b"/current, pausing: "], || {
                match rustix::io::writev(&self.current, left) {
                    // The kernel gave no reason; room on the disk is it.
                    Ok(0) => Err(rustix::io::Errno::NOSPC),
                    other => other,
                }
            });
            IoSlice::advance_slices(&mut left, n);
        }
        self.out.drain(..self.passed);
        self.passed = 0;
    }
}

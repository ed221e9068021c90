//! One file of a log: opened when it is its turn, decompressed if need be.
//! What cannot be read is left out, with a warning.

use crate::listing::{self, Held, Stem};
use crate::packed::{Packing, Unpacking};
use crate::spool::spool;
use crate::trouble;
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Dir, FileType};
use rustix::io::{Errno, Result};
use std::ffi::CString;
use std::rc::Rc;
use upkeep_logdir::files::CURRENT;

/// How often it is looked for a file that has another name by now.
const LOOKS: usize = 3;

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: CString,
    /// What of its name stays when it is compressed.
    pub(crate) stem: Option<Stem>,
    /// The file, if it is kept open.
    file: Option<Rc<OwnedFd>>,
    /// What is in it, once that has been looked at.
    content: Option<Rc<OwnedFd>>,
    /// Whether it can not be read, which has been said.
    failed: bool,
    /// Whether that is because it is not there any more.
    gone: bool,
}

/// What the lines come out of.
#[derive(Debug)]
pub(crate) enum Feed {
    /// A file, from here on.
    File(Rc<OwnedFd>, u64),
    /// A compressed one.
    Packed(Unpacking),
    /// A pipe, or what else comes but once.
    Stream(Rc<OwnedFd>),
}

impl Feed {
    /// Reads; nothing at the end.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        match self {
            Self::File(file, at) => {
                let len =
                    rustix::io::retry_on_intr(|| rustix::io::pread(&**file, &mut *room, *at))?;
                *at += len as u64;
                Ok(len)
            }
            Self::Packed(unpacking) => unpacking.read(room),
            Self::Stream(stream) => {
                rustix::io::retry_on_intr(|| rustix::io::read(&**stream, &mut *room))
            }
        }
    }
}

impl Part {
    /// An archive.
    pub(crate) const fn archive(stem: Stem, name: CString) -> Self {
        Self { name, stem: Some(stem), file: None, content: None, failed: false, gone: false }
    }

    /// A file that is open.
    pub(crate) fn held(held: &Held) -> Self {
        Self::open_as(held.name, Rc::clone(&held.file))
    }

    /// The same by its parts.
    pub(crate) fn open_as(name: &CStr, file: Rc<OwnedFd>) -> Self {
        Self {
            name: name.to_owned(),
            stem: None,
            file: Some(file),
            content: None,
            failed: false,
            gone: false,
        }
    }

    /// Whether it comes but once, as out of a pipe.
    pub(crate) fn is_stream(&self) -> bool {
        let kind = self.file.as_ref().and_then(kind);
        kind.is_some_and(|kind| !matches!(kind, FileType::RegularFile | FileType::Directory))
    }

    /// Where whoever opened it has read up to. What is compressed is not begun
    /// in the middle.
    pub(crate) fn stands_at(&self) -> u64 {
        let file = self.file.as_ref().filter(|file| is_seekable(file));
        let plain = file.filter(|file| Packing::of(file).is_none());
        plain.and_then(|file| fs::tell(file).ok()).unwrap_or(0)
    }

    /// Says once, whichever it was, that one was removed too early.
    pub(crate) fn tell_if_gone(&self) {
        static SAID: AtomicBool = AtomicBool::new(false);
        if self.gone && !SAID.swap(true, Ordering::Relaxed) {
            trouble::note(&[b"files were removed before they were read"]);
        }
    }

    /// Its name for people.
    pub(crate) fn shown(&self, log: &[u8]) -> Vec<u8> {
        match (&self.stem, self.name.to_bytes()) {
            (None, name) if name.contains(&b'/') || log.is_empty() => name.to_vec(),
            (_, name) => [log, b"/", name].concat(),
        }
    }

    /// Opens it. One that is gone was compressed meanwhile, or removed by
    /// whom it belongs to, who says how much is kept.
    fn open(&self, dir: Option<&OwnedFd>) -> Result<Option<Rc<OwnedFd>>> {
        if let Some(file) = &self.file {
            return Ok(Some(Rc::clone(file)));
        }
        let Some(dir) = dir else { return Ok(None) };
        match listing::open(dir, &self.name) {
            Err(Errno::NOENT) => self.open_other(dir),
            answer => answer.map(|file| Some(Rc::new(file))),
        }
    }

    /// Opens another one that was made of it. While one becomes the other,
    /// neither may be found.
    fn open_other(&self, dir: &OwnedFd) -> Result<Option<Rc<OwnedFd>>> {
        for _ in 0..LOOKS {
            for entry in Dir::read_from(dir)? {
                let entry = entry?;
                if self.stem.is_some() && listing::stem(entry.file_name()) == self.stem {
                    match listing::open(dir, entry.file_name()) {
                        Err(Errno::NOENT) => {}
                        answer => return answer.map(|file| Some(Rc::new(file))),
                    }
                }
            }
        }
        Ok(None)
    }

    fn packing(&self, file: &OwnedFd) -> Option<Packing> {
        let is_growing = self.name.as_c_str() == CURRENT;
        if is_growing { None } else { Packing::of(file) }
    }

    /// What is in it, from `at` on.
    pub(crate) fn feed(&mut self, log: &[u8], dir: Option<&OwnedFd>, at: u64) -> Option<Feed> {
        if self.content.is_none() && at == 0 {
            let file = self.try_open(log, dir)?;
            if let Some(packing) = self.packing(&file) {
                return Unpacking::begin(&file, packing, &self.shown(log)).map(Feed::Packed);
            }
            if !is_seekable(&file) {
                return Some(Feed::Stream(file));
            }
        }
        self.content(log, dir).map(|content| Feed::File(content, at))
    }

    /// What is in it, to be read from anywhere: one that is compressed, or a
    /// pipe, is first written to a file that has no name.
    pub(crate) fn content(&mut self, log: &[u8], dir: Option<&OwnedFd>) -> Option<Rc<OwnedFd>> {
        if self.content.is_none() && !self.failed {
            let file = self.try_open(log, dir)?;
            let content = match self.packing(&file) {
                None if is_seekable(&file) => Some(file),
                None => spool(Feed::Stream(file), &self.shown(log)),
                Some(packing) => Unpacking::begin(&file, packing, &self.shown(log))
                    .and_then(|feed| spool(Feed::Packed(feed), &self.shown(log))),
            };
            self.failed = content.is_none();
            self.content = content;
        }
        self.content.clone()
    }

    fn try_open(&mut self, log: &[u8], dir: Option<&OwnedFd>) -> Option<Rc<OwnedFd>> {
        if self.failed {
            return None;
        }
        let is_directory = |file: &Option<Rc<OwnedFd>>| {
            file.as_ref().is_some_and(|file| kind(file) == Some(FileType::Directory))
        };
        let file = match self.open(dir) {
            Ok(file) if is_directory(&file) => Err(Errno::ISDIR),
            answer => answer,
        };
        let file = self.report(log, file);
        self.gone = matches!(file, Some(None));
        self.failed = !matches!(file, Some(Some(_)));
        file.flatten()
    }

    /// Keeps nothing open that can be opened again.
    pub(crate) fn close(&mut self) {
        if self.file.is_none() {
            self.content = None;
        }
    }

    fn report<T>(&self, log: &[u8], answer: Result<T>) -> Option<T> {
        answer.inspect_err(|why| self.unreadable(log, *why)).ok()
    }

    /// Says that it cannot be read.
    pub(crate) fn unreadable(&self, log: &[u8], why: Errno) {
        trouble::note_os(&[b"unable to read ", &self.shown(log), b": "], why);
    }
}

pub(crate) fn kind(file: impl AsFd) -> Option<FileType> {
    fs::fstat(file).map(|stat| FileType::from_raw_mode(stat.st_mode)).ok()
}

fn is_seekable(file: &OwnedFd) -> bool {
    kind(file) == Some(FileType::RegularFile)
}

pub(crate) fn is_fifo(file: &OwnedFd) -> bool {
    kind(file) == Some(FileType::Fifo)
}

/// How much is in a file now.
pub(crate) fn size(file: &OwnedFd) -> u64 {
    fs::fstat(file).map_or(0, |stat| stat.st_size.unsigned_abs())
}

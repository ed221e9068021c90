//! A file that holds a line, and is replaced as a whole by one that holds the
//! next, so that nobody ever reads half of one. Trouble with it is told of, and
//! forgotten.

use core::ffi::CStr;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_logdir::Voice;

/// Such a file.
pub(crate) struct Note {
    path: &'static CStr,
    /// Where the next one is written.
    new: CString,
    /// The size of the file; 0 is that of the line.
    size: usize,
    line: Vec<u8>,
    /// When the line that is not yet written was kept, in the order of all.
    kept: Option<u64>,
}

impl Note {
    /// Nothing is kept yet.
    pub(crate) fn new(path: &'static CStr, size: usize, voice: &mut Voice) -> Result<Self, Exit> {
        let (mut new, mut line) = (Vec::new(), Vec::new());
        let room = new.try_reserve_exact(path.count_bytes() + 5);
        room.and_then(|()| line.try_reserve_exact(size)).map_err(|_| voice.out_of_memory())?;
        new.extend_from_slice(path.to_bytes());
        new.extend_from_slice(b".new");
        // A path has no NUL in it.
        let new = CString::new(new).unwrap_or_default();
        Ok(Self { path, new, size, line, kept: None })
    }

    /// The line to be kept now, in these parts, and its place in the order.
    pub(crate) fn keep(&mut self, parts: &[&[u8]], place: u64) {
        let Self { line, size, .. } = self;
        line.clear();
        for part in parts {
            let room = if *size == 0 { part.len() } else { *size - line.len() };
            line.extend_from_slice(&part[..part.len().min(room)]);
        }
        if *size == 0 {
            line.push(b'\n');
        } else {
            line.resize(*size, b'\n');
        }
        self.kept = Some(place);
    }

    fn write_out(&mut self, voice: &mut Voice) {
        self.kept = None;
        if let Err(why) = self.replace() {
            voice.warn(&[b"unable to write status file ", self.path.to_bytes(), b": "], why);
        }
    }

    fn replace(&self) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let file = rustix::fs::openat(CWD, &*self.new, flags | OFlags::NONBLOCK, mode)?;
        let mut left = &self.line[..];
        while !left.is_empty() {
            match rustix::io::write(&file, left) {
                Ok(n) => left = &left[n..],
                Err(Errno::INTR) => {}
                Err(why) => return Err(why),
            }
        }
        rustix::fs::renameat(CWD, &*self.new, CWD, self.path)
    }
}

/// Writes the lines that are not yet written. Two of the files may be one, so
/// that what was kept last is written last.
pub(crate) fn write_out(all: &mut [Note], voice: &mut Voice) {
    let waiting = |note: &&mut Note| note.kept.is_some();
    while let Some(first) = all.iter_mut().filter(waiting).min_by_key(|note| note.kept) {
        first.write_out(voice);
    }
}

//! A status file: the beginning of the last selected line, padded so that
//! each replaces the whole of the one before.

use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FallocateFlags, Mode, OFlags, SeekFrom, fallocate};
use upkeep_cli::Exit;
use upkeep_logdir::Voice;

/// The size of what is kept.
const SIZE: usize = 1001;

/// An open status file.
pub(crate) struct Status {
    name: &'static [u8],
    fd: OwnedFd,
    line: [u8; SIZE],
    /// When the line that is not yet written was kept, in the order of all
    /// status files' lines.
    kept: Option<u64>,
}

impl Status {
    /// Opens the file, making it if need be; what it holds stays until a line
    /// replaces it.
    pub(crate) fn open(path: &'static CStr, voice: &mut Voice) -> Result<Self, Exit> {
        let name = path.to_bytes();
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let create = flags | OFlags::APPEND | OFlags::CREATE;
        if let Err(why) = rustix::fs::openat(CWD, path, create, Mode::RUSR | Mode::WUSR) {
            return Err(voice.fatal(&[b"unable to create ", name, b": "], why));
        }
        match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(fd) => {
                // Where that can be, it has its room before the disk is full.
                let _ = fallocate(&fd, FallocateFlags::KEEP_SIZE, 0, SIZE as u64);
                Ok(Self { name, fd, line: [b'\n'; SIZE], kept: None })
            }
            Err(why) => Err(voice.fatal(&[b"unable to write ", name, b": "], why)),
        }
    }

    /// The line to be kept now, and its place in the order; at most its first
    /// 1000 bytes are kept.
    pub(crate) fn keep(&mut self, line: &[u8], place: u64) {
        let kept = line.len().min(SIZE - 1);
        self.line[..kept].copy_from_slice(&line[..kept]);
        self.line[kept..].fill(b'\n');
        self.kept = Some(place);
    }

    fn write_out(&mut self, voice: &mut Voice) {
        self.kept = None;
        let Self { name, fd, line, .. } = self;
        let unable = [b"unable to write ", *name, b", pausing: "];
        voice.insist(&unable, || {
            match rustix::fs::seek(&*fd, SeekFrom::Start(0))
                .and_then(|_| rustix::io::write(&*fd, line))
            {
                // Half a line helps nobody: from the beginning, later.
                Ok(n) if n < SIZE => Err(rustix::io::Errno::NOSPC),
                other => other,
            }
        });
    }
}

/// Writes the lines that are not yet written. Two of the files may be one, so
/// that what was kept last is written last.
pub(crate) fn write_out(all: &mut [Status], voice: &mut Voice) {
    let waiting = |status: &&mut Status| status.kept.is_some();
    while let Some(first) = all.iter_mut().filter(waiting).min_by_key(|status| status.kept) {
        first.write_out(voice);
    }
}

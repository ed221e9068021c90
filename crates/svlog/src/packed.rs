//! Compressed files: what they are is told by their first bytes, whatever
//! their names say, and what is in them by the program that made them.

use crate::trouble;
use core::sync::atomic::{AtomicU8, Ordering};
use rustix::fd::OwnedFd;
use rustix::fs::{self, SeekFrom};
use rustix::io::{Errno, Result};
use std::process::{Child, ChildStdout, Command, Stdio};
use upkeep_logdir::limit;

/// By which program a file was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Xz,
}

impl Packing {
    /// How the file was compressed, if it was.
    pub(crate) fn of(file: &OwnedFd) -> Option<Self> {
        let mut first = [0; 6];
        let len = rustix::io::pread(file, &mut first, 0).unwrap_or(0);
        match &first[..len] {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Self::Xz),
            _ => None,
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    /// Whether it is the first time that this one is missed.
    fn is_first_missed(self) -> bool {
        static MISSED: AtomicU8 = AtomicU8::new(0);
        let bit = 1 << self as u8;
        MISSED.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

/// A file that is being decompressed, by a child.
#[derive(Debug)]
pub(crate) struct Unpacking {
    child: Child,
    output: Option<ChildStdout>,
    packing: Packing,
    shown: Vec<u8>,
}

impl Unpacking {
    /// Begins; if that cannot be, a warning has said so.
    pub(crate) fn begin(file: &OwnedFd, packing: Packing, shown: &[u8]) -> Option<Self> {
        match Self::start(file, packing, shown) {
            Ok(begun) => Some(begun),
            Err(Errno::NOENT) => {
                if packing.is_first_missed() {
                    let program = packing.program().as_bytes();
                    trouble::note(&[
                        b"unable to read ",
                        shown,
                        b" and what else is compressed as it is: there is no ",
                        program,
                    ]);
                }
                None
            }
            Err(why) => {
                trouble::note_os(&[b"unable to decompress ", shown, b": "], why);
                None
            }
        }
    }

    fn start(file: &OwnedFd, packing: Packing, shown: &[u8]) -> Result<Self> {
        fs::seek(file, SeekFrom::Start(0))?;
        let input = rustix::io::fcntl_dupfd_cloexec(file, 3)?;
        let mut child = Command::new(packing.program())
            .arg("-dc")
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| Errno::from_io_error(&why).unwrap_or(Errno::IO))?;
        limit::lower(&child);
        let output = child.stdout.take();
        Ok(Self { child, output, packing, shown: shown.to_vec() })
    }

    /// Reads; nothing at the end, and a warning if it is no good one.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        let Some(output) = &self.output else { return Ok(0) };
        let len = rustix::io::retry_on_intr(|| rustix::io::read(output, &mut *room))?;
        if len == 0 {
            self.output = None;
            if !self.child.wait().is_ok_and(|status| status.success()) {
                let program = self.packing.program().as_bytes();
                trouble::note(&[
                    b"unable to decompress all of ",
                    &self.shown,
                    b": ",
                    program,
                    b" failed",
                ]);
            }
        }
        Ok(len)
    }
}

impl Drop for Unpacking {
    /// Whoever has read enough does not wait for the rest.
    fn drop(&mut self) {
        if self.output.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

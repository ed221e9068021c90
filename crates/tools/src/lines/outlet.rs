//! Where lines go: standard output, standard error, the pipe to a logger. Lines
//! are gathered, but never so many that the kernel could divide them among
//! what others write there.

use crate::lines::cut::{LONGEST, next};
use crate::lines::streams::Stream;
use crate::lines::way::Way;
use core::mem::replace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use upkeep_cli::Tool;

/// What is written at once to a pipe is not divided if it is no longer.
#[doc(alias = "PIPE_BUF")]
const TOGETHER: usize = 4096;
/// The longest line with the longest name, and its end.
const ROOM: usize = LONGEST + 256 + 3;

/// One of them.
#[derive(Debug)]
pub struct Outlet {
    way: Way,
    /// What it is called in messages.
    called: &'static [u8],
    /// Whether the name of the service is in front.
    named: bool,
    /// Whether it was said that it cannot be written to.
    complained: bool,
    /// What is to be written, and how much of it is.
    chunk: Vec<u8>,
    written: usize,
}

/// How far one has come with what was seen of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// As many bytes are written.
    pub(crate) done: usize,
    /// Whether the last line was ended here, and not by its writer.
    pub(crate) broken: bool,
}

impl Outlet {
    /// One that goes to `fd`.
    #[must_use]
    pub fn new(fd: BorrowedFd<'static>, called: &'static [u8], named: bool) -> Self {
        let (complained, chunk, written) = (false, Vec::with_capacity(ROOM), 0);
        Self { way: Way::to(fd), called, named, complained, chunk, written }
    }

    /// What to wait for if it was full.
    #[must_use]
    pub fn poll(&self) -> PollFd<'_> {
        PollFd::new(&self.way, PollFlags::OUT)
    }

    /// Whether something can be written without waiting for the reader. One
    /// that is not there any more is not waited for.
    fn has_room(&self) -> bool {
        !matches!(poll(&mut [self.poll()], Some(&Timespec::default())), Ok(0))
    }

    /// Gathers lines of what was `seen` of `stream`, as many as may be written
    /// at once. What was gathered before has to be written.
    pub(crate) fn gather(
        &mut self,
        stream: &Stream,
        seen: &[u8],
        to_come: bool,
        progress: &mut Progress,
    ) {
        let name = if self.named { stream.prefix() } else { b"" };
        self.chunk.clear();
        self.written = 0;
        while let Some(line) = next(&seen[progress.done..], stream.most, to_come) {
            // The end of what was cut before it has been written already.
            let is_rest = progress.broken && line.text == 0;
            let len = if is_rest { 0 } else { name.len() + line.text + 1 };
            if !self.chunk.is_empty() && self.chunk.len() + len > TOGETHER {
                break;
            }
            if !is_rest {
                self.chunk.extend_from_slice(name);
                self.chunk.extend_from_slice(&seen[progress.done..progress.done + line.text]);
                self.chunk.push(b'\n');
            }
            progress.done += line.taken;
            progress.broken = !line.whole;
        }
    }

    /// Writes what was gathered, by whomever; says whether all of it is written.
    /// Nobody waits for a reader here. What cannot be written is dropped, which
    /// is said once.
    pub(crate) fn flush(&mut self, tool: &Tool) -> bool {
        while self.written < self.chunk.len() {
            // A pipe that says that there is room has room for so much.
            if !self.way.is_sure() && !self.has_room() {
                return false;
            }
            let rest = &self.chunk[self.written..];
            match self.way.write(&rest[..rest.len().min(TOGETHER)]) {
                Ok(0) => self.drop_rest(tool, Errno::IO),
                Ok(n) => {
                    self.written += n;
                    self.complained &= self.written < self.chunk.len();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                Err(why) => self.drop_rest(tool, why),
            }
        }
        true
    }

    fn drop_rest(&mut self, tool: &Tool, why: Errno) {
        self.written = self.chunk.len();
        self.complain(tool, why);
    }

    fn complain(&mut self, tool: &Tool, why: Errno) {
        if !replace(&mut self.complained, true) {
            tool.warn_os(&[b"unable to write to ", self.called, b", dropping lines: "], why);
        }
    }
}

/// All of them.
#[derive(Debug)]
pub struct Outlets {
    /// For messages.
    pub tool: &'static Tool,
    /// Standard output, standard error and the log, where there is one.
    pub all: [Option<Outlet>; 3],
}

impl Outlets {
    /// The log's place.
    pub const LOG: usize = 2;
}

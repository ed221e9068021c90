//! The logger of all that have none: a multilog on a pipe that has its name in
//! the log directory. It is started before anything is written there, again
//! when it ends, and ended last.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::Pid;
use std::ffi::CString;
use upkeep_cli::{Exit, copy_messages_to};
use upkeep_core::scan::RETRY;
use upkeep_logdir::{files, is_in_use};
use upkeep_servicedir::open_fifo;
use upkeep_sys::clock;

/// The least time between two starts.
const BETWEEN: u64 = 1_000_000_000;

/// What svscan knows of it.
pub(crate) struct Catch {
    /// The log directory as multilog is told it.
    name: &'static CStr,
    directory: OwnedFd,
    read: OwnedFd,
    /// Nothing when nothing more is to come.
    write: Option<OwnedFd>,
    /// 0 for none.
    pid: i32,
    start_at: u64,
    started: u64,
    /// Whether svhold was told of the pipe, in which round.
    held: u32,
}

impl Catch {
    /// Makes the directory `name` and the pipe in it, and has svscan's own
    /// messages go there too.
    pub(crate) fn open(name: &'static CStr) -> core::result::Result<Self, Exit> {
        Self::prepare(name).map_err(|why| {
            TOOL.fatal_os(&[b"unable to use log directory ", name.to_bytes(), b": "], why)
        })
    }

    pub(crate) fn prepare(name: &'static CStr) -> Result<Self> {
        match fs::mkdirat(CWD, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(why) => return Err(why),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::open(name, flags, Mode::empty())?;
        let path = [name.to_bytes(), b"/", files::INPUT.to_bytes()].concat();
        let path = CString::new(path).map_err(|_| Errno::INVAL)?;
        let (read, write) = open_fifo(&path)?;
        copy_messages_to(Some(rustix::io::fcntl_dupfd_cloexec(&write, 3)?));
        // multilog knows a directory by how it begins.
        let name = if matches!(name.to_bytes().first(), Some(b'/' | b'.')) {
            name
        } else {
            let path = [b"./", name.to_bytes()].concat();
            Box::leak(CString::new(path).map_err(|_| Errno::INVAL)?.into_boxed_c_str())
        };
        let (pid, start_at, started, held) = (0, 0, 0, 0);
        Ok(Self { name, directory, read, write: Some(write), pid, start_at, started, held })
    }

    /// Where svlines writes.
    pub(crate) fn write(&self) -> Option<BorrowedFd<'_>> {
        self.write.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        (self.pid == 0).then_some(self.start_at)
    }

    /// A child has ended: whether it was this.
    pub(crate) fn ended(&mut self, pid: Pid, status: i32) -> bool {
        if self.pid != pid.as_raw_pid() {
            return false;
        }
        self.pid = 0;
        let refused = status & 0x7f == 0 && status != 0;
        // One that says why it cannot work does not sooner.
        let pause = if refused { RETRY } else { BETWEEN };
        self.start_at = clock::monotonic().max(self.started + pause);
        true
    }

    /// Whether one is there, perhaps of a svscan that was killed.
    fn is_there(&self) -> bool {
        self.pid != 0 || is_in_use(&self.directory)
    }
}

impl Svscan {
    /// Starts it, if it is not there.
    pub(crate) fn keep_catch(&mut self) {
        let Some(catch) = &mut self.catch else { return };
        let round = self.holder.round;
        if catch.held != round && self.holder.send(|line| line.hold(catch.read.as_fd())) {
            catch.held = round;
        }
        let now = clock::monotonic();
        if catch.pid != 0 || now < catch.start_at {
            return;
        }
        // That one reads the same pipe, but its end is not told.
        if catch.is_there() {
            catch.start_at = now + RETRY;
            return;
        }
        let from = self.start.as_ref().map(AsFd::as_fd);
        catch.started = now;
        match self.launcher.start_logger(catch.name, catch.read.as_fd(), from) {
            Ok(pid) => catch.pid = pid,
            Err(why) => {
                TOOL.warn_os(&[b"unable to start multilog: "], why);
                catch.start_at = now + RETRY;
            }
        }
    }

    /// Nothing more is to come. It reads to the end, and is not killed if it
    /// has not come there at `until`.
    pub(crate) fn end_catch(&mut self, until: u64) {
        copy_messages_to(None);
        if let Some(catch) = &mut self.catch {
            catch.write = None;
        }
        self.reap();
        while clock::monotonic() < until && self.catch.as_ref().is_some_and(Catch::is_there) {
            let timeout = clock::until(until);
            let _ = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], Some(&timeout));
            while self.signals.next_number().is_some() {}
            self.reap();
        }
        self.catch = None;
    }
}

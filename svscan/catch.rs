//! The logger of all that have none: a multilog on a pipe that has its name in
//! the log directory. It is started before anything is written there, again
//! when it ends, and ended last.

use crate::svscan::help::TOOL;
use crate::svscan::launch::Launcher;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::{Errno, Result, ioctl_fionread};
use rustix::process::Pid;
use std::ffi::CString;
use upkeep_cli::{Exit, copy_messages_to};
use upkeep_core::scan::RETRY;
use upkeep_logdir::{files, is_in_use};
use upkeep_servicedir::open_fifo;
use upkeep_sys::clock;

/// The least time between two starts.
const BETWEEN: u64 = 1_000_000_000;
/// How often it is looked whether one from elsewhere is there that is to end.
const LOOK: u64 = 20_000_000;
/// How long that may take at the start.
const MOMENT: u64 = 200_000_000;

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
    /// Whether the last one said why it cannot work, or could not be started.
    refused: bool,
    /// Whether svhold was told of the pipe, in which round.
    held: u32,
}

impl Catch {
    /// Makes the directory `name` and the pipe in it, and has svscan's own
    /// messages go there too.
    pub(crate) fn open(name: &'static CStr) -> core::result::Result<Self, Exit> {
        Self::prepare(name).map_err(|why| {
            let what: [&[u8]; 3] = [b"unable to use log directory ", name.to_bytes(), b": "];
            match why {
                Errno::BUSY => TOOL.fatal(&[what[0], what[1], what[2], b"another process uses it"]),
                why => TOOL.fatal_os(&what, why),
            }
        })
    }

    pub(crate) fn prepare(name: &'static CStr) -> Result<Self> {
        match fs::mkdirat(CWD, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(why) => return Err(why),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::open(name, flags, Mode::empty())?;
        let until = clock::monotonic() + MOMENT;
        while is_somebody_elses(&directory) {
            let now = clock::monotonic();
            if now >= until {
                return Err(Errno::BUSY);
            }
            // It may be ours, and just about to end.
            clock::pause_until(until.min(now + LOOK));
        }
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
        let (pid, start_at, started, refused, held) = (0, 0, 0, false, 0);
        let write = Some(write);
        Ok(Self { name, directory, read, write, pid, start_at, started, refused, held })
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
        self.refused = status & 0x7f == 0 && status != 0;
        // One that says why it cannot work does not sooner.
        let pause = if self.refused { RETRY } else { BETWEEN };
        self.start_at = clock::monotonic().max(self.started + pause);
        true
    }

    /// Whether one is there, perhaps of a svscan that was killed.
    fn is_there(&self) -> bool {
        self.pid != 0 || is_in_use(&self.directory)
    }

    /// Whether something is left in the pipe.
    fn has_more(&self) -> bool {
        matches!(ioctl_fionread(&self.read), Ok(1..))
    }

    /// Does not wait for the next start of one that was killed.
    fn hasten(&mut self) {
        if !self.refused {
            self.start_at = 0;
        }
    }

    fn start(&mut self, launcher: &Launcher, from: Option<BorrowedFd<'_>>) {
        self.started = clock::monotonic();
        match launcher.start_logger(self.name, self.read.as_fd(), from) {
            Ok(pid) => self.pid = pid,
            Err(why) => {
                TOOL.warn_os(&[b"unable to start multilog: "], why);
                self.refused = true;
                self.start_at = self.started + RETRY;
            }
        }
    }
}

/// Whether a multilog is there that does not read the pipe in the directory:
/// nobody would read what is written there.
fn is_somebody_elses(directory: &OwnedFd) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let is_read = || fs::openat(directory, files::INPUT, flags, Mode::empty());
    is_in_use(directory) && matches!(is_read(), Err(Errno::NXIO | Errno::NOENT))
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
        catch.start(&self.launcher, from);
    }

    /// Nothing more is to come. It reads to the end, and is not killed if it
    /// has not come there at `until`; one that is killed before has a successor.
    pub(crate) fn end_catch(&mut self, until: u64) {
        copy_messages_to(None);
        if let Some(catch) = &mut self.catch {
            catch.write = None;
            catch.hasten();
        }
        self.reap();
        while let Some(catch) = &mut self.catch
            && clock::monotonic() < until
        {
            let is_there = catch.is_there();
            // One that has said why it cannot work would say it again.
            if !is_there && (!catch.has_more() || catch.start_at >= until) {
                break;
            }
            if !is_there && clock::monotonic() >= catch.start_at {
                let from = self.start.as_ref().map(AsFd::as_fd);
                catch.start(&self.launcher, from);
            }
            // Nobody tells of the end of one that was not started here.
            let look = clock::monotonic() + LOOK;
            let timeout = clock::until(if catch.pid == 0 { until.min(look) } else { until });
            let _ = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], Some(&timeout));
            while self.signals.next_number().is_some() {}
            self.reap();
            if let Some(catch) = &mut self.catch {
                catch.hasten();
            }
        }
        if self.catch.take().is_some_and(|catch| catch.has_more()) {
            TOOL.warn(&[b"unable to log the last lines of services in time"]);
        }
    }
}

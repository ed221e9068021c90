//! The program that compresses one old log: how it is started, ended, and
//! what becomes of what it wrote.

use crate::place::Place;
use crate::rotate::unless_gone;
use crate::{files, limit, modes};
use core::cell::Cell;
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use std::ffi::CString;
use upkeep_core::archives::Plain;
use upkeep_core::keeping::{Compression, Program};
use upkeep_sys::spawn::{Apart, Directory, Inherit, Spawn};
use upkeep_sys::{exec, point, priority};

/// The program at work.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    plain: Plain,
    program: Program,
    output: OwnedFd,
    directory: OwnedFd,
}

/// Why a log is not compressed.
pub(crate) enum Failure {
    /// The system did not let it happen.
    System(Errno),
    /// The program could not be run.
    Run(Errno),
    /// The program did not do it.
    Program(&'static [u8]),
}

impl Child {
    /// Starts the program. If it is to be `silent`, nobody sees its
    /// complaints.
    pub(crate) fn start(
        place: &Place,
        plain: Plain,
        how: Compression,
        silent: bool,
    ) -> core::result::Result<Self, Failure> {
        let opened = (|| {
            let null = rustix::fs::openat(CWD, c"/dev/null", OFlags::WRONLY, Mode::empty())?;
            let directory = rustix::io::fcntl_dupfd_cloexec(place.fd(), 3)?;
            let log = place.read(plain.name())?;
            Ok((null, directory, log, place.create_new(files::COMPRESSING)?))
        })();
        let (null, directory, log, output) = opened.map_err(Failure::System)?;
        point!("compress: created");
        let path = exec::variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
        let program = match how.program {
            Program::Gzip => c"gzip",
            Program::Zstd => c"zstd",
        };
        let candidates: Vec<CString> = exec::candidates(path, program).collect();
        let candidates: Vec<&CStr> = candidates.iter().map(CString::as_c_str).collect();
        let level = how.level.map(level);
        let level = level.as_ref().and_then(|text| CStr::from_bytes_until_nul(text).ok());
        let args: &[&CStr] = match how.program {
            Program::Gzip => &[c"gzip", c"-c", level.unwrap_or(c"-6")],
            Program::Zstd => &[c"zstd", c"-q", c"-c", c"-T1", level.unwrap_or(c"-3")],
        };
        let fds = [(log.as_fd(), 0), (output.as_fd(), 1), (null.as_fd(), 2)];
        let spawn = Spawn {
            candidates: &candidates,
            args,
            fds: if silent { &fds } else { &fds[..2] },
            directory: Some(Directory::Open(place.fd())),
            inherit: Inherit::Nothing(Apart::Group),
            open_files: limit::before(),
            environment: None,
            variables: &[],
            // The next multilog may find the log where it left it.
            bound: true,
            lets_go: Some(place.lock()),
            last: None,
            first: false,
        };
        let failed = Cell::new(None);
        let pid = spawn.start(&|_, why| failed.set(Some(why))).map_err(Failure::Run)?;
        let child = Self { pid, plain, program: how.program, output, directory };
        if let Some(why) = failed.get() {
            child.end();
            return Err(Failure::Run(why));
        }
        // If it may not, it is as quick as others.
        priority::lower(pid);
        Ok(child)
    }

    /// How it ended, if it did. If it did its work, the compressed log is
    /// there, and the plain one is not.
    pub(crate) fn has_ended(&self, place: &Place) -> Option<core::result::Result<(), Failure>> {
        match rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG) {
            Ok(None) | Err(Errno::INTR) => None,
            Ok(Some((_, status))) => Some(self.judge(status, place)),
            Err(why) => Some(Err(Failure::System(why))),
        }
    }

    fn judge(&self, status: WaitStatus, place: &Place) -> core::result::Result<(), Failure> {
        // One that has been removed meanwhile is not missed.
        let Some(log) = place.look(self.plain.name()).map_err(Failure::System)? else {
            return unless_gone(place.remove(files::COMPRESSING)).map_err(Failure::System);
        };
        if status.terminating_signal().is_some() {
            return Err(Failure::Program(b"crashed"));
        }
        if status.exit_status() != Some(0) {
            return Err(Failure::Program(b"failed"));
        }
        point!("compress: done");
        let written = rustix::fs::fstat(&self.output).map_err(Failure::System)?;
        if written.st_size == 0 {
            return Err(Failure::Program(b"wrote nothing"));
        }
        let times = Timestamps {
            last_access: Timespec { tv_sec: log.st_atime, tv_nsec: 0 },
            last_modification: Timespec { tv_sec: log.st_mtime, tv_nsec: 0 },
        };
        // Who looks for old files by their time finds it where it was.
        let _ = rustix::fs::futimens(&self.output, &times);
        self.replace(place).map_err(Failure::System)
    }

    fn replace(&self, place: &Place) -> Result<()> {
        rustix::fs::fsync(&self.output)?;
        point!("compress: synced");
        rustix::fs::fchmod(&self.output, modes::FINISHED)?;
        point!("compress: finished");
        let (name, _) = self.plain.compressed(self.program);
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        place.rename(files::COMPRESSING, name)?;
        point!("compress: renamed");
        // Where a directory cannot be synced, its changes come in their order.
        let _ = rustix::fs::fsync(place.fd());
        unless_gone(place.remove(self.plain.name()))?;
        point!("compress: removed");
        Ok(())
    }

    /// Ends it. What it wrote is gone, the plain log is not.
    pub(crate) fn end(self) {
        let _ = rustix::process::kill_process(self.pid, Signal::KILL);
        let _ = rustix::fs::ftruncate(&self.output, 0);
        // It may take a moment, but not longer than the kernel does.
        while let Err(Errno::INTR) = rustix::process::waitpid(Some(self.pid), WaitOptions::empty())
        {
        }
        let _ = rustix::fs::unlinkat(&self.directory, files::COMPRESSING, AtFlags::empty());
    }
}

/// `-9`.
fn level(level: u8) -> [u8; 4] {
    match (level / 10, level % 10) {
        (0, ones) => [b'-', b'0' + ones, 0, 0],
        (tens, ones) => [b'-', b'0' + tens, b'0' + ones, 0],
    }
}

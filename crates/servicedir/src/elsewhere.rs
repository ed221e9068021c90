//! A service directory, or its logger's, that is not the current one: what
//! svscan, which is in the directory above, asks and tells.

use crate::client::{ControlTrouble, send_to};
use crate::keeper::make_directory;
use crate::names;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use upkeep_core::record::{Boot, Record, SIZE, origin};

/// The directory `service`, or `service/log`.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere<'a> {
    /// The service's name.
    pub service: &'a CStr,
    /// Whether it is the logger's directory that is meant.
    pub logger: bool,
}

/// A path of a few hundred bytes.
pub(crate) struct Path([u8; Self::ROOM]);

impl Path {
    /// The longest name of a service, and the longest of ours behind it.
    const ROOM: usize = 256 + 40;

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl Elsewhere<'_> {
    /// The path of `file` in it.
    pub(crate) fn path(&self, file: &CStr) -> Result<Path> {
        let log: &[u8] = if self.logger { b"/log/" } else { b"/" };
        let mut path = [0; Path::ROOM];
        let mut at = 0;
        for part in [self.service.to_bytes(), log, file.to_bytes_with_nul()] {
            let place = path.get_mut(at..at + part.len()).ok_or(Errno::NAMETOOLONG)?;
            place.copy_from_slice(part);
            at += part.len();
        }
        Ok(Path(path))
    }

    /// Whether a supervise lives there: what is answered tells, by `POLLERR`,
    /// when it ends.
    pub fn living(&self) -> Result<Option<OwnedFd>> {
        let path = self.path(names::OK)?;
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match fs::open(path.as_c_str(), flags, Mode::empty()) {
            Ok(fd) => Ok(Some(fd)),
            Err(why @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => Err(why),
            // Nobody is there, or nobody that could be told anything.
            Err(_) => Ok(None),
        }
    }

    /// Tells the supervise there something.
    pub fn send(&self, bytes: &[u8]) -> core::result::Result<(), ControlTrouble> {
        let path = self.path(names::CONTROL).map_err(ControlTrouble::Open)?;
        send_to(path.as_c_str(), bytes, false)
    }

    /// Leaves word for a supervise that is on its way and does not listen yet:
    /// it is there as long as what is answered is open.
    pub fn leave(&self, bytes: &[u8]) -> Result<OwnedFd> {
        make_directory(self.path(names::SUPERVISE)?.as_c_str())?;
        let path = self.path(names::CONTROL)?;
        let path = path.as_c_str();
        // It may be there already, also as something else: a look will tell.
        let _ = fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0);
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = fs::open(path, flags, Mode::empty())?;
        if FileType::from_raw_mode(fs::fstat(&fifo)?.st_mode) != FileType::Fifo {
            return Err(Errno::EXIST);
        }
        rustix::io::write(&fifo, bytes)?;
        Ok(fifo)
    }

    /// What the supervise there wrote in this boot.
    #[must_use]
    pub fn record(&self, boot: &Boot) -> Option<Record> {
        let path = self.path(names::STATUS).ok()?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::open(path.as_c_str(), flags, Mode::empty()).ok()?;
        let mut bytes = [0; SIZE];
        let count = rustix::io::read(&file, &mut bytes).ok()?;
        let directory = fs::stat(self.path(names::SUPERVISE).ok()?.as_c_str()).ok()?;
        let origin = origin(*boot, directory.st_dev, directory.st_ino);
        Record::of_this_boot(&bytes[..count], &origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_there() {
        let here = |logger| Elsewhere { service: c"web", logger };
        let path = |logger| here(logger).path(c"supervise/ok").unwrap();
        assert_eq!(path(false).as_c_str(), c"web/supervise/ok");
        assert_eq!(path(true).as_c_str(), c"web/log/supervise/ok");
        let mut long = vec![b'n'; 255];
        long.push(0);
        let service = CStr::from_bytes_with_nul(&long).unwrap();
        assert!(Elsewhere { service, logger: true }.path(names::STATUS_NEW).is_ok());
    }
}

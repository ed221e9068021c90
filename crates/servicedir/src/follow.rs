//! Where the process of a service is named that has put itself into the
//! background: in its pid file, which is the service's own.

use crate::facts::LONGEST;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags, inotify};
use rustix::io::Result;
use upkeep_core::follow::{self, Follow};

/// How the process is found.
#[expect(clippy::large_enum_variant, reason = "nothing is allocated")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trail {
    /// It is the only one that is left.
    Child,
    /// It is named in this file.
    PidFile(PidFile),
}

/// A pid file, by its path from the service directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidFile {
    path: [u8; LONGEST],
}

impl Trail {
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        Some(match Follow::parse(content)? {
            Follow::Child => Self::Child,
            Follow::PidFile(path) => Self::PidFile(PidFile::new(path)?),
        })
    }
}

impl PidFile {
    fn new(path: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        // The last one stays the zero that ends it.
        bytes[..LONGEST - 1].get_mut(..path.len())?.copy_from_slice(path);
        Some(Self { path: bytes })
    }

    fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.path).unwrap_or_default()
    }

    /// The process that it names now, if it does.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::open(self.path(), flags, Mode::empty()).ok()?;
        let mut content = [0; 64];
        let count = rustix::io::read(&file, &mut content).ok()?;
        follow::process(&content[..count])
    }

    /// Something that can be read as soon as anything happens where it is.
    #[doc(alias = "inotify")]
    pub fn watch(&self) -> Result<OwnedFd> {
        use inotify::{CreateFlags, WatchFlags};
        let mut directory = self.path;
        let path = self.path().to_bytes();
        match path.iter().rposition(|&byte| byte == b'/') {
            None => directory[..2].copy_from_slice(b".\0"),
            Some(end) => directory[end.max(1)] = 0,
        }
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let what = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ONLYDIR;
        let directory = CStr::from_bytes_until_nul(&directory).unwrap_or_default();
        inotify::add_watch(&changes, directory, what)?;
        Ok(changes)
    }
}

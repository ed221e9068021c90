//! The files of a machine, below a root: looking, reading, writing. A link that
//! leads out of the root leads to the same place within it. Knows nothing of
//! what is in them.

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, Result as Answer};
use std::fs::File;
use std::io::{Read, Write};

const WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// As many links as one path may lead through.
const LINKS: usize = 40;

/// The root of a machine's files.
pub struct Root(OwnedFd);

/// A directory, and the name of something in it.
pub(super) type Spot<'a> = (OwnedFd, &'a str);

impl Root {
    /// The one at `path`.
    pub fn open(path: &core::ffi::CStr) -> Answer<Self> {
        fs::openat(CWD, path, WAY, Mode::empty()).map(Self)
    }

    /// Whether something is there.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.open_in(path, OFlags::PATH).is_ok()
    }

    /// Where the link at `path` leads to, if it is one.
    #[must_use]
    pub fn leads_to(&self, path: &str) -> Option<String> {
        let (dir, name) = self.spot(path).ok()?;
        fs::readlinkat(dir, name, Vec::new()).ok()?.into_string().ok()
    }

    /// Whether a program is there.
    #[must_use]
    pub fn has_program(&self, path: &str) -> bool {
        let found = self.open_in(path, OFlags::PATH).and_then(fs::fstat);
        found.is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_mode & 0o111 != 0
        })
    }

    /// Whether two paths lead to the same directory.
    #[must_use]
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        let stat = |path| self.open_in(path, WAY).and_then(fs::fstat);
        let same = |one: fs::Stat, other: fs::Stat| {
            (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
        };
        stat(one).is_ok_and(|one| stat(other).is_ok_and(|other| same(one, other)))
    }

    fn open_in(&self, path: &str, flags: OFlags) -> Answer<OwnedFd> {
        let path = match path.trim_start_matches('/') {
            "" => ".",
            path => path,
        };
        let flags = flags | OFlags::CLOEXEC;
        match fs::openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            // Where the kernel does not know it, links lead where they say.
            Err(Errno::NOSYS) => fs::openat(&self.0, path, flags, Mode::empty()),
            answer => answer,
        }
    }

    /// The directory that a path is in, and its name there.
    pub(super) fn spot<'a>(&self, path: &'a str) -> Answer<Spot<'a>> {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.open_in(dir, WAY).map(|dir| (dir, name))
    }

    /// The same, with all directories made that are missing.
    pub(super) fn made_spot<'a>(&self, path: &'a str) -> Answer<Spot<'a>> {
        match self.spot(path) {
            Err(Errno::NOENT) => {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
                let (above, last) = self.made_spot(parent)?;
                match fs::mkdirat(above, last, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(why) => return Err(why),
                }
                self.open_in(parent, WAY).map(|dir| (dir, name))
            }
            answer => answer,
        }
    }

    /// Where a file really is, if `path` is a link to it.
    pub(super) fn resolved(&self, path: &str) -> Answer<String> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            let Some(to) = self.leads_to(&path) else { return Ok(path) };
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            path = if to.starts_with('/') { to } else { format!("{above}/{to}") };
        }
        Err(Errno::LOOP)
    }

    /// What is in a file, and its mode and owner, if there is one.
    pub(super) fn read(&self, path: &str) -> Answer<Option<(Vec<u8>, fs::Stat)>> {
        let file = match self.open_in(path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Err(Errno::NOENT) => return Ok(None),
            answer => answer?,
        };
        let stat = fs::fstat(&file)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(Errno::INVAL);
        }
        let mut content = Vec::new();
        let read = File::from(file).read_to_end(&mut content);
        read.map_err(|why| Errno::from_io_error(&why).unwrap_or(Errno::IO))?;
        Ok(Some((content, stat)))
    }

    /// Writes a file beside its place and moves it there. It keeps the owner of
    /// the one that was there.
    pub(super) fn write(&self, path: &str, content: &[u8], mode: u32) -> Answer<()> {
        let old = self.read(path)?;
        let (dir, name) = self.made_spot(path)?;
        let beside = format!(".{name}.svboot");
        // What somebody else has put there, or a link to, is not written to.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let make = || fs::openat(&dir, &*beside, flags, Mode::from_raw_mode(0o600));
        let file = match make() {
            Err(Errno::EXIST) => {
                fs::unlinkat(&dir, &*beside, AtFlags::empty())?;
                make()?
            }
            answer => answer?,
        };
        let filled = (|| {
            if let Some((_, stat)) = old {
                let user = rustix::process::Uid::from_raw(stat.st_uid);
                let group = rustix::process::Gid::from_raw(stat.st_gid);
                fs::fchown(&file, Some(user), Some(group))?;
            }
            fs::fchmod(&file, Mode::from_raw_mode(mode & 0o7777))?;
            let mut file = File::from(file.try_clone().map_err(|_| Errno::MFILE)?);
            let written = file.write_all(content).and_then(|()| file.sync_all());
            written.map_err(|why| Errno::from_io_error(&why).unwrap_or(Errno::IO))
        })();
        let moved = filled.and_then(|()| fs::renameat(&dir, &*beside, &dir, name));
        if moved.is_err() {
            let _ = fs::unlinkat(&dir, &*beside, AtFlags::empty());
        }
        moved
    }

    /// Whether something has this name, if only a link that leads nowhere.
    pub(super) fn is_taken(&self, path: &str) -> bool {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        self.spot(path).is_ok_and(|(dir, name)| fs::statat(dir, name, flags).is_ok())
    }
}

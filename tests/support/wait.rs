//! Waiting: for a descriptor to have something, for a directory to change.

use super::hold;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::{Duration, Instant};

/// When a test that still waits has failed.
pub fn deadline() -> Instant {
    let factor = std::env::var("UPKEEP_PATIENCE").ok().and_then(|p| p.parse().ok()).unwrap_or(1);
    Instant::now() + Duration::from_secs(30) * factor
}

/// Waits until `fd` can be read or `until` has come; says which.
pub fn readable(fd: impl AsFd, until: Instant) -> bool {
    any_readable(&[Some(fd.as_fd())], until).is_some()
}

/// Which of the descriptors can be read first; none if `until` comes before.
pub fn any_readable(fds: &[Option<BorrowedFd<'_>>], until: Instant) -> Option<usize> {
    let (places, mut fds): (Vec<usize>, Vec<_>) = fds
        .iter()
        .enumerate()
        .filter_map(|(i, fd)| fd.map(|fd| (i, PollFd::from_borrowed_fd(fd, PollFlags::IN))))
        .unzip();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left.min(hold::PAUSE)).unwrap();
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) if left <= hold::PAUSE => return None,
            Ok(0) => hold::nudge(),
            Ok(_) => return fds.iter().position(|fd| !fd.revents().is_empty()).map(|i| places[i]),
            Err(rustix::io::Errno::INTR) => {}
            Err(why) => panic!("poll: {why}"),
        }
    }
}

/// Watches directories, so that a condition is looked at when one changed.
pub struct Changes {
    inotify: OwnedFd,
}

impl Changes {
    /// Watches `dirs`.
    pub fn of(dirs: &[&Path]) -> Self {
        Self::watching(
            dirs,
            inotify::WatchFlags::CREATE
                | inotify::WatchFlags::MOVE
                | inotify::WatchFlags::DELETE
                | inotify::WatchFlags::CLOSE_WRITE
                | inotify::WatchFlags::MODIFY
                | inotify::WatchFlags::ATTRIB,
        )
    }

    /// Watches for files in `dir` to be made and opened. What looks must not
    /// open any itself: it would wake itself up.
    pub fn openings(dir: &Path) -> Self {
        Self::watching(&[dir], inotify::WatchFlags::CREATE | inotify::WatchFlags::OPEN)
    }

    fn watching(dirs: &[&Path], what: inotify::WatchFlags) -> Self {
        let inotify =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).unwrap();
        for dir in dirs {
            inotify::add_watch(&inotify, *dir, what)
                .unwrap_or_else(|why| panic!("watch {}: {why}", dir.display()));
        }
        Self { inotify }
    }

    /// Watches for files in `dir` to be read.
    pub fn readings(dir: &Path) -> Self {
        Self::watching(&[dir], inotify::WatchFlags::CLOSE_NOWRITE)
    }

    /// Waits until somebody has done what is watched for to the file `name`.
    pub fn of_file(&self, name: &CStr) {
        let until = deadline();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) if event.file_name() == Some(name) => return,
                Ok(_) => {}
                Err(_) => assert!(readable(&self.inotify, until), "nobody touches {name:?}"),
            }
        }
    }

    /// Waits until `look` finds what it looks for.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let until = deadline();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(readable(&self.inotify, until), "waited in vain: {what}");
            let mut buffer = [0; 4096];
            while rustix::io::read(&self.inotify, &mut buffer).is_ok() {}
        }
    }
}

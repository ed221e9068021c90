//! What the kernel tells of the scan directory, as far as it can be trusted.

use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::{Errno, Result};
use upkeep_sys::refuse::refused;

/// An open inotify, with the scan directory watched or not.
pub(crate) struct Notices {
    inotify: OwnedFd,
    scan: i32,
}

/// What was noticed.
pub(crate) enum Notice<'a> {
    /// Something new has this name. `unfinished`: a directory that was made
    /// here, so that it is probably still being filled.
    Appeared { name: &'a core::ffi::CStr, unfinished: bool },
    /// Something happened in the directory with this watch.
    Touched(i32),
    /// The scan directory has to be looked at as a whole.
    Unclear,
    /// The scan directory is no longer watched.
    Blind,
}

impl Notices {
    /// Watches the current directory.
    pub(crate) fn open() -> Result<Self> {
        if refused(b"inotify") {
            return Err(Errno::MFILE);
        }
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let what = WatchFlags::CREATE
            | WatchFlags::MOVE
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let scan = inotify::add_watch(&inotify, c".", what)?;
        Ok(Self { inotify, scan })
    }

    /// Watches a directory with a record; as long as no supervise is known to
    /// live there, also for one that opens something.
    pub(crate) fn watch_records(&self, path: &core::ffi::CStr, living: bool) -> Result<i32> {
        let always = WatchFlags::MOVED_TO | WatchFlags::MODIFY | WatchFlags::ONLYDIR;
        let opening = WatchFlags::CREATE | WatchFlags::OPEN;
        let what = if living { always } else { always | opening };
        inotify::add_watch(&self.inotify, path, what)
    }

    /// Watches a directory that is being filled.
    pub(crate) fn watch(&self, name: &core::ffi::CStr) -> Result<i32> {
        let what = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&self.inotify, name, what)
    }

    /// Does not watch it any more.
    pub(crate) fn unwatch(&self, watch: i32) {
        // It is gone by itself where the directory is.
        let _ = inotify::remove_watch(&self.inotify, watch);
    }

    /// Nothing more is to be noticed of the scan directory. The kernel takes its
    /// time to forget a watch, some 15 ms, and who closes an inotify, or ends,
    /// waits for it; this way it passes while something else does.
    pub(crate) fn let_go(&self) {
        self.unwatch(self.scan);
    }

    /// Hands over everything that was noticed since the last time.
    pub(crate) fn drain(&self, mut tell: impl FnMut(Notice<'_>)) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => return,
            };
            let what = event.events();
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                tell(Notice::Unclear);
            } else if event.wd() != self.scan {
                tell(Notice::Touched(event.wd()));
            } else if what.contains(ReadFlags::IGNORED) {
                tell(Notice::Blind);
            } else if what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
                let name = event.file_name().unwrap_or(c".");
                let unfinished = what.contains(ReadFlags::CREATE | ReadFlags::ISDIR);
                tell(Notice::Appeared { name, unfinished });
            } else {
                tell(Notice::Unclear);
            }
        }
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Whether changes in the current directory are all noticed: not on file
/// systems that somebody else can change behind the kernel's back.
pub(crate) fn is_trustworthy() -> bool {
    const NFS: u64 = 0x6969;
    const SMB2: u64 = 0xfe53_4d42;
    const CIFS: u64 = 0xff53_4d42;
    const PLAN9: u64 = 0x0102_1997;
    const FUSE: u64 = 0x6573_5546;
    const CEPH: u64 = 0x00c3_6400;
    const AFS: u64 = 0x5346_414f;
    let remote = [NFS, SMB2, CIFS, PLAN9, FUSE, CEPH, AFS];
    rustix::fs::statfs(c".").is_ok_and(|fs| !remote.contains(&fs.f_type.cast_unsigned()))
}

//! What is in the scan directory: which entries are services, and whether they
//! have a logger. Finds and reports; starts nothing itself.

use crate::svscan::help::TOOL;
use crate::svscan::roster::{Identity, NAME};
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;
use upkeep_core::scan::{Event, RETRY, Which};
use upkeep_servicedir::Log;
use upkeep_sys::clock;

const SECOND: u64 = 1_000_000_000;
/// A full look at the directory, whatever was noticed.
const SAFETY_NET: u64 = 60 * SECOND;

impl Svscan {
    /// Looks at the whole directory.
    pub(crate) fn look(&mut self) {
        let now = clock::monotonic();
        let soon = core::mem::take(&mut self.again) || !self.trusted;
        self.scan_at = now + if soon { RETRY } else { SAFETY_NET };
        self.scan = self.scan.wrapping_add(1);
        self.look_at_order();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = match fs::open(c".", flags, Mode::empty()) {
            Ok(dir) => dir,
            Err(why) => return self.cannot_read(why),
        };
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) => {
                    let name = entry.file_name();
                    if !name.to_bytes().starts_with(b".") && !self.settling.holds(name) {
                        self.consider(name);
                    }
                }
                Err(Errno::INTR) => {}
                Err(why) => return self.cannot_read(why),
            }
        }
        self.looked = true;
        let mut index = 0;
        while index < self.roster.len() {
            let before = self.roster.len();
            let entry = self.roster.get(index);
            if entry.seen != self.scan && entry.service.listed {
                self.feed(index, Event::Unlisted);
            }
            index += usize::from(self.roster.len() == before);
        }
    }

    fn cannot_read(&mut self, why: Errno) {
        TOOL.warn_os(&[b"unable to read directory: "], why);
        self.look_again();
    }

    /// Something did not work now; it may in five seconds.
    pub(crate) fn look_again(&mut self) {
        self.scan_at = self.scan_at.min(clock::monotonic() + RETRY);
    }

    /// Takes up what has this name, if it is a service directory.
    pub(crate) fn consider(&mut self, name: &CStr) {
        let stat = match fs::statat(CWD, name, AtFlags::empty()) {
            Ok(stat) => stat,
            Err(why) => {
                // It came and went, unless it is a link that leads nowhere.
                if fs::statat(CWD, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    TOOL.warn_os(&[b"unable to stat ", name.to_bytes(), b": "], why);
                    self.look_again();
                }
                return;
            }
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return;
        }
        let identity: Identity = (stat.st_dev, stat.st_ino);
        let Some(log) = self.log_of(name) else { return };
        let index = match self.roster.find(identity) {
            Some(index) => index,
            None => match self.roster.add(identity, name) {
                Ok(index) => index,
                Err(why) => {
                    TOOL.warn_os(&[b"unable to start ", name.to_bytes(), b": "], why);
                    return self.look_again();
                }
            },
        };
        if self.roster.name(index) != name {
            match self.roster.rename(index, name) {
                Ok(()) => self.rename_streams(index),
                Err(_) => self.look_again(),
            }
        }
        let is_new = self.roster.get(index).seen == 0;
        self.roster.get_mut(index).seen = self.scan;
        if is_new && self.looked {
            self.order_changes(name);
        }
        self.keep_log(index, log);
        if is_new && self.is_first_life && !self.looked {
            for which in [Which::Main, Which::Log] {
                self.elsewhere(index, which).begin_anew(&self.boot);
            }
        }
        self.listen(index);
        self.feed(index, Event::Listed { log: log.is_some() });
    }

    /// What the next supervise of the logger will find; one that runs has found
    /// it.
    fn keep_log(&mut self, index: usize, log: Option<Log>) {
        let entry = self.roster.get_mut(index);
        if let Some(log) = log
            && !entry.service.runs(Which::Log)
        {
            entry.log = log;
        }
    }

    /// What the service has as its logger; nothing if that cannot be known.
    fn log_of(&mut self, name: &CStr) -> Option<Option<Log>> {
        let mut path = [0; NAME + 4];
        let bytes = name.to_bytes();
        path[..bytes.len()].copy_from_slice(bytes);
        path[bytes.len()..bytes.len() + 4].copy_from_slice(b"/log");
        let path = CStr::from_bytes_until_nul(&path).ok()?;
        match fs::statat(CWD, path, AtFlags::empty()) {
            Ok(stat) => Some(Some(log(&stat))),
            Err(Errno::NOENT) => Some(None),
            Err(why) => {
                TOOL.warn_os(&[b"unable to stat ", bytes, b"/log: "], why);
                self.look_again();
                None
            }
        }
    }

    /// A supervise that is started anew gets the logger that its service has
    /// got meanwhile.
    pub(crate) fn look_for_log(&mut self, index: usize) {
        let service = self.roster.get(index).service;
        let mut name = [0; NAME];
        let bytes = self.roster.name(index).to_bytes_with_nul();
        name[..bytes.len()].copy_from_slice(bytes);
        if service.listed
            && service.log.is_none()
            && let Ok(name) = CStr::from_bytes_until_nul(&name)
            && let Some(Some(log)) = self.log_of(name)
        {
            self.keep_log(index, Some(log));
            self.feed(index, Event::Listed { log: true });
        }
    }
}

/// What a `log` is: what can be no logger is left to supervise to complain of.
fn log(stat: &fs::Stat) -> Log {
    let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
    let is_program = is_file && Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR);
    if is_program { Log::File } else { Log::Directory }
}

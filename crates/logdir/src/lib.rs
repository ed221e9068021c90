//! A log directory: current, the old logs, and what is between them. Every
//! name and mode in it is known here and nowhere else. It writes what it is
//! given, loses nothing of it, and looks at no line's meaning.

mod by_clock;
mod child;
mod claimed;
mod compress;
mod directory;
mod durable;
mod gathered;
mod journal;
pub mod limit;
mod old;
mod place;
mod processor;
mod recover;
mod reopen;
mod rotate;
mod runit;
mod settings;
mod voice;

pub use claimed::{Again, Claimed};
pub use compress::share_compressor;
pub use directory::LogDirectory;
pub use journal::Journal;
pub use place::is_in_use;
pub use runit::Svlogd;
pub use settings::Settings;
pub use voice::Voice;

/// The files of a log directory.
pub mod files {
    use core::ffi::CStr;

    /// Held locked while a multilog uses the directory, whose journal it is.
    pub(crate) const LOCK: &CStr = c"lock";
    /// The pipe to the logger, where it has its name here.
    pub const INPUT: &CStr = c"input";
    /// What is being written.
    pub const CURRENT: &CStr = c"current";
    /// What was current, until it has a name of its own.
    pub const PREVIOUS: &CStr = c"previous";
    /// What the processor made of previous.
    pub const PROCESSED: &CStr = c"processed";
    /// What is being made of an old log by compressing it.
    pub(crate) const COMPRESSING: &CStr = c"compressing";
    /// What the processor left for its next run.
    pub(crate) const STATE: &CStr = c"state";
    /// What it is leaving now.
    pub(crate) const NEW_STATE: &CStr = c"newstate";
}

/// Their modes.
mod modes {
    use rustix::fs::Mode;

    /// The directory itself.
    pub(crate) const DIRECTORY: Mode = Mode::RWXU;
    /// The lock, and every file until it is given one of the others.
    pub(crate) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
    /// Being written.
    pub(crate) const OPEN: Mode = PRIVATE.union(Mode::RGRP).union(Mode::ROTH);
    /// Finished, and safely on the disk.
    pub(crate) const FINISHED: Mode = OPEN.union(Mode::XUSR);
}

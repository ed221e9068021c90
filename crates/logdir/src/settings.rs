//! How a log directory is to be kept.

use crate::Svlogd;
use core::ffi::CStr;
use upkeep_core::keeping::Keeping;
use upkeep_core::script;
use upkeep_core::treatment::Durability;

/// What is known of a log directory before it is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its path.
    pub name: &'static CStr,
    /// How large current may become.
    pub size: u64,
    /// How many files it may hold, current among them.
    pub keep: u64,
    /// What old logs go through, for the shell.
    pub processor: Option<&'static CStr>,
    /// What is to be done svlogd's way. `keep` says nothing then.
    pub runit: Option<Svlogd>,
    /// If it is to be kept s6-log's way, how near its size a log ends, at the
    /// end of the first line.
    pub s6: Option<u64>,
    /// What it does by itself.
    pub keeping: Keeping,
    /// When it is on the disk.
    pub durability: Durability,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: c"",
            size: script::SIZE,
            keep: script::KEEP,
            processor: None,
            runit: None,
            s6: None,
            keeping: Keeping::default(),
            durability: Durability::Kernel,
        }
    }
}

impl Settings {
    /// Whether it does not matter how much came at once.
    pub(crate) const fn ends_anywhere(&self) -> bool {
        self.runit.is_some() || self.s6.is_some()
    }
}

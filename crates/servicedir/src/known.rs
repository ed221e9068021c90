//! What the owner of a service directory may put into it, by name.

use crate::names;
use core::ffi::CStr;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is executed.
    Program,
    /// It is read.
    Fact,
    /// It is there or not.
    Flag,
    /// It has files in it.
    Directory,
    /// A directory or a program.
    Logger,
}

/// Every file that means something to supervise or svscan.
const KNOWN: [(&CStr, Role); 44] = [
    (names::RUN, Role::Program),
    (names::FINISH, Role::Program),
    (names::CHECK, Role::Program),
    (names::START, Role::Program),
    (names::STOP, Role::Program),
    (names::TELL, Role::Program),
    (names::DO, Role::Program),
    (names::LOG, Role::Logger),
    (names::SCRIPTS, Role::Directory),
    (names::SUPERVISE, Role::Directory),
    (c"data", Role::Directory),
    (names::NEEDS, Role::Directory),
    (names::WANTS, Role::Directory),
    (names::AFTER, Role::Directory),
    (names::DOWN, Role::Flag),
    (names::ESSENTIAL, Role::Flag),
    (names::NO_SETSID, Role::Flag),
    (names::FLAG_TIMEOUT_KILLPG, Role::Flag),
    (names::FLAG_NEWPIDNS, Role::Flag),
    (names::TYPE, Role::Fact),
    (names::DIALECT, Role::Fact),
    (names::KILL_MODE, Role::Fact),
    (names::TIMEOUT_KILL, Role::Fact),
    (names::TIMEOUT_FINISH, Role::Fact),
    (names::TIMEOUT_CONTROL, Role::Fact),
    (names::DOWN_SIGNAL, Role::Fact),
    (names::RELOAD_SIGNAL, Role::Fact),
    (names::NOTIFICATION_FD, Role::Fact),
    (names::LOCK_FD, Role::Fact),
    (names::MAX_DEATH_TALLY, Role::Fact),
    (names::RESTART, Role::Fact),
    (names::RESTART_SUCCESS, Role::Fact),
    (names::RESTART_NEVER, Role::Fact),
    (names::RESTART_DELAY, Role::Fact),
    (names::RESTART_DELAY_MAX, Role::Fact),
    (names::RESTART_LIMIT, Role::Fact),
    (names::FOLLOW, Role::Fact),
    (names::TIMEOUT_FOLLOW, Role::Fact),
    (names::READY_BY, Role::Fact),
    (names::TIMEOUT_READY, Role::Fact),
    (names::WATCHDOG, Role::Fact),
    (names::CHECK_INTERVAL, Role::Fact),
    (names::TIMEOUT_CHECK, Role::Fact),
    (names::CHECK_FAILURES, Role::Fact),
];

/// What the file called `name` is for.
#[must_use]
pub fn role_of(name: &[u8]) -> Option<Role> {
    KNOWN.iter().find(|(file, _)| crate::facts::plain(file) == name).map(|(_, role)| *role)
}

/// What they are called.
pub fn known() -> impl Iterator<Item = &'static [u8]> {
    KNOWN.iter().map(|(file, _)| crate::facts::plain(file))
}

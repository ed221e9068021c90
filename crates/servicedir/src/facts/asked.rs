//! Every file that says one fact, for whoever looks at a directory that nobody
//! runs: the same readers as at a start.

use super::{FactTrouble, Facts, timeout_finish};
use crate::names;
use core::ffi::CStr;

/// One of these files.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What it is called.
    pub file: &'static CStr,
    /// What supervise says that it does where the file is of no use.
    pub instead: &'static str,
    /// What may be in it.
    pub wants: &'static str,
    read: fn(&Facts) -> Option<FactTrouble>,
}

impl Asked {
    /// What is wrong with it.
    #[must_use]
    pub fn trouble(&self, facts: &Facts) -> Option<FactTrouble> {
        (self.read)(facts)
    }
}

const NUMBER: &str = "a number of milliseconds";
const SIGNAL: &str = "the name of a signal, or its number up to 31";
const DESCRIPTOR: &str = "a number from 3 to 255";
const ENDS: &str = "exit codes and names of signals";

macro_rules! asked {
    ($file:ident, $instead:expr, $wants:expr, $reader:ident) => {
        Asked {
            file: names::$file,
            instead: $instead,
            wants: $wants,
            read: |facts| facts.$reader().err(),
        }
    };
}

/// All of them.
pub const ASKED: [Asked; 25] = [
    asked!(TYPE, "using longrun", "longrun or oneshot", kind),
    asked!(DIALECT, "guessing", "daemontools, encore, runit or s6", dialect),
    asked!(KILL_MODE, "using process", "process, group or tree", kill_mode),
    asked!(TIMEOUT_KILL, "using the default", NUMBER, timeout_kill),
    asked!(DOWN_SIGNAL, "using TERM", SIGNAL, down_signal),
    asked!(RELOAD_SIGNAL, "using HUP", SIGNAL, reload_signal),
    asked!(NOTIFICATION_FD, "using none", DESCRIPTOR, notification_fd),
    asked!(LOCK_FD, "using none", DESCRIPTOR, lock_fd),
    asked!(MAX_DEATH_TALLY, "using 100", "a number", max_death_tally),
    asked!(RESTART, "using always", "always, on-failure, on-success or never", restart),
    asked!(RESTART_SUCCESS, "using 0", ENDS, restart_success),
    asked!(RESTART_NEVER, "using none", ENDS, restart_never),
    asked!(RESTART_DELAY, "using the default", NUMBER, restart_delay),
    asked!(RESTART_DELAY_MAX, "letting the delay not grow", NUMBER, restart_delay_max),
    asked!(
        RESTART_LIMIT,
        "using none",
        "two numbers above 0: so many ends within so many seconds",
        restart_limit
    ),
    asked!(READY_BY, "using the default", "run, fd, notify or check", ready_by),
    asked!(TIMEOUT_READY, "using none", NUMBER, timeout_ready),
    asked!(WATCHDOG, "using none", NUMBER, watchdog),
    asked!(CHECK_INTERVAL, "using none", NUMBER, check_interval),
    asked!(TIMEOUT_CHECK, "using 10000", NUMBER, timeout_check),
    asked!(CHECK_FAILURES, "using 3", "a number from 1 to 255", check_failures),
    asked!(TIMEOUT_CONTROL, "using the default", NUMBER, timeout_control),
    asked!(FOLLOW, "following nobody", "child, or pidfile and a path, in one line", follow),
    asked!(TIMEOUT_FOLLOW, "using 10000", "a number of milliseconds above 0", timeout_follow),
    Asked {
        file: names::TIMEOUT_FINISH,
        instead: "using the default",
        wants: NUMBER,
        read: |_| timeout_finish().err(),
    },
];

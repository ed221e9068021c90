//! Named points at which a test kills a program. They are there in debug
//! builds only: in a release build a point is nothing.
//!
//! `UPKEEP_KILL_AT` is `NAME=FILE`. Whoever comes to the point NAME and can
//! remove FILE is killed with SIGKILL there, so that one FILE is one death.
//! With `NAME^=FILE` it is the parent that is killed, while this one goes on.

/// A point that a test can name.
#[macro_export]
macro_rules! point {
    ($name:literal) => {
        #[cfg(debug_assertions)]
        $crate::point::at($name.as_bytes());
    };
}

/// Kills, if the test says so.
#[cfg(debug_assertions)]
pub fn at(name: &[u8]) {
    use rustix::process::{Signal, getpid, getppid, kill_process};

    let value = crate::exec::variable(b"UPKEEP_KILL_AT");
    let Some(rest) = value.and_then(|value| value.strip_prefix(name)) else { return };
    let (file, parent) = match rest {
        [b'=', file @ ..] => (file, false),
        [b'^', b'=', file @ ..] => (file, true),
        _ => return,
    };
    if rustix::fs::unlink(file).is_ok() {
        let victim = if parent { getppid() } else { Some(getpid()) };
        if let Some(victim) = victim {
            let _ = kill_process(victim, Signal::KILL);
        }
    }
}

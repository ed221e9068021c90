//! Named points at which a test can have a program killed. A debug build asks
//! its environment; a release build contains nothing of it.

/// Marks a point with this name. Where UPKEEP_KILL_AT is `name=PATH` and PATH
/// can be unlinked, so that each PATH is one kill, the process gets SIGKILL
/// from itself and does not come back. With `name^=PATH` it is the parent that
/// is killed, while this one goes on. With `name@=PATH` nobody is, but the
/// process waits there for a line on the FIFO PATH, if there is one.
#[macro_export]
macro_rules! point {
    ($name:literal) => {
        $crate::point::reach($name.as_bytes())
    };
}

/// What `point!` does. It allocates nothing.
#[cfg(debug_assertions)]
pub fn reach(name: &[u8]) {
    use rustix::process::{Signal, getpid, getppid, kill_process};

    let value = crate::exec::variable(b"UPKEEP_KILL_AT");
    let Some(rest) = value.and_then(|value| value.strip_prefix(name)) else { return };
    let (file, parent) = match rest {
        [b'=', file @ ..] => (file, false),
        [b'^', b'=', file @ ..] => (file, true),
        [b'@', b'=', file @ ..] => return wait(file),
        _ => return,
    };
    if rustix::fs::unlink(file).is_ok() {
        let victim = if parent { getppid() } else { Some(getpid()) };
        if let Some(victim) = victim {
            let _ = kill_process(victim, Signal::KILL);
        }
    }
}

#[cfg(debug_assertions)]
fn wait(fifo: &[u8]) {
    use rustix::fs::{Mode, OFlags, open};

    if let Ok(fifo) = open(fifo, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::read(&fifo, &mut [0; 64]);
    }
}

/// What `point!` does in a release build: nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn reach(_name: &[u8]) {}

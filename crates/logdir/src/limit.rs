//! Each log directory takes some descriptors, and there may be hundreds of
//! them: the soft limit is none here. Programs that are started find it as
//! it was.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use std::process::Child;
use std::sync::OnceLock;

static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Lets this process have as many descriptors as it may.
pub fn raise() {
    BEFORE.get_or_init(|| {
        let before = getrlimit(Resource::Nofile);
        // Where it cannot be raised, it is as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, ..before });
        before
    });
}

/// What it was before.
pub(crate) fn before() -> Option<Rlimit> {
    BEFORE.get().copied()
}

/// Gives a program that was started what it was before.
pub fn lower(child: &Child) {
    if let Some(before) = before() {
        // One that has ended has no limit.
        let _ = prlimit(Some(Pid::from_child(child)), Resource::Nofile, before);
    }
}

//! Each log directory takes four descriptors, and a script may have hundreds
//! of them: the soft limit is none here. Programs that are started find it as
//! it was.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::OnceLock;

static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Lets this process have as many descriptors as it may.
pub(crate) fn raise() {
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

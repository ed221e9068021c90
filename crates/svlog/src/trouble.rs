//! What could not be read: it is said when it is found, and remembered for the
//! end. The rest of the log is read nevertheless.

use crate::options::TOOL;
use core::sync::atomic::{AtomicBool, Ordering};
use rustix::io::Errno;

static ANY: AtomicBool = AtomicBool::new(false);

/// Whether there was any.
pub(crate) fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// Something was left out.
pub(crate) fn note(parts: &[&[u8]]) {
    ANY.store(true, Ordering::Relaxed);
    TOOL.warn(parts);
}

/// The same with the system's reason.
pub(crate) fn note_os(parts: &[&[u8]], why: Errno) {
    ANY.store(true, Ordering::Relaxed);
    TOOL.warn_os(parts, why);
}

//! How long to wait, and what threads wake each other with.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{SECOND, first, now};

/// A deadline's length, as long as this machine needs it.
pub(crate) fn patient(length: u64) -> u64 {
    static FACTOR: OnceLock<u64> = OnceLock::new();
    let factor = FACTOR.get_or_init(|| {
        std::env::var("UPKEEP_PATIENCE").ok().and_then(|p| p.parse().ok()).unwrap_or(1)
    });
    length.saturating_mul((*factor).max(1))
}

/// When whatever is ended now must have gone.
pub(crate) fn gone() -> u64 {
    now() + patient(60 * SECOND)
}

/// Something that threads tell each other by: once rung, it can be read.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> Result<Self, Failure> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        eventfd(0, flags).map(Self).unable("make an event")
    }

    /// Another handle of the same bell.
    pub(crate) fn share(&self) -> Result<Self, Failure> {
        self.0.try_clone().map(Self).unable("share an event")
    }

    pub(crate) fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Whether it was rung since it was last silenced.
    pub(crate) fn silence(&self) -> bool {
        rustix::io::read(&self.0, &mut [0; 8]).is_ok()
    }

    /// Whether it was rung; it goes on ringing.
    pub(crate) fn rings(&self) -> Result<bool, Failure> {
        Ok(first(&[self.as_fd()], 0)?.is_some())
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

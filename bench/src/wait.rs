//! How long to wait for what, and how a time is shown.

use rustix::fd::AsFd;
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::{SECOND, first, now};

/// How long anything may take before it counts as not working.
const PATIENCE: u64 = 120 * SECOND;

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "52 bits of nanoseconds are a month")]
pub(crate) fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// When patience ends, if something begins now.
pub(crate) fn deadline() -> u64 {
    now() + PATIENCE
}

/// Waits for `fd` to be readable, `what` says for what.
pub(crate) fn readable(fd: impl AsFd, what: &str) -> Result<(), Failure> {
    match first(&[fd.as_fd()], deadline())? {
        Some(_) => Ok(()),
        None => Err(Failure::Late(what.to_owned())),
    }
}

/// Waits for a moment to come: only where the measure itself is defined by
/// time passing.
pub(crate) fn until(moment: u64) -> Result<(), Failure> {
    first(&[], moment).map(drop)
}

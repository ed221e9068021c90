//! The ends of a service as s6 counts them: 14 bytes each, when and how.

use crate::record::Outcome;
use crate::tai::{PACKED, Tai64n};

/// The size of a record.
pub const SIZE: usize = PACKED + 2;
/// How many are kept if nobody says otherwise.
pub const DEFAULT: u32 = 100;
/// How many are kept at most.
pub const MOST: u32 = 4096;
/// The leap seconds so far, which s6's clock counts and daemontools' does not.
const LEAPS: u64 = 27;

/// The record of an end; none of one that nobody has seen.
#[must_use]
pub fn record(at: Tai64n, outcome: Outcome) -> Option<[u8; SIZE]> {
    let (code, signal) = match outcome {
        Outcome::Exited(code) => (code, 0),
        Outcome::Killed(signal) => (signal | 128, signal),
        Outcome::Unknown => return None,
    };
    let mut out = [0; SIZE];
    out[..PACKED].copy_from_slice(&stamp(at));
    out[PACKED..].copy_from_slice(&[code, signal]);
    Some(out)
}

/// Whether this, the last record, is of an end after `since`.
#[must_use]
pub fn is_after(last: &[u8; SIZE], since: Tai64n) -> bool {
    last[..PACKED] >= stamp(since)[..]
}

fn stamp(at: Tai64n) -> [u8; PACKED] {
    Tai64n { seconds: at.seconds.wrapping_add(LEAPS), ..at }.pack()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_as_s6_writes_it() {
        // Written by s6-supervise at 1795653821 of the Unix clock.
        let theirs = *b"\x40\0\0\0\x6b\x07\x80\xe2\x2d\x14\x5c\x50\x03\0";
        let at = Tai64n::from_unix(1_795_653_821, 0x2d14_5c50);
        assert_eq!(record(at, Outcome::Exited(3)), Some(theirs));
        let killed = record(at, Outcome::Killed(9)).unwrap();
        assert_eq!((&killed[..12], &killed[12..]), (&theirs[..12], &[137, 9][..]));
        assert_eq!(record(at, Outcome::Unknown), None);
    }

    #[test]
    fn the_last_one_is_of_this_process_or_of_one_before() {
        let at = |nanos| Tai64n::from_unix(1_795_653_821, nanos);
        let last = record(at(5), Outcome::Exited(0)).unwrap();
        assert!(is_after(&last, at(4)) && is_after(&last, at(5)) && !is_after(&last, at(6)));
    }
}

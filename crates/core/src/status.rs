//! The beginning of the record in `supervise/status`: its first 18 bytes are
//! daemontools', the two behind them runit's, so that the clients of both can
//! read it. What follows is `record`'s.

use crate::tai::{PACKED, Tai64n};

/// What daemontools' clients read.
pub const CLASSIC: usize = 18;
/// daemontools' part and runit's.
pub const SIZE: usize = 20;

/// What the service was asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Up, and up again when it ends.
    Up,
    /// Down.
    Down,
    /// Whatever it is; it is not started again.
    Once,
}

/// What a reader can know of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// When the process was started or ended.
    pub since: Tai64n,
    /// The process, 0 for none.
    pub pid: u32,
    /// Whether it was stopped with `p`.
    pub paused: bool,
    /// What was asked for.
    pub want: Want,
    /// Whether TERM was sent and the process is still there.
    pub terminating: bool,
    /// Whether the process is not the service but its `finish`.
    pub finishing: bool,
}

impl Status {
    /// The beginning of the record.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut out = [0; SIZE];
        out[..PACKED].copy_from_slice(&self.since.pack());
        out[12..16].copy_from_slice(&self.pid.to_le_bytes());
        out[16] = u8::from(self.paused && self.pid != 0);
        out[17] = match self.want {
            Want::Up => b'u',
            Want::Down => b'd',
            Want::Once => 0,
        };
        out[18] = u8::from(self.terminating && self.pid != 0);
        // runit's state: down, running, or running its finish.
        out[19] = u8::from(self.pid != 0) + u8::from(self.pid != 0 && self.finishing);
        out
    }

    /// What a record says, whoever wrote it; nothing if it is too short.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let (since, rest) = record.split_first_chunk::<PACKED>()?;
        let (pid, rest) = rest.split_first_chunk::<4>()?;
        let (&[paused, want], rest) = rest.split_first_chunk::<2>()?;
        Some(Self {
            since: Tai64n::unpack(since),
            pid: u32::from_le_bytes(*pid),
            paused: paused != 0,
            want: match want {
                b'u' => Want::Up,
                b'd' => Want::Down,
                _ => Want::Once,
            },
            terminating: rest.first().is_some_and(|&b| b != 0),
            finishing: rest.get(1) == Some(&2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_where_daemontools_and_runit_look() {
        let status = Status {
            since: Tai64n { seconds: 0x4000_0000_6000_0001, nanos: 0x0102_0304 },
            pid: 0x0a0b_0c0d,
            paused: true,
            want: Want::Up,
            terminating: true,
            finishing: false,
        };
        assert_eq!(
            status.encode(),
            *b"\x40\0\0\0\x60\0\0\x01\x01\x02\x03\x04\x0d\x0c\x0b\x0a\x01u\x01\x01"
        );
    }

    #[test]
    fn every_record_comes_back() {
        for pid in [0, 1, 255, 256, u32::MAX] {
            for want in [Want::Up, Want::Down, Want::Once] {
                for flags in 0..8_u8 {
                    let status = Status {
                        since: Tai64n { seconds: u64::MAX, nanos: 7 },
                        pid,
                        paused: flags & 1 != 0 && pid != 0,
                        want,
                        terminating: flags & 2 != 0 && pid != 0,
                        finishing: flags & 4 != 0 && pid != 0,
                    };
                    assert_eq!(Status::decode(&status.encode()), Some(status));
                }
            }
        }
    }

    #[test]
    fn a_record_is_18_bytes_or_none() {
        let record = [b'd'; 64];
        for len in 0..record.len() {
            assert_eq!(Status::decode(&record[..len]).is_some(), len >= CLASSIC);
        }
    }
}

//! TAI64N as daemontools writes it: seconds since 1970 plus 2^62 + 10, with no
//! leap seconds, then nanoseconds; big-endian, or as `@` and 24 hex digits.

/// What daemontools adds to a Unix time.
pub const EPOCH: u64 = 0x4000_0000_0000_000a;
/// The packed size.
pub const PACKED: usize = 12;
/// The size of a label, `@` included.
pub const LABEL: usize = 25;

/// A moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tai64n {
    /// TAI64 seconds.
    pub seconds: u64,
    /// Nanoseconds; below 10^9 in what is written here, anything in what is
    /// read.
    pub nanos: u32,
}

impl Tai64n {
    /// The moment a Unix clock shows.
    #[must_use]
    pub const fn from_unix(seconds: i64, nanos: u32) -> Self {
        Self { seconds: EPOCH.wrapping_add_signed(seconds), nanos }
    }

    /// What a Unix clock shows then.
    #[must_use]
    pub const fn to_unix(self) -> i64 {
        self.seconds.wrapping_sub(EPOCH).cast_signed()
    }

    /// Twelve bytes, big-endian.
    #[must_use]
    pub fn pack(self) -> [u8; PACKED] {
        let mut out = [0; PACKED];
        out[..8].copy_from_slice(&self.seconds.to_be_bytes());
        out[8..].copy_from_slice(&self.nanos.to_be_bytes());
        out
    }

    /// The same, back.
    #[must_use]
    pub fn unpack(bytes: &[u8; PACKED]) -> Self {
        let [a, b, c, d, e, f, g, h, n @ ..] = *bytes;
        Self { seconds: u64::from_be_bytes([a, b, c, d, e, f, g, h]), nanos: u32::from_be_bytes(n) }
    }

    /// `@` and 24 hex digits.
    #[must_use]
    pub fn label(self) -> [u8; LABEL] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut out = [b'@'; LABEL];
        for (pair, byte) in out[1..].chunks_exact_mut(2).zip(self.pack()) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_moment() {
        let moment = Tai64n::from_unix(0, 500);
        assert_eq!(&moment.label(), b"@400000000000000a000001f4");
        assert_eq!(moment.to_unix(), 0);
    }

    #[test]
    fn packing_comes_back() {
        for seconds in [i64::MIN, -1, 0, 1, 1_790_000_000, i64::MAX] {
            for nanos in [0, 1, 999_999_999, u32::MAX] {
                let moment = Tai64n::from_unix(seconds, nanos);
                assert_eq!(Tai64n::unpack(&moment.pack()), moment);
                assert_eq!(moment.to_unix(), seconds);
            }
        }
    }
}

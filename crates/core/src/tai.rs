//! TAI64N as daemontools writes it: seconds since 1970 plus 2^62 + 10, with no
//! leap seconds, then nanoseconds; big-endian, or as `@` and 24 hex digits.

use crate::calendar::Civil;

/// What daemontools adds to a Unix time.
pub const EPOCH: u64 = 0x4000_0000_0000_000a;
/// The packed size.
pub const PACKED: usize = 12;
/// The size of a label, `@` included.
pub const LABEL: usize = 25;

/// The size of a date as RFC 3339 has it, with nanoseconds.
pub const DATE: usize = 30;

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

    /// `2026-11-20T19:03:00.000000500Z`, for the years that have four digits.
    #[doc(alias = "RFC 3339")]
    #[must_use]
    pub fn date(self) -> Option<[u8; DATE]> {
        let Civil { year, month, day, second } = Civil::at(self.to_unix())?;
        let mut out = *b"0000-00-00T00:00:00.000000000Z";
        for (number, end, width) in [
            (year, 4, 4),
            (month, 7, 2),
            (day, 10, 2),
            (second / 3600, 13, 2),
            (second / 60 % 60, 16, 2),
            (second % 60, 19, 2),
            (self.nanos.min(999_999_999).into(), 29, 9),
        ] {
            let mut rest = number;
            for digit in out[end - width..end].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        Some(out)
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
    fn dates() {
        let date = |unix, nanos| Tai64n::from_unix(unix, nanos).date();
        for (unix, nanos, expected) in [
            (0, 500, b"1970-01-01T00:00:00.000000500Z"),
            (-1, 999_999_999, b"1969-12-31T23:59:59.999999999Z"),
            (951_782_399, 0, b"2000-02-28T23:59:59.000000000Z"),
            (951_782_400, 0, b"2000-02-29T00:00:00.000000000Z"),
            (1_795_677_153, 1, b"2026-11-26T07:12:33.000000001Z"),
            (4_107_542_400, 0, b"2100-03-01T00:00:00.000000000Z"),
            (253_402_300_799, u32::MAX, b"9999-12-31T23:59:59.999999999Z"),
            (-62_167_219_200, 0, b"0000-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(date(unix, nanos).as_ref(), Some(expected), "{unix}");
        }
        for unix in [253_402_300_800, -62_167_219_201, i64::MIN, i64::MAX] {
            assert_eq!(date(unix, 0), None, "{unix}");
        }
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

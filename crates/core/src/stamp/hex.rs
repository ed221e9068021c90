//! Eight lower-case hexadecimal digits at once: they are a word of memory, and
//! a label is three of them. Whoever reads or writes a label for every line has
//! no time for a loop over its digits.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The number that eight digits are.
#[inline]
pub(super) fn number(digits: [u8; 8]) -> Option<u32> {
    let word = u64::from_be_bytes(digits);
    // The high bit of each byte says whether it is not below a digit; a byte
    // that has that bit already is none.
    let from = |least: u8| (word & !HIGH).wrapping_add((0x80 - u64::from(least)) * ONES) & HIGH;
    let letter = from(b'a') & !from(b'g');
    let decimal = from(b'0') & !from(b':');
    if word & HIGH != 0 || letter | decimal != HIGH {
        return None;
    }
    let nibbles = (word & (0x0f * ONES)) + 9 * (letter >> 7);
    let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    let all = (fours | fours >> 16) & 0xffff_ffff;
    u32::try_from(all).ok()
}

/// The digits of a number.
#[inline]
pub(super) fn digits(number: u32) -> [u8; 8] {
    let all = u64::from(number);
    let fours = (all | all << 16) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (pairs | pairs << 4) & (0x0f * ONES);
    // 1 in each byte that is above 9.
    let letter = (nibbles + 6 * ONES) >> 4 & ONES;
    (nibbles + u64::from(b'0') * ONES + letter * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(digits: [u8; 8]) -> Option<u32> {
        let mut all = 0;
        for digit in digits {
            let digit = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            all = all << 4 | u32::from(digit);
        }
        Some(all)
    }

    #[test]
    fn every_byte_in_every_place() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                for others in [b'0', b'9', b'a', b'f'] {
                    let mut digits = [others; 8];
                    digits[place] = byte;
                    assert_eq!(number(digits), naive(digits), "{byte} at {place}");
                }
            }
        }
    }

    #[test]
    fn numbers_come_back() {
        let mut n = 1_u32;
        for _ in 0..100_000 {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            assert_eq!(naive(digits(n)), Some(n));
            assert_eq!(number(digits(n)), Some(n));
        }
        assert_eq!(&digits(0x0123_4567), b"01234567");
        assert_eq!(&digits(0x89ab_cdef), b"89abcdef");
    }
}

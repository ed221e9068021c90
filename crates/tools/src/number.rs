//! Numbers as the originals read them: decimal digits, none of which are 0, and
//! one that is too big wraps around.

/// The digits at the beginning of `text`.
#[must_use]
pub fn leading(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u64, digit| number.wrapping_mul(10).wrapping_add((digit - b'0').into()))
}

/// All of `text`, if it is nothing but digits.
#[must_use]
pub fn whole(text: &[u8]) -> Option<u64> {
    text.iter().all(u8::is_ascii_digit).then(|| leading(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_digits_do() {
        for (text, number) in [("", 0), ("x", 0), ("-1", 0), (" 1", 0), ("7", 7), ("12x3", 12)] {
            assert_eq!(leading(text.as_bytes()), number, "{text}");
        }
        assert_eq!(leading(b"18446744073709551617"), 1);
    }

    #[test]
    fn a_whole_number_has_only_digits() {
        for text in ["x", "-1", "+1", " 1", "1 ", "12x3", "="] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
        assert_eq!(whole(b""), Some(0));
        assert_eq!(whole(b"18446744073709551617"), Some(1));
    }
}

//! Amounts as they are given in arguments: bytes, times and parts of a whole.
//! A number without digits, with anything behind it that is no unit, or too
//! large to be one, is none.

/// `5000`, `64k`, `10m`, `2g`: bytes; a unit is 1024 of the one before.
#[must_use]
pub fn bytes(text: &[u8]) -> Option<u64> {
    let (number, unit) = apart(text)?;
    let scale = match unit {
        b"" => 1,
        b"k" | b"K" => 1 << 10,
        b"m" | b"M" => 1 << 20,
        b"g" | b"G" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(scale)
}

/// `90`, `90s`, `5m`, `12h`, `7d`, `2w`: seconds.
#[must_use]
pub fn seconds(text: &[u8]) -> Option<u64> {
    let (number, unit) = apart(text)?;
    let scale = match unit {
        b"" | b"s" => 1,
        b"m" => 60,
        b"h" => 3600,
        b"d" => 86_400,
        b"w" => 604_800,
        _ => return None,
    };
    // What is added to a clock must not go round.
    number.checked_mul(scale).filter(|&seconds| seconds <= u64::from(u32::MAX))
}

/// `8`, `1.5`, `0.25`: seconds, in nanoseconds.
#[must_use]
pub fn decimal_seconds(text: &[u8]) -> Option<u64> {
    let (_, rest) = apart(text)?;
    let whole = seconds(&text[..text.len() - rest.len()])? * SECOND;
    let Some(digits) = rest.strip_prefix(b".") else {
        return rest.is_empty().then_some(whole);
    };
    let is_fraction = !digits.is_empty() && digits.len() <= 9;
    if !is_fraction || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let scale = |sum: u64, place: usize| {
        sum * 10 + digits.get(place).map_or(0, |digit| u64::from(digit - b'0'))
    };
    Some(whole + (0..9).fold(0, scale))
}

const SECOND: u64 = 1_000_000_000;

/// `5%`: hundredths of a whole, at most all of them.
#[must_use]
pub fn percent(text: &[u8]) -> Option<u8> {
    match apart(text)? {
        (number, b"%") => u8::try_from(number).ok().filter(|&percent| percent <= 100),
        _ => None,
    }
}

/// A number, and nothing behind it.
#[must_use]
pub fn number(text: &[u8]) -> Option<u64> {
    apart(text).filter(|(_, unit)| unit.is_empty()).map(|(number, _)| number)
}

fn apart(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    if digits.is_empty() {
        return None;
    }
    let number = digits
        .iter()
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some((number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (text, wanted) in [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("64k", Some(65_536)),
            ("64K", Some(65_536)),
            ("3m", Some(3 << 20)),
            ("2g", Some(2 << 30)),
            ("", None),
            ("k", None),
            ("-1", None),
            ("1kb", None),
            ("1t", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(bytes(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn seconds_have_parts() {
        for (text, wanted) in [
            ("8", Some(8_000_000_000)),
            ("0", Some(0)),
            ("1.5", Some(1_500_000_000)),
            ("0.000000001", Some(1)),
            ("4294967295", Some(4_294_967_295_000_000_000)),
            ("4294967296", None),
            ("0.0000000001", None),
            ("1.", None),
            (".5", None),
            ("1.5s", None),
            ("1,5", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(decimal_seconds(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, wanted) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("12h", Some(43_200)),
            ("7d", Some(604_800)),
            ("2w", Some(1_209_600)),
            ("4294967295", Some(4_294_967_295)),
            ("4294967296", None),
            ("7y", None),
            ("d", None),
            ("1.5h", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn parts_and_plain_numbers() {
        for (text, wanted) in
            [("5%", Some(5)), ("100%", Some(100)), ("101%", None), ("5", None), ("%", None)]
        {
            assert_eq!(percent(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!([number(b"7"), number(b"7k"), number(b"")], [Some(7), None, None]);
    }
}

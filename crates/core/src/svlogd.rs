//! The file `config` in a log directory of svlogd: one line, one directive. A
//! line that means nothing is no error: it does nothing.

/// Where copies of lines are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: [u8; 4],
    /// The port.
    pub port: u16,
}

/// What one line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// `+pattern`: select the lines that match.
    Select(&'a [u8]),
    /// `-pattern`: deselect the lines that match.
    Deselect(&'a [u8]),
    /// `epattern`: show the lines that match on standard error.
    Show(&'a [u8]),
    /// `Epattern`: do not show them.
    Hide(&'a [u8]),
    /// `sSIZE`: how large current may become; 0 is as large as it likes.
    Size(u64),
    /// `nNUM`: how many old logs are kept; 0 is all.
    Keep(u64),
    /// `NMIN`: how many are kept when the disk is full.
    Least(u64),
    /// `tSECONDS`: how old current may become; 0 is as old as it likes.
    Age(u64),
    /// `!processor`: what full logs go through.
    Processor(&'a [u8]),
    /// `uADDRESS`: send each selected line there.
    Send(Target),
    /// `UADDRESS`: send it there and write it nowhere.
    SendOnly(Target),
    /// `u` or `U` with something that is no address.
    BadAddress(&'a [u8]),
    /// The same with an address, and something that is no port: this.
    BadPort(&'a [u8]),
    /// `pPREFIX`: what comes before each line.
    Prefix(&'a [u8]),
    /// Anything else.
    Nothing,
}

/// The size of a directory whose config has no `s`.
pub const SIZE: u64 = 1_000_000;
/// The number of old logs where it has no `n`, and that for a full disk.
pub const KEEP: u64 = 10;
/// How much of a line is looked at without `-l`.
pub const LINE: u64 = 1000;
/// The size of the buffer without `-b`.
pub const BUFFER: u64 = 1024;
/// Where syslog listens.
const SYSLOG: u16 = 514;

/// The directives of a config. One byte behind the last newline is none.
pub fn directives(config: &[u8]) -> impl Iterator<Item = Directive<'_>> {
    let config = match config {
        [_] => b"",
        [whole @ .., b'\n', b] if *b != b'\n' => whole,
        all => all,
    };
    config.split(|&byte| byte == b'\n').map(|line| {
        // For the original a line ends at a NUL as well.
        let end = line.iter().position(|&byte| byte == 0);
        Directive::parse(&line[..end.unwrap_or(line.len())])
    })
}

/// The number that `text` begins with, and what follows it. Without digits it
/// is 0.
#[must_use]
pub fn number(text: &[u8]) -> (u64, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number
        .iter()
        .fold(0_u64, |value, byte| value.saturating_mul(10).saturating_add(u64::from(byte - b'0')));
    (value, rest)
}

impl<'a> Directive<'a> {
    /// Reads one line.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        let Some((&letter, rest)) = line.split_first() else { return Self::Nothing };
        match letter {
            b'+' => Self::Select(rest),
            b'-' => Self::Deselect(rest),
            b'e' => Self::Show(rest),
            b'E' => Self::Hide(rest),
            b's' => Self::Size(scaled(rest, |unit| match unit {
                b'k' => 1024,
                b'm' => 1024 * 1024,
                _ => 1,
            })),
            b'n' => Self::Keep(number(rest).0),
            b'N' => Self::Least(number(rest).0),
            b't' => Self::Age(scaled(rest, |unit| match unit {
                b'm' => 60,
                b'h' => 60 * 60,
                _ => 1,
            })),
            b'!' if !rest.is_empty() => Self::Processor(rest),
            b'p' if !rest.is_empty() => Self::Prefix(rest),
            b'u' => target(rest).map_or_else(|bad| bad, Self::Send),
            b'U' => target(rest).map_or_else(|bad| bad, Self::SendOnly),
            _ => Self::Nothing,
        }
    }
}

/// A number and its unit.
fn scaled(text: &[u8], unit: impl Fn(u8) -> u64) -> u64 {
    let (number, rest) = number(text);
    number.saturating_mul(rest.first().map_or(1, |&letter| unit(letter)))
}

/// `a.b.c.d` or `a.b.c.d:port`.
fn target(text: &[u8]) -> Result<Target, Directive<'_>> {
    let mut address = [0; 4];
    let mut rest = text;
    for (place, byte) in address.iter_mut().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(b".").ok_or(Directive::BadAddress(text))?;
        }
        let (value, behind) = number(rest);
        let value = u8::try_from(value).ok().filter(|_| behind.len() < rest.len());
        *byte = value.ok_or(Directive::BadAddress(text))?;
        rest = behind;
    }
    let Some(port) = rest.strip_prefix(b":") else { return Ok(Target { address, port: SYSLOG }) };
    let value = u16::try_from(number(port).0).ok().filter(|&value| value > 0);
    Ok(Target { address, port: value.ok_or(Directive::BadPort(port))? })
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn what_the_manual_says() {
        let at = |a, b, c, d, port| Target { address: [a, b, c, d], port };
        for (line, meaning) in [
            ("", Directive::Nothing),
            ("# s5", Directive::Nothing),
            (" s5", Directive::Nothing),
            ("+a*", Directive::Select(b"a*")),
            ("-", Directive::Deselect(b"")),
            ("e*", Directive::Show(b"*")),
            ("E", Directive::Hide(b"")),
            ("s5000", Directive::Size(5000)),
            ("s0", Directive::Size(0)),
            ("sx", Directive::Size(0)),
            ("s5k", Directive::Size(5120)),
            ("s2mx", Directive::Size(2 << 20)),
            ("s5 k", Directive::Size(5)),
            ("s99999999999999999999m", Directive::Size(u64::MAX)),
            ("n1", Directive::Keep(1)),
            ("N3", Directive::Least(3)),
            ("t90", Directive::Age(90)),
            ("t2m", Directive::Age(120)),
            ("t2h", Directive::Age(7200)),
            ("!gzip", Directive::Processor(b"gzip")),
            ("!", Directive::Nothing),
            ("p", Directive::Nothing),
            ("pweb: ", Directive::Prefix(b"web: ")),
            ("u127.0.0.1", Directive::Send(at(127, 0, 0, 1, 514))),
            ("u127.0.0.1 x", Directive::Send(at(127, 0, 0, 1, 514))),
            ("U1.2.3.255:9", Directive::SendOnly(at(1, 2, 3, 255, 9))),
            ("u1.2.3.256", Directive::BadAddress(b"1.2.3.256")),
            ("u1.2.3", Directive::BadAddress(b"1.2.3")),
            ("Uhost", Directive::BadAddress(b"host")),
            ("u1.2.3.", Directive::BadAddress(b"1.2.3.")),
            ("u1.2.3.4:", Directive::BadPort(b"")),
            ("u1.2.3.4:65536", Directive::BadPort(b"65536")),
            ("x", Directive::Nothing),
        ] {
            assert_eq!(Directive::parse(line.as_bytes()), meaning, "{line}");
        }
    }

    #[test]
    fn lines_end_at_their_end_or_at_a_nul() {
        let all: Vec<_> = directives(b"s5\n\n-a\0b\n#x\nn2").collect();
        let nothing = Directive::Nothing;
        let wanted =
            [Directive::Size(5), nothing, Directive::Deselect(b"a"), nothing, Directive::Keep(2)];
        assert_eq!(all, wanted);
        for (config, count) in [("s", 1), ("s5\ns", 1), ("s5\ns\n", 3), ("s5\n\n", 3)] {
            let all = directives(config.as_bytes());
            assert_eq!(all.count(), count, "{config}");
        }
        assert_eq!(directives(b"-").next(), Some(nothing));
    }
}

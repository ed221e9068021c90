//! The directives of multilog that say what becomes of a line, beyond those
//! of the original. Letters are those of its neighbours, and mean what they
//! mean there; words are its own. To the original all of them mean nothing.

use crate::amount;
use crate::rate::Limit;
use crate::stamp::Form;
use core::net::{IpAddr, SocketAddr};

/// What patterns are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// multilog's own: a star stands for what is before the next byte.
    #[default]
    Star,
    /// A shell's, for file names.
    Shell,
    /// POSIX extended regular expressions, which match anywhere.
    Extended,
}

/// When what is in current has to be on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the kernel writes it, or the log is full.
    #[default]
    Kernel,
    /// Before a line is taken out of the pipe.
    Line,
    /// When so many bytes are not.
    Bytes(u64),
    /// So many nanoseconds after it was written.
    Time(u64),
}

/// One of these directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment<'a> {
    /// `T`, `utc`, `local`, as the first argument only: the stamps.
    Stamp(Form),
    /// `S`, `F`, `E`: what the patterns that follow are written in.
    Language(Language),
    /// `pPREFIX`: what stands before a line in all that follow.
    Prefix(&'a [u8]),
    /// `1`: selected lines to standard output.
    Output,
    /// `uADDRESS`: a copy of selected lines to a log host. With `U` it has
    /// them alone.
    Send {
        /// To there.
        to: SocketAddr,
        /// Whether they are deselected then.
        only: bool,
    },
    /// `rate=LINES/SECONDS`: what is over it is deselected.
    Rate(Limit),
    /// `fsync=`: for the directories that follow.
    Durability(Durability),
}

/// The longest prefix.
pub const PREFIX: usize = 1000;
/// Where a log host listens.
const PORT: u16 = 514;

const FIRST: &str = "it has to be the first directive";
const DECIMALS: &str = "it takes a digit, for the decimals";
const TOO_LONG: &str = "a prefix has at most 1000 bytes";
const ADDRESS: &str = "it takes an IP address and, if it is not 514, a colon and the port";
const RATE: &str = "it takes a number of lines, a slash and a number of seconds";
const FSYNC: &str = "it takes `line', a size such as 64k, or a time such as 100ms or 2s";

impl<'a> Treatment<'a> {
    /// Reads an argument, `first` if it is the first one. Nothing, if it is
    /// none of these; an error says what it takes.
    pub fn parse(argument: &'a [u8], first: bool) -> Result<Option<Self>, &'static str> {
        let stamp = |form| if first { Ok(Some(Self::Stamp(form))) } else { Err(FIRST) };
        Ok(Some(match *argument {
            [b'T'] if first => Self::Stamp(Form::Seconds),
            [b'u', b't', b'c', ref digits @ ..] => return stamp(Form::Utc(decimals(digits)?)),
            [b'l', b'o', b'c', b'a', b'l', ref digits @ ..] => {
                return stamp(Form::Local(decimals(digits)?));
            }
            [b'S'] => Self::Language(Language::Star),
            [b'F'] => Self::Language(Language::Shell),
            [b'E'] => Self::Language(Language::Extended),
            [b'p', ref prefix @ ..] if prefix.len() > PREFIX => return Err(TOO_LONG),
            [b'p', ref prefix @ ..] => Self::Prefix(prefix),
            [b'1'] => Self::Output,
            [letter @ (b'u' | b'U'), ref host @ ..] => {
                let to = address(host).ok_or(ADDRESS)?;
                Self::Send { to, only: letter == b'U' }
            }
            _ => match argument.iter().position(|&byte| byte == b'=') {
                Some(at) => match (&argument[..at], &argument[at + 1..]) {
                    (b"rate", value) => Self::Rate(limit(value).ok_or(RATE)?),
                    (b"fsync", value) => Self::Durability(durability(value).ok_or(FSYNC)?),
                    _ => return Ok(None),
                },
                None => return Ok(None),
            },
        }))
    }
}

fn decimals(digits: &[u8]) -> Result<u8, &'static str> {
    match *digits {
        [] => Ok(3),
        [digit @ b'0'..=b'9'] => Ok(digit - b'0'),
        _ => Err(DECIMALS),
    }
}

fn address(text: &[u8]) -> Option<SocketAddr> {
    let text = core::str::from_utf8(text).ok()?;
    let alone = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match alone.parse::<IpAddr>() {
        Ok(address) => Some(SocketAddr::new(address, PORT)),
        Err(_) => text.parse().ok(),
    }
}

fn limit(text: &[u8]) -> Option<Limit> {
    let slash = text.iter().position(|&byte| byte == b'/')?;
    let lines = amount::number(&text[..slash])?;
    let seconds = amount::seconds(&text[slash + 1..])?;
    (lines > 0 && seconds > 0).then_some(Limit { lines, seconds })
}

fn durability(text: &[u8]) -> Option<Durability> {
    const MILLION: u64 = 1_000_000;
    let time = if let Some(number) = text.strip_suffix(b"ms") {
        Some(amount::number(number)?.checked_mul(MILLION)?)
    } else if let Some(number) = text.strip_suffix(b"s") {
        Some(amount::number(number)?.checked_mul(1000 * MILLION)?)
    } else {
        None
    };
    match (text, time) {
        (b"line", _) => Some(Durability::Line),
        (_, Some(time)) => {
            (1..=3600 * 1000 * MILLION).contains(&time).then_some(Durability::Time(time))
        }
        (_, None) => amount::bytes(text).filter(|&n| n > 0).map(Durability::Bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argument: &str) -> Result<Option<Treatment<'_>>, &'static str> {
        Treatment::parse(argument.as_bytes(), false)
    }

    #[test]
    fn stamps_come_first() {
        for (argument, form) in [
            ("T", Form::Seconds),
            ("utc", Form::Utc(3)),
            ("utc0", Form::Utc(0)),
            ("utc9", Form::Utc(9)),
            ("local", Form::Local(3)),
            ("local6", Form::Local(6)),
        ] {
            let read = Treatment::parse(argument.as_bytes(), true);
            assert_eq!(read, Ok(Some(Treatment::Stamp(form))), "{argument}");
            let later = if argument == "T" { Ok(None) } else { Err(FIRST) };
            assert_eq!(parse(argument), later, "{argument}");
        }
        for wrong in ["utc10", "utcx", "local-1", "utc 3"] {
            assert_eq!(Treatment::parse(wrong.as_bytes(), true), Err(DECIMALS), "{wrong}");
        }
    }

    #[test]
    fn letters() {
        assert_eq!(parse("E"), Ok(Some(Treatment::Language(Language::Extended))));
        assert_eq!(parse("F"), Ok(Some(Treatment::Language(Language::Shell))));
        assert_eq!(parse("S"), Ok(Some(Treatment::Language(Language::Star))));
        assert_eq!(parse("1"), Ok(Some(Treatment::Output)));
        assert_eq!(parse("p"), Ok(Some(Treatment::Prefix(b""))));
        assert_eq!(parse("pweb: "), Ok(Some(Treatment::Prefix(b"web: "))));
        let long = [b'p'; PREFIX + 2];
        assert_eq!(Treatment::parse(&long, false), Err(TOO_LONG));
        assert!(Treatment::parse(&long[1..], false).is_ok());
        for other in ["", "Ex", "10", "main", "S1000", "x=y", "rat=1/1", "T"] {
            assert_eq!(parse(other), Ok(None), "{other}");
        }
    }

    #[test]
    fn log_hosts() {
        for (argument, to, only) in [
            ("u192.0.2.7", "192.0.2.7:514", false),
            ("U192.0.2.7:99", "192.0.2.7:99", true),
            ("u::1", "[::1]:514", false),
            ("u[2001:db8::2]", "[2001:db8::2]:514", false),
            ("U[2001:db8::2]:5140", "[2001:db8::2]:5140", true),
        ] {
            let send = Treatment::Send { to: to.parse().unwrap(), only };
            assert_eq!(parse(argument), Ok(Some(send)), "{argument}");
        }
        for wrong in ["u", "u1.2.3", "ulog.example.org", "u1.2.3.4:", "u1.2.3.4:70000", "u[::1"] {
            assert_eq!(parse(wrong), Err(ADDRESS), "{wrong}");
        }
    }

    #[test]
    fn amounts() {
        let rate = |lines, seconds| Ok(Some(Treatment::Rate(Limit { lines, seconds })));
        assert_eq!(parse("rate=100/10"), rate(100, 10));
        assert_eq!(parse("rate=5/1m"), rate(5, 60));
        for wrong in ["rate=", "rate=5", "rate=/5", "rate=0/5", "rate=5/0", "rate=5/x"] {
            assert_eq!(parse(wrong), Err(RATE), "{wrong}");
        }
        let fsync = |durability| Ok(Some(Treatment::Durability(durability)));
        assert_eq!(parse("fsync=line"), fsync(Durability::Line));
        assert_eq!(parse("fsync=64k"), fsync(Durability::Bytes(65536)));
        assert_eq!(parse("fsync=100ms"), fsync(Durability::Time(100_000_000)));
        assert_eq!(parse("fsync=2s"), fsync(Durability::Time(2_000_000_000)));
        for wrong in ["fsync=", "fsync=0", "fsync=0s", "fsync=lines", "fsync=5x", "fsync=2h"] {
            assert_eq!(parse(wrong), Err(FSYNC), "{wrong}");
        }
    }
}

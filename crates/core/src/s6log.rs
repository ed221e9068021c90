//! s6-log's script: one argument, one directive. One that is none of these is
//! an error.

/// What one argument asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// `+regexp`: select the lines that match.
    Select(&'a [u8]),
    /// `-regexp`: deselect the lines that match.
    Deselect(&'a [u8]),
    /// `f`: select the lines that nothing was done with yet, and no others.
    Rest,
    /// `nNUM`: how many old logs the following directories keep.
    Keep(u64),
    /// `sSIZE`: how large the following directories' current may become.
    Size(u64),
    /// `STOTAL`: how much all their old logs may take; 0 is without a limit.
    Total(u64),
    /// `lTOLERANCE`: how near its size a log ends.
    Near(u64),
    /// `rMILLISECONDS`: when what fails is tried again.
    Again(u64),
    /// `ESIZE`: how much of a line an alert shows; 0 is all of it.
    AlertSize(u64),
    /// `^SIZE`: how large a status file is; 0 is as large as its line.
    StatusSize(u64),
    /// `!command`: what the following directories' full logs go through, for
    /// execlineb; nothing if it is empty.
    Processor(&'a [u8]),
    /// `?command`: the same for the shell.
    Shell(&'a [u8]),
    /// `pPREFIX`: what the following actions have before each line.
    Prefix(&'a [u8]),
    /// `t`: that the next one has a TAI64N label before it.
    Label,
    /// `T`: that it has the local time there.
    Date,
    /// `1`: lines to standard output.
    Output,
    /// `2`: lines to standard error.
    Alert,
    /// `=file`: the last line in a file.
    Status(&'a [u8]),
    /// `./dir` or `/dir`: lines into the log there.
    Directory(&'a [u8]),
}

/// Why an argument is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It begins as none does, or its value is none.
    Unknown,
    /// There is too much of it or too little.
    Syntax,
}

/// The size of a directory that no `s` came before.
pub const SIZE: u64 = 99_999;
/// The number of old logs of one that no `n` came before.
pub const KEEP: u64 = 10;
/// How near its size a log ends that no `l` came before.
pub const NEAR: u64 = 2000;
/// What of a line is shown where no `E` came before.
pub const ALERT: u64 = 200;
/// The size of a status file that no `^` came before.
pub const STATUS: u64 = 1001;

const SMALLEST: u64 = 4096;
const LARGEST: u64 = 268_435_455;

impl<'a> Directive<'a> {
    /// Whether lines are put somewhere.
    #[must_use]
    pub const fn is_action(&self) -> bool {
        matches!(self, Self::Output | Self::Alert | Self::Status(_) | Self::Directory(_))
    }

    /// Reads one argument.
    pub fn parse(argument: &'a [u8]) -> Result<Self, Wrong> {
        let (&letter, rest) = argument.split_first().ok_or(Wrong::Unknown)?;
        let alone = |directive| if rest.is_empty() { Ok(directive) } else { Err(Wrong::Syntax) };
        match letter {
            b'+' => Ok(Self::Select(rest)),
            b'-' => Ok(Self::Deselect(rest)),
            b'f' => alone(Self::Rest),
            b'n' => Ok(Self::Keep(small(rest)?)),
            b's' => Ok(Self::Size(small(rest)?.clamp(SMALLEST, LARGEST))),
            b'S' => Ok(Self::Total(number(rest)?)),
            b'l' => Ok(Self::Near(small(rest)?)),
            b'r' => Ok(Self::Again(small(rest)?)),
            b'E' => Ok(Self::AlertSize(small(rest)?)),
            b'^' => Ok(Self::StatusSize(small(rest)?)),
            b'!' => Ok(Self::Processor(rest)),
            b'?' => Ok(Self::Shell(rest)),
            b'p' => Ok(Self::Prefix(rest)),
            b't' => alone(Self::Label),
            b'T' => alone(Self::Date),
            b'1' => alone(Self::Output),
            b'2' => alone(Self::Alert),
            b'=' if rest.is_empty() => Err(Wrong::Syntax),
            b'=' => Ok(Self::Status(rest)),
            b'.' | b'/' => Ok(Self::Directory(argument)),
            _ => Err(Wrong::Unknown),
        }
    }
}

/// A number of 32 bits.
fn small(text: &[u8]) -> Result<u64, Wrong> {
    number(text).ok().filter(|&number| u32::try_from(number).is_ok()).ok_or(Wrong::Unknown)
}

/// A number, and nothing behind it.
pub fn number(text: &[u8]) -> Result<u64, Wrong> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let add = |number: u64, byte| number.checked_mul(10)?.checked_add(digit(byte)?);
    let value = text.iter().try_fold(0, add);
    value.filter(|_| !text.is_empty()).ok_or(Wrong::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manual_says() {
        use Directive as D;
        for (argument, meaning) in [
            ("", Err(Wrong::Unknown)),
            ("x", Err(Wrong::Unknown)),
            ("e", Err(Wrong::Unknown)),
            ("R5", Err(Wrong::Unknown)),
            ("+a", Ok(D::Select(b"a"))),
            ("-", Ok(D::Deselect(b""))),
            ("f", Ok(D::Rest)),
            ("fx", Err(Wrong::Syntax)),
            ("n0", Ok(D::Keep(0))),
            ("n", Err(Wrong::Unknown)),
            ("n4294967295", Ok(D::Keep(u32::MAX.into()))),
            ("n4294967296", Err(Wrong::Unknown)),
            ("s0005", Ok(D::Size(4096))),
            ("s999999999", Ok(D::Size(268_435_455))),
            ("s-5", Err(Wrong::Unknown)),
            ("S18446744073709551615", Ok(D::Total(u64::MAX))),
            ("S18446744073709551616", Err(Wrong::Unknown)),
            ("l3000", Ok(D::Near(3000))),
            ("r50", Ok(D::Again(50))),
            ("E0", Ok(D::AlertSize(0))),
            ("^3", Ok(D::StatusSize(3))),
            ("!", Ok(D::Processor(b""))),
            ("?gzip", Ok(D::Shell(b"gzip"))),
            ("pa: ", Ok(D::Prefix(b"a: "))),
            ("t", Ok(D::Label)),
            ("tt", Err(Wrong::Syntax)),
            ("T", Ok(D::Date)),
            ("1", Ok(D::Output)),
            ("2", Ok(D::Alert)),
            ("22", Err(Wrong::Syntax)),
            ("=", Err(Wrong::Syntax)),
            ("=f", Ok(D::Status(b"f"))),
            ("./d", Ok(D::Directory(b"./d"))),
            ("/d", Ok(D::Directory(b"/d"))),
        ] {
            assert_eq!(D::parse(argument.as_bytes()), meaning, "{argument}");
            let acts = argument.starts_with(['1', '2', '=', '.', '/']);
            assert!(meaning.is_err() || meaning.unwrap().is_action() == acts, "{argument}");
        }
    }
}

//! What a service says on its socket, as systemd has it: lines of a name, an
//! equals sign and a value, some of which mean something here.

use crate::supervise::Word;

const MICROSECOND: u64 = 1000;

/// One line that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// What the service's machine is told.
    Word(Word),
    /// `MAINPID`: which of its processes is the service.
    Main(u32),
    /// `STATUS`, `ERRNO`, `BUSERROR` or `EXIT_STATUS`: a line for people, with
    /// its name.
    Text(&'a [u8]),
}

/// The lines of a message that mean something. What nobody knows, and what is
/// no number where one is due, means nothing.
pub fn read(message: &[u8]) -> impl Iterator<Item = Notice<'_>> {
    message.split(|&b| b == b'\n').filter_map(line)
}

fn line(line: &[u8]) -> Option<Notice<'_>> {
    let at = line.iter().position(|&b| b == b'=')?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    let word = match (name, value) {
        (b"READY", b"1") => Word::Ready,
        (b"RELOADING", b"1") => Word::Reloading,
        (b"STOPPING", b"1") => Word::Stopping,
        (b"WATCHDOG", b"1") => Word::Alive,
        (b"WATCHDOG", b"trigger") => Word::Hung,
        (b"WATCHDOG_USEC", _) => Word::Every(time(value)?),
        (b"EXTEND_TIMEOUT_USEC", _) => Word::Extend(time(value)?),
        (b"MAINPID", _) => {
            let pid = u32::try_from(number(value)?).ok()?;
            return (pid > 0).then_some(Notice::Main(pid));
        }
        (b"STATUS" | b"ERRNO" | b"BUSERROR" | b"EXIT_STATUS", _) => {
            return Some(Notice::Text(line));
        }
        _ => return None,
    };
    Some(Notice::Word(word))
}

/// Microseconds as nanoseconds.
fn time(value: &[u8]) -> Option<u64> {
    Some(number(value)?.saturating_mul(MICROSECOND))
}

fn number(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.parse().ok()
}

/// The last of each text that a service has said, a line each, in the order in
/// which they were first said; as much as there is room for.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    bytes: [u8; ROOM],
    len: usize,
}

/// For all texts.
const ROOM: usize = 512;
/// Of one text.
const LINE: usize = 256;

impl Texts {
    /// Nothing has been said.
    pub const NONE: Self = Self { bytes: [0; ROOM], len: 0 };

    /// The lines.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Puts `line` in the place of the one with its name. Says whether that is
    /// news.
    pub fn put(&mut self, line: &[u8]) -> bool {
        let name = line.iter().position(|&b| b == b'=').map_or(line, |at| &line[..=at]);
        let mut kept = Self::NONE;
        let mut placed = false;
        for old in self.bytes().split(|&b| b == b'\n').filter(|old| !old.is_empty()) {
            let is_it = old.starts_with(name);
            kept.add(if is_it { line } else { old });
            placed |= is_it;
        }
        if !placed {
            kept.add(line);
        }
        let news = kept.bytes() != self.bytes();
        *self = kept;
        news
    }

    /// What is not to be printed is left out, and what is too long is cut.
    fn add(&mut self, line: &[u8]) {
        let printed = line.iter().filter(|&&b| b >= b' ' && b != 0x7f);
        let room = ROOM.saturating_sub(self.len + 1).min(LINE);
        let before = self.len;
        for byte in printed.take(room) {
            self.bytes[self.len] = *byte;
            self.len += 1;
        }
        if self.len > before {
            self.bytes[self.len] = b'\n';
            self.len += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line() {
        let said = b"READY=1\nSTATUS=all is well\nMAINPID=77\nWATCHDOG_USEC=20000\n\
            EXTEND_TIMEOUT_USEC=1\nWATCHDOG=1\nWATCHDOG=trigger\nRELOADING=1\nSTOPPING=1\n\
            ERRNO=2\nEXIT_STATUS=7";
        let words = [
            Notice::Word(Word::Ready),
            Notice::Text(b"STATUS=all is well"),
            Notice::Main(77),
            Notice::Word(Word::Every(20_000_000)),
            Notice::Word(Word::Extend(1000)),
            Notice::Word(Word::Alive),
            Notice::Word(Word::Hung),
            Notice::Word(Word::Reloading),
            Notice::Word(Word::Stopping),
            Notice::Text(b"ERRNO=2"),
            Notice::Text(b"EXIT_STATUS=7"),
        ];
        assert!(read(said).eq(words));
    }

    #[test]
    fn what_means_nothing() {
        let said = b"READY=0\nREADY\nready=1\n=\n\nMAINPID=0\nMAINPID=-4\nMAINPID=99999999999\n\
            WATCHDOG=2\nWATCHDOG_USEC=soon\nFDSTORE=1\nBARRIER=1\nX-OWN=1\nREADY=1 ";
        assert_eq!(read(said).count(), 0);
        assert_eq!(read(b"").count(), 0);
        assert_eq!(read(&[0xff; 300]).count(), 0);
    }

    #[test]
    fn the_last_text_of_each_name_is_kept() {
        let mut texts = Texts::NONE;
        assert!(texts.put(b"STATUS=one"));
        assert!(texts.put(b"ERRNO=2"));
        assert!(texts.put(b"STATUS=t\x1bwo\x07"));
        assert!(!texts.put(b"STATUS=two"));
        assert_eq!(texts.bytes(), b"STATUS=two\nERRNO=2\n");
        assert!(texts.put(&[b"STATUS=".as_slice(), &[b'x'; 5000]].concat()));
        assert!(texts.put(&[b"BUSERROR=".as_slice(), &[b'y'; 5000]].concat()));
        assert!(texts.bytes().len() <= ROOM && texts.bytes().ends_with(b"\n"));
        assert_eq!(texts.bytes().iter().filter(|&&b| b == b'\n').count(), 3);
    }
}

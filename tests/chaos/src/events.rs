//! What a service tells of itself: a file of records of one size, each written
//! with one call at the end of the file.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::getpid;
use std::path::Path;
use upkeep_outside::wait::now;

/// The file, in the service directory.
pub(crate) const FILE: &str = "events";
/// The size of a record.
const SIZE: usize = 32;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It runs, alone. It may be that the line with the number `uncertain` was
    /// written; 0: it is known of each line.
    Start { uncertain: u64 },
    /// It ends by itself, with this code.
    End { code: u8 },
    /// It found another one running in its place.
    Conflict,
    /// Nobody reads what it writes.
    BrokenPipe,
    /// It could not do its work, the system says why.
    Trouble { errno: u64 },
    /// It is about to say that it is ready.
    Ready,
    /// It does on purpose what it is to be ended for, by the number that the
    /// record has for it.
    Fault { number: u8 },
    /// It is a `finish`, and this is what it was told.
    Finish { of: i32, code: i16, signal: u8 },
    /// It begins to undo what was done once.
    Undo,
    /// What undoes, or tidies up after this process, has done so.
    Closed { of: i32 },
    /// It runs, and the record of a service that it needs says that that is not
    /// ready, and has for so many milliseconds.
    Lacks { need: u32, since: u32 },
}

/// What happened, to which process, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) what: What,
    pub(crate) pid: i32,
    pub(crate) when: u64,
}

impl Event {
    fn encode(self) -> [u8; SIZE] {
        let (kind, number) = match self.what {
            What::Start { uncertain } => (1_u64, uncertain),
            What::End { code } => (2, u64::from(code)),
            What::Conflict => (3, 0),
            What::BrokenPipe => (4, 0),
            What::Trouble { errno } => (5, errno),
            What::Ready => (6, 0),
            What::Fault { number } => (7, u64::from(number)),
            What::Finish { of, code, signal } => {
                let (of, code) = (of.cast_unsigned(), code.cast_unsigned());
                (8, u64::from(of) | u64::from(code) << 32 | u64::from(signal) << 48)
            }
            What::Undo => (9, 0),
            What::Closed { of } => (10, u64::from(of.cast_unsigned())),
            What::Lacks { need, since } => (11, u64::from(need) | u64::from(since) << 32),
        };
        let mut bytes = [0; SIZE];
        let pid = i64::from(self.pid).cast_unsigned();
        for (slot, field) in bytes.chunks_exact_mut(8).zip([kind, pid, self.when, number]) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let field = |at: usize| {
            let eight = bytes.get(at * 8..at * 8 + 8)?;
            Some(u64::from_le_bytes(eight.try_into().ok()?))
        };
        let number = field(3)?;
        let what = match field(0)? {
            1 => What::Start { uncertain: number },
            2 => What::End { code: u8::try_from(number).ok()? },
            3 => What::Conflict,
            4 => What::BrokenPipe,
            5 => What::Trouble { errno: number },
            6 => What::Ready,
            7 => What::Fault { number: u8::try_from(number).ok()? },
            8 => {
                let [a, b, c, d, e, f, signal, _] = number.to_le_bytes();
                let (of, code) = (i32::from_le_bytes([a, b, c, d]), i16::from_le_bytes([e, f]));
                What::Finish { of, code, signal }
            }
            9 => What::Undo,
            10 => What::Closed { of: u32::try_from(number).ok()?.cast_signed() },
            11 => {
                let since = u32::try_from(number >> 32).ok()?;
                What::Lacks { need: u32::try_from(number & 0xffff_ffff).ok()?, since }
            }
            _ => return None,
        };
        Some(Self { what, pid: i32::try_from(field(1)?).ok()?, when: field(2)? })
    }
}

/// The service's end.
#[derive(Debug)]
pub(crate) struct Teller(Option<OwnedFd>);

impl Teller {
    /// In the current directory. If there is none, that is seen: nobody tells
    /// of a start.
    pub(crate) fn open() -> Self {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
        Self(open(FILE, flags, Mode::from_raw_mode(0o600)).ok())
    }

    /// Tells that something happens now to this process.
    pub(crate) fn tell(&self, what: What) {
        let event = Event { what, pid: getpid().as_raw_pid(), when: now() };
        if let Some(file) = &self.0 {
            let _ = rustix::io::write(file, &event.encode());
        }
    }
}

/// The judge's end.
#[derive(Debug)]
pub(crate) struct Listener {
    file: OwnedFd,
    read: u64,
}

impl Listener {
    /// On the service in `dir`.
    pub(crate) fn open(dir: &Path) -> rustix::io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let file = open(dir.join(FILE), flags, Mode::from_raw_mode(0o600))?;
        Ok(Self { file, read: 0 })
    }

    /// The next event, if it was told.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let mut bytes = [0; SIZE];
        // A record is written whole, so a part of one is none.
        let n = rustix::io::pread(&self.file, &mut bytes, self.read).ok()?;
        if n < SIZE {
            return None;
        }
        self.read += u64::try_from(SIZE).unwrap_or(0);
        Event::decode(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back() {
        for what in [
            What::Start { uncertain: 0 },
            What::Start { uncertain: u64::MAX },
            What::End { code: 255 },
            What::Conflict,
            What::BrokenPipe,
            What::Trouble { errno: 28 },
            What::Ready,
            What::Fault { number: 2 },
            What::Finish { of: 4_194_304, code: -1, signal: 9 },
            What::Finish { of: 1, code: 256, signal: 0 },
            What::Undo,
            What::Closed { of: 4_194_304 },
            What::Lacks { need: 4999, since: u32::MAX },
        ] {
            let event = Event { what, pid: 4_194_304, when: 1 << 50 };
            assert_eq!(Event::decode(&event.encode()), Some(event));
        }
        assert_eq!(Event::decode(&[0; SIZE]), None);
    }
}

//! What runit says of a service in words, in `supervise/stat` and
//! `supervise/pid`.

use crate::record::Record;
use crate::status::Want;

/// More than the longest of them has.
const LONGEST: usize = 40;

/// The content of one of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Text {
    const EMPTY: Self = Self { bytes: [0; LONGEST], len: 0 };

    /// All of it, with the newline.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn add(&mut self, more: &[u8]) {
        let end = self.len + more.len();
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(more);
            self.len = end;
        }
    }
}

/// What `stat` says: the state, and what was done and asked for, as far as
/// there is a process.
#[must_use]
pub fn stat(record: &Record) -> Text {
    let status = &record.status;
    let mut text = Text::EMPTY;
    if status.pid == 0 {
        text.add(b"down\n");
        return text;
    }
    text.add(if status.finishing { b"finish" } else { b"run" });
    if status.paused {
        text.add(b", paused");
    }
    if status.terminating && !status.finishing {
        text.add(b", got TERM");
    }
    if record.own.exiting {
        text.add(b", want exit");
    } else if status.want != Want::Up {
        text.add(b", want down");
    }
    text.add(b"\n");
    text
}

/// What `pid` says: the number of the process, or nothing.
#[must_use]
pub fn pid(record: &Record) -> Text {
    let mut text = Text::EMPTY;
    let mut unit = 1_000_000_000;
    while unit > 0 {
        if record.status.pid >= unit {
            text.add(&[b'0' + (record.status.pid / unit % 10) as u8]);
        }
        unit /= 10;
    }
    if text.len > 0 {
        text.add(b"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::order::Calls;
    use crate::record::{Identity, Own, Stage};
    use crate::restart::History;
    use crate::status::Status;
    use crate::tai::Tai64n;
    use std::format;

    fn record(pid: u32, want: Want, flags: u8) -> Record {
        let flag = |bit: u8| flags & bit != 0;
        Record {
            status: Status {
                since: Tai64n::default(),
                pid,
                paused: flag(1),
                want,
                terminating: flag(2),
                finishing: flag(4),
            },
            own: Own {
                boot: [0; 16],
                process: Identity { pid, ..Identity::default() },
                stage: Stage::Up,
                exiting: flag(8),
                intent: false,
                closed: false,
                begun: false,
                awaited: false,
                told: false,
                blamed: false,
                plainly: false,
                every: 0,
                followed: false,
                calls: Calls::Nobody,
                ready: Tai64n::default(),
                not_before: 0,
                deadline: 0,
                starts: 0,
                last: None,
                history: History::default(),
            },
        }
    }

    #[test]
    fn the_words_are_runits() {
        for (want, flags, words) in [
            (Want::Up, 0, "run\n"),
            (Want::Once, 0, "run, want down\n"),
            (Want::Up, 1, "run, paused\n"),
            (Want::Down, 2, "run, got TERM, want down\n"),
            (Want::Down, 1 + 2 + 8, "run, paused, got TERM, want exit\n"),
            (Want::Up, 8, "run, want exit\n"),
            (Want::Up, 4, "finish\n"),
            (Want::Down, 2 + 4, "finish, want down\n"),
            (Want::Up, 1 + 4 + 8, "finish, paused, want exit\n"),
        ] {
            assert_eq!(stat(&record(7, want, flags)).bytes(), words.as_bytes());
            assert_eq!(stat(&record(0, want, flags)).bytes(), b"down\n");
        }
    }

    #[test]
    fn the_number_is_decimal() {
        for number in [1, 9, 10, 99, 100, 4_194_304, 1_000_000_000, u32::MAX] {
            let words = format!("{number}\n");
            assert_eq!(pid(&record(number, Want::Up, 0)).bytes(), words.as_bytes());
        }
        assert_eq!(pid(&record(0, Want::Up, 0)).bytes(), b"");
    }
}

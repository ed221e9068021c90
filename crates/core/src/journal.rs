//! The journal of a log directory: what a multilog notes before it does
//! something, so that the next one, after this one was killed, knows what was
//! done and what was not. Here are its format and what follows from it; it
//! writes nothing, and whatever it is given, it makes sense of or nothing.
//!
//! There is a record of the input, in the first directory of a script: which
//! bytes of the pipe are in hand, and at what point of a line. It is noted
//! twice for each batch: when nothing of it is written (`Writing`), and when
//! everything is and it is about to be taken out of the pipe (`Taking`, with
//! the state behind it). And there is a mark in each directory: how much of
//! the batch is stored for good, and where what may be undone begins.

#[cfg(test)]
mod walk;

use crate::digest;
use crate::rate::Rate;
use crate::tai::Tai64n;

/// The size of a journal in words of eight bytes: a page.
pub const WORDS: usize = 512;
/// The first word of a journal, which names its format.
pub const MAGIC: u64 = u64::from_le_bytes(*b"upkeepJ1");
/// The longest beginning of a line that is held.
pub const HELD: usize = 1000;

/// Where in a journal things are. Of records and of marks there are two
/// places each: one is written while the other counts, and then a generation,
/// one word, changes. 0 stands for none; even ones are in the first place.
pub mod place {
    /// The magic.
    pub const MAGIC: usize = 0;
    /// The generation of the record.
    pub const RECORD: usize = 1;
    /// The generation of the mark.
    pub const MARK: usize = 2;

    /// Where a record of this generation shows what was taken last.
    #[must_use]
    pub const fn taken(generation: u64) -> usize {
        if generation.is_multiple_of(2) { 4 } else { 5 }
    }

    /// Where a mark of this generation is.
    #[must_use]
    pub const fn mark(generation: u64) -> usize {
        if generation.is_multiple_of(2) { 8 } else { 16 }
    }

    /// When current began.
    pub const BEGUN: usize = 24;

    /// Where a record of this generation is.
    #[must_use]
    pub const fn record(generation: u64) -> usize {
        if generation.is_multiple_of(2) { 32 } else { 256 }
    }
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is being written; none of it has been taken. The line is the one
    /// before it.
    Writing,
    /// It is written, or held, and is being taken. The line is the one behind
    /// it.
    Taking,
}

/// Bytes at the head of the pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// How many.
    pub len: u64,
    /// Their digest.
    pub digest: u64,
    /// The last of them. Taking it leaves it in the journal.
    pub last: u8,
    /// How many of them are taken by themselves, after all others have gone at
    /// once; 0 if all of them are taken together.
    pub tail: u64,
    /// The digest of these.
    pub tail_digest: u64,
}

/// So many bytes are taken by themselves, of twice as many at least.
const TAIL: usize = 1024;

impl Raw {
    /// These bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::with_tail(bytes, TAIL)
    }

    /// The same, with a tail of so many bytes. There is none where it is like
    /// the beginning: afterwards it could not be told whether all of the bytes
    /// are there, or only the tail, and what is behind it.
    fn with_tail(bytes: &[u8], tail: usize) -> Self {
        let last = bytes.last().copied().unwrap_or_default();
        let mut raw =
            Self { len: bytes.len() as u64, digest: digest::ends(bytes), last, ..Self::default() };
        if bytes.len() >= 2 * tail
            && let (front, back) = (&bytes[..tail], &bytes[bytes.len() - tail..])
            && front != back
        {
            raw.tail = tail as u64;
            raw.tail_digest = digest::ends(back);
        }
        raw
    }
}

/// Of so many places is noted whether a line goes there.
pub const PLACES: usize = 512;

/// At what point of a line the input is, beside what is held of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Whether its beginning is in the logs, and its end is not.
    pub inside: bool,
    /// The places it goes to then, by a bit for each of the first `PLACES`.
    pub chosen: [u64; PLACES / 64],
    /// When it began, if it did.
    pub begun: Option<Tai64n>,
    /// What has come of the lines whose rate is limited.
    pub rate: Rate,
}

/// A record of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Names the batch. No other has the same.
    pub id: u64,
    /// The boot, the pipe and the script that it belongs to.
    pub here: Here,
    /// How far it is.
    pub phase: Phase,
    /// What it takes out of the pipe.
    pub raw: Raw,
    /// The stamp of its lines.
    pub now: Tai64n,
    /// At what point of a line it is.
    pub line: Line,
}

/// What a record is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// The system's boot, or 0 if it is not known.
    pub boot: u64,
    /// The pipe that is read, by device and inode.
    pub pipe: Option<(u64, u64)>,
    /// The script, and who follows it.
    pub script: u64,
}

/// The beginning of a line that was taken out of the pipe.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    bytes: [u8; HELD],
    len: usize,
}

impl Held {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The size of a record without what is held, in words.
const FIXED: usize = 17;
const BARE: usize = FIXED + PLACES / 64;
/// The largest size of a record in words.
pub const RECORD: usize = BARE + HELD.div_ceil(8);

impl Record {
    /// Puts the record into words, with what is held (at most `HELD` bytes);
    /// answers how many words they are.
    #[must_use]
    pub fn encode(&self, held: &[u8], out: &mut [u64; RECORD]) -> usize {
        let held = &held[..held.len().min(HELD)];
        let (dev, ino) = self.here.pipe.unwrap_or_default();
        let begun = self.line.begun.unwrap_or_default();
        let flags = u64::from(self.phase == Phase::Taking)
            | u64::from(self.line.inside) << 1
            | u64::from(self.line.begun.is_some()) << 2
            | u64::from(self.here.pipe.is_some()) << 3
            | u64::from(self.raw.last) << 8
            | (held.len() as u64) << 16;
        let bare = [
            self.id,
            flags,
            self.here.boot,
            dev,
            ino,
            self.here.script,
            self.raw.len,
            self.raw.digest,
            self.now.seconds,
            begun.seconds,
            u64::from(self.now.nanos) << 32 | u64::from(begun.nanos),
            self.line.rate.began,
            self.line.rate.passed,
            self.line.rate.left_out,
            self.raw.tail,
            self.raw.tail_digest,
        ];
        out[1..FIXED].copy_from_slice(&bare);
        out[FIXED..BARE].copy_from_slice(&self.line.chosen);
        let len = BARE + held.len().div_ceil(8);
        for (word, bytes) in out[BARE..].iter_mut().zip(held.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(padded);
        }
        out[0] = digest::words(&out[1..len]);
        len
    }

    /// The record in the words, if they are one.
    #[must_use]
    pub fn decode(words: &[u64; RECORD]) -> Option<(Self, Held)> {
        let [
            check,
            id,
            flags,
            boot,
            dev,
            ino,
            script,
            len,
            digest,
            now,
            begun,
            nanos,
            began,
            passed,
            left_out,
            tail,
            tail_digest,
            ..,
        ] = *words;
        let mut chosen = [0; PLACES / 64];
        chosen.copy_from_slice(&words[FIXED..BARE]);
        let mut held = Held { bytes: [0; HELD], len: usize::try_from(flags >> 16).ok()? };
        if held.len > HELD || check != digest::words(&words[1..BARE + held.len.div_ceil(8)]) {
            return None;
        }
        for (bytes, word) in held.bytes.chunks_mut(8).zip(&words[BARE..]) {
            bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
        }
        let bit = |n: u32| flags >> n & 1 == 1;
        let [_, last, ..] = flags.to_le_bytes();
        let low = |word: u64| u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default();
        let begun = Tai64n { seconds: begun, nanos: low(nanos) };
        let record = Self {
            id,
            here: Here { boot, pipe: bit(3).then_some((dev, ino)), script },
            phase: if bit(0) { Phase::Taking } else { Phase::Writing },
            raw: Raw { len, digest, last, tail, tail_digest },
            now: Tai64n { seconds: now, nanos: low(nanos >> 32) },
            line: Line {
                inside: bit(1),
                chosen,
                begun: bit(2).then_some(begun),
                rate: Rate { began, passed, left_out },
            },
        };
        Some((record, held))
    }
}

/// What a record says about how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Nothing: it is about something else.
    Unknown,
    /// Everything that is not in the pipe is in the logs or held. The line is
    /// the record's.
    Behind,
    /// The same, when so many bytes have been taken out of the pipe: those of
    /// the batch, or the tail of them.
    Take(u64),
    /// The batch is to be written, after what may be undone was undone. The
    /// line is the record's. If the script is the same, the batch comes out
    /// the same, and what is stored for good is left out.
    Again {
        /// Whether it is the same script.
        same: bool,
    },
    /// The pipe has gone, or somebody else has read it: what is held is all
    /// that there is of its line.
    Ended,
}

impl Record {
    /// Judges the record from `here`. `taken` is what is left in the place
    /// that shows what was taken; `head` looks at the first bytes of the
    /// pipe, and answers their digest if there are as many.
    pub fn verdict(
        &self,
        taken: u8,
        here: &Here,
        mut head: impl FnMut(u64) -> Option<u64>,
    ) -> Verdict {
        if here.boot == 0 || here.boot != self.here.boot {
            return Verdict::Unknown;
        }
        if self.here.pipe.is_none() || here.pipe != self.here.pipe {
            return Verdict::Ended;
        }
        let same = here.script == self.here.script;
        let Raw { len, digest, last, tail, tail_digest } = self.raw;
        match self.phase {
            // With something else in its place it was taken in part, or by
            // somebody else. What is there is new then.
            Phase::Taking => {
                if len == 0 || taken == last {
                    Verdict::Behind
                } else if head(len) == Some(digest) {
                    Verdict::Take(len)
                } else if tail > 0 && head(tail) == Some(tail_digest) {
                    Verdict::Take(tail)
                } else {
                    Verdict::Behind
                }
            }
            Phase::Writing => {
                if head(len) == Some(digest) {
                    Verdict::Again { same }
                } else {
                    Verdict::Ended
                }
            }
        }
    }
}

/// What of a batch is stored in a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The batch.
    pub id: u64,
    /// How many bytes of what it writes here are stored for good.
    pub done: u64,
    /// The inode of current; 0 while there is none that anything of the batch
    /// could be in.
    pub file: u64,
    /// What current holds for good. What is behind it may be undone.
    pub size: u64,
}

/// The size of a mark in words.
pub const MARK: usize = 5;

impl Mark {
    /// The mark in words.
    #[must_use]
    pub fn encode(&self) -> [u64; MARK] {
        let words = [self.id, self.done, self.file, self.size];
        let [id, done, file, size] = words;
        [digest::words(&words), id, done, file, size]
    }

    /// The mark in the words, if they are one.
    #[must_use]
    pub fn decode(words: &[u64; MARK]) -> Option<Self> {
        let [check, id, done, file, size] = *words;
        (check == digest::words(&words[1..])).then_some(Self { id, done, file, size })
    }

    /// Whether a directory whose current is the file with this inode is as
    /// the mark's multilog left it, and no other has been at work since.
    #[must_use]
    pub fn fits(&self, current: Option<u64>) -> bool {
        self.file == 0 || current == Some(self.file)
    }
}

/// When the first line came into current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its inode.
    pub file: u64,
    /// In seconds since 1970.
    pub seconds: i64,
}

/// The size of that in words. There is one place for it: whoever is killed
/// between two of the words leaves none.
pub const BEGUN: usize = 3;

impl Begun {
    /// In words.
    #[must_use]
    pub fn encode(&self) -> [u64; BEGUN] {
        let words = [self.file, self.seconds.cast_unsigned()];
        [digest::words(&words), words[0], words[1]]
    }

    /// The same back, if they are one.
    #[must_use]
    pub fn decode(words: &[u64; BEGUN]) -> Option<Self> {
        let [check, file, seconds] = *words;
        let is_one = check == digest::words(&words[1..]);
        is_one.then_some(Self { file, seconds: seconds.cast_signed() })
    }
}

/// What is to be done in a directory before a batch is written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Undo {
    /// Cut current to this size.
    pub cut: Option<u64>,
    /// How many bytes of what the batch writes are stored.
    pub done: u64,
}

impl Undo {
    /// What to undo of the batch `id` where there is this mark, and a current
    /// with this inode and size.
    pub fn of(id: u64, mark: Option<Mark>, current: Option<(u64, u64)>) -> Self {
        let Some(mark) = mark.filter(|mark| mark.id == id) else { return Self::default() };
        match current {
            _ if mark.file == 0 => Self { cut: None, done: mark.done },
            Some((file, size)) if file == mark.file => {
                Self { cut: (size > mark.size).then_some(mark.size), done: mark.done }
            }
            // Somebody else has been here.
            Some(_) | None => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_whole_or_none() {
        let begun = Begun { file: 7, seconds: -3 };
        let words = begun.encode();
        assert_eq!(Begun::decode(&words), Some(begun));
        assert_eq!(Begun::decode(&[0; BEGUN]), None);
        // Killed between two words, whatever was there before.
        let other = Begun { file: 8, seconds: 99 }.encode();
        for torn in 1..BEGUN {
            let mut mixed = other;
            mixed[..torn].copy_from_slice(&words[..torn]);
            assert_eq!(Begun::decode(&mixed), None, "{torn}");
        }
    }
}

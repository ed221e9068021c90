//! A multilog of the mind, killed before each of its steps, then the one that
//! takes over, and the one after that: what is in the logs in the end is what
//! would be there without.

use super::*;
extern crate std;
use std::vec::Vec;

/// A line longer than this is begun before its end is seen.
const JUDGED: usize = 6;
/// A log is full then, wherever its line is.
const FULL: usize = 9;

#[derive(Debug)]
struct Killed;
type Step = Result<(), Killed>;

/// What outlives a multilog.
#[derive(Clone, Default)]
struct World {
    pipe: Vec<u8>,
    record: Option<([u64; RECORD], u8)>,
    mark: Option<[u64; MARK]>,
    old: Vec<Vec<u8>>,
    /// With its inode, which is its number among all logs.
    current: Option<(u64, Vec<u8>)>,
    inodes: u64,
    /// What stamps are made of. No two multilogs have the same.
    clock: u64,
    /// So many steps until it is killed.
    left: usize,
    kills: usize,
}

impl World {
    fn step(&mut self) -> Step {
        self.left = self.left.checked_sub(1).ok_or(Killed).inspect_err(|_| self.kills += 1)?;
        Ok(())
    }

    fn note(&mut self, record: &Record, held: &[u8]) -> Step {
        self.step()?;
        let mut words = [7; RECORD];
        let len = record.encode(held, &mut words);
        assert!(len <= RECORD);
        self.record = Some((words, !record.raw.last));
        Ok(())
    }

    fn set_mark(&mut self, mark: Mark) -> Step {
        self.step()?;
        self.mark = Some(mark.encode());
        Ok(())
    }

    /// All but the tail at once, and then that; or everything together.
    fn take_batch(&mut self, raw: &Raw) -> Step {
        let tail = usize::try_from(raw.tail).unwrap();
        let len = usize::try_from(raw.len).unwrap();
        if tail == 0 {
            return self.take(len);
        }
        self.step()?;
        self.pipe.drain(..len - tail);
        self.take(tail)
    }

    fn take(&mut self, len: usize) -> Step {
        self.step()?;
        let taken: Vec<u8> = self.pipe.drain(..len).collect();
        if let (Some((_, mark)), Some(last)) = (&mut self.record, taken.last()) {
            *mark = *last;
        }
        Ok(())
    }

    fn archive(&mut self) -> Step {
        self.step()?;
        self.old.extend(self.current.take().map(|(_, text)| text));
        self.step()?;
        self.inodes += 1;
        self.current = Some((self.inodes, Vec::new()));
        Ok(())
    }

    fn all(&self) -> Vec<u8> {
        self.old
            .iter()
            .chain(self.current.iter().map(|(_, text)| text))
            .flatten()
            .copied()
            .collect()
    }
}

/// One multilog.
struct Multilog<'a> {
    world: &'a mut World,
    line: Line,
    held: Vec<u8>,
    now: Tai64n,
    next: u64,
    stored: Mark,
    again: u64,
}

const HERE: Here = Here { boot: 1, pipe: Some((2, 3)), script: 4 };

impl<'a> Multilog<'a> {
    /// Lives until it has nothing to do, or is killed.
    fn live(world: &'a mut World) -> Step {
        world.clock += 1;
        let now = Tai64n { seconds: world.clock, nanos: 0 };
        let (line, held, stored) = (Line::default(), Vec::new(), Mark::default());
        let mut this = Self { line, held, now, next: 1, stored, again: 0, world };
        let batch = this.recover()?;
        if let Some(record) = batch {
            let again = this.now;
            this.now = record.now;
            this.write(record)?;
            this.now = again;
        }
        while this.batch()? {}
        Ok(())
    }

    fn recover(&mut self) -> Result<Option<Record>, Killed> {
        let current = self.world.current.as_ref().map(|(file, text)| (*file, text.len() as u64));
        let mark = self.world.mark.and_then(|words| Mark::decode(&words));
        let mut batch = None;
        if let Some((words, taken)) = self.world.record
            && mark.is_some_and(|mark| mark.fits(current.map(|(file, _)| file)))
            && let Some((record, held)) = Record::decode(&words)
        {
            let pipe = self.world.pipe.clone();
            let head = |len| {
                let len = usize::try_from(len).unwrap();
                pipe.get(..len).map(digest::ends)
            };
            self.next = record.id + 1;
            match record.verdict(taken, &HERE, head) {
                Verdict::Behind => {}
                Verdict::Take(len) => self.world.take(usize::try_from(len).unwrap())?,
                Verdict::Again { same } => {
                    assert!(same);
                    let undo = Undo::of(record.id, mark, current);
                    self.world.step()?;
                    if let (Some(size), Some((_, text))) = (undo.cut, &mut self.world.current) {
                        text.truncate(usize::try_from(size).unwrap());
                    }
                    self.stored = Mark { id: record.id, done: undo.done, ..self.stored };
                    self.again = undo.done;
                    batch = Some(record);
                }
                Verdict::Unknown | Verdict::Ended => panic!("it is the same pipe"),
            }
            self.line = record.line;
            self.held = held.bytes().to_vec();
        }
        self.world.set_mark(self.stored)?;
        self.world.archive()?;
        self.stored.file = self.world.inodes;
        self.world.set_mark(self.stored)?;
        Ok(batch)
    }

    /// Whether there was something to do.
    fn batch(&mut self) -> Result<bool, Killed> {
        // What comes at once is not always all that there is.
        let seen = self.world.pipe.len().min(11);
        let bytes = [&self.held, &self.world.pipe[..seen]].concat();
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let all = (self.line.inside && whole == 0) || bytes.len() - whole > JUDGED;
        let used = if all { bytes.len() } else { whole };
        if used == 0 && seen == 0 {
            return Ok(false);
        }
        let fresh = if used == 0 { seen } else { used - self.held.len() };
        let raw = Raw::with_tail(&self.world.pipe[..fresh], 2);
        let (id, here, now, line) = (self.next, HERE, self.now, self.line);
        let mut record = Record { id, here, phase: Phase::Writing, raw, now, line };
        if used > 0 {
            self.next += 1;
            let held = self.held.clone();
            self.world.note(&record, &held)?;
            self.stored = Mark { id, done: 0, ..self.stored };
            self.again = 0;
            self.world.set_mark(self.stored)?;
            self.write(record)?;
        } else {
            self.line.begun.get_or_insert(self.now);
            record = Record { phase: Phase::Taking, line: self.line, ..record };
            self.world.note(&record, &bytes)?;
            self.world.take_batch(&record.raw)?;
            self.held = bytes;
        }
        Ok(true)
    }

    /// Writes the batch, and takes it.
    fn write(&mut self, record: Record) -> Step {
        let fresh = usize::try_from(record.raw.len).unwrap();
        let bytes = [&self.held, &self.world.pipe[..fresh]].concat();
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            if !self.line.inside {
                let begun = self.line.begun.take().unwrap_or(self.now).seconds;
                self.put(&[b'0' + u8::try_from(begun % 10).unwrap()])?;
            }
            self.put(part)?;
            self.line.inside = !part.ends_with(b"\n");
        }
        self.held.clear();
        self.world.note(&Record { phase: Phase::Taking, line: self.line, ..record }, b"")?;
        self.world.take_batch(&record.raw)
    }

    fn put(&mut self, bytes: &[u8]) -> Step {
        let known = usize::try_from(self.again).unwrap().min(bytes.len());
        self.again -= known as u64;
        // A write may be cut anywhere.
        for byte in &bytes[known..] {
            self.world.step()?;
            let (_, text) = self.world.current.as_mut().unwrap();
            text.push(*byte);
            self.stored.done += 1;
            self.stored.size += 1;
            if text.len() == FULL {
                self.stored = Mark { file: 0, size: 0, ..self.stored };
                self.world.set_mark(self.stored)?;
                self.world.archive()?;
                self.stored.file = self.world.inodes;
                self.world.set_mark(self.stored)?;
            }
        }
        Ok(())
    }
}

/// Lets multilogs follow each other, each killed after so many steps, and the
/// last not; answers whether all were killed, and what all but the last saw.
fn lives(world: &mut World, steps: &[usize]) -> bool {
    world.kills = 0;
    for &left in steps {
        world.left = left;
        let _ = Multilog::live(world);
    }
    let killed = world.kills == steps.len();
    world.left = usize::MAX;
    Multilog::live(world).unwrap();
    killed
}

fn check(world: &World, input: &[u8], case: &[usize]) {
    let mut without = Vec::new();
    let mut between = true;
    for byte in world.all() {
        if core::mem::replace(&mut between, byte == b'\n') {
            assert!(byte.is_ascii_digit(), "{case:?}");
        } else {
            without.push(byte);
        }
        between = byte == b'\n';
    }
    let text = |bytes: &[u8]| std::string::String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&without), text(input), "{case:?}");
}

#[test]
fn killed_anywhere_and_then_again_anywhere() {
    // Lines that are the same, a long one, one that is held in pieces.
    let inputs: [&[u8]; 4] = [b"a\na\na\nabcdefghijkl\nm", b"n", b"op\na\nqrs", b"tuvwxyz\na\n"];
    for first in 0.. {
        let mut all_killed = false;
        for second in 0..90 {
            let mut world = World::default();
            for input in &inputs[..2] {
                world.pipe.extend(*input);
                all_killed |= lives(&mut world, &[first, second]);
            }
            for input in &inputs[2..] {
                world.pipe.extend(*input);
                all_killed |= lives(&mut world, &[second % 7, first]);
            }
            check(&world, &inputs.concat(), &[first, second]);
        }
        if !all_killed {
            return;
        }
    }
}

#[test]
fn killed_three_times() {
    // The second is always the same, so that what follows a batch is like it.
    for input in [&b"a\na\na\nabcdefghijkl\na\n"[..], &b"a\n".repeat(16)] {
        for steps in 0..40_usize.pow(3) {
            let steps = [steps % 40, steps / 40 % 40, steps / 1600];
            let mut world = World { pipe: input.to_vec(), ..World::default() };
            lives(&mut world, &steps);
            check(&world, input, &steps);
        }
    }
}

#[test]
fn records_come_back_and_nothing_else_does() {
    let held: Vec<u8> = (0..HELD).map(|n| u8::try_from(n % 256).unwrap()).collect();
    let begun = Some(Tai64n { seconds: 5, nanos: 6 });
    for n in [0, 1, 7, 8, 9, 999, HELD] {
        let record = Record {
            id: 1 << 63,
            here: Here { pipe: (n != 7).then_some((8, 9)), ..HERE },
            phase: if n == 8 { Phase::Taking } else { Phase::Writing },
            raw: Raw::of(&held[..n]),
            now: Tai64n { seconds: 1 << 62, nanos: u32::MAX },
            line: Line {
                inside: n == 1,
                chosen: core::array::from_fn(|place| u64::MAX - place as u64),
                begun: begun.filter(|_| n != 9),
                rate: Rate { began: n as u64, passed: 7, left_out: 9 },
            },
        };
        let mut words = [u64::MAX; RECORD];
        let len = record.encode(&held[..n], &mut words);
        let (again, beginning) = Record::decode(&words).unwrap();
        assert_eq!((again, beginning.bytes()), (record, &held[..n]));
        for bit in 0..len * 64 {
            words[bit / 64] ^= 1 << (bit % 64);
            assert!(Record::decode(&words).is_none(), "bit {bit} of {n}");
            words[bit / 64] ^= 1 << (bit % 64);
        }
    }
    assert!(Record::decode(&[0; RECORD]).is_none() && Mark::decode(&[0; MARK]).is_none());
    let mark = Mark { id: 1, done: 2, file: 3, size: 4 };
    let mut words = mark.encode();
    assert_eq!(Mark::decode(&words), Some(mark));
    words[3] ^= 1;
    assert_eq!(Mark::decode(&words), None);
}

#[test]
fn what_is_about_something_else_says_nothing() {
    let raw = Raw::of(b"one\n");
    let now = Tai64n::default();
    let line = Line::default();
    let phases = [Phase::Writing, Phase::Taking];
    let [writing, taking] = phases.map(|phase| Record { id: 1, here: HERE, phase, raw, now, line });
    let there = |_| Some(raw.digest);
    let gone = |_| None;
    let never = |_| -> Option<u64> { panic!("no need to look") };
    for record in [writing, taking] {
        for boot in [0, 9] {
            let here = Here { boot, ..HERE };
            assert_eq!(record.verdict(0, &here, never), Verdict::Unknown);
        }
        for pipe in [None, Some((2, 4)), Some((9, 3))] {
            let here = Here { pipe, ..HERE };
            assert_eq!(record.verdict(0, &here, never), Verdict::Ended);
        }
    }
    let other = Here { script: 9, ..HERE };
    assert_eq!(writing.verdict(0, &HERE, there), Verdict::Again { same: true });
    assert_eq!(writing.verdict(b'\n', &other, there), Verdict::Again { same: false });
    assert_eq!(writing.verdict(0, &HERE, gone), Verdict::Ended);
    assert_eq!(taking.verdict(0, &HERE, there), Verdict::Take(taking.raw.len));
    assert_eq!(taking.verdict(0, &HERE, gone), Verdict::Behind);
    assert_eq!(taking.verdict(b'\n', &other, never), Verdict::Behind);
    // Where nothing is taken there is nothing to look for.
    let nothing = Record { raw: Raw::of(b""), ..taking };
    assert_eq!(nothing.verdict(0xff, &HERE, never), Verdict::Behind);
}

#[test]
fn only_what_is_known_is_undone() {
    let mark = Mark { id: 7, done: 30, file: 5, size: 100 };
    let of = |id, mark, current| {
        let undo = Undo::of(id, mark, current);
        (undo.cut, undo.done)
    };
    assert_eq!(of(7, Some(mark), Some((5, 140))), (Some(100), 30));
    assert_eq!(of(7, Some(mark), Some((5, 100))), (None, 30));
    assert_eq!(of(7, Some(mark), Some((5, 20))), (None, 30));
    for (id, mark, current) in [
        (8, Some(mark), Some((5, 140))),
        (7, None, Some((5, 140))),
        (7, Some(mark), Some((6, 140))),
        (7, Some(mark), None),
    ] {
        assert_eq!(of(id, mark, current), (None, 0));
    }
    let between = Mark { file: 0, ..mark };
    assert_eq!(of(7, Some(between), Some((6, 140))), (None, 30));
    assert!(between.fits(None) && between.fits(Some(6)));
    assert!(mark.fits(Some(5)) && !mark.fits(Some(6)) && !mark.fits(None));
}

//! What is read of generated logs is what a naive reader makes of them.

use super::*;
use crate::entry::UTC;
use crate::test_dir::TestDir;
use crate::{Entry, Flow, Where};
use core::ops::ControlFlow;
use rustix::fd::BorrowedFd;
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use upkeep_core::tai::Tai64n;

/// Takes everything down.
#[derive(Default)]
struct Taken {
    lines: Vec<(usize, Vec<u8>)>,
    only: Option<u8>,
    enough: Option<usize>,
}

impl Sink for Taken {
    fn entry(&mut self, entry: &Entry<'_>) -> Flow {
        let end: &[u8] = if entry.torn { b"" } else { b"\n" };
        self.lines.push((entry.source, [entry.stamp, entry.text, end].concat()));
        let is_enough = self.enough == Some(self.lines.len());
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn block(&mut self, source: usize, lines: &[u8]) -> Flow {
        let lines = lines.split_inclusive(|byte| *byte == b'\n');
        self.lines.extend(lines.map(|line| (source, line.to_vec())));
        Ok(ControlFlow::Continue(()))
    }

    fn counts(&mut self, entry: &Entry<'_>) -> bool {
        self.only.is_none_or(|byte| entry.text.contains(&byte))
    }

    fn idle(&mut self) -> Result<(), Errno> {
        Ok(())
    }

    fn output(&self) -> BorrowedFd<'_> {
        rustix::stdio::stderr()
    }
}

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A log directory, and what is in it in order.
struct Made {
    dir: TestDir,
    lines: Vec<(Option<Tai64n>, Vec<u8>)>,
}

const START: i64 = 1_795_000_000;

fn moment(second: i64) -> Tai64n {
    Tai64n::from_unix(second, 0)
}

impl Made {
    fn new(random: &mut Random) -> Self {
        let mut made = Self { dir: TestDir::new(), lines: Vec::new() };
        let mut now = START + random.below(50).cast_signed();
        let mut last = None;
        for _ in 0..random.below(6) {
            let text = made.text(random, &mut now, &mut last);
            let name = String::from_utf8(moment(now).label().to_vec()).unwrap();
            let kind = random.below(4);
            let suffix = ["s", "s", "u", "s.gz"][usize::try_from(kind).unwrap()];
            made.put(&format!("{name}.{suffix}"), &text, kind == 1 || kind == 3);
            if kind == 3 && random.below(2) == 0 {
                // It has just been compressed, and both are there.
                made.put(&format!("{name}.s"), &text, false);
            }
            now += 1 + random.below(20).cast_signed();
        }
        match random.below(4) {
            0 => {
                let text = made.text(random, &mut now, &mut last);
                made.put("previous", &text, false);
                made.put("processed", b"half of i", false);
            }
            1 => {
                let text = made.text(random, &mut now, &mut last);
                made.put("processed", &text, true);
            }
            _ => {}
        }
        if random.below(8) > 0 {
            let text = made.text(random, &mut now, &mut last);
            made.put("current", &text, false);
        }
        made
    }

    fn text(&mut self, random: &mut Random, now: &mut i64, last: &mut Option<Tai64n>) -> Vec<u8> {
        let count = [0, 3, 40, 3000][usize::try_from(random.below(4)).unwrap()];
        let mut all = Vec::new();
        for number in 0..count {
            let mut line = Vec::new();
            if random.below(9) > 0 {
                *now += i64::from(random.below(5) == 0);
                *last = Some(moment(*now));
                line.extend_from_slice(&moment(*now).label());
                line.push(b' ');
            }
            let letters = usize::try_from(random.below(30)).unwrap();
            line.extend(
                (0..letters)
                    .map(|_| b"abcdefgh \0\xff"[usize::try_from(random.below(11)).unwrap()]),
            );
            if number + 1 < count || random.below(4) > 0 {
                line.push(b'\n');
            }
            if !line.is_empty() {
                all.extend_from_slice(&line);
                self.lines.push((*last, line));
            }
        }
        all
    }

    fn put(&self, name: &str, text: &[u8], is_packed: bool) {
        self.dir.write(name, text);
        if is_packed {
            self.pack(name, "gzip");
        }
    }

    /// Compresses a file where it is; says whether there is what does that.
    fn pack(&self, name: &str, program: &str) -> bool {
        let packed = Command::new(program).arg("-1c").arg(self.dir.path(name)).output();
        let Ok(packed) = packed else { return false };
        assert!(packed.status.success());
        self.dir.write(name, &packed.stdout);
        true
    }

    fn log(&self) -> Log {
        log(&self.dir)
    }
}

pub(super) fn log(dir: &TestDir) -> Log {
    let path = dir.path("").into_os_string().into_vec();
    Log { name: b"log".to_vec(), place: Where::Directory(CString::new(path).unwrap()) }
}

type Line = (usize, Option<Tai64n>, Vec<u8>);

fn naive(all: &[Made], wanted: &Wanted, only: Option<u8>) -> Vec<(usize, Vec<u8>)> {
    let stamped = |line: &[u8]| UTC.clone().moment(line);
    let mut merged: Vec<Line> = Vec::new();
    for (source, made) in all.iter().enumerate() {
        let late = |line: &(_, Vec<u8>), limit| stamped(&line.1).is_some_and(|it| it >= limit);
        let lines =
            made.lines.iter().skip_while(|line| wanted.since.is_some_and(|it| !late(line, it)));
        let after = |line: &(_, Vec<u8>), limit| stamped(&line.1).is_some_and(|it| it > limit);
        let lines = lines.take_while(|line| wanted.until.is_none_or(|it| !after(line, it)));
        merged.extend(lines.map(|(moment, line)| (source, *moment, line.clone())));
    }
    merged.sort_by_key(|line| line.1);
    let counts = |line: &[u8]| {
        only.is_none_or(|byte| {
            let len = UTC.clone().of(line).map_or(0, |stamp| stamp.length);
            line[len..].contains(&byte)
        })
    };
    if let Some(last) = wanted.last {
        let counting = merged.iter().rev().enumerate().filter(|(_, line)| counts(&line.2));
        let taken = match last {
            0 => 0,
            last => counting
                .clone()
                .nth(usize::try_from(last).unwrap() - 1)
                .map_or(merged.len(), |it| it.0 + 1),
        };
        let next = counting.map(|it| it.0).find(|at| *at >= taken).unwrap_or(merged.len());
        let before = usize::try_from(wanted.before).unwrap();
        let taken = next.min(taken + before);
        merged.drain(..merged.len() - taken.min(merged.len()));
    }
    if wanted.reverse {
        merged.reverse();
    }
    merged.into_iter().map(|(source, _, line)| (source, line)).collect()
}

fn assert_same(all: &[Made], wanted: &Wanted, only: Option<u8>) {
    let logs: Vec<_> = all.iter().map(Made::log).collect();
    let mut taken = Taken { only, ..Taken::default() };
    assert_eq!(read(&logs, wanted, &UTC, &mut taken), Ok(()));
    let expected = naive(all, wanted, only);
    let differs = taken.lines.iter().zip(&expected).position(|(a, b)| a != b);
    let at = differs.unwrap_or(taken.lines.len().min(expected.len()));
    assert!(
        taken.lines == expected,
        "{wanted:?}: {} lines instead of {}, differing at {at}: {:?} {:?}\n{:?}",
        taken.lines.len(),
        expected.len(),
        taken.lines.get(at),
        expected.get(at),
        all.iter()
            .map(|made| std::fs::read_dir(made.dir.path(""))
                .unwrap()
                .map(|it| it.unwrap().file_name())
                .collect::<Vec<_>>())
            .collect::<Vec<_>>(),
    );
}

#[test]
fn everything_is_as_a_naive_reader_has_it() {
    let mut random = Random(7);
    for _ in 0..30 {
        let all: Vec<_> = (0..=random.below(3)).map(|_| Made::new(&mut random)).collect();
        let some = |random: &mut Random, of: u64| {
            Some(moment(START + random.below(of).cast_signed())).filter(|_| random.below(3) > 0)
        };
        for _ in 0..6 {
            let spread = [30, 300, 3000][usize::try_from(random.below(3)).unwrap()];
            let wanted = Wanted {
                since: some(&mut random, spread),
                until: some(&mut random, spread),
                last: Some(random.below(40)).filter(|_| random.below(2) == 0),
                before: random.below(4),
                reverse: random.below(2) == 0,
                follow: false,
                blocks: random.below(2) == 0,
            };
            let only = Some(b'a').filter(|_| random.below(2) == 0);
            assert_same(&all, &wanted, only);
        }
    }
}

/// Bytes of any kind: all come, in order, both ways, and what is since a moment
/// begins with a line of that moment or a later one.
#[test]
fn any_bytes_are_lines() {
    let mut random = Random(3);
    let made = Made { dir: TestDir::new(), lines: Vec::new() };
    for _ in 0..300 {
        let mut text = Vec::new();
        for _ in 0..random.below(60) {
            let label = moment(START + random.below(9).cast_signed()).label();
            let pieces: [&[u8]; 8] = [
                &label,
                &label,
                &label[..20],
                b" ",
                b"\n",
                b"\n",
                b"\0\xff",
                b"2026-11-26T10:26:17.123Z ",
            ];
            text.extend_from_slice(pieces[usize::try_from(random.below(8)).unwrap()]);
        }
        made.put("current", &text, false);
        let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let run = |wanted: Wanted| {
            let mut taken = Taken::default();
            read(&[made.log()], &wanted, &UTC, &mut taken).unwrap();
            taken.lines.into_iter().map(|line| line.1).collect::<Vec<_>>()
        };
        let any = Wanted::default();
        assert_eq!(run(any), lines);
        assert_eq!(run(Wanted { blocks: true, ..any }), lines);
        let mut reverse = run(Wanted { reverse: true, ..any });
        reverse.reverse();
        assert_eq!(reverse, lines);
        let last = random.below(9);
        let expected = &lines[lines.len().saturating_sub(usize::try_from(last).unwrap())..];
        assert_eq!(run(Wanted { last: Some(last), ..any }), expected);
        let since = moment(START + random.below(9).cast_signed());
        let late = |line: &[u8]| UTC.clone().moment(line).is_some_and(|it| it >= since);
        let found = run(Wanted { since: Some(since), ..any });
        assert!(lines.ends_with(&found.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        assert_eq!(found.is_empty(), !lines.iter().any(|line| late(line)));
        assert!(found.first().is_none_or(|line| late(line)));
    }
}

#[test]
fn who_has_enough_gets_no_more() {
    let made = Made { dir: TestDir::new(), lines: Vec::new() };
    made.put("current", b"one\ntwo\nthree\n", false);
    for reverse in [false, true] {
        let mut taken = Taken { enough: Some(2), ..Taken::default() };
        let wanted = Wanted { reverse, ..Wanted::default() };
        read(&[made.log()], &wanted, &UTC, &mut taken).unwrap();
        let expected = if reverse { ["three\n", "two\n"] } else { ["one\n", "two\n"] };
        assert_eq!(taken.lines, expected.map(|line| (0, line.as_bytes().to_vec())));
    }
}

#[test]
fn gigantic_lines_come_in_pieces_both_ways() {
    let made = Made { dir: TestDir::new(), lines: Vec::new() };
    let text = [b"one\n", &vec![b'x'; 5 << 20][..], b"\nlast\n"].concat();
    made.put("current", &text, false);
    for reverse in [false, true] {
        let mut taken = Taken::default();
        let wanted = Wanted { reverse, ..Wanted::default() };
        read(&[made.log()], &wanted, &UTC, &mut taken).unwrap();
        if reverse {
            taken.lines.reverse();
        }
        let all: Vec<_> = taken.lines.into_iter().map(|line| line.1).collect();
        assert!(all.concat() == text && (6..12).contains(&all.len()));
    }
}

#[test]
fn what_was_compressed_is_told_by_its_first_bytes() {
    let made = Made { dir: TestDir::new(), lines: Vec::new() };
    let name = |second| String::from_utf8(moment(second).label().to_vec()).unwrap();
    let mut expected = Vec::new();
    for (second, program) in (1..).zip(["gzip", "zstd", "xz"]) {
        let name = format!("{}.s", name(second));
        made.put(&name, format!("{program}\n").as_bytes(), false);
        made.pack(&name, program);
        expected.push((0, format!("{program}\n").into_bytes()));
    }
    for reverse in [false, true] {
        let mut taken = Taken::default();
        let wanted = Wanted { reverse, ..Wanted::default() };
        read(&[made.log()], &wanted, &UTC, &mut taken).unwrap();
        if reverse {
            taken.lines.reverse();
        }
        assert_eq!(taken.lines, expected);
    }
}

/// Whatever the first bytes say that is compressed and is not whole.
#[test]
fn what_is_damaged_does_not_end_it() {
    let made = Made { dir: TestDir::new(), lines: Vec::new() };
    let name = |second| String::from_utf8(moment(second).label().to_vec()).unwrap();
    made.put(&format!("{}.s", name(1)), b"\x1f\x8b nothing", false);
    made.put(&format!("{}.s", name(2)), b"two\n", true);
    std::fs::create_dir(made.dir.path(&format!("{}.s", name(3)))).unwrap();
    made.put("current", b"four\n", false);
    for reverse in [false, true] {
        let mut taken = Taken::default();
        let wanted = Wanted { reverse, ..Wanted::default() };
        read(&[made.log()], &wanted, &UTC, &mut taken).unwrap();
        if reverse {
            taken.lines.reverse();
        }
        assert_eq!(taken.lines, [(0, b"two\n".to_vec()), (0, b"four\n".to_vec())]);
    }
}

//! Logs that are followed while they are written and rotated in every way:
//! each line comes once, and in its place.

use super::tests::{Random, log};
use super::*;
use crate::entry::UTC;
use crate::test_dir::TestDir;
use crate::{Entry, Flow, Where};
use core::ops::ControlFlow;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use upkeep_core::tai::Tai64n;

/// Counts the lines of each log, which are numbered, and says how far it is
/// whenever it has to wait.
struct Counted {
    next: Vec<u64>,
    until: u64,
    waits: Sender<Vec<u64>>,
    /// Whether some may be missing.
    gaps: bool,
    /// Where it would be shown.
    output: Option<OwnedFd>,
}

impl Counted {
    fn new(logs: usize, until: u64) -> (Self, Receiver<Vec<u64>>) {
        let (waits, told) = channel();
        (Self { next: vec![0; logs], until, waits, gaps: false, output: None }, told)
    }

    fn line(&mut self, source: usize, text: &[u8]) {
        let number: u64 = core::str::from_utf8(text).unwrap().parse().unwrap();
        if self.gaps {
            assert!(number >= self.next[source], "{number} {}", self.next[source]);
        } else {
            assert_eq!(number, self.next[source], "of log {source}");
        }
        self.next[source] = number + 1;
    }

    fn flow(&self) -> Flow {
        let is_enough = self.next.iter().all(|next| *next == self.until);
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl Sink for Counted {
    fn entry(&mut self, entry: &Entry<'_>) -> Flow {
        assert!(!entry.torn);
        self.line(entry.source, entry.text);
        self.flow()
    }

    fn block(&mut self, source: usize, lines: &[u8]) -> Flow {
        lines
            .strip_suffix(b"\n")
            .unwrap()
            .split(|b| *b == b'\n')
            .for_each(|it| self.line(source, it));
        self.flow()
    }

    fn counts(&mut self, _: &Entry<'_>) -> bool {
        true
    }

    fn idle(&mut self) -> Result<(), Errno> {
        let _ = self.waits.send(self.next.clone());
        Ok(())
    }

    fn output(&self) -> BorrowedFd<'_> {
        self.output.as_ref().unwrap().as_fd()
    }
}

const FOLLOW: Wanted = Wanted {
    since: None,
    until: None,
    last: None,
    before: 0,
    reverse: false,
    follow: true,
    blocks: false,
};

/// Follows the logs until everything has come. If nothing comes any more, the
/// reader of the output goes away, and that ends it.
fn follow(logs: &[Log], blocks: bool, counted: &mut Counted) {
    follow_as(logs, &Wanted { blocks, ..FOLLOW }, counted);
}

fn follow_as(logs: &[Log], wanted: &Wanted, counted: &mut Counted) {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    counted.output = Some(writer);
    std::thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        scope.spawn(move || {
            let _ = ended.recv_timeout(Duration::from_secs(60));
            drop(reader);
        });
        read(logs, wanted, &UTC, counted).unwrap();
        drop(done);
    });
}

/// How a log is rotated.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// As multilog does.
    Multilog,
    /// The same, with a processor.
    Processor,
    /// As svlogd does.
    Svlogd,
    /// The same, with a processor.
    SvlogdProcessor,
    /// As s6-log does.
    S6,
    /// As multilog does that compresses its archives itself.
    Compressed,
}

const KINDS: [Kind; 6] = [
    Kind::Multilog,
    Kind::Processor,
    Kind::Svlogd,
    Kind::SvlogdProcessor,
    Kind::S6,
    Kind::Compressed,
];

fn gzip(dir: &TestDir, from: &str, to: &str) {
    let packed = Command::new("gzip").arg("-1c").arg(dir.path(from)).output().unwrap();
    dir.write(to, &packed.stdout);
}

fn rotate(dir: &TestDir, kind: Kind, number: u32) {
    let label =
        String::from_utf8(Tai64n::from_unix(1_795_000_000, number).label().to_vec()).unwrap();
    let [done, open, made] = ["s", "u", "t"].map(|end| format!("{label}.{end}"));
    let archive = |from: &str| {
        fs::hard_link(dir.path(from), dir.path(&done)).unwrap();
        dir.remove(from);
    };
    match kind {
        Kind::Multilog | Kind::Processor | Kind::S6 | Kind::Compressed => {
            dir.rename("current", "previous");
            dir.append("current", b"");
        }
        Kind::Svlogd | Kind::SvlogdProcessor => {}
    }
    match kind {
        Kind::Multilog => archive("previous"),
        Kind::Processor => {
            // It is written piece by piece.
            let text = fs::read(dir.path("previous")).unwrap();
            let (some, rest) = text.split_at(text.len() / 2);
            dir.append("processed", some);
            dir.append("processed", rest);
            dir.remove("previous");
            archive("processed");
        }
        Kind::Svlogd => {
            dir.rename("current", &done);
            dir.append("current", b"");
        }
        Kind::SvlogdProcessor => {
            dir.rename("current", &open);
            dir.append("current", b"");
            let text = fs::read(dir.path(&open)).unwrap();
            dir.append(&made, &text[..text.len() / 2]);
            dir.append(&made, &text[text.len() / 2..]);
            dir.remove(&open);
            dir.rename(&made, &done);
        }
        Kind::S6 => dir.rename("previous", &done),
        Kind::Compressed => {
            archive("previous");
            gzip(dir, &done, "compressing");
            dir.rename("compressing", &format!("{done}.gz"));
            dir.remove(&done);
        }
    }
}

fn write(dir: &TestDir, kind: Kind, lines: u64, rotations: u32, keep: usize) {
    let mut random = Random(11);
    let every = lines / u64::from(rotations);
    let mut number = 0;
    for rotation in 1..=rotations {
        let end =
            if rotation == rotations { lines } else { number + 1 + random.below(2 * every - 1) };
        while number < end.min(lines) {
            let line = format!("{number}\n");
            // A writer that is interrupted has written some of it.
            let some = usize::try_from(random.below(line.len() as u64)).unwrap();
            if random.below(10) == 0 {
                dir.append("current", &line.as_bytes()[..some]);
                dir.append("current", &line.as_bytes()[some..]);
            } else {
                dir.append("current", line.as_bytes());
            }
            number += 1;
        }
        if number == lines {
            // What is removed last would be missing for good.
            return;
        }
        rotate(dir, kind, rotation);
        let names = fs::read_dir(dir.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut old: Vec<_> = names.filter(|it| it.as_encoded_bytes()[0] == b'@').collect();
        old.sort_unstable();
        old.iter().rev().skip(keep).for_each(|name| dir.remove(name.to_str().unwrap()));
    }
}

/// What is removed before it was read is missing, and nothing is repeated.
#[test]
fn the_oldest_may_go_meanwhile() {
    for kind in KINDS.into_iter().filter(|kind| !matches!(kind, Kind::Compressed)) {
        for keep in [1, 3] {
            let dir = TestDir::new();
            dir.append("current", b"");
            let (counted, told) = Counted::new(1, 10_000);
            let mut counted = Counted { gaps: true, ..counted };
            drop(told);
            std::thread::scope(|scope| {
                scope.spawn(|| write(&dir, kind, 10_000, 1000, keep));
                follow(&[log(&dir)], true, &mut counted);
            });
            assert_eq!(counted.next, [10_000], "{kind:?}");
        }
    }
}

#[test]
fn nothing_is_missed_and_nothing_repeated() {
    for kind in KINDS {
        // That starts a program each time.
        let is_slow = matches!(kind, Kind::Compressed);
        let (lines, rotations) = if is_slow { (3000, 100) } else { (20_000, 1000) };
        let dir = TestDir::new();
        // So that the first rotation leaves no doubt.
        dir.append("@400000000000000000000000.s", b"");
        dir.append("current", b"");
        let (mut counted, told) = Counted::new(1, lines);
        drop(told);
        std::thread::scope(|scope| {
            scope.spawn(|| write(&dir, kind, lines, rotations, usize::MAX));
            follow(&[log(&dir)], true, &mut counted);
        });
        assert_eq!(counted.next, [lines], "{kind:?}");
    }
}

/// Each time everything has been read, so much happens that it has to find its
/// way again.
#[test]
fn several_rotations_at_once() {
    for kind in KINDS {
        let dir = TestDir::new();
        dir.append("current", b"");
        let (mut counted, told) = Counted::new(1, 80);
        let (written, rotated) = (&dir, kind);
        std::thread::scope(move |scope| {
            scope.spawn(move || {
                let mut number = 0;
                for round in 0..20 {
                    while told.recv().is_ok_and(|next| next != [number]) {}
                    for step in 0..4 {
                        written.append("current", format!("{number}\n").as_bytes());
                        number += 1;
                        if round % 4 >= step {
                            rotate(written, rotated, round * 4 + step);
                        }
                    }
                }
            });
            follow(&[log(written)], false, &mut counted);
            assert_eq!(counted.next, [80], "{kind:?}");
        });
    }
}

/// They, and what they are in, appear later, and are removed and made anew.
#[test]
fn what_is_not_there_is_waited_for() {
    let dir = TestDir::new();
    let place = |path: &str| {
        let path = CString::new(dir.path(path).into_os_string().into_vec()).unwrap();
        let log = |place| Log { name: b"log".to_vec(), place };
        [log(Where::Directory(path.clone())), log(Where::File(path))]
    };
    let logs = [place("a/main")[0].clone(), place("b/file")[1].clone()];
    let (mut counted, told) = Counted::new(2, 30);
    let dir = &dir;
    std::thread::scope(move |scope| {
        scope.spawn(move || {
            for number in 0..30 {
                while told.recv().is_ok_and(|next| next != [number; 2]) {}
                match number {
                    0 => {
                        fs::create_dir(dir.path("a")).unwrap();
                        fs::create_dir(dir.path("a/main")).unwrap();
                        fs::create_dir(dir.path("b")).unwrap();
                    }
                    10 => {
                        fs::rename(dir.path("a/main"), dir.path("a/old")).unwrap();
                        fs::create_dir(dir.path("a/main")).unwrap();
                        dir.rename("b/file", "b/file.1");
                    }
                    20 => {
                        fs::remove_dir_all(dir.path("a/main")).unwrap();
                        fs::create_dir(dir.path("a/main")).unwrap();
                        // Shorter than what was read.
                        dir.write("b/file", b"");
                    }
                    _ => {}
                }
                dir.append("a/main/current", format!("{number}\n").as_bytes());
                dir.append("b/file", format!("{number}\n").as_bytes());
            }
        });
        follow(&logs, false, &mut counted);
        assert_eq!(counted.next, [30, 30]);
    });
}

/// A log directory that was there from the beginning, and a link to one: each
/// is another one later, and what is written there afterwards comes, too.
#[test]
fn a_directory_is_found_again() {
    let dir = TestDir::new();
    for name in ["real", "v1", "v2"] {
        fs::create_dir(dir.path(name)).unwrap();
    }
    symlink("v1", dir.path("link")).unwrap();
    let place = |name: &str| {
        let path = CString::new(dir.path(name).into_os_string().into_vec()).unwrap();
        Log { name: name.into(), place: Where::Directory(path) }
    };
    let logs = [place("real"), place("link")];
    let (mut counted, told) = Counted::new(2, 30);
    let dir = &dir;
    std::thread::scope(move |scope| {
        scope.spawn(move || {
            for number in 0..30 {
                while told.recv().is_ok_and(|next| next != [number; 2]) {}
                match number {
                    10 | 20 => {
                        fs::remove_dir_all(dir.path("real")).unwrap();
                        fs::create_dir(dir.path("real")).unwrap();
                    }
                    15 => {
                        fs::remove_file(dir.path("link")).unwrap();
                        symlink("v2", dir.path("link")).unwrap();
                    }
                    _ => {}
                }
                dir.append("real/current", format!("{number}\n").as_bytes());
                dir.append("link/current", format!("{number}\n").as_bytes());
            }
        });
        follow(&logs, false, &mut counted);
        assert_eq!(counted.next, [30, 30]);
    });
}

/// The line that is being written when it begins comes as a whole.
#[test]
fn what_follows_begins_with_a_line() {
    for since in [None, Some(Tai64n::from_unix(0, 0))] {
        let dir = TestDir::new();
        dir.write("current", b"7\n12");
        let (counted, told) = Counted::new(1, 124);
        let mut counted = Counted { gaps: true, ..counted };
        let wanted = Wanted { last: since.is_none().then_some(0), since, ..FOLLOW };
        std::thread::scope(|scope| {
            let dir = &dir;
            scope.spawn(move || {
                assert_eq!(told.recv(), Ok(vec![0]));
                dir.append("current", b"3\n");
            });
            follow_as(&[log(dir)], &wanted, &mut counted);
            assert_eq!(counted.next, [124]);
        });
    }
}

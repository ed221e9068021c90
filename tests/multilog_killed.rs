//! multilog killed at every step, and then at any: the next one on the same
//! pipe and the same log directories goes on as if nothing had happened. No
//! line is lost, none is torn, none is there twice.

mod compressing;
mod reopening;

use super::support::{Dir, Process, Random, testing_originals};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::channel;

/// Every point at which multilog can be killed.
const POINTS: [&str; 36] = [
    "marking",
    "undone",
    "recovering",
    "recover: opened",
    "recovered",
    "recall: taking",
    "noting",
    "noted: writing",
    "begun",
    "written",
    "secured",
    "ending",
    "ended",
    "rotate: synced",
    "rotate: renamed",
    "rotate: created",
    "rotate: finished",
    "process: done",
    "process: finished",
    "process: removed",
    "process: renamed",
    "archive: linked",
    "archive: removed",
    "rotated",
    "settled",
    "noted: taking",
    "noted: holding",
    "moved",
    "taken",
    "closing",
    "closed",
    "forgetting",
    "forgotten",
    "start: locked",
    "start: ended",
    "start: ready",
];

/// Those that only a multilog that takes over comes to.
const LATER: [&str; 3] = ["undone", "recall: taking", "start: ended"];

/// A script, and for each of its directories what of the lines it gets.
type Script = (&'static [&'static str], &'static [(&'static str, Gets)]);

const SCRIPTS: [Script; 6] = [
    (&["s4096", "n9999", "./log"], &[("log", Gets::All)]),
    (&["t", "s4096", "n9999", "./log"], &[("log", Gets::All)]),
    (
        &["t", "s4096", "n9999", "-*x*", "./log", "+*", "s5000", "./other", "e"],
        &[("log", Gets::WithoutX), ("other", Gets::All)],
    ),
    (
        &["s4500", "n9999", "./log", "-*x*", "s16777215", "./other", "=status"],
        &[("log", Gets::All), ("other", Gets::WithoutX)],
    ),
    (&["s4096", "n9999", "!cat", "./log"], &[("log", Gets::All)]),
    (
        &[
            "t",
            "E",
            "fsync=line",
            "s4096",
            "n9999",
            "-x",
            "./log",
            "+.",
            "fsync=1",
            "s5000",
            "u127.0.0.1:9",
            "./other",
        ],
        &[("log", Gets::WithoutX), ("other", Gets::All)],
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Gets {
    All,
    WithoutX,
}

/// Lines of `size` bytes together, some of them long, each with its place in
/// the input, which has `before` bytes so far.
pub(super) fn lines(random: &mut Random, before: usize, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < size {
        let len = match random.below(60) {
            0 => random.below(9000),
            1..=3 => 900 + random.below(200),
            _ => random.below(100),
        };
        let x = if random.below(3) == 0 { "x" } else { "" };
        let number = before + all.len();
        writeln!(all, "{number} {x}{}", "-".repeat(len)).unwrap();
    }
    all
}

/// What of the input is in a directory. A line without an end has got one.
fn wanted(input: &[u8], gets: Gets) -> Vec<u8> {
    let mut wanted: Vec<u8> = input
        .split_inclusive(|&b| b == b'\n')
        // A long line is judged by its beginning.
        .filter(|line| gets == Gets::All || !line[..line.len().min(970)].contains(&b'x'))
        .flatten()
        .copied()
        .collect();
    if wanted.last().is_some_and(|&b| b != b'\n') {
        wanted.push(b'\n');
    }
    wanted
}

/// All logs of a directory together, the oldest first. A log that does not
/// end with a line's end is full, or the line is a long one.
fn logged(log: &Path, stamped: bool) -> Vec<u8> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@') || n == "current").collect();
    names.sort();
    let mut all = Vec::new();
    for name in names {
        let text = fs::read(log.join(&name)).unwrap();
        all.extend(&text);
        if name.ends_with(".u") {
            let half = all.rsplit(|&b| b == b'\n').next().unwrap_or_default().len();
            assert!(
                half == 0 || half >= 1000 || text.len() >= 4096 || text.is_empty(),
                "{name} is torn"
            );
        }
    }
    if stamped { without_stamps(&all) } else { all }
}

fn without_stamps(all: &[u8]) -> Vec<u8> {
    let without = |line: &[u8]| {
        let (stamp, rest) = line.split_at(line.len().min(26));
        let is_one = stamp.starts_with(b"@4") && stamp.ends_with(b" ");
        assert!(is_one, "no stamp but {:?}", String::from_utf8_lossy(stamp));
        rest.to_vec()
    };
    all.split_inclusive(|&b| b == b'\n').flat_map(without).collect()
}

/// What is wrong with the log of numbered lines, if anything.
pub(super) fn complaint(log: &[u8], wanted: &[u8]) -> Option<String> {
    if log == wanted {
        return None;
    }
    let apart = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (found, wanted) = (apart(log), apart(wanted));
    let (is, should): (BTreeSet<_>, BTreeSet<_>) =
        (found.iter().collect(), wanted.iter().collect());
    let lost = should.difference(&is).count();
    let torn = is.difference(&should).count();
    let twice = found.len() - is.len();
    let at = found.iter().zip(&wanted).position(|(a, b)| a != b);
    let line = |lines: &[Vec<u8>]| {
        let line = at.and_then(|at| lines.get(at)).map_or(&b""[..], |line| line);
        String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned()
    };
    Some(format!(
        "of {} lines {lost} lost, {torn} torn, {twice} twice; line {at:?} is {:?} and not {:?}",
        wanted.len(),
        line(&found),
        line(&wanted)
    ))
}

struct Case<'a> {
    dir: &'a Dir,
    script: usize,
    from: OwnedFd,
    /// The size of the logs in the place of the script's, with which much
    /// would come to too many.
    size: Option<&'static str>,
}

impl Case<'_> {
    fn start(&self, kill_at: Option<&str>) -> Process {
        let words = SCRIPTS[self.script].0.iter().map(|word| match self.size {
            Some(size) if word.starts_with('s') => size,
            _ => word,
        });
        let mut command = self.dir.tool("multilog", words);
        if let Some(point) = kill_at {
            let path = self.dir.file("kill", "");
            command.env("UPKEEP_KILL_AT", format!("{point}={}", path.display()));
        }
        Process::start(command.stdin(Stdio::from(self.from.try_clone().unwrap())))
    }

    /// Runs multilog to its end, and says whether that was at the point.
    fn killed_at(&self, point: &str) -> bool {
        match self.start(Some(point)).finish().code {
            0 => false,
            137 => true,
            code => panic!("exit code {code} at {point}"),
        }
    }

    fn check(&self, input: &[u8], case: &str) {
        let (script, directories) = SCRIPTS[self.script];
        for (log, gets) in directories {
            let log = logged(&self.dir.path(log), script[0] == "t");
            if let Some(complaint) = complaint(&log, &wanted(input, *gets)) {
                panic!("{case}: {complaint}");
            }
        }
    }
}

/// A pipe that holds `input` and is at its end behind it.
pub(super) fn filled(input: &[u8]) -> OwnedFd {
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    fcntl_setpipe_size(&into, 1 << 20).unwrap();
    File::from(into).write_all(input).unwrap();
    from
}

#[test]
fn at_every_step_again_and_again() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    let mut kills = 0;
    for (script, (words, _)) in SCRIPTS.iter().enumerate() {
        let mut input = lines(&mut Random::new(script as u64 + 1), 0, 30_000);
        input.extend(b"and the beginning of a line");
        for point in POINTS {
            let dir = Dir::new();
            let case = Case { dir: &dir, script, from: filled(&input), size: None };
            for _ in 0..4 {
                if !case.killed_at(point) {
                    break;
                }
                reached.insert(point);
                kills += 1;
            }
            assert_eq!(case.start(None).finish().code, 0);
            case.check(&input, &format!("{point} in {words:?}"));
        }
    }
    // What is done only after a kill is in the next test.
    let later = BTreeSet::from(LATER);
    let missed: Vec<_> = POINTS
        .iter()
        .filter(|point| !reached.contains(*point) && !later.contains(*point))
        .collect();
    assert!(missed.is_empty(), "never at {missed:?}");
    eprintln!("killed {kills} times");
}

/// Where a multilog that takes over can be killed.
const TAKING_OVER: [&str; 14] = [
    "start: locked",
    "undone",
    "marking",
    "recovering",
    "archive: linked",
    "archive: removed",
    "recover: opened",
    "recovered",
    "recall: taking",
    "start: ended",
    "begun",
    "written",
    "noted: taking",
    "taken",
];

#[test]
fn at_every_step_and_then_while_it_takes_over() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    let mut kills = 0;
    let pairs =
        POINTS.iter().flat_map(|first| TAKING_OVER.iter().map(move |second| (first, second)));
    for (n, (first, second)) in pairs.enumerate() {
        // Each with one of the two, by turns.
        let script = [2, 4][(n + n / TAKING_OVER.len()) % 2];
        let mut input = lines(&mut Random::new(n as u64), 0, 12_000);
        input.extend(b"and the beginning of a line");
        let dir = Dir::new();
        let case = Case { dir: &dir, script, from: filled(&input), size: None };
        if case.killed_at(first) {
            kills += 1;
            if case.killed_at(second) {
                kills += 1;
                reached.insert(*second);
            }
        }
        assert_eq!(case.start(None).finish().code, 0);
        case.check(&input, &format!("{first}, {second} in {:?}", SCRIPTS[script].0));
    }
    assert_eq!(reached, BTreeSet::from(TAKING_OVER));
    eprintln!("killed {kills} times");
}

#[test]
fn with_a_line_that_comes_in_pieces() {
    if testing_originals() {
        return;
    }
    let long = "long".repeat(300);
    let pieces = ["one\nt", "w", "o", " and\n\nthree", "\n", "f", &long, &long, "ou", "r\nfi"];
    for script in [0, 1, 2] {
        for point in ["noting", "noted: holding", "noted: taking", "taken", "begun", "written"] {
            let dir = Dir::new();
            let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            let mut into = File::from(into);
            let case = Case { dir: &dir, script, from, size: None };
            let mut begun = 0;
            for piece in pieces {
                into.write_all(piece.as_bytes()).unwrap();
                let ends = piece.contains('\n');
                begun =
                    piece.rsplit('\n').next().map_or(0, str::len) + if ends { 0 } else { begun };
                // It is killed as it writes the piece, or as it holds it.
                let writes = ends || begun >= 1000;
                let holds = 0 < begun && begun < 900;
                let comes = match point {
                    "noted: holding" => holds,
                    "noting" | "taken" => holds || writes,
                    _ => writes,
                };
                if comes {
                    assert!(case.killed_at(point), "{point} with {piece}");
                }
            }
            drop(into);
            assert_eq!(case.start(None).finish().code, 0);
            case.check(pieces.concat().as_bytes(), &format!("{point} in {:?}", SCRIPTS[script].0));
        }
    }
}

#[test]
fn at_any_moment() {
    const KILLS: usize = 200;
    if testing_originals() {
        return;
    }
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = std::env::var("UPKEEP_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(clock.as_nanos() as u64 >> 10);
    // In the last, every line is like every other.
    for (script, alike) in [(0, false), (2, false), (1, true)] {
        let mut random = Random::new(seed + script as u64);
        let dir = Dir::new();
        let fifo = dir.fifo("fifo");
        let mut into = fs::OpenOptions::new().write(true).open(fifo.path()).unwrap();
        let from = File::open(fifo.path()).unwrap().into();
        let case = Case { dir: &dir, script, from, size: Some("s20000") };
        // The test holds the FIFO open for both, so that only what is written
        // counts. The writer stops wherever it is, until the next round.
        let (give, given) = channel::<Vec<u8>>();
        let writer = std::thread::spawn(move || {
            for piece in given {
                into.write_all(&piece).unwrap();
            }
        });
        let mut input = Vec::new();
        for _ in 0..KILLS {
            let mut more = lines(&mut random, input.len(), 1);
            match random.below(8) {
                0 => more.extend(vec![b'L'; random.below(100_000)]),
                1..=4 => more.extend(lines(&mut random, input.len() + more.len(), 100_000)),
                _ => more.extend(lines(&mut random, input.len() + more.len(), 2000)),
            }
            if alike {
                let line = [&[b'-'; 127][..], b"\n"].concat();
                more = line.repeat(more.len() / line.len() + 1);
            }
            let mut cut = random.below(more.len());
            if random.below(2) == 0 {
                cut = more.len();
            }
            input.extend(&more[..cut]);
            let pause = more.split_off(cut);
            give.send(more).unwrap();
            let process = case.start(None);
            let most = 1 << random.below(20);
            for _ in 0..random.below(most) {
                std::hint::spin_loop();
            }
            process.signal(Signal::KILL);
            process.ends();
            input.extend(&pause);
            give.send(pause).unwrap();
        }
        drop((give, fifo));
        assert_eq!(case.start(None).finish().code, 0);
        writer.join().unwrap();
        case.check(&input, &format!("seed {seed}, script {:?}", SCRIPTS[script].0));
        let count = input.iter().filter(|&&b| b == b'\n').count();
        eprintln!("seed {seed}: {KILLS} kills, {count} lines: none lost, torn or twice");
    }
}

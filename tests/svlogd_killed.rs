//! svlogd killed at every step, and then at any: the next one on the same pipe
//! and the same log directories goes on as if nothing had happened. No line is
//! lost, none is torn, none is there twice. And runit's svlogd and this one
//! take turns in a directory.

use super::multilog_killed::{complaint, filled, lines};
use super::support::{Changes, Dir, Process, Random, program, runit, testing_originals};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

/// Every point at which svlogd can be killed.
const POINTS: [&str; 28] = [
    "marking",
    "undone",
    "recovering",
    "runit: put aside",
    "recovered",
    "recall: taking",
    "noting",
    "noted: writing",
    "begun",
    "written",
    "ending",
    "ended",
    "runit: synced",
    "runit: finished",
    "runit: renamed",
    "runit: created",
    "rotated",
    "work: renamed",
    "work: marked",
    "work: kept",
    "work: removed",
    "settled",
    "noted: taking",
    "taken",
    "closed",
    "forgetting",
    "start: locked",
    "start: ready",
];

/// Those that only a svlogd that takes over comes to.
const LATER: [&str; 3] = ["undone", "recall: taking", "runit: put aside"];

/// The configs of `log` and `other`, and whether each gets lines with an x.
type Configs = [(&'static str, bool); 2];

const CONFIGS: [Configs; 3] = [
    [("s4000\nn0\n", true), ("s0\n-*x*\n", false)],
    [("s4000\nn0\n!cat\n-*x*\n", false), ("s5000\nn0\n-*\n+*\n", true)],
    [("s4000\nn0\n!cat; cat <&4 >&5; echo >&5\n", true), ("s900\nn0\n", true)],
];

struct Case<'a> {
    dir: &'a Dir,
    configs: Configs,
    from: OwnedFd,
}

impl<'a> Case<'a> {
    fn new(dir: &'a Dir, configs: Configs, from: OwnedFd) -> Self {
        for (log, (config, _)) in ["log", "other"].iter().zip(configs) {
            dir.mkdir(log);
            dir.file(format!("{log}/config"), config);
        }
        Self { dir, configs, from }
    }

    fn start(&self, svlogd: &Path, kill_at: Option<&str>) -> Process {
        let mut command = self.dir.command(svlogd);
        if let Some(point) = kill_at {
            let path = self.dir.file("kill", "");
            command.env("UPKEEP_KILL_AT", format!("{point}={}", path.display()));
        }
        let stdin = Stdio::from(self.from.try_clone().unwrap());
        Process::start(command.args(["log", "other"]).stdin(stdin))
    }

    /// Runs svlogd to its end, and says whether that was at the point.
    fn killed_at(&self, point: &str) -> bool {
        match self.start(&program("svlogd"), Some(point)).finish().code {
            0 => false,
            137 => true,
            code => panic!("exit code {code} at {point}"),
        }
    }

    fn check(&self, input: &[u8], case: &str) {
        for (log, (_, gets_x)) in ["log", "other"].iter().zip(self.configs) {
            let mut wanted: Vec<u8> = selected(input, gets_x).flatten().copied().collect();
            if wanted.last().is_some_and(|&b| b != b'\n') {
                wanted.push(b'\n');
            }
            if let Some(complaint) = complaint(&logged(&self.dir.path(log)), &wanted) {
                panic!("{log}, {case}: {complaint}");
            }
        }
    }
}

/// The lines that a directory gets.
fn selected(input: &[u8], gets_x: bool) -> impl DoubleEndedIterator<Item = &[u8]> {
    // A long line is judged by its beginning.
    let all = input.split_inclusive(|&b| b == b'\n');
    all.filter(move |line| gets_x || !line[..line.len().min(1000)].contains(&b'x'))
}

/// All logs of a directory together, the oldest first.
fn logged(log: &Path) -> Vec<u8> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@') || n == "current").collect();
    // What a processor was making is nobody's.
    names.retain(|name| !name.ends_with(".t"));
    names.sort();
    // One that is renamed meanwhile is left out: whoever waits looks again.
    names.iter().flat_map(|name| fs::read(log.join(name)).unwrap_or_default()).collect()
}

#[test]
fn at_every_step_again_and_again() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    let mut kills = 0;
    for (number, configs) in CONFIGS.iter().enumerate() {
        let mut input = lines(&mut Random::new(number as u64 + 1), 0, 20_000);
        input.extend(b"and the beginning of a line");
        for point in POINTS {
            let dir = Dir::new();
            let case = Case::new(&dir, *configs, filled(&input));
            for _ in 0..3 {
                if !case.killed_at(point) {
                    break;
                }
                reached.insert(point);
                kills += 1;
            }
            assert_eq!(case.start(&program("svlogd"), None).finish().code, 0);
            case.check(&input, &format!("{point} with {configs:?}"));
        }
    }
    let later = BTreeSet::from(LATER);
    let missed: Vec<_> = POINTS
        .iter()
        .filter(|point| !reached.contains(*point) && !later.contains(*point))
        .collect();
    assert!(missed.is_empty(), "never at {missed:?}");
    eprintln!("killed {kills} times");
}

#[test]
fn at_every_step_and_then_while_it_takes_over() {
    if testing_originals() {
        return;
    }
    let mut reached = BTreeSet::new();
    let second = ["undone", "recall: taking", "runit: put aside", "written", "taken", "recovered"];
    for (number, first) in POINTS.iter().enumerate() {
        for second in second {
            let dir = Dir::new();
            let mut input = lines(&mut Random::new(number as u64), 0, 9_000);
            input.extend(b"and the beginning of a line");
            let case = Case::new(&dir, CONFIGS[1 + number % 2], filled(&input));
            if case.killed_at(first) && case.killed_at(second) {
                reached.insert(second);
            }
            assert_eq!(case.start(&program("svlogd"), None).finish().code, 0);
            case.check(&input, &format!("{first}, {second}"));
        }
    }
    assert_eq!(reached, BTreeSet::from(second));
}

#[test]
fn while_it_reads_its_configs_again() {
    if testing_originals() {
        return;
    }
    for point in ["reread: closed", "start: locked", "noted: holding", "reread: opened"] {
        let dir = Dir::new();
        let (from, into) = rustix::pipe::pipe().unwrap();
        let mut into = fs::File::from(into);
        let case = Case::new(&dir, [("", true), ("-*x*\n", false)], from);
        let changes = Changes::of(&[&dir.path("log")]);
        let mut command = dir.tool("svlogd", ["-v", "log", "other"]);
        let kill = dir.path("kill");
        command.env("UPKEEP_KILL_AT", format!("{point}={}", kill.display()));
        let stdin = Stdio::from(case.from.try_clone().unwrap());
        let mut process = Process::start(command.stdin(stdin));
        process.complains("new: other/current");
        into.write_all(b"one\nha").unwrap();
        changes.until("the line", || (logged(&dir.path("log")) == b"one\n").then_some(()));
        // The beginning of the next line may be held by now, or not yet.
        dir.file("kill", "");
        process.signal(Signal::HUP);
        into.write_all(b"lf\ntwo x\n").unwrap();
        assert_eq!(process.finish().code, 137, "{point}");
        drop(into);
        assert_eq!(case.start(&program("svlogd"), None).finish().code, 0);
        case.check(b"one\nhalf\ntwo x\n", point);
    }
}

/// What is killed at a point leaves the directory so that runit's goes on, and
/// what runit's leaves is gone on with. Only what was in the pipe then may be
/// there twice, since runit's knows no journal.
#[test]
fn runits_svlogd_takes_turns_with_it() {
    let Some(runit) = runit().filter(|_| !testing_originals()) else { return };
    let theirs = runit.join("svlogd");
    for (number, point) in POINTS.iter().enumerate() {
        let dir = Dir::new();
        let configs = CONFIGS[number % 2];
        let mut all = Vec::new();
        let mut random = Random::new(number as u64);
        let mut more = |size| {
            let input = lines(&mut random, all.len(), size);
            all.extend(&input);
            input
        };
        let first = more(9000);
        let case = Case::new(&dir, configs, filled(&first));
        // The pipe is still full for the one after it, if anything is left.
        case.killed_at(point);
        let done = case.start(&theirs, None).finish();
        assert_eq!((done.code, done.err()), (0, String::new()), "{point}");
        let case = Case::new(&dir, configs, filled(&more(7000)));
        let done = case.start(&program("svlogd"), None).finish();
        assert_eq!((done.code, done.err()), (0, String::new()), "{point}");
        // Runit's is killed as well.
        let (from, into) = rustix::pipe::pipe().unwrap();
        let case = Case::new(&dir, configs, from);
        let process = case.start(&theirs, None);
        let input = more(3000);
        let mut into = fs::File::from(into);
        into.write_all(&input).unwrap();
        let changes = Changes::of(&[&dir.path("log"), &dir.path("other")]);
        changes.until("the last lines", || {
            let is_there = ["log", "other"].iter().zip(configs).all(|(log, (_, gets_x))| {
                let last = selected(&input, gets_x).next_back().unwrap();
                logged(&dir.path(log)).ends_with(last)
            });
            is_there.then_some(())
        });
        process.signal(Signal::KILL);
        // Its processor may have had the lock for a moment.
        process.finish();
        drop(into);
        let case = Case::new(&dir, configs, filled(&more(3000)));
        let done = case.start(&program("svlogd"), None).finish();
        assert_eq!((done.code, done.err()), (0, String::new()), "{point}");
        for (log, (_, gets_x)) in ["log", "other"].iter().zip(configs) {
            let found = logged(&dir.path(log));
            let found: BTreeSet<_> = found.split_inclusive(|&b| b == b'\n').collect();
            let lost = selected(&all, gets_x).filter(|line| !found.contains(line)).count();
            assert_eq!(lost, 0, "lines lost in {log}, {point}");
        }
    }
}

/// s6-log as well.
#[test]
fn at_any_moment() {
    const KILLS: usize = 100;
    if testing_originals() {
        return;
    }
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = std::env::var("UPKEEP_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(clock.as_nanos() as u64 >> 10);
    let svlogd: &[&str] = &["-t", "log"];
    let s6_log: &[&str] = &["n9999", "s20000", "t", "./log"];
    for (tool, words) in [("svlogd", svlogd), ("s6-log", s6_log)] {
        let mut random = Random::new(seed);
        let dir = Dir::new();
        dir.mkdir("log");
        dir.file("log/config", "s20000\nn0\n");
        let fifo = dir.fifo("fifo");
        let mut into = fs::OpenOptions::new().write(true).open(fifo.path()).unwrap();
        let from: OwnedFd = fs::File::open(fifo.path()).unwrap().into();
        let start = || {
            let stdin = Stdio::from(from.try_clone().unwrap());
            Process::start(dir.tool(tool, words).stdin(stdin))
        };
        // The test holds the FIFO open for both, so that only what is written
        // counts. The writer stops wherever it is, until the next round.
        let (give, given) = std::sync::mpsc::channel::<Vec<u8>>();
        let writer = std::thread::spawn(move || {
            for piece in given {
                into.write_all(&piece).unwrap();
            }
        });
        let mut input = Vec::new();
        for _ in 0..KILLS {
            let size = random.one_of(&[1, 2000, 100_000]);
            let mut more = lines(&mut random, input.len(), size);
            let pause = more.split_off(random.below(more.len()));
            input.extend(&more);
            give.send(more).unwrap();
            let process = start();
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
        assert_eq!(start().finish().code, 0);
        writer.join().unwrap();
        let found = logged(&dir.path("log"));
        let without = |line: &[u8]| {
            assert!(line.starts_with(b"@4") && line[25] == b' ', "seed {seed}");
            line[26..].to_vec()
        };
        let found: Vec<u8> = found.split_inclusive(|&b| b == b'\n').flat_map(without).collect();
        if let Some(complaint) = complaint(&found, &input) {
            panic!("seed {seed}, {tool}: {complaint}");
        }
    }
}

//! multilog beside the original: the same input and the same script leave the
//! same files with the same bytes and modes, and say the same. Each case is
//! made from a seed, which a failure prints. UPKEEP_CASES multiplies them.

use super::support::{Dir, Process, Random, originals, program};
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

/// Lengths at which something changes.
const LENGTHS: [usize; 17] =
    [0, 1, 25, 26, 199, 200, 201, 511, 512, 513, 973, 974, 975, 999, 1000, 1001, 2048];

fn line(random: &mut Random, kind: usize) -> Vec<u8> {
    let len = match kind {
        0..=5 => random.below(120),
        6 | 7 => random.one_of(&LENGTHS),
        8 => random.below(3000),
        _ => random.below(300),
    };
    let binary = random.below(8) == 0;
    let mut line: Vec<u8> = (0..len)
        .map(|_| match random.below(256) {
            10 => 0,
            n if binary => u8::try_from(n).unwrap(),
            n => b"abcdef :*x"[n % 10],
        })
        .collect();
    if random.below(5) == 0 {
        line.splice(..0, *b"abc: ");
    }
    line
}

fn input(random: &mut Random, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mood = random.below(4);
    while all.len() < size {
        let kind = if mood == 0 { random.below(10) } else { random.below(7 + mood) };
        all.extend(line(random, kind));
        all.push(b'\n');
    }
    if random.below(20) == 0 {
        let middle = random.below(all.len());
        all.splice(middle..middle, vec![b'L'; random.below(100_000)]);
    }
    if random.below(2) == 0 {
        all.pop();
    }
    all
}

const PLAIN: [&str; 12] =
    ["*", "", "a*", "abc: *", "*x*", "*: *", "*abc*", "* *b*", "*c", "**a*", "b*", "* *"];
const STAMPED: [&str; 12] = [
    "*",
    "",
    "b*",
    "@* a*",
    "@* abc: *",
    "*x*",
    "*: *",
    "* *b*",
    "@* *abc*",
    "*x",
    "@* *c",
    "@* **b",
];

fn script(random: &mut Random) -> Vec<String> {
    let mut script = Vec::new();
    if random.below(3) == 0 {
        script.push("t".to_owned());
    }
    // The digits of a stamp are not the same for both, so that a pattern for
    // stamped lines must not depend on them.
    let patterns = if script.is_empty() { &PLAIN } else { &STAMPED };
    let mut directories = 0;
    for _ in 0..1 + random.below(9) {
        let pattern = random.one_of(patterns);
        match random.below(11) {
            0 | 1 => script.push(format!("-{pattern}")),
            2 | 3 => script.push(format!("+{pattern}")),
            4 => script.push("e".to_owned()),
            5 => script.push(format!("=status{}", random.below(2))),
            6 => script.push(format!("n{}", random.below(12))),
            7 => script.push(
                random.one_of(&["s4096", "s5000", "s1", "s20000", "s99999x", "s65536"]).to_owned(),
            ),
            8 if random.below(3) == 0 => {
                script.push("!tr a b; cat <&4 >&5; echo run >&5".to_owned());
            }
            _ => {
                script.push(format!("./log{directories}"));
                directories += 1;
            }
        }
    }
    script
}

/// Everything that a run leaves: names, modes and bytes, without the moment.
fn tree(dir: &Path, stamped: bool) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let mode = entry.metadata().unwrap().mode();
        if entry.file_type().unwrap().is_dir() {
            found.insert(name.clone(), (mode, Vec::new()));
            for (inner, what) in log_tree(&entry.path(), stamped) {
                found.insert(format!("{name}/{inner}"), what);
            }
        } else {
            let mut text = fs::read(entry.path()).unwrap();
            if stamped {
                hide_stamps(&mut text);
            }
            found.insert(name, (mode, text));
        }
    }
    found
}

fn log_tree(dir: &Path, stamped: bool) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    // Old logs come first, the oldest first, and then current: in the order
    // in which they were written, so that a stamp may be cut in two.
    names.sort();
    let mut all = Vec::new();
    let mut found = BTreeMap::new();
    for (number, name) in names.iter().enumerate() {
        let path = dir.join(name);
        let shown = match name.rsplit_once('.') {
            Some((label, code)) if label.len() == 25 => format!("@{number:04}.{code}"),
            _ => name.clone(),
        };
        // What the lock holds is nobody's business.
        let text = if name == "lock" { Vec::new() } else { fs::read(&path).unwrap() };
        let log = name.starts_with('@') || name == "current";
        let range = all.len()..all.len() + text.len();
        found
            .insert(shown, (fs::metadata(&path).unwrap().mode(), log, range.clone(), text.clone()));
        if log {
            all.extend(text);
        }
    }
    if stamped {
        hide_stamps(&mut all);
    }
    found
        .into_iter()
        .map(|(name, (mode, log, range, text))| {
            (name, (mode, if log { all[range].to_vec() } else { text }))
        })
        .collect()
}

/// The digits of the moment that are not the same for both.
fn hide_stamps(text: &mut [u8]) {
    let mut first = true;
    for line in text.split_mut(|&b| b == b'\n') {
        let stamp = if first { line.len().min(26) } else { 25.min(line.len()) };
        if first || line.first() == Some(&b'@') {
            line[..stamp].fill(b'@');
        }
        first = false;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Through {
    File,
    Pipe,
}

fn run(
    dir: &Dir,
    multilog: &Path,
    script: &[String],
    input: &[u8],
    through: Through,
) -> (i32, Vec<u8>) {
    let stdin = match through {
        Through::File => {
            let path = dir.path("../input");
            let path = path.with_file_name(format!(
                "{}.input",
                dir.path("").file_name().unwrap().to_str().unwrap()
            ));
            fs::write(&path, input).unwrap();
            let file = File::open(&path).unwrap();
            fs::remove_file(&path).unwrap();
            Stdio::from(file)
        }
        Through::Pipe => {
            let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            rustix::pipe::fcntl_setpipe_size(&into, 1 << 20).unwrap();
            File::from(into).write_all(input).unwrap();
            Stdio::from(from)
        }
    };
    let mut command = dir.command(multilog);
    command.args(script).stdin(stdin);
    let finished = Process::start(&mut command).finish();
    assert_eq!(finished.out, b"");
    (finished.code, finished.err)
}

fn compare(seed: u64, script: &[String], inputs: &[Vec<u8>], through: Through) {
    let Some(originals) = originals() else { return };
    let stamped = script.first().is_some_and(|first| first == "t");
    let case = format!("seed {seed}: {script:?}");
    let (ours, theirs) = (Dir::new(), Dir::new());
    for input in inputs {
        let mut our_end = run(&ours, &program("multilog"), script, input, through);
        let mut their_end = run(&theirs, &originals.join("multilog"), script, input, through);
        if stamped {
            hide_stamps(&mut our_end.1);
            hide_stamps(&mut their_end.1);
        }
        assert_eq!(our_end.0, their_end.0, "exit code, {case}");
        assert!(our_end.1 == their_end.1, "standard error, {case}");
        let our_tree = tree(&ours.path(""), stamped);
        let their_tree = tree(&theirs.path(""), stamped);
        let shape = |tree: &BTreeMap<String, (u32, Vec<u8>)>| -> Vec<_> {
            tree.iter()
                .map(|(name, (mode, text))| format!("{mode:o} {:7} {name}", text.len()))
                .collect()
        };
        assert_eq!(shape(&our_tree), shape(&their_tree), "files, {case}");
        for (name, (_, text)) in &our_tree {
            assert!(*text == their_tree[name].1, "{name} differs, {case}");
        }
    }
}

fn cases(first: u64, count: u64, case: impl Fn(u64)) {
    let factor = std::env::var("UPKEEP_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    (first..first + count * factor).for_each(case);
}

#[test]
fn any_script_on_a_file() {
    cases(1, 40, |seed| {
        let mut random = Random::new(seed);
        let script = script(&mut random);
        let sizes = [random.below(3000), random.below(200_000)];
        let inputs = sizes.map(|size| input(&mut random, size));
        compare(seed, &script, &inputs, Through::File);
    });
}

#[test]
fn any_script_on_a_full_pipe() {
    cases(100_001, 30, |seed| {
        let mut random = Random::new(seed);
        let script = script(&mut random);
        let sizes = [random.below(300_000), random.below(3000)];
        let inputs = sizes.map(|size| input(&mut random, size));
        compare(seed, &script, &inputs, Through::Pipe);
    });
}

#[test]
fn plain_copies_of_every_size() {
    cases(200_001, 30, |seed| {
        let mut random = Random::new(seed);
        let size = 4096 + random.below(140_000);
        let script = [
            format!("s{size}"),
            "n100".to_owned(),
            "./a".to_owned(),
            "s30000".to_owned(),
            "./b".to_owned(),
        ];
        let bytes = random.below(400_000);
        let inputs = [input(&mut random, bytes), input(&mut random, 100)];
        compare(seed, &script[..3 + 2 * random.below(2)], &inputs, Through::File);
    });
}

#[test]
fn a_line_of_megabytes() {
    for (seed, script) in [["t", "-*b", "./log"], ["s50000", "n1000", "./log"]].iter().enumerate() {
        let mut random = Random::new(7);
        let mut text = input(&mut random, 5000);
        text.extend(vec![b'b'; 3_000_000]);
        text.extend(b"\nand a short one");
        let script = script.map(str::to_owned);
        compare(seed as u64, &script, &[text], Through::File);
    }
}

#[test]
fn the_messages_at_the_start() {
    let Some(originals) = originals() else { return };
    for script in [
        &["./a/b"][..],
        &["/proc/nowhere"],
        &["=no/such/file"],
        &["=directory"],
        &["./file"],
        &["./directory", "./directory"],
        &["./lockless"],
        &["./currentless"],
        &["./stateless"],
        &["./loop"],
        &["nonsense", "", "x"],
        &[],
    ] {
        let outcome = |multilog: &Path| {
            let dir = Dir::new();
            dir.mkdir("directory");
            dir.file("file", "");
            dir.mkdir("lockless/lock");
            dir.mkdir("currentless/current/x");
            dir.mkdir("stateless/state/x");
            std::os::unix::fs::symlink("loop", dir.path("loop")).unwrap();
            let script: Vec<_> = script.iter().map(|&s| s.to_owned()).collect();
            let (code, err) = run(&dir, multilog, &script, b"a\nb", Through::File);
            (code, String::from_utf8(err).unwrap())
        };
        assert_eq!(
            outcome(&program("multilog")),
            outcome(&originals.join("multilog")),
            "{script:?}"
        );
    }
}

#[test]
fn a_status_file_that_was_longer() {
    let Some(originals) = originals() else { return };
    let left = |multilog: &Path| {
        let dir = Dir::new();
        dir.file("status", vec![b'z'; 3000]);
        run(&dir, multilog, &["=status".to_owned()], b"one\ntwo\n", Through::Pipe);
        let mut text = Vec::new();
        File::open(dir.path("status")).unwrap().read_to_end(&mut text).unwrap();
        text
    };
    assert_eq!(left(&program("multilog")), left(&originals.join("multilog")));
}

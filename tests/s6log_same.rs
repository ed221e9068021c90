//! s6-log beside s6's: the same input and the same script leave the same files
//! with the same bytes and modes, and say the same. A line comes at a time, so
//! that s6's, which ends a log where what it has read ends, ends it where this
//! one does. Each case is made from a seed, which a failure prints.
//! UPKEEP_CASES multiplies them.

use super::support::{Dir, Process, Random, program, s6};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

const PATTERNS: [&str; 14] = [
    "",
    "a",
    "^a",
    "b$",
    "^abc: ",
    "x",
    "a+b",
    "(a|b)c",
    "[^a-c]d",
    "^$",
    "^.{0,30}$",
    "d{2,3}",
    "\\*",
    "e.*f.*a",
];

/// Lines without a NUL, which ends them for s6's patterns.
fn lines(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let line = |random: &mut Random| {
        let len = match random.below(12) {
            0 => 0,
            1 => random.one_of(&[196, 199, 200, 203, 204, 900, 999]),
            2 => random.below(999),
            _ => random.below(120),
        };
        let mut line = if random.below(5) == 0 && len < 900 { b"abc: ".to_vec() } else { vec![] };
        line.extend((0..len).map(|_| b"abcdef :*x"[random.below(10)]));
        line.push(b'\n');
        line
    };
    (0..count).map(|_| line(random)).collect()
}

fn script(random: &mut Random) -> Vec<String> {
    let mut script = Vec::new();
    let (mut directories, mut outputs) = (0, 0);
    for _ in 0..3 + random.below(12) {
        let pattern = random.one_of(&PATTERNS);
        script.push(match random.below(22) {
            0 | 1 => format!("+{pattern}"),
            2 | 3 => format!("-{pattern}"),
            4 | 5 => "f".to_owned(),
            6 => format!("n{}", random.below(6)),
            7 => random.one_of(&["s4096", "s5000", "s1", "s20000"]).to_owned(),
            8 => random.one_of(&["l0", "l1000", "l2048"]).to_owned(),
            9 => random.one_of(&["S0", "S9000", "S30000"]).to_owned(),
            10 => random.one_of(&["E0", "E3", "E200", "E500"]).to_owned(),
            11 => random.one_of(&["^5", "^0", "^1001", "^60"]).to_owned(),
            12 | 13 => "t".to_owned(),
            14 => "T".to_owned(),
            15 => random.one_of(&["p", "pab:", "pc"]).to_owned(),
            16 => random.one_of(&["r100", "?tr a b; cat <&4 >&5; echo run >&5", "?"]).to_owned(),
            17 => "2".to_owned(),
            18 => format!("=status{}", random.below(2)),
            19 if outputs == 0 => {
                outputs += 1;
                "1".to_owned()
            }
            _ => {
                directories += 1;
                format!("./log{directories}")
            }
        });
    }
    script
}

/// All that a run leaves: names, modes and bytes, without the moment.
fn tree(dir: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut found = BTreeMap::new();
    for (number, name) in names.iter().enumerate() {
        let path = dir.join(name);
        let mode = fs::metadata(&path).unwrap().mode();
        if path.is_dir() {
            found.insert(name.clone(), (mode, Vec::new()));
            for (inner, what) in tree(&path) {
                found.insert(format!("{name}/{inner}"), what);
            }
            continue;
        }
        // What the lock holds is nobody's business.
        let mut text = if name == "lock" { Vec::new() } else { fs::read(&path).unwrap() };
        hide_stamps(&mut text);
        let shown = match name.rsplit_once('.') {
            Some((label, letter)) if label.len() == 25 => format!("@{number:04}.{letter}"),
            _ => name.clone(),
        };
        found.insert(shown, (mode, text));
    }
    found
}

/// No line has digits but those of the moment, which is not the same for both.
fn hide_stamps(text: &mut [u8]) {
    for at in 0..text.len() {
        let label = text[at] == b'@';
        let hex = text[at..].iter().skip(1).take(24).filter(|b| b.is_ascii_hexdigit()).count();
        if label && hex == 24 {
            text[at + 1..at + 25].fill(b'@');
        }
        if text[at].is_ascii_digit() {
            text[at] = b'0';
        }
    }
}

fn run(dir: &Dir, s6_log: &Path, script: &[String], lines: &[Vec<u8>]) -> (i32, Vec<u8>, Vec<u8>) {
    let (from, into) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let process =
        Process::start(dir.command(s6_log).args(script).env("TZ", "UTC").stdin(Stdio::from(from)));
    let lines = lines.to_vec();
    let writer = std::thread::spawn(move || {
        for line in lines {
            // If nobody reads it any more, the exit code tells why.
            if rustix::io::write(&into, &line).is_err() {
                return;
            }
        }
    });
    let mut done = process.finish();
    writer.join().unwrap();
    hide_stamps(&mut done.out);
    hide_stamps(&mut done.err);
    (done.code, done.out, done.err)
}

#[test]
fn any_script_line_by_line() {
    let Some(s6) = s6() else { return };
    let factor = std::env::var("UPKEEP_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in 1..=30 * factor {
        let mut random = Random::new(seed);
        let script = script(&mut random);
        let case = format!("seed {seed}: {script:?}");
        let (ours, theirs) = (Dir::new(), Dir::new());
        for count in [random.below(30), random.below(400), random.below(10)] {
            let lines = lines(&mut random, count);
            let our_end = run(&ours, &program("s6-log"), &script, &lines);
            let their_end = run(&theirs, &s6.join("s6-log"), &script, &lines);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&our_end.2), text(&their_end.2), "standard error, {case}");
            assert_eq!(our_end.0, their_end.0, "exit code, {case}");
            assert_eq!(text(&our_end.1), text(&their_end.1), "standard output, {case}");
            let (our_tree, their_tree) = (tree(&ours.path("")), tree(&theirs.path("")));
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
}

#[test]
fn the_messages_at_the_start() {
    let Some(s6) = s6() else { return };
    for words in [
        &[][..],
        &["-x", "1"],
        &["-l", "x", "1"],
        &["-l"],
        &["-d", "2", "1"],
        &["-d", "x", "1"],
        &["f"],
        &["n20"],
        &["x", "1"],
        &["", "1"],
        &["nx", "1"],
        &["s", "1"],
        &["S18446744073709551616", "1"],
        &["tt", "1"],
        &["=", "1"],
        &["22"],
        &["s5000", "l3000", "1"],
        &["1", "+a"],
        &["-q", "1", "+a"],
        &["-qv", "1", "f"],
        &["1", "n3"],
        &["-bpl100", "-v", "1"],
        &["--", "-a", "1"],
    ] {
        let outcome = |s6_log: &Path| {
            let dir = Dir::new();
            let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
            run(&dir, s6_log, &words, &[b"a\n".to_vec(), b"b\n".to_vec()])
        };
        assert_eq!(outcome(&program("s6-log")), outcome(&s6.join("s6-log")), "{words:?}");
    }
}

/// Their words for an error are the C library's.
#[test]
fn trouble_with_a_directory() {
    let Some(s6) = s6() else { return };
    for words in [["./a/b"], ["./file"], ["./lockless"], ["./currentless"]] {
        let outcome = |s6_log: &Path| {
            let dir = Dir::new();
            dir.file("file", "");
            dir.mkdir("lockless/lock");
            dir.mkdir("currentless/current/x");
            let words = words.map(str::to_owned);
            run(&dir, s6_log, &words, &[b"a\n".to_vec()]).0
        };
        assert_eq!(outcome(&program("s6-log")), outcome(&s6.join("s6-log")), "{words:?}");
    }
}

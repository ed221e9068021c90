//! svlogd beside runit's: the same input, options and configs leave the same
//! files with the same bytes and modes, and say the same. Each case is made
//! from a seed, which a failure prints. UPKEEP_CASES multiplies them.

use super::support::{Changes, Dir, Process, Random, deadline, program, runit};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

/// Lengths at which something changes.
const LENGTHS: [usize; 12] = [0, 1, 99, 100, 101, 999, 1000, 1001, 1023, 1024, 1025, 3000];
const PATTERNS: [&str; 16] = [
    "*", "", "a*", "abc: *", "*x*", "*: *", "*abc*", "* *b*", "*c", "**a*", "b*", "+a*", "*: +b*",
    "+ab*", "*+a*", "_*",
];

fn input(random: &mut Random, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < size {
        let len = match random.below(10) {
            0 => random.one_of(&LENGTHS),
            1 => random.below(3000),
            _ => random.below(120),
        };
        let binary = random.below(8) == 0;
        if random.below(5) == 0 {
            all.extend(b"abc: ");
        }
        all.extend((0..len).map(|_| match random.below(256) {
            10 => 0,
            n if binary => u8::try_from(n).unwrap(),
            n => b"abcdef :*x"[n % 10],
        }));
        all.push(b'\n');
    }
    all
}

/// Whether the original would look behind the end of a line, where anything
/// may be.
fn looks_too_far(mut pattern: &[u8], mut line: &[u8]) -> bool {
    while let Some((&byte, rest)) = pattern.split_first() {
        pattern = rest;
        match (byte, pattern.first()) {
            (b'*', None) => return false,
            (b'*', Some(next)) => match line.iter().position(|byte| byte == next) {
                Some(at) => line = &line[at..],
                None => return false,
            },
            (b'+', None) => return true,
            (b'+', Some(next)) => {
                if line.is_empty() {
                    return true;
                }
                let run = line.iter().take_while(|byte| *byte == next).count();
                line = &line[run..];
                if run == 0 || line.is_empty() {
                    return false;
                }
                pattern = &pattern[1..];
            }
            _ => match line.split_first() {
                Some((&first, after)) if first == byte => line = after,
                _ => return false,
            },
        }
    }
    false
}

struct Case {
    options: Vec<String>,
    configs: Vec<Option<String>>,
}

fn config(random: &mut Random, window: usize, inputs: &[Vec<u8>]) -> Option<String> {
    if random.below(6) == 0 {
        return None;
    }
    let mut lines = Vec::new();
    for _ in 0..random.below(7) {
        let pattern = random.one_of(&PATTERNS);
        let lines_of = inputs.iter().flat_map(|input| input.split(|&b| b == b'\n'));
        let far = lines_of
            .map(|line| &line[..line.len().min(window)])
            .any(|line| looks_too_far(pattern.as_bytes(), line));
        let pattern = if far { "*b*" } else { pattern };
        lines.push(match random.below(12) {
            0 | 1 => format!("-{pattern}"),
            2 | 3 => format!("+{pattern}"),
            4 => format!("e{pattern}"),
            5 => format!("E{pattern}"),
            6 => format!("n{}", random.below(12)),
            7 | 8 => {
                random.one_of(&["s1500", "s0", "s5000", "s3k", "s400", "s20000x", "s"]).to_owned()
            }
            9 => random.one_of(&["# s1", "", "pab: ", "p", "x", " n1"]).to_owned(),
            10 if random.below(2) == 0 => "!tr a b; cat <&4 >&5; echo run >&5".to_owned(),
            _ => random.one_of(&["u1.2", "Nx", "u1.2.3.4:0", "t0"]).to_owned(),
        });
    }
    let end = if random.below(3) == 0 { "" } else { "\n" };
    Some(lines.join("\n") + end)
}

fn case(random: &mut Random, inputs: &[Vec<u8>]) -> Case {
    let mut options = Vec::new();
    let mut window = 1000;
    match random.below(8) {
        0 => options.push("-t".to_owned()),
        1 => options.push("-tt".to_owned()),
        2 => options.push("-ttt".to_owned()),
        3 => options.extend(["-t", "-t", "-t"].map(str::to_owned)),
        _ => {}
    }
    match random.below(8) {
        0 => options.push("-r.".to_owned()),
        1 => options.extend(["-R", "ab:"].map(str::to_owned)),
        2 => options.extend(["-R", "x", "-r", "a"].map(str::to_owned)),
        _ => {}
    }
    if random.below(4) == 0 {
        window = random.one_of(&[1, 10, 100, 999]);
        options.push(format!("-l{window}"));
    }
    if random.below(4) == 0 {
        options.extend(["-b", "1001"].map(str::to_owned));
    }
    let configs = (0..1 + random.below(3)).map(|_| config(random, window, inputs)).collect();
    Case { options, configs }
}

/// All that a run leaves: names, modes and bytes, without the moment.
fn tree(dir: &Path, stamp: usize) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    // Old logs come first, the oldest first, and then current: in the order
    // in which they were written, so that a stamp may be cut in two.
    names.sort();
    let (mut all, mut found) = (Vec::new(), Vec::new());
    for (number, name) in names.iter().enumerate() {
        let log = name.starts_with('@') || name == "current";
        // What the lock holds is nobody's business.
        let text = if name == "lock" { Vec::new() } else { fs::read(dir.join(name)).unwrap() };
        let shown = match name.rsplit_once('.') {
            Some((_, letter)) => format!("@{number:04}.{letter}"),
            None => name.clone(),
        };
        let mode = fs::metadata(dir.join(name)).unwrap().mode();
        found.push((shown, mode, log.then_some(all.len()), text.clone()));
        if log {
            all.extend(text);
        }
    }
    hide_stamps(&mut all, stamp);
    found
        .into_iter()
        .map(|(name, mode, log, text)| match log {
            Some(start) => (name, (mode, all[start..start + text.len()].to_vec())),
            None => (name, (mode, text)),
        })
        .collect()
}

/// The digits of the moment are not the same for both.
fn hide_stamps(text: &mut [u8], stamp: usize) {
    for (number, line) in text.split_mut(|&b| b == b'\n').enumerate() {
        // The first log that is left may begin in the middle of one.
        if number == 0 || line.first().is_some_and(|&b| b == b'@' || b == b'2') {
            let end = stamp.min(line.len());
            line[..end].fill(b'@');
        }
    }
}

fn piped(input: &[u8]) -> Stdio {
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    rustix::pipe::fcntl_setpipe_size(&into, 1 << 20).unwrap();
    File::from(into).write_all(input).unwrap();
    Stdio::from(from)
}

fn run(dir: &Dir, svlogd: &Path, words: &[String], input: &[u8]) -> (i32, Vec<u8>) {
    let mut command = dir.command(svlogd);
    let finished = Process::start(command.args(words).stdin(piped(input))).finish();
    assert_eq!(finished.out, b"");
    (finished.code, finished.err)
}

fn compare(seed: u64, case: &Case, inputs: &[Vec<u8>]) {
    let Some(runit) = runit() else { return };
    let shown = format!("seed {seed}: {:?} {:?}", case.options, case.configs);
    let (ours, theirs) = (Dir::new(), Dir::new());
    let mut words = case.options.clone();
    for (number, config) in case.configs.iter().enumerate() {
        words.push(format!("log{number}"));
        for dir in [&ours, &theirs] {
            dir.mkdir(format!("log{number}"));
            if let Some(config) = config {
                dir.file(format!("log{number}/config"), config);
            }
        }
    }
    let stamps: usize = case.options.iter().map(|option| option.matches('t').count()).sum();
    let stamp = if stamps > 0 { 26 } else { 0 };
    for input in inputs {
        let mut our_end = run(&ours, &program("svlogd"), &words, input);
        let mut their_end = run(&theirs, &runit.join("svlogd"), &words, input);
        hide_stamps(&mut our_end.1, stamp);
        hide_stamps(&mut their_end.1, stamp);
        assert_eq!(our_end.0, their_end.0, "exit code, {shown}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&our_end.1), text(&their_end.1), "standard error, {shown}");
        for number in 0..case.configs.len() {
            let log = format!("log{number}");
            let our_tree = tree(&ours.path(&log), stamp);
            let their_tree = tree(&theirs.path(&log), stamp);
            let shape = |tree: &BTreeMap<String, (u32, Vec<u8>)>| -> Vec<_> {
                tree.iter()
                    .map(|(name, (mode, text))| format!("{mode:o} {:7} {name}", text.len()))
                    .collect()
            };
            assert_eq!(shape(&our_tree), shape(&their_tree), "files of {log}, {shown}");
            for (name, (_, text)) in &our_tree {
                assert!(*text == their_tree[name].1, "{log}/{name} differs, {shown}");
            }
        }
    }
}

#[test]
fn any_config_on_any_input() {
    let factor = std::env::var("UPKEEP_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in 1..=60 * factor {
        let mut random = Random::new(seed);
        let sizes = [random.below(3000), random.below(60_000), random.below(200)];
        let inputs = sizes.map(|size| input(&mut random, size));
        let case = case(&mut random, &inputs);
        compare(seed, &case, &inputs);
    }
}

#[test]
fn the_messages_at_the_start() {
    let Some(runit) = runit() else { return };
    for words in [
        &[][..],
        &["-x", "log"],
        &["-l"],
        &["-r", "ab", "log"],
        &["-r", "", "log"],
        &["-b", "1000", "log"],
        &["-l", "2000", "log"],
        &["-l5x", "-b6", "log"],
        &["none"],
        &["none", "log"],
        &["-v", "log"],
        &["-vv", "none", "log"],
        &["log", "log"],
        &["-v", "file"],
        &["-v", "lockless"],
        &["-v", "currentless"],
        &["-v", "unfinished"],
        &["-v", "finished"],
        &["-v", "strange"],
        &["-v", "bad"],
        &["-v", "rotates"],
        &["-v", "--", "log"],
    ] {
        let outcome = |svlogd: &Path| {
            let dir = Dir::new();
            for name in ["log", "unfinished", "finished", "strange", "bad", "rotates"] {
                dir.mkdir(name);
            }
            dir.file("file", "");
            dir.mkdir("lockless/lock");
            dir.mkdir("currentless");
            std::os::unix::fs::symlink("current", dir.path("currentless/current")).unwrap();
            dir.file("unfinished/current", "x\n");
            let finished = dir.file("finished/current", "x\n");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o744);
            fs::set_permissions(finished, mode).unwrap();
            dir.mkdir("strange/config");
            dir.file("bad/config", "u1.2\nUx\nu1.2.3.4:x\n");
            dir.file("rotates/config", "s1001\nn1\n");
            let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
            let (code, err) = run(&dir, svlogd, &words, b"a\nb\nc\n");
            let path = svlogd.to_str().unwrap();
            let err = String::from_utf8(err).unwrap().replace(path, "svlogd");
            let hidden: Vec<_> = err
                .split('@')
                .enumerate()
                .map(|(part, text)| if part == 0 { text } else { &text[24..] })
                .collect();
            (code, hidden.join("@"))
        };
        assert_eq!(outcome(&program("svlogd")), outcome(&runit.join("svlogd")), "{words:?}");
    }
}

/// The original hears a signal that comes just before it waits only when
/// something else comes.
fn until_it_waits(process: &Process) {
    let (stat, until) = (format!("/proc/{}/stat", process.pid()), deadline());
    let sleeps = || fs::read_to_string(&stat).unwrap().contains(") S ");
    while !sleeps() {
        assert!(std::time::Instant::now() < until, "it never waits");
        std::thread::yield_now();
    }
}

/// Signals between lines, each when what came before has been done: both are
/// left the same.
#[test]
fn signals_in_between() {
    let Some(runit) = runit() else { return };
    let left = |svlogd: &Path| {
        let dir = Dir::new();
        let (one, two) = (dir.mkdir("one"), dir.mkdir("two"));
        dir.file("one/config", "s2000\nn3\n");
        dir.file("two/config", "-*b*\npfirst: \n");
        let mut command = dir.command(svlogd);
        let mut process = Process::start(command.args(["-v", "one", "two"]).stdin(Stdio::piped()));
        let mut stdin = process.stdin();
        let mut said = vec![process.complains("new: two/current")];
        // The line may have been the last of its log.
        let has = |log: &Path, line: &str| {
            let mut files = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
            files.any(|file| fs::read(file).is_ok_and(|text| text.ends_with(line.as_bytes())))
        };
        let changes = Changes::of(&[&one, &two]);
        let mut give = |line: &str| {
            stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
            let line = format!("{line}\n");
            changes.until(&line, || has(&one, &line).then_some(()));
        };
        give("a line");
        give("a line with a b");
        until_it_waits(&process);
        process.signal(Signal::ALARM);
        said.push(process.complains("sigalarm received."));
        for log in ["one", "two"] {
            process.complains(&format!("rename: {log}/current"));
        }
        // Nothing has come since.
        until_it_waits(&process);
        process.signal(Signal::ALARM);
        said.push(process.complains("sigalarm received."));
        until_it_waits(&process);
        give("another");
        dir.file("one/config", "s1500\nn2\n");
        dir.file("two/config", "psecond: \n# -*\n");
        until_it_waits(&process);
        process.signal(Signal::HUP);
        for what in ["sighangup", "append: two"] {
            said.push(process.complains(what));
        }
        for number in 0..60 {
            give(&format!("b {number} {}", "-".repeat(number)));
        }
        fs::remove_file(dir.path("two/config")).unwrap();
        until_it_waits(&process);
        process.signal(Signal::HUP);
        process.complains("append: two/current");
        give("the last one");
        until_it_waits(&process);
        process.signal(Signal::TERM);
        said.push(process.complains("sigterm received."));
        assert_eq!(process.finish().code, 0);
        (said, tree(&one, 0), tree(&two, 0))
    };
    let (ours, theirs) = (left(&program("svlogd")), left(&runit.join("svlogd")));
    assert_eq!(ours.0, theirs.0);
    let text = |tree: &BTreeMap<String, (u32, Vec<u8>)>| -> Vec<_> {
        let line = |(name, (mode, text)): (&String, &(u32, Vec<u8>))| {
            format!("{name} {mode:o} {}", String::from_utf8_lossy(text))
        };
        tree.iter().map(line).collect()
    };
    assert_eq!(text(&ours.1), text(&theirs.1));
    assert_eq!(text(&ours.2), text(&theirs.2));
}

/// With `N` the oldest logs go when the disk is full, and not more than that.
#[test]
fn a_full_disk() {
    let may_mount = rustix::process::geteuid().is_root()
        && std::process::Command::new("unshare")
            .args(["-m", "true"])
            .status()
            .is_ok_and(|status| status.success());
    let Some(runit) = runit().filter(|_| may_mount) else { return };
    let left = |svlogd: &Path| {
        let dir = Dir::new();
        dir.mkdir("disk");
        // What is left is shown before the file system goes.
        let script = "mount -t tmpfs -o size=96k none disk && cd disk && mkdir log && \
                      printf 's10000\nn50\nN2\n' >log/config && \"$0\" log && \
                      stat -c '%s %a' log/@* && cat log/@* log/current";
        let mut command = dir.command("unshare");
        command.args(["-m", "sh", "-c", script]).arg(svlogd);
        let input: Vec<u8> =
            (0..20_000).flat_map(|n| format!("line number {n:09}\n").into_bytes()).collect();
        let done = Process::start(command.stdin(piped(&input))).finish();
        assert_eq!(done.code, 0, "{}", done.err());
        let deleted =
            done.err().matches("svlogd: warning: out of disk space, delete: log/@").count();
        assert_eq!(done.err().lines().count(), deleted, "{}", done.err());
        assert!(deleted > 10, "{}", done.err());
        (done.out, input)
    };
    let (ours, input) = left(&program("svlogd"));
    let (theirs, _) = left(&runit.join("svlogd"));
    for (out, whose) in [(&ours, "ours"), (&theirs, "runit's")] {
        // The newest lines are there, without a gap.
        let at = out.windows(12).position(|text| text == b"line number ").unwrap();
        assert!(input.ends_with(&out[at..]), "{whose}");
        let logs = String::from_utf8_lossy(&out[..at]);
        assert!(logs.lines().count() >= 2 && logs.lines().all(|log| log.ends_with(" 744")));
    }
}

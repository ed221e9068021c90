//! What the programs that run another one hand on to it, changed or not.

use super::{said, said_by_shell};
use crate::support::{Dir, Process, program, testing_originals};
use rustix::process::geteuid;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

/// Every program that becomes or starts another.
const CHAIN: &[&[&str]] = &[
    &["fghack"],
    &["pgrphack"],
    &["setuidgid", "root"],
    &["envuidgid", "root"],
    &["envdir", "empty"],
    &["setlock", "lock"],
    &["softlimit", "-c0"],
];

fn chain() -> impl Iterator<Item = &'static [&'static str]> {
    let root = geteuid().is_root();
    CHAIN.iter().copied().filter(move |front| root || front[0] != "setuidgid")
}

#[test]
fn signals_pass_as_they_are() {
    let dir = Dir::new();
    dir.mkdir("empty");
    let show = ["sed", "-n", "/^SigBlk/p;/^SigIgn/p", "/proc/self/status"];
    let through = |front: &[&str], options: &[&str]| {
        let mut command = dir.command("env");
        command.args(options);
        if let Some((tool, args)) = front.split_first() {
            command.arg(program(tool)).args(args);
        }
        Process::start(command.args(show)).finish().out()
    };
    let changes = ["--block-signal=USR1", "--ignore-signal=PIPE,HUP"];
    let (clean, changed) = (through(&[], &[]), through(&[], &changes));
    assert_ne!(clean, changed);
    for front in chain() {
        assert_eq!(through(front, &[]), clean, "{front:?}");
        assert_eq!(through(front, &changes), changed, "{front:?}");
    }
}

#[test]
fn descriptors_pass_as_they_are() {
    let dir = Dir::new();
    dir.mkdir("empty");
    dir.file("text", "from seven");
    let show = ["ls", "/proc/self/fd"];
    let before = Process::start(dir.command(show[0]).args(&show[1..])).finish();
    for front in chain() {
        let words = [front, &["sh", "-c", "cat <&7"]].concat();
        let done = said_by_shell(&dir, "exec 7<text;", &words);
        assert_eq!(done, (0, "from seven".to_owned(), String::new()), "{front:?}");
        // What they open for themselves stays theirs; setlock and fghack live
        // by what they hand on.
        let after = said(&dir, &[front, &show].concat()).1;
        let more = match front[0] {
            "fghack" => 31,
            "setlock" => 1,
            _ => 0,
        };
        assert_eq!(after.lines().count(), before.out().lines().count() + more, "{front:?}");
    }
}

#[test]
fn exit_codes_are_the_programs_own() {
    let dir = Dir::new();
    dir.mkdir("empty");
    for front in chain() {
        let words = [front, &["sh", "-c", "exit 42"]].concat();
        assert_eq!(said(&dir, &words), (42, String::new(), String::new()));
    }
    let killed = said(&dir, &["fghack", "sh", "-c", "kill -9 $$"]);
    assert_eq!(killed, (111, String::new(), "fghack: fatal: child crashed\n".to_owned()));
    let killed = said(&dir, &["pgrphack", "sh", "-c", "kill -9 $$"]);
    assert_eq!(killed.0, 128 + 9);
}

#[test]
fn fghack_stays_for_those_in_the_background() {
    let dir = Dir::new();
    let made = dir.command("mkfifo").arg("gone").status().unwrap();
    assert!(made.success());
    let mut told = dir.fifo("told");
    // The one in the background sees the end of the FIFO when the one that
    // started it, which alone has it open to write, is gone. An fghack that
    // did not wait has long ended, and is Z, when it looks.
    let script = "{ cat gone; for i in 1 2 3 4 5; do sh -c :; done
cut -d' ' -f3 /proc/$PPID/stat; echo late >late; } </dev/null >told 2>&1 &
exec 9>gone
exit 5";
    let process = dir.start("fghack", ["sh", "-c", script]);
    assert_eq!(told.line(), "S");
    let done = process.finish();
    assert_eq!((done.code, done.err()), (5, String::new()));
    assert!(dir.path("late").exists());
}

#[test]
fn fghack_stays_until_all_are_closed() {
    let dir = Dir::new();
    let script = "readlink /proc/self/fd/* | sort | uniq -c | sort -n | tail -1";
    let most = dir.run("fghack", ["sh", "-c", script]).out();
    assert_eq!(most.split_whitespace().next(), Some("31"), "{most}");
    // One that closes them all gets away. Of the shells, bash can close
    // descriptors of two digits.
    let _hold = dir.fifo("hold");
    let close: String = (3..40).map(|fd| format!(" {fd}>&-")).collect();
    let script = format!("exec{close}\ncat hold >/dev/null 2>&1 & exit 3");
    assert_eq!(dir.run("fghack", ["bash", "-c", &script]).code, 3);
}

#[test]
fn pgrphack_leads_a_session() {
    let dir = Dir::new();
    let process = dir.start("pgrphack", ["cat", "/proc/self/stat"]);
    let pid = process.pid().to_string();
    let stat = process.finish().out();
    let fields: Vec<&str> = stat.split(' ').collect();
    assert_eq!((fields[0], fields[4], fields[5]), (&*pid, &*pid, &*pid), "{stat}");
}

#[test]
fn softlimit_sets_soft_limits() {
    let dir = Dir::new();
    let show = |options: &[&str], which: &str| {
        let words = [&["softlimit"], options, &["sh", "-c", which]].concat();
        let done = said_by_shell(&dir, "ulimit -n 100;", &words);
        assert_eq!((done.0, &*done.2), (0, ""), "{words:?}");
        done.1
    };
    assert_eq!(show(&["-o30"], "ulimit -n; ulimit -Hn"), "30\n100\n");
    assert_eq!(show(&["-o", "30", "-o31"], "ulimit -n"), "31\n", "the last counts");
    assert_eq!(show(&["-o500"], "ulimit -n"), "100\n", "not above the hard limit");
    assert_eq!(show(&["-o20", "-o="], "ulimit -n"), "100\n");
    assert_eq!(show(&["-o18446744073709551635"], "ulimit -n"), "19\n", "it wraps");
    assert_eq!(show(&["-c", ""], "ulimit -c"), "0\n", "no digits are 0");
    assert_eq!(show(&["-f512"], "ulimit -f"), "1\n");
    assert_eq!(show(&["-t77", "--"], "ulimit -t"), "77\n");
    let all = ["Max address space", "Max data size", "Max locked memory", "Max stack size"];
    let limits = said(&dir, &["softlimit", "-m", "4096000", "cat", "/proc/self/limits"]).1;
    for name in all {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(" 4096000 "), "{line}");
    }
    for (letter, name) in [("-p", "Max processes"), ("-r", "Max resident set")] {
        let limits = said(&dir, &["softlimit", letter, "5000", "cat", "/proc/self/limits"]).1;
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(" 5000 "), "{line}");
    }
}

#[test]
fn softlimit_needs_no_memory_itself() {
    let dir = Dir::new();
    for option in ["-a1", "-d1", "-s1", "-m1", "-o0"] {
        let err = "softlimit: fatal: unable to run no-such-program: file does not exist\n";
        let done = said(&dir, &["softlimit", option, "no-such-program"]);
        assert_eq!(done, (111, String::new(), err.to_owned()), "{option}");
    }
}

/// `env` with exactly these variables before, through `envdir d`.
fn env(dir: &Dir, before: &[(&str, &str)]) -> Vec<u8> {
    let mut command = dir.tool("envdir", ["d", "/usr/bin/env", "-0"]);
    command.env_clear().envs(before.iter().copied());
    let done = Process::start(&mut command).finish();
    assert_eq!((done.code, done.err()), (0, String::new()));
    done.out
}

#[test]
fn envdir_takes_first_lines() {
    for (content, value) in [
        (&b"plain"[..], Some(&b"plain"[..])),
        (b"first\nsecond\n", Some(b"first")),
        (b"trailing \t \nx", Some(b"trailing")),
        (b" leading", Some(b" leading")),
        (b"\nsecond", Some(b"")),
        (b" \t ", Some(b"")),
        (b"a\0b\0", Some(b"a\nb\n")),
        (b"a\0 \t\n", Some(b"a\n")),
        (b"\xff=\xfe", Some(b"\xff=\xfe")),
        (b"", None),
    ] {
        let dir = Dir::new();
        dir.file("d/V", content);
        dir.file("d/.hidden", "x");
        let expected = value.map_or(Vec::new(), |value| [b"V=", value, b"\0"].concat());
        assert_eq!(env(&dir, &[("V", "old")]), expected, "{}", content.escape_ascii());
    }
}

#[test]
fn envdir_keeps_the_order_of_daemontools() {
    let dir = Dir::new();
    dir.file("d/B", "");
    assert_eq!(env(&dir, &[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]), b"A=1\0D=4\0C=3\0");
    dir.file("d/B", "new");
    assert_eq!(env(&dir, &[("A", "1"), ("B", "2"), ("C", "3")]), b"A=1\0C=3\0B=new\0");
}

#[test]
fn envdir_names_may_hold_anything() {
    let dir = Dir::new();
    dir.file("d/A=B", "C");
    assert_eq!(env(&dir, &[("A", "old"), ("X", "1")]), b"X=1\0A=B=C\0");
    dir.file("d/A=B", "");
    assert_eq!(env(&dir, &[("A", "old"), ("X", "1")]), b"X=1\0A=B\0");
    let name = std::ffi::OsStr::from_bytes(b"\xff");
    let dir = Dir::new();
    dir.file(std::path::Path::new("d").join(name), "y");
    assert_eq!(env(&dir, &[]), b"\xff=y\0");
}

#[test]
fn envdir_reads_long_lines() {
    let dir = Dir::new();
    let long = "x".repeat(100_000);
    dir.file("d/LONG", format!("{long}\nmore"));
    assert_eq!(env(&dir, &[]), format!("LONG={long}\0").into_bytes());
}

#[test]
fn envdir_looks_in_the_old_path_and_comes_back() {
    let dir = Dir::new();
    dir.file("d/PATH", "/nowhere");
    dir.script("sub/program", "echo $PATH; /bin/cat here");
    dir.file("here", "back");
    let mut command = dir.tool("envdir", ["d", "program"]);
    command.env("PATH", "sub:/usr/bin:/bin");
    let done = Process::start(&mut command).finish();
    assert_eq!((done.code, done.out()), (0, "/nowhere\nback".to_owned()));
}

#[test]
fn envdir_refuses_what_it_cannot_read() {
    let dir = Dir::new();
    dir.mkdir("directory/sub");
    std::os::unix::fs::symlink("loop", dir.mkdir("looping").join("loop")).unwrap();
    File::create(dir.path("file")).unwrap();
    for (name, complaint) in [
        ("directory", "unable to read directory/sub: is a directory"),
        ("looping", "unable to read looping/loop: symbolic link loop"),
        ("file", "unable to switch to directory file: not a directory"),
        ("none", "unable to switch to directory none: file does not exist"),
        ("", "unable to switch to directory : file does not exist"),
    ] {
        let expected = (111, String::new(), format!("envdir: fatal: {complaint}\n"));
        assert_eq!(said(&dir, &["envdir", name, "true"]), expected);
    }
}

#[test]
fn envdir_takes_a_dangling_link_for_an_empty_file() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for i in 0..20 {
        dir.file(format!("d/F{i}"), "x");
    }
    std::os::unix::fs::symlink("nowhere", dir.path("d/V")).unwrap();
    let out = env(&dir, &[("V", "old")]);
    assert!(!out.windows(3).any(|w| w == b"\0V=") && !out.starts_with(b"V="));
}

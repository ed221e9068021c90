//! The same command lines to both, ours and the originals: what they print,
//! what they complain about and how they end must be the same bytes.

use super::{PATH, by_shell, bytes};
use crate::support::{Dir, Finished, Process, originals, ours};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A world with something for every program to find.
fn world() -> Dir {
    let dir = Dir::new();
    for (name, content) in [
        ("env/PLAIN", &b"value\nsecond"[..]),
        ("env/BLANKS", b"value \t \n"),
        ("env/EMPTY", b""),
        ("env/NULS", b"a\0b\0"),
        ("env/NEWLINE", b"\nx"),
        ("env/SPACES", b"  \t"),
        ("env/HOME", b""),
        ("env/A=B", b"c"),
        ("env/C=D", b""),
        ("env/.dot", b"hidden"),
        ("env/sp ace", b" x y "),
        ("env/PATH", b"/nowhere"),
        ("text", b"some text\nand more"),
        ("odd/sub/file", b"x"),
        ("not-executable", b"x"),
    ] {
        dir.file(name, content);
    }
    dir.file(Path::new("env").join(bytes(b"\xff\xfe")), b"\xfd\n");
    for i in 0..30 {
        dir.file(format!("env/V{i}"), if i % 3 == 0 { String::new() } else { format!("{i}") });
    }
    std::os::unix::fs::symlink("loop", dir.path("loop")).unwrap();
    std::os::unix::fs::symlink("../loop", dir.mkdir("looping").join("x")).unwrap();
    dir.mkdir("none");
    dir.mkdir("bin/shadow");
    dir.script("bin/hello", "echo hello \"$@\"; echo \"$PATH\"; exit 3");
    dir.script("hello", "echo here");
    dir.file("empty-program", "");
    let everybody = Permissions::from_mode(0o755);
    std::fs::set_permissions(dir.path("empty-program"), everybody).unwrap();
    dir
}

/// What both have to answer alike: what a shell does before, and the words.
/// `%b` in a word stands for a byte that is not text.
const CASES: &[(&str, &[&str])] = &[
    // Usage.
    ("", &["fghack"]),
    ("", &["pgrphack"]),
    ("", &["envdir"]),
    ("", &["envdir", "env"]),
    ("", &["setuidgid"]),
    ("", &["setuidgid", "root"]),
    ("", &["envuidgid"]),
    ("", &["envuidgid", "root"]),
    ("", &["setlock"]),
    ("", &["setlock", "l"]),
    ("", &["setlock", "-"]),
    ("", &["setlock", "--"]),
    ("", &["setlock", "-n", "--", "l"]),
    ("", &["setlock", "-z", "l", "true"]),
    ("", &["setlock", "-nNz", "l", "true"]),
    ("", &["setlock", "-%b", "l", "true"]),
    ("", &["softlimit"]),
    ("", &["softlimit", "-a"]),
    ("", &["softlimit", "-o5"]),
    ("", &["softlimit", "-Z"]),
    ("", &["softlimit", "-:"]),
    ("", &["softlimit", "-h1", "-o"]),
    ("", &["softlimit", "-o1x", "true"]),
    ("", &["softlimit", "-o", "-1", "true"]),
    ("", &["softlimit", "-o", "==", "true"]),
    ("", &["softlimit", "-m", "9x", "true"]),
    ("", &["readproctitle"]),
    ("", &["readproctitle", "1234"]),
    ("", &["readproctitle", "12345"]),
    ("exec <&-;", &["readproctitle", "12345"]),
    // Finding the program.
    ("", &["pgrphack", "no-such-program"]),
    ("", &["pgrphack", ""]),
    ("", &["pgrphack", "/"]),
    ("", &["pgrphack", "."]),
    ("", &["pgrphack", "./none"]),
    ("", &["pgrphack", "./text/x"]),
    ("", &["pgrphack", "./loop"]),
    ("", &["pgrphack", "./not-executable"]),
    ("", &["pgrphack", "./empty-program"]),
    ("", &["pgrphack", "-x"]),
    ("", &["pgrphack", "%b%b"]),
    ("PATH=bin;", &["pgrphack", "hello", "a", "", "b c", "%b"]),
    ("PATH=none:bin;", &["fghack", "hello"]),
    ("PATH=:bin;", &["pgrphack", "hello"]),
    ("PATH=bin:;", &["pgrphack", "hello"]),
    ("PATH=;", &["pgrphack", "hello"]),
    ("PATH=text:bin;", &["pgrphack", "hello"]),
    ("PATH=bin;", &["pgrphack", "shadow"]),
    ("PATH=bin:none;", &["pgrphack", "shadow"]),
    ("PATH=loop:bin;", &["pgrphack", "hello"]),
    ("ln -s /x bin/dangling 2>/dev/null; PATH=bin;", &["pgrphack", "dangling"]),
    ("unset PATH;", &["pgrphack", "true"]),
    ("unset PATH;", &["pgrphack", "hello"]),
    ("PATH=$(printf %05000d 0):bin;", &["pgrphack", "hello"]),
    ("PATH=$(printf %0300d 0):bin;", &["pgrphack", "hello"]),
    // fghack.
    ("", &["fghack", "sh", "-c", "exit 0"]),
    ("", &["fghack", "sh", "-c", "exit 255"]),
    ("", &["fghack", "sh", "-c", "kill -9 $$"]),
    ("", &["fghack", "sh", "-c", "kill -6 $$"]),
    ("", &["fghack", "sh", "-c", "(echo later) & echo now >&2; wait"]),
    ("", &["fghack", "sh", "-c", "echo noise >&5; echo fine"]),
    ("", &["fghack", "no-such-program"]),
    ("", &["fghack", "./empty-program"]),
    ("ulimit -n 10;", &["fghack", "sh", "-c", "exit 4"]),
    ("trap '' CHLD;", &["fghack", "true"]),
    // Accounts.
    ("", &["setuidgid", "no-such-account", "true"]),
    ("", &["setuidgid", "", "true"]),
    ("", &["setuidgid", "%b", "true"]),
    ("", &["setuidgid", "0", "true"]),
    ("", &["setuidgid", "+", "true"]),
    ("", &["setuidgid", "nobody", "sh", "-c", "id -u; id -g; id -G; exit 6"]),
    ("", &["setuidgid", "root", "no-such-program"]),
    ("", &["setuidgid", "root", "./none"]),
    ("", &["envuidgid", "no-such-account", "true"]),
    ("", &["envuidgid", "nobody", "env"]),
    ("UID=1 GID=2; export GID;", &["envuidgid", "daemon", "env"]),
    ("", &["envuidgid", "root", "no-such-program"]),
    // Environments.
    ("", &["envdir", "env", "/usr/bin/env"]),
    ("export PLAIN=1 EMPTY=2 A=3 C=4 V3=5 V4=6 V5=7;", &["envdir", "env", "/usr/bin/env", "-0"]),
    ("export PLAIN=1;", &["envdir", "none", "env"]),
    ("", &["envdir", "env", "env"]),
    ("PATH=bin;", &["envdir", "env", "hello", "x"]),
    ("", &["envdir", "nowhere", "true"]),
    ("", &["envdir", "", "true"]),
    ("", &["envdir", "text", "true"]),
    ("", &["envdir", "loop", "true"]),
    ("", &["envdir", "odd", "true"]),
    ("", &["envdir", "odd/", "true"]),
    ("", &["envdir", "looping", "true"]),
    ("", &["envdir", "%b", "true"]),
    ("", &["envdir", "env", "./none"]),
    ("", &["envdir", "env", "pwd"]),
    ("mkfifo none/pipe 2>/dev/null; export pipe=1;", &["envdir", "none", "env"]),
    // Limits.
    ("ulimit -n 50;", &["softlimit", "-o", "20", "sh", "-c", "ulimit -n; ulimit -Hn"]),
    ("ulimit -n 50;", &["softlimit", "-o20", "-o30", "sh", "-c", "ulimit -n"]),
    ("ulimit -n 50;", &["softlimit", "-o=", "sh", "-c", "ulimit -n"]),
    ("ulimit -n 50;", &["softlimit", "-o", "99999999999999999999999", "sh", "-c", "ulimit -n"]),
    ("ulimit -n 50;", &["softlimit", "-o18446744073709551635", "sh", "-c", "ulimit -n"]),
    ("", &["softlimit", "-o", "", "no-such-program"]),
    ("", &["softlimit", "-c0", "-f1024", "-t5", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-d9999999", "-l8192", "-s8388608", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-m", "8000000", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-a80000000", "-p4000", "-r5000", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-t18446744073709551615", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-o9", "-Z"]),
    ("", &["softlimit", "-o9", "--", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-a1", "no-such-program"]),
    ("", &["softlimit", "-m1", "no-such-program"]),
    ("", &["softlimit", "-", "true"]),
    // Locks.
    ("", &["setlock", "lock", "echo", "locked"]),
    ("", &["setlock", "-nNxX", "lock", "sh", "-c", "exit 8"]),
    ("", &["setlock", "-n", "--", "-lock", "ls", "-A"]),
    ("", &["setlock", "none", "true"]),
    ("", &["setlock", "-x", "none", "true"]),
    ("", &["setlock", "-xX", "none", "true"]),
    ("", &["setlock", "nowhere/lock", "true"]),
    ("", &["setlock", "text/lock", "true"]),
    ("", &["setlock", "loop", "true"]),
    ("", &["setlock", "", "true"]),
    ("", &["setlock", "%b", "sh", "-c", "ls"]),
    ("exec 9>held; flock 9;", &["setlock", "-n", "held", "echo", "not reached"]),
    ("exec 9>held; flock 9;", &["setlock", "-nx", "held", "echo", "not reached"]),
    ("mkfifo pipe 2>/dev/null;", &["setlock", "pipe", "true"]),
    ("rm -f lock; umask 0;", &["setlock", "lock", "stat", "-c", "%a %s", "lock"]),
    ("", &["setlock", "lock", "no-such-program"]),
    // Streams.
    ("exec <&-;", &["tai64n"]),
    ("exec <.;", &["tai64n"]),
    ("exec <text >/dev/full;", &["tai64n"]),
    ("exec </dev/null;", &["tai64n", "ignored"]),
    ("exec <&-;", &["tai64nlocal"]),
    ("exec <.;", &["tai64nlocal"]),
    ("exec <text >/dev/full;", &["tai64nlocal"]),
    ("exec <text;", &["tai64nlocal", "ignored"]),
];

fn run(dir: &Dir, programs: &Path, before: &str, words: &[&str]) -> Finished {
    let raw = |word: &str| word.split("%b").map(str::as_bytes).collect::<Vec<_>>().join(&0xff);
    let args: Vec<_> = words[1..].iter().map(|word| bytes(&raw(word))).collect();
    let mut command = by_shell(dir, before, &programs.join(words[0]), &args);
    command.env_clear().env("PATH", PATH).env("HOME", "/").env("LAST", "1");
    Process::start(&mut command).finish()
}

#[test]
fn command_lines() {
    let Some(theirs) = originals() else { return };
    let root = rustix::process::geteuid().is_root();
    let mut different = Vec::new();
    for (before, words) in CASES {
        if words[0] == "setuidgid" && !root {
            continue;
        }
        // In the same directory, since its order is that of the variables.
        let dir = world();
        let [ours, theirs] = [&ours(), &theirs].map(|programs| run(&dir, programs, before, words));
        if (ours.code, &ours.out, &ours.err) != (theirs.code, &theirs.out, &theirs.err) {
            different.push(format!(
                "{before} {words:?}\nours   {} {:?} {:?}\ntheirs {} {:?} {:?}",
                ours.code,
                ours.out(),
                ours.err(),
                theirs.code,
                theirs.out(),
                theirs.err()
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Input for tai64nlocal, whole. Nothing that has no date: the original
/// crashes there.
const LABELS: &[&str] = &[
    "",
    "\n\n",
    "plain\n @4000000037c219bf2ef02e94\nno end",
    "@4000000037c219bf2ef02e94 x\n@4000000037c219bf2ef02e94\n",
    "@4000000037c219bf2ef02e94",
    "@4000000037c219bf2ef02e94 no end",
    "x\n@4000000037c2",
    "x\n@",
    "@00004000000037c219bf2ef02e94 more digits\n",
    "@ffffffffffffffffffffffffffff4000000037c219bf2ef02e94\n",
    "@4000000037c219bfffffffff x\n",
    "@4000000037c219bf2ef02e94@4000000037c219bf2ef02e94\n",
    "@4000000037c219bf2ef02e94ABC\n",
    "@3ffffff00000000000000001 before Christ\n",
    "@3fffffffffffffff00000000 x\n@3fffffff0000000000000000 x\n@400000f0b0a2c58000000000 x\n",
    "@40000000386d438a00000000 x\n@40000000386d438b00000000 x\n@4000000038f51a8a00000000\n",
    "\0@4000000037c219bf2ef02e94\n@4000000037c219bf2ef02e94\0\n",
];

#[test]
fn labels() {
    let Some(theirs) = originals() else { return };
    let long = [&"x".repeat(100_000), "\n", &"@4000000037c219bf2ef02e94 y\n".repeat(9000)].concat();
    let dir = Dir::new();
    for (input, zone) in LABELS
        .iter()
        .chain([&&*long])
        .flat_map(|input| ["UTC", "Europe/Berlin", "XYZ+4:30", ""].map(|zone| (input, zone)))
    {
        dir.file("in", input);
        let done = [ours(), theirs.clone()].map(|programs| {
            let tool = programs.join("tai64nlocal");
            let mut command = by_shell(&dir, "exec <in;", &tool, &[] as &[&str]);
            Process::start(command.env("TZ", zone)).finish()
        });
        let shown: String = input.chars().take(200).collect();
        assert_eq!(done[0].code, done[1].code, "{shown:?}");
        assert_eq!(done[0].out(), done[1].out(), "{shown:?} in {zone}");
    }
}

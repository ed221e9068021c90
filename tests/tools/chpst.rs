//! The same command lines to both chpst, runit's and ours, and to both under the
//! names of the programs that it emulates: what they print, what they complain
//! about, how they end, and what a program finds that they run.

use super::{PATH, by_shell};
use crate::support::{Dir, Process, deadline, originals, ours, readable, testing_originals};
use rustix::fs::{FlockOperation, flock, inotify};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

const CHPST: &str = "/usr/bin/chpst";
const NAMES: &[&str] = &[
    "chpst",
    "envdir",
    "envuidgid",
    "pgrphack",
    "setlock",
    "setuidgid",
    "softlimit",
    "denvdir",
    "dsoftlimit",
    "dchpst",
    "d",
    "ddenvdir",
    "other",
];

/// Shows everything that could have been changed.
const SHOW: &str = "\
echo $0 $#; id -u; id -g; id -G; nice; pwd; stat -c %i / .; env | grep -v ^_= | sort
cat /proc/self/limits; ls -l /proc/self/fd | grep -c /
test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo session
for l in lock other; do test -e $l && { flock -n $l true; echo $l $?; }; done; true";

fn left_out() -> bool {
    testing_originals() || originals().is_none() || !Path::new(CHPST).exists()
}

/// A directory with something to find, and both programs under each name.
fn world() -> Dir {
    let dir = Dir::new();
    for (name, content) in [
        ("env/PLAIN", &b"value \t\nsecond"[..]),
        ("env/EMPTY", b""),
        ("env/NULS", b"a\0b"),
        ("env/HOME", b""),
        ("env/PATH", b"/nowhere:/usr/bin:/bin"),
        ("env/GID", b"x"),
        ("env/.dot", b"hidden"),
        ("dirs/sub/file", b"x"),
        ("dirs/A", b"1"),
        ("file", b"x"),
        ("root/etc/passwd", b"only:x:7:8::/:\n"),
    ] {
        dir.file(name, content);
    }
    symlink("loop", dir.mkdir("looping").join("loop")).unwrap();
    dir.mkdir("none");
    dir.mkdir("bare");
    dir.script("bin/hello", "echo hello $0 $#");
    let paths = [("ours", ours().join("chpst")), ("theirs", CHPST.into())];
    for (whose, path) in paths {
        for name in NAMES {
            symlink(&path, dir.mkdir(whose).join(name)).unwrap();
        }
    }
    dir
}

/// What is done, by both, after what a shell does first.
#[track_caller]
fn same(dir: &Dir, before: &str, words: &[&str]) -> String {
    // In the same directory, since its order is that of the variables.
    let [ours, theirs] = ["ours", "theirs"].map(|whose| {
        for made in ["lock", "other", "new", "full"] {
            let _ = fs::remove_file(dir.path(made));
        }
        let program = dir.path(whose).join(words[0]);
        let mut command = by_shell(dir, before, &program, &words[1..]);
        command.env_clear().env("PATH", PATH).env("HOME", "/").env("LAST", "1");
        let done = Process::start(&mut command).finish();
        // Each names itself with `-V`.
        let err: Vec<_> = done.err().lines().map(str::to_owned).collect();
        let own = |line: &String| line.starts_with("$Id: ") || line.contains(" (upkeep) ");
        let err: Vec<_> = err.into_iter().filter(|line| !own(line)).collect();
        format!("{}\n{}{}", done.code, done.out(), err.join("\n"))
    });
    assert!(ours == theirs, "{before} {words:?}\nours: {ours}\ntheirs: {theirs}");
    ours
}

/// One option each, or some that belong together, for pairs.
const OPTIONS: &[&[&str]] = &[
    &["-u", "nobody"],
    &["-u", "nobody:daemon:bin:daemon"],
    &["-u:7:8:9"],
    &["-U", "daemon"],
    &["-U", "nobody:bin:daemon"],
    &["-U", ":7:8:9"],
    &["-b", "name"],
    &["-e", "env"],
    &["-ve", "dirs"],
    &["-/", "/"],
    &["-n", "3"],
    &["-n-3"],
    &["-l", "lock"],
    &["-L", "other"],
    &["-m", "300000000"],
    &["-d", "400000000"],
    &["-o", "100"],
    &["-p", "1000"],
    &["-f", "500000"],
    &["-c", "1000"],
    &["-r", "2000000"],
    &["-t", "60"],
    &["-v"],
    &["-P"],
    &["-0"],
    &["-1"],
    &["-2"],
    &["-012"],
];

#[test]
fn every_option_with_every_other() {
    if left_out() || !rustix::process::geteuid().is_root() {
        return;
    }
    std::thread::scope(|scope| {
        for (at, one) in OPTIONS.iter().enumerate() {
            scope.spawn(move || {
                let dir = world();
                for other in [&[][..]].iter().chain(&OPTIONS[at..]) {
                    // Nothing is to be locked in the root directory.
                    let both = [*one, *other].concat();
                    if both.contains(&"-/") && (both.contains(&"-l") || both.contains(&"-L")) {
                        continue;
                    }
                    same(&dir, "umask 0;", &[&["chpst"], &both[..], &["sh", "-c", SHOW]].concat());
                }
            });
        }
    });
}

#[test]
fn all_options_at_once() {
    if left_out() || !rustix::process::geteuid().is_root() {
        return;
    }
    let words =
        "chpst -vPe dirs -n 2 -U nobody:bin -u :0:0:5 -l lock -0 -m 900000000 -o 99 -b x sh -c";
    let mut words: Vec<_> = words.split(' ').collect();
    words.push(SHOW);
    let shown = same(&world(), "", &words);
    for part in ["0\nx 0\n", "UID=65534", "GID=2", "A=1", "lock 1", "session", "99  "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// What a shell does first, and the words.
const CASES: &[(&str, &[&str])] = &[
    ("", &["chpst"]),
    ("", &["chpst", "--"]),
    ("", &["chpst", "-"]),
    ("", &["chpst", ""]),
    ("", &["chpst", "-z", "true"]),
    ("", &["chpst", "-C", "/", "true"]),
    ("", &["chpst", "-s", "1", "true"]),
    ("", &["chpst", "-:", "true"]),
    ("", &["chpst", "-Pz", "true"]),
    ("", &["chpst", "-V"]),
    ("", &["chpst", "-V", "true"]),
    ("", &["chpst", "-z", "-V"]),
    ("", &["chpst", "-u"]),
    ("", &["chpst", "-vu"]),
    ("", &["chpst", "-P"]),
    ("", &["chpst", "--", "echo", "x"]),
    ("", &["chpst", "-P", "--", "echo", "-n", "x"]),
    ("", &["dchpst"]),
    ("", &["dchpst", "-z"]),
    ("", &["d"]),
    ("", &["d", "-z"]),
    ("", &["other", "-n", "x", "true"]),
    ("", &["other", "no-such-program"]),
    ("", &["ddenvdir"]),
    // Programs.
    ("", &["chpst", "no-such-program", "x"]),
    ("", &["chpst", "-b", "name", "no-such-program"]),
    ("", &["chpst", "-b", "", "no-such-program"]),
    ("", &["chpst", "./file"]),
    ("", &["chpst", "./bare"]),
    ("", &["chpst", "-b", "name", "./bin/hello", "x"]),
    ("PATH=$PWD/bin:$PATH;", &["chpst", "-b", "name", "hello", "x", "y"]),
    ("", &["chpst", "-b", "name", "cat", "/proc/self/cmdline"]),
    ("PATH=$PWD/bin:$PATH;", &["chpst", "-e", "env", "hello"]),
    ("unset PATH;", &["chpst", "ls"]),
    // Numbers.
    ("", &["chpst", "-o", "x", "true"]),
    ("", &["chpst", "-o", "5x", "true"]),
    ("", &["chpst", "-o", "-1", "true"]),
    ("", &["chpst", "-o", "=", "true"]),
    ("", &["chpst", "-c", "", "sh", "-c", "ulimit -c"]),
    ("", &["chpst", "-o", "18446744073709551615", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o", "18446744073709551614", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o", "18446744073709551700", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o", "9223372036854775808", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o", "9223372036854775807", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o50", "-o", "60", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-o50", "-o", "18446744073709551610", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-m", "400000000", "-d", "5", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-d", "5", "-m", "400000000", "cat", "/proc/self/limits"]),
    ("ulimit -n 40;", &["chpst", "-o", "50", "cat", "/proc/self/limits"]),
    ("ulimit -c 40;", &["chpst", "-c", "18446744073709551615", "cat", "/proc/self/limits"]),
    ("", &["chpst", "-p", "x", "true"]),
    ("", &["chpst", "-t", "1x", "true"]),
    ("", &["chpst", "-f", "-", "true"]),
    ("", &["chpst", "-r", "1 ", "true"]),
    ("", &["chpst", "-m", "+1", "true"]),
    ("", &["chpst", "-d", "1.5", "true"]),
    ("", &["chpst", "-c", "unlimited", "true"]),
    ("", &["chpst", "-m", "0", "no-such-program"]),
    ("", &["chpst", "-d", "0", "no-such-program"]),
    ("", &["chpst", "-o", "0", "no-such-program"]),
    ("", &["chpst", "-f", "0", "sh", "-c", "echo x >full"]),
    // Being nicer.
    ("", &["chpst", "-n", "5", "nice"]),
    ("", &["chpst", "-n", "+5", "nice"]),
    ("", &["chpst", "-n", "05", "nice"]),
    ("", &["chpst", "-n", "100", "nice"]),
    ("", &["chpst", "-n", "", "nice"]),
    ("", &["chpst", "-n", "-", "nice"]),
    ("", &["chpst", "-n", "+", "nice"]),
    ("", &["chpst", "-n", "+-1", "nice"]),
    ("", &["chpst", "-n", "--1", "nice"]),
    ("", &["chpst", "-n", "5x", "nice"]),
    ("", &["chpst", "-n", "4294967297", "nice"]),
    ("", &["chpst", "-n", "2", "-n", "3", "nice"]),
    ("", &["chpst", "-n2", "nice", "-n", "3", "nice"]),
    // Users.
    ("", &["chpst", "-u", "no-such-user", "true"]),
    ("", &["chpst", "-u", "", "true"]),
    ("", &["chpst", "-u", "nobody:", "true"]),
    ("", &["chpst", "-u", "nobody:no-such-group", "true"]),
    ("", &["chpst", "-u", "nobody:bin:", "true"]),
    ("", &["chpst", "-u", "0", "true"]),
    ("", &["chpst", "-u", ":", "true"]),
    ("", &["chpst", "-u", ":7", "true"]),
    ("", &["chpst", "-u", ":7x:8", "true"]),
    ("", &["chpst", "-u", ":7:8x", "true"]),
    ("", &["chpst", "-u", ":nobody:8", "true"]),
    ("", &["chpst", "-u", ":-7:8", "true"]),
    ("", &["chpst", "-U", "no-such-user", "true"]),
    ("", &["chpst", "-U", ":7", "true"]),
    ("", &["chpst", "-U", "nobody:no-such-group", "true"]),
    ("", &["chpst", "-U", "nobody", "env"]),
    ("UID=x GID=y; export UID GID;", &["chpst", "-U", "nobody:bin", "env"]),
    ("", &["chpst", "-e", "env", "-U", ":007:8", "env"]),
    ("", &["chpst", "-U", "nobody", "-U", "bin", "env"]),
    // Files.
    ("", &["chpst", "-e", "env", "env"]),
    ("", &["chpst", "-e", "nowhere", "true"]),
    ("", &["chpst", "-e", "", "true"]),
    ("", &["chpst", "-e", "file", "true"]),
    ("", &["chpst", "-e", "looping", "true"]),
    ("", &["chpst", "-e", "dirs", "env"]),
    ("", &["chpst", "-v", "-e", "dirs", "env"]),
    ("", &["chpst", "-e", "none", "-e", "env", "env"]),
    ("", &["chpst", "-l", "nowhere/lock", "true"]),
    ("", &["chpst", "-L", "file/lock", "true"]),
    ("", &["chpst", "-l", ".", "true"]),
    ("", &["chpst", "-l", "", "true"]),
    ("", &["chpst", "-l", "lock", "-L", "lock", "true"]),
    ("", &["chpst", "-l", "lock", "-l", "lock", "true"]),
    ("umask 0;", &["chpst", "-l", "new", "stat", "-c", "%a %s", "new"]),
    ("exec 9>held; flock 9;", &["chpst", "-L", "held", "echo", "not reached"]),
    ("", &["chpst", "-/", "nowhere", "true"]),
    ("", &["chpst", "-/", "file", "true"]),
    // Streams.
    ("exec <&-;", &["chpst", "-0", "true"]),
    ("exec >&-;", &["chpst", "-1", "true"]),
    ("exec 2>&-;", &["chpst", "-2", "true"]),
    ("", &["chpst", "-2", "no-such-program"]),
    ("", &["chpst", "-1", "echo", "x"]),
    // What it emulates.
    ("", &["envdir"]),
    ("", &["envdir", "env"]),
    ("", &["envdir", "env", "env"]),
    ("", &["envdir", "dirs", "env"]),
    ("", &["envdir", "nowhere", "env"]),
    ("", &["envdir", "--", "env", "env"]),
    ("", &["envdir", "--help", "env"]),
    ("", &["envdir", "none", "no-such-program"]),
    ("", &["denvdir"]),
    ("", &["denvdir", "env", "env"]),
    ("", &["envuidgid"]),
    ("", &["envuidgid", "nobody"]),
    ("", &["envuidgid", "nobody", "env"]),
    ("", &["envuidgid", "no-such-user", "env"]),
    ("", &["envuidgid", "nobody:bin", "env"]),
    ("", &["envuidgid", ":7:8", "env"]),
    ("", &["envuidgid", "nobody", "no-such-program"]),
    ("", &["pgrphack"]),
    ("", &["pgrphack", "no-such-program"]),
    ("", &["pgrphack", "-h"]),
    ("", &["pgrphack", "sh", "-c", SHOW]),
    ("", &["setuidgid"]),
    ("", &["setuidgid", "nobody"]),
    ("", &["setuidgid", "no-such-user", "true"]),
    ("", &["setuidgid", "nobody:bin", "true"]),
    ("", &["setuidgid", ":7:8", "true"]),
    ("", &["setlock"]),
    ("", &["setlock", "-z"]),
    ("", &["setlock", "-n"]),
    ("", &["setlock", "lock"]),
    ("", &["setlock", "-nNxX", "--", "lock"]),
    ("", &["setlock", "lock", "sh", "-c", SHOW]),
    ("", &["setlock", "nowhere/lock", "true"]),
    ("", &["setlock", "-x", "nowhere/lock", "true"]),
    ("", &["setlock", "-xX", "nowhere/lock", "true"]),
    ("", &["setlock", "lock", "no-such-program"]),
    ("", &["setlock", "-x", "lock", "no-such-program"]),
    ("exec 9>held; flock 9;", &["setlock", "held", "echo", "not reached"]),
    ("exec 9>held; flock 9;", &["setlock", "-N", "held", "echo", "not reached"]),
    ("exec 9>held; flock 9;", &["setlock", "-nN", "held", "echo", "not reached"]),
    ("exec 9>held; flock 9;", &["setlock", "-x", "held", "echo", "not reached"]),
    ("", &["softlimit"]),
    ("", &["softlimit", "-o5"]),
    ("", &["softlimit", "-z"]),
    ("", &["softlimit", "-a"]),
    ("", &["softlimit", "-o", "x", "true"]),
    ("", &["softlimit", "-o", "==", "true"]),
    ("", &["softlimit", "-s", "9000000", "-a", "400000000", "-l", "5", "cat", "/proc/self/limits"]),
    ("ulimit -Sn 40;", &["softlimit", "-o", "=", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-m", "=", "-d", "400000000", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-m", "400000000", "-l=", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-c1", "-f2", "-p3", "-r4", "-t5", "cat", "/proc/self/limits"]),
    ("", &["softlimit", "-o5", "no-such-program"]),
    ("", &["dsoftlimit", "-o", "x", "true"]),
    ("", &["dsoftlimit", "-z"]),
];

/// What only root may do.
const FOR_ROOT: &[(&str, &[&str])] = &[
    ("", &["chpst", "-n", "-5", "nice"]),
    ("", &["chpst", "-n", "-100", "nice"]),
    ("", &["chpst", "-u", ":4294967295:5", "true"]),
    ("", &["chpst", "-u", ":7:4294967295", "true"]),
    ("", &["chpst", "-u", "nobody", "-l", "lock", "true"]),
    ("", &["chpst", "-u", "nobody", "-n", "-3", "nice"]),
    ("", &["chpst", "-/", "root", "true"]),
    ("", &["chpst", "-/", "root", "-u", "only", "true"]),
    ("", &["chpst", "-/", "root", "-u", "nobody", "true"]),
    ("", &["chpst", "-/", "root", "-u", "only:only", "true"]),
    ("", &["chpst", "-/", "root", "-U", ":7:8", "true"]),
    ("", &["chpst", "-/", "bare", "-u", "nobody", "true"]),
    ("", &["chpst", "-/", "bare", "-e", "env", "true"]),
    ("", &["chpst", "-/", "bare", "-l", "lock", "true"]),
    ("", &["setuidgid", "nobody", "sh", "-c", SHOW]),
    ("", &["setuidgid", "nobody", "no-such-program"]),
];

#[test]
fn command_lines() {
    if left_out() {
        return;
    }
    let is_root = rustix::process::geteuid().is_root();
    let dir = world();
    for (before, words) in CASES.iter().chain(FOR_ROOT.iter().filter(|_| is_root)) {
        same(&dir, before, words);
    }
}

#[test]
fn what_root_alone_may() {
    if left_out() {
        return;
    }
    let dir = Dir::new();
    let program = dir.copy(ours().join("chpst"), "bin/chpst");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let front: &[&str] =
        if rustix::process::geteuid().is_root() { &nobody } else { &["--no-new-privs"] };
    for words in [
        &["-n", "-5", "nice"][..],
        &["-n", "5", "nice"],
        &["-u", "nobody", "true"],
        &["-u", ":65534:65534", "true"],
        &["-u", "no-such-user", "true"],
        &["-/", "/", "true"],
        &["-l", "/etc/lock-of-nobody", "true"],
        &["-U", "nobody", "sh", "-c", "echo $UID $GID"],
    ] {
        let [ours, theirs] = [&*program, Path::new(CHPST)].map(|path| {
            let mut command = dir.command("setpriv");
            command.args(front).arg(path).args(words).env("PATH", PATH);
            let done = Process::start(&mut command).finish();
            (done.code, done.out(), done.err())
        });
        assert_eq!(ours, theirs, "{words:?}");
    }
}

/// A lock that is held is waited for: chpst's own `-l`, and `-n` of the setlock
/// that it emulates.
#[test]
fn a_lock_is_waited_for() {
    if left_out() {
        return;
    }
    for words in [&["chpst", "-l"][..], &["setlock", "-n"], &["setlock", "-Nnx"]] {
        for whose in ["ours", "theirs"] {
            let dir = world();
            let file = File::open(dir.file("lock", "")).unwrap();
            flock(&file, FlockOperation::LockExclusive).unwrap();
            // What is written before the lock is free, after it was opened, is seen.
            let opened = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
            inotify::add_watch(&opened, dir.path("lock"), inotify::WatchFlags::OPEN).unwrap();
            let mut command = dir.command(dir.path(whose).join(words[0]));
            let show = "cat note; flock -n lock true; echo $?";
            command.args(&words[1..]).args(["lock", "sh", "-c", show]);
            let waiting = Process::start(&mut command);
            assert!(readable(&opened, deadline()), "{whose} {words:?} does not open the file");
            dir.file("note", "written first\n");
            flock(&file, FlockOperation::Unlock).unwrap();
            let done = waiting.finish();
            assert_eq!((done.code, done.out()), (0, "written first\n1\n".into()), "{whose}");
        }
    }
}

#[test]
fn what_is_otherwise() {
    if left_out() || !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = world();
    let said = |whose: &str, user: &str| {
        let mut command = dir.command(dir.path(whose).join("chpst"));
        command.args(["-u", user, "sh", "-c", "echo $(id -u) $(id -g)"]).env("PATH", PATH);
        let done = Process::start(&mut command).finish();
        (done.code, done.out() + &done.err())
    };
    // Who leaves out a number, or has one too many digits, does not mean root.
    for (user, theirs) in [(":7:", "7 0\n"), ("::8", "0 8\n"), (":4294967296:8", "0 8\n")] {
        assert_eq!(said("theirs", user), (0, theirs.into()));
        let words = format!("chpst: fatal: invalid uid/gids: {}\n", &user[1..]);
        assert_eq!(said("ours", user), (111, words));
    }
}

//! multilog in trouble: killed, out of room, out of luck.

mod full;

use super::support::{
    Changes, Dir, Process, deadline, originals, program, readable, testing_originals,
};
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

fn names(log: &Path) -> Vec<String> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The files of a log directory, the old logs by their order and ending.
fn state(log: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let named = names(log).into_iter().enumerate().map(|(number, name)| {
        let path = log.join(&name);
        let shown = match name.rsplit_once('.') {
            Some((label, code)) if label.len() == 25 => format!("@{number}.{code}"),
            _ => name.clone(),
        };
        // What the lock holds is nobody's business.
        let text = if name == "lock" { Vec::new() } else { fs::read(&path).unwrap() };
        (shown, (fs::metadata(&path).unwrap().mode(), text))
    });
    named.collect()
}

/// Whether a mount namespace of one's own can be had.
fn may_mount() -> bool {
    rustix::process::geteuid().is_root()
        && std::process::Command::new("unshare")
            .args(["-m", "true"])
            .status()
            .is_ok_and(|s| s.success())
}

fn leave_behind(log: &Path, name: &str, how: usize) {
    if how > 0 {
        fs::write(log.join(name), format!("{name}\n")).unwrap();
        let mode = if how == 1 { 0o644 } else { 0o744 };
        fs::set_permissions(log.join(name), Permissions::from_mode(mode)).unwrap();
    }
    if how == 3 {
        // It had its second name when its multilog was killed.
        let number = name.len();
        fs::hard_link(log.join(name), log.join(format!("@40000000{number:016}.u"))).unwrap();
    }
}

#[test]
fn whatever_is_left_behind_is_recovered_as_the_original_does() {
    let Some(originals) = originals() else { return };
    for case in 0..4 * 4 * 4 * 4 {
        let kinds = [case % 4, case / 4 % 4, case / 16 % 4];
        let recovered = |multilog: PathBuf| {
            let dir = Dir::new();
            let log = dir.mkdir("log");
            for (name, how) in ["current", "previous", "processed"].iter().zip(kinds) {
                leave_behind(&log, name, how);
            }
            leave_behind(&log, "state", case / 64 % 2);
            leave_behind(&log, "newstate", case / 128);
            let stdin = File::open(dir.file("input", "new\n")).unwrap();
            let done = Process::start(dir.command(multilog).arg("./log").stdin(Stdio::from(stdin)))
                .finish();
            (done.code, done.err(), state(&log))
        };
        assert_eq!(
            recovered(program("multilog")),
            recovered(originals.join("multilog")),
            "current {} previous {} processed {} (0 none, 1 open, 2 finished, 3 linked), case {case}",
            kinds[0],
            kinds[1],
            kinds[2]
        );
    }
}

/// Every line of a log directory, in the order of its files.
fn lines(log: &Path) -> Vec<String> {
    names(log)
        .iter()
        .filter(|name| name.starts_with('@') || *name == "current")
        .flat_map(|name| {
            let text = String::from_utf8(fs::read(log.join(name)).unwrap()).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Each of the numbered lines is there, in order. On a disk without room for
/// a journal some may be there twice: a batch that was being written, its last
/// line cut the first time.
fn assert_nothing_lost(log: &Path, count: usize) {
    let mut next = 0;
    for line in lines(log) {
        if line == format!("line number {next:09}") {
            next += 1;
        }
    }
    assert_eq!(next, count, "a line is lost");
}

#[test]
fn killed_again_and_again_it_logs_each_line_once() {
    if testing_originals() {
        return;
    }
    const LINES: usize = 300_000;
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let writer = std::thread::spawn(move || {
        let mut into = File::from(into);
        // As services write: whole lines, several at once.
        for first in (0..LINES).step_by(50) {
            let some: String =
                (first..first + 50).map(|n| format!("line number {n:09}\n")).collect();
            into.write_all(some.as_bytes()).unwrap();
        }
    });
    let script = ["s200000", "n1000", "./log"];
    let changes = Changes::of(&[&log]);
    for round in 0..40 {
        let stdin = Stdio::from(from.try_clone().unwrap());
        let process = Process::start(dir.tool("multilog", script).stdin(stdin));
        // Something has been written, and more is on its way.
        changes.until("some lines", || {
            fs::metadata(log.join("current")).is_ok_and(|m| m.size() > 0).then_some(())
        });
        if round % 3 > 0 {
            let before = names(&log).len();
            changes.until("another log or the end", || {
                (names(&log).len() > before || writer.is_finished()).then_some(())
            });
        }
        process.signal(rustix::process::Signal::KILL);
        process.ends();
    }
    let last = Process::start(dir.tool("multilog", script).stdin(Stdio::from(from)));
    assert_eq!(last.finish().code, 0);
    writer.join().unwrap();
    let wanted = (0..LINES).map(|n| format!("line number {n:09}"));
    assert!(lines(&log).into_iter().eq(wanted), "a line is lost, torn or there twice");
}

fn numbered(count: usize) -> String {
    (0..count).map(|n| format!("line number {n:09}\n")).collect()
}

#[test]
fn a_directory_that_refuses_is_waited_for() {
    if testing_originals() || !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    std::os::unix::fs::chown(&log, Some(65_534), Some(65_534)).unwrap();
    let changes = Changes::of(&[&log]);
    let mut command = dir.command(program("setuidgid"));
    command.arg("nobody").arg(program("multilog")).args(["s4096", "./log"]);
    let mut process = Process::start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    stdin.write_all(b"one\n").unwrap();
    let current = log.join("current");
    changes.until("a line", || fs::read(&current).is_ok_and(|it| it == b"one\n").then_some(()));
    // As a read-only one does: what is open can be written to, and no more.
    fs::set_permissions(&log, Permissions::from_mode(0o500)).unwrap();
    let input = numbered(300);
    stdin.write_all(input.as_bytes()).unwrap();
    assert_eq!(
        process.complains("pausing"),
        "multilog: warning: unable to rename current to previous in directory ./log, pausing: \
         access denied"
    );
    fs::set_permissions(&log, Permissions::from_mode(0o700)).unwrap();
    drop(stdin);
    let done = process.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    let all = format!("one\n{input}");
    assert!(lines(&log).into_iter().eq(all.lines().map(str::to_owned)));
}

#[test]
fn killed_while_it_waits_it_loses_no_line() {
    if testing_originals() || !may_mount() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("disk");
    let mut spoken = dir.fifo("spoken");
    let _nobody_says_it = dir.fifo("over");
    let mount = "mount -t tmpfs -o size=256k none disk && cd disk \
                 && { head -c 300000 /dev/zero >ballast 2>/dev/null; true; } && { \"$0\" \"$@\"; rm ballast; \"$0\" \"$@\"; }; \
                 echo end >../spoken; read word <../over";
    let mut command = dir.command("unshare");
    command.args(["-m", "sh", "-c", mount]).arg(program("multilog")).args(["s16777215", "./log"]);
    let mut process = Process::start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    let input: String = (0..500).map(|n| format!("line number {n:09}\n")).collect();
    stdin.write_all(input.as_bytes()).unwrap();
    process.complains("pausing: out of disk space");
    let multilog = program("multilog").to_str().unwrap().to_owned();
    let running = dir.processes();
    let (pid, _) = running.iter().find(|(_, line)| line.starts_with(&multilog)).unwrap();
    let pid = rustix::process::Pid::from_raw(*pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    drop(stdin);
    assert_eq!(spoken.line(), "end");
    let log = format!("/proc/{}/root{}/log", process.pid(), dir.path("disk").display());
    assert_nothing_lost(Path::new(&log), 500);
}

#[test]
fn an_old_log_that_cannot_be_removed_is_no_reason_to_stop() {
    // The original tries for ever, without a pause.
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("log/@400000000000000000000000.s");
    let stdin = File::open(dir.file("input", [b'a'; 10_000])).unwrap();
    let done =
        Process::start(dir.tool("multilog", ["s4096", "n2", "./log"]).stdin(Stdio::from(stdin)))
            .finish();
    assert_eq!(done.code, 0);
    let complaint =
        "multilog: warning: unable to remove ./log/@400000000000000000000000.s: is a directory\n";
    assert_eq!(done.err(), complaint.repeat(2));
    let left = fs::metadata(dir.path("log/current")).unwrap().size();
    assert_eq!(left, 10_001 - 2 * 4096);
}

#[test]
fn a_pipe_that_does_not_block_is_waited_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let (from, into) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap();
    let changes = Changes::of(&[&log]);
    let process = Process::start(dir.tool("multilog", ["./log"]).stdin(Stdio::from(from)));
    changes.until("the start", || log.join("current").exists().then_some(()));
    let mut into = File::from(into);
    into.write_all(b"one\n").unwrap();
    changes
        .until("the line", || (fs::read(log.join("current")).unwrap() == b"one\n").then_some(()));
    drop(into);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn a_socket_is_as_good_as_a_pipe() {
    let dir = Dir::new();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let stdin = Stdio::from(std::os::fd::OwnedFd::from(theirs));
    let process = Process::start(dir.tool("multilog", ["./log"]).stdin(stdin));
    let mut ours = ours;
    ours.write_all(b"one\ntwo").unwrap();
    drop(ours);
    assert_eq!(process.finish().code, 0);
    assert_eq!(fs::read(dir.path("log/current")).unwrap(), b"one\ntwo\n");
}

#[test]
fn closed_standard_descriptors_are_no_logs() {
    let dir = Dir::new();
    let program = program("multilog");
    let sh = |redirect: &str| {
        let script = format!("\"$0\" ./log e {redirect}");
        Process::start(dir.command("sh").args(["-c", &script]).arg(&program)).finish().code
    };
    assert_eq!(sh("<&-"), 0);
    if !testing_originals() {
        fs::write(dir.path("input"), "one\n").unwrap();
        assert_eq!(sh("<input >&- 2>&-"), 0);
        assert_eq!(fs::read(dir.path("log/current")).unwrap(), b"one\n");
    }
}

#[test]
fn a_line_without_an_end_needs_no_memory() {
    let dir = Dir::new();
    let mut process = Process::start(dir.tool("multilog", ["-b*", "./log"]).stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    for _ in 0..32 {
        stdin.write_all(&vec![b'b'; 1 << 20]).unwrap();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u32 = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 8192, "{most}");
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn nobody_reads_the_alerts() {
    let dir = Dir::new();
    let mut command = dir.tool("multilog", ["./log", "e"]);
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::from(into)).spawn().unwrap();
    drop((command, from));
    let pidfd = rustix::process::pidfd_open(
        rustix::process::Pid::from_child(&child),
        rustix::process::PidfdFlags::empty(),
    )
    .unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    assert!(readable(&pidfd, deadline()));
    // Killed by SIGPIPE or not, it must not hang or panic.
    assert_ne!(child.wait().unwrap().code(), Some(134));
}

//! multilog in trouble: killed, out of room, out of luck.

use super::support::{
    Changes, Dir, Process, deadline, originals, program, readable, testing_originals,
};
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};

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

/// Whether a mount namespace of one's own can be had.
fn may_mount() -> bool {
    rustix::process::geteuid().is_root()
        && std::process::Command::new("unshare")
            .args(["-m", "true"])
            .status()
            .is_ok_and(|s| s.success())
}

#[test]
fn a_full_disk_is_waited_for() {
    if !may_mount() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("disk");
    let mut spoken = dir.fifo("spoken");
    let mount = "mount -t tmpfs -o size=256k none disk && head -c 200000 /dev/zero >disk/ballast \
                 && cd disk && echo ready >../spoken && exec \"$0\" \"$@\"";
    let mut command = dir.command("unshare");
    command.args(["-m", "sh", "-c", mount]).arg(program("multilog")).args(["s16777215", "./log"]);
    let mut process = Process::start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    assert_eq!(spoken.line(), "ready");
    let disk = PathBuf::from(format!("/proc/{}/root{}", process.pid(), dir.path("disk").display()));
    let input: Vec<u8> = (0..15_000).flat_map(|n| format!("{n:09}\n").into_bytes()).collect();
    let sent = input.clone();
    let writer = std::thread::spawn(move || {
        stdin.write_all(&sent).unwrap();
        stdin
    });
    let complaint = process.complains("pausing");
    assert_eq!(
        complaint,
        "multilog: warning: unable to write to ./log/current, pausing: out of disk space"
    );
    let changes = Changes::of(&[&disk.join("log")]);
    fs::remove_file(disk.join("ballast")).unwrap();
    let stdin = writer.join().unwrap();
    let current = disk.join("log/current");
    changes.until("the rest", || {
        (fs::metadata(&current).unwrap().size() == input.len() as u64).then_some(())
    });
    assert!(fs::read(&current).unwrap() == input);
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

/// A multilog on a file system of so many bytes, where `before` was run. The
/// file system is gone with it.
struct OnDisk {
    process: Process,
    stdin: ChildStdin,
    disk: PathBuf,
}

impl OnDisk {
    fn start(dir: &Dir, size: usize, before: &str, script: &[&str]) -> Self {
        dir.mkdir("disk");
        let mut spoken = dir.fifo("spoken");
        let mount = format!(
            "mount -t tmpfs -o size={size} none disk && cd disk && mkdir log && {before} \
             && echo ready >../spoken && exec \"$0\" \"$@\""
        );
        let mut command = dir.command("unshare");
        command.args(["-m", "sh", "-c", &mount]).arg(program("multilog")).args(script);
        let path = format!("{}:/usr/bin:/bin", dir.path("bin").display());
        let mut process = Process::start(command.env("PATH", path).stdin(Stdio::piped()));
        let stdin = process.stdin();
        assert_eq!(spoken.line(), "ready");
        let root = format!("/proc/{}/root", process.pid());
        let disk = PathBuf::from(format!("{root}{}", dir.path("disk").display()));
        Self { process, stdin, disk }
    }

    fn log(&self) -> PathBuf {
        self.disk.join("log")
    }

    fn free(&self) -> u64 {
        let all = rustix::fs::statvfs(&self.disk).unwrap();
        all.f_bavail * all.f_frsize
    }

    fn end(self) -> String {
        drop(self.stdin);
        let done = self.process.finish();
        assert_eq!(done.code, 0);
        done.err()
    }
}

fn numbered(count: usize) -> String {
    (0..count).map(|n| format!("line number {n:09}\n")).collect()
}

#[test]
fn one_trouble_is_one_warning() {
    if testing_originals() || !may_mount() {
        return;
    }
    let dir = Dir::new();
    let ballast = "for n in 1 2 3 4; do head -c 32768 /dev/zero >ballast$n; done";
    let mut on = OnDisk::start(&dir, 256 << 10, ballast, &["s16777215", "./log"]);
    let changes = Changes::of(&[&on.log()]);
    let input = numbered(9000);
    let (sent, mut stdin) = (input.clone(), on.stdin);
    let writer = std::thread::spawn(move || {
        stdin.write_all(sent.as_bytes()).unwrap();
        stdin
    });
    assert_eq!(
        on.process.complains("pausing"),
        "multilog: warning: unable to write to ./log/current, pausing: out of disk space"
    );
    let current = on.disk.join("log/current");
    // It is full again each time, and has been tried again in between.
    for n in 1..=4 {
        let before = fs::metadata(&current).unwrap().size();
        fs::remove_file(on.disk.join(format!("ballast{n}"))).unwrap();
        changes.until("more", || {
            let size = fs::metadata(&current).unwrap().size();
            (size >= (before + 32_768).min(input.len() as u64)).then_some(())
        });
    }
    on.stdin = writer.join().unwrap();
    let done = || fs::metadata(&current).unwrap().size() == input.len() as u64;
    changes.until("the rest", || done().then_some(()));
    assert!(fs::read(&current).unwrap() == input.as_bytes());
    assert_eq!(on.end(), "");
}

#[test]
fn the_oldest_make_room_on_a_full_disk() {
    if testing_originals() || !may_mount() {
        return;
    }
    for (script, least) in [
        (&["s16384", "n999", "N2", "./log"][..], 2),
        (&["s16384", "n999", "!cat", "N2", "./log"], 2),
        (&["s16384", "n999", "free=1", "./log"], 1),
    ] {
        let dir = Dir::new();
        let mut on = OnDisk::start(&dir, 256 << 10, "true", script);
        let input = numbered(40_000);
        on.stdin.write_all(input.as_bytes()).unwrap();
        let changes = Changes::of(&[&on.log()]);
        let log = on.log();
        let last = "line number 000039999";
        changes.until("the last line", || {
            fs::read(log.join("current"))
                .ok()?
                .ends_with(format!("{last}\n").as_bytes())
                .then_some(())
        });
        let left = lines(&log);
        let all: Vec<_> = input.lines().map(str::to_owned).collect();
        assert!(all.ends_with(&left), "{script:?}: a line is lost");
        let old = names(&log).iter().filter(|name| name.starts_with('@')).count();
        assert!(old >= least && left.len() > 3000, "{script:?}: {old} old logs");
        // What a processor says of a full disk is its own.
        let said = on.end();
        assert!(!said.contains("multilog: "), "{said}");
    }
}

#[test]
fn no_fewer_than_asked_are_left_on_a_full_disk() {
    if testing_originals() || !may_mount() {
        return;
    }
    let dir = Dir::new();
    let before = "for n in 1 2 3; do head -c 30000 /dev/zero >log/@40000000000000000000000$n.s; done \
                  && { cat /dev/zero >ballast 2>/dev/null; true; }";
    let script = ["s16777215", "n99", "N2", "./log"];
    let mut on = OnDisk::start(&dir, 256 << 10, before, &script);
    let changes = Changes::of(&[&on.log()]);
    let input = numbered(3000);
    on.stdin.write_all(input.as_bytes()).unwrap();
    on.process.complains("current, pausing: out of disk space");
    let old = |on: &OnDisk| names(&on.log()).iter().filter(|name| name.starts_with('@')).count();
    assert_eq!(old(&on), 2);
    fs::remove_file(on.disk.join("ballast")).unwrap();
    let current = on.disk.join("log/current");
    changes.until("the rest", || {
        (fs::metadata(&current).unwrap().size() == input.len() as u64).then_some(())
    });
    assert_eq!(old(&on), 2);
    assert_eq!(on.end(), "");
}

#[test]
fn so_much_stays_free() {
    if testing_originals() || !may_mount() {
        return;
    }
    for (word, floor) in [("free=64k", 64 << 10), ("free=40%", (256 << 10) * 2 / 5)] {
        let dir = Dir::new();
        let mut on = OnDisk::start(&dir, 256 << 10, "true", &["s16384", "n999", word, "./log"]);
        let changes = Changes::of(&[&on.log()]);
        let log = on.log();
        for n in 0..100 {
            on.stdin.write_all(numbered(1000).as_bytes()).unwrap();
            on.stdin.write_all(format!("block {n}\n").as_bytes()).unwrap();
            changes.until("a block", || {
                let current = fs::read(log.join("current")).ok()?;
                current.ends_with(format!("block {n}\n").as_bytes()).then_some(())
            });
            // A rotation may be under way, which has a second current.
            assert!(on.free() + 4096 >= floor, "{word}: {} bytes are free", on.free());
        }
        let old = names(&log).iter().filter(|name| name.starts_with('@')).count();
        assert!(old >= 2, "{word}: {old} old logs");
        assert_eq!(on.end(), "");
    }
}

#[test]
fn what_is_being_compressed_makes_room_for_the_log() {
    if testing_originals() || !may_mount() {
        return;
    }
    let dir = Dir::new();
    let mut said = dir.fifo("said");
    // It fills the disk and keeps it full.
    dir.script(
        "bin/gzip",
        &format!(
            "cat /dev/zero 2>/dev/null; echo full >{}; read word <{}",
            said.path().display(),
            dir.fifo("never").path().display()
        ),
    );
    let mut on = OnDisk::start(&dir, 256 << 10, "true", &["s4096", "n99", "gzip", "./log"]);
    let changes = Changes::of(&[&on.log()]);
    let log = on.log();
    let input = numbered(300);
    on.stdin.write_all(input.as_bytes()).unwrap();
    assert_eq!(said.line(), "full");
    // More than what is left of current's last page.
    on.stdin.write_all(numbered(1000).as_bytes()).unwrap();
    let complaint = on.process.complains("unable to compress");
    assert!(complaint.ends_with(", trying again in 5 seconds: out of disk space"), "{complaint}");
    changes.until("the last line", || {
        let current = fs::read(log.join("current")).ok()?;
        current.ends_with(b"line number 000000999\n").then_some(())
    });
    let all = [&input[..], &numbered(1000)].concat();
    assert!(lines(&log).into_iter().eq(all.lines().map(str::to_owned)), "a line is lost");
    assert_eq!(on.end(), "");
}

#[test]
fn a_full_disk_while_it_compresses() {
    if testing_originals() || !may_mount() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("bin");
    // What cannot be made smaller has no room a second time.
    let before = "head -c 100000 /dev/urandom >log/@400000000000000000000001.s \
                  && head -c 100000 /dev/zero >ballast";
    let mut on = OnDisk::start(&dir, 256 << 10, before, &["gzip", "./log"]);
    let changes = Changes::of(&[&on.log()]);
    let plain = fs::read(on.log().join("@400000000000000000000001.s")).unwrap();
    assert_eq!(
        on.process.complains("in ./log"),
        "multilog: warning: gzip failed in ./log, trying again in 5 seconds"
    );
    on.stdin.write_all(b"one\n").unwrap();
    let log = on.log();
    changes.until("a line", || (fs::read(log.join("current")).unwrap() == b"one\n").then_some(()));
    fs::remove_file(on.disk.join("ballast")).unwrap();
    let packed = log.join("@400000000000000000000001.s.gz");
    changes
        .until("the compressed one", || (names(&log).len() == 4 && packed.exists()).then_some(()));
    let unpacked = Process::start(dir.command("gzip").arg("-dc").arg(packed)).finish();
    assert!(unpacked.out == plain);
    assert_eq!(on.end(), "");
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

//! A full disk, on which the oldest logs may have to go.

use super::{lines, may_mount, names, numbered};
use crate::support::{Changes, Dir, Process, program, testing_originals};
use std::fs::{self};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};

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

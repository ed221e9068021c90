//! Killed while old logs are compressed, or go.

use super::{filled, lines, logged};
use crate::multilog::old;
use crate::multilog_keep::logged as logged_packed;
use crate::support::{Changes, Dir, Process, Random, in_path, testing_originals};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

/// Where one that compresses old logs can be killed, and what it has to be
/// killed at before so that it comes there.
const COMPRESSING: [(&str, Option<&str>); 8] = [
    ("compress: created", None),
    ("compress: started", None),
    ("compress: done", None),
    ("compress: synced", None),
    ("compress: finished", None),
    ("compress: renamed", None),
    ("compress: removed", None),
    ("compress: cleared", Some("compress: renamed")),
];

#[test]
fn at_every_step_of_compressing() {
    if testing_originals() {
        return;
    }
    for program in ["gzip", "zstd"].into_iter().filter(|program| in_path(program)) {
        for (n, (point, before)) in COMPRESSING.into_iter().enumerate() {
            let dir = Dir::new();
            let input = lines(&mut Random::new(n as u64), 0, 15_000);
            let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            let mut into = File::from(into);
            into.write_all(&input).unwrap();
            let script = ["s4096", "n9999", program, "./log"];
            let start = |kill_at: Option<&str>| {
                let mut command = dir.tool("multilog", script);
                if let Some(point) = kill_at {
                    let path = dir.file("kill", "");
                    command.env("UPKEEP_KILL_AT", format!("{point}={}", path.display()));
                }
                let stdin = Stdio::from(from.try_clone().unwrap());
                Process::start(command.stdin(stdin))
            };
            // It is there twice at the most between two of them.
            for point in [before.unwrap_or(point), point] {
                assert_eq!(start(Some(point)).ends(), 137, "{point}");
            }
            let log = dir.path("log");
            let changes = Changes::of(&[&log]);
            let last = start(None);
            changes.until("all of them compressed", || {
                let all = old(&log);
                let plain = |name: &String| name.ends_with(".s") || name.ends_with(".u");
                (!all.is_empty() && !all.iter().any(plain)).then_some(())
            });
            drop(into);
            let done = last.finish();
            assert_eq!((done.code, done.err().as_str()), (0, ""));
            let all = logged_packed(&dir, &log);
            assert!(all.into_bytes() == input, "{program} killed at {point}");
        }
    }
}

#[test]
fn between_two_old_logs_that_go() {
    if testing_originals() {
        return;
    }
    for script in [&["s4096", "n3", "./log"][..], &["s4096", "n99", "S9000", "./log"]] {
        let dir = Dir::new();
        let input = lines(&mut Random::new(1), 0, 60_000);
        let from = filled(&input);
        let mut kills = 0;
        loop {
            let mut command = dir.tool("multilog", script);
            let path = dir.file("kill", "");
            command.env("UPKEEP_KILL_AT", format!("trim: removed={}", path.display()));
            let stdin = Stdio::from(from.try_clone().unwrap());
            match Process::start(command.stdin(stdin)).finish().code {
                0 => break,
                code => assert_eq!(code, 137),
            }
            kills += 1;
        }
        assert!(kills > 5, "{kills} kills");
        let log = dir.path("log");
        let left = logged(&log, false);
        assert!(left.len() > 4000 && input.ends_with(&left), "{script:?}: something is lost");
        let sizes = old(&log).into_iter().map(|name| fs::metadata(log.join(name)).unwrap().len());
        let sizes: Vec<u64> = sizes.collect();
        let kept = if script.contains(&"n3") {
            sizes.len() <= 2
        } else {
            sizes.iter().sum::<u64>() <= 9000
        };
        assert!(kept, "{script:?}: {sizes:?}");
    }
}

#[test]
fn at_any_moment_while_it_compresses() {
    const KILLS: usize = 60;
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let mut random = Random::new(11);
    let (from, into) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    // All of it has room, whoever is killed before he reads.
    fcntl_setpipe_size(&into, 1 << 20).unwrap();
    let mut into = File::from(into);
    let script = ["s5000", "n99999", "hourly", "R1h", "keep=1d", "gzip", "./log"];
    let start = || {
        let stdin = Stdio::from(from.try_clone().unwrap());
        Process::start(dir.tool("multilog", script).stdin(stdin))
    };
    let mut input = Vec::new();
    for _ in 0..KILLS {
        let size = random.below(8_000);
        let some = lines(&mut random, input.len(), size);
        into.write_all(&some).unwrap();
        input.extend(some);
        let changes = Changes::of(&[&log]);
        let before = old(&log);
        let process = start();
        // It has begun, and logs are compressed, or are about to be.
        if random.below(3) > 0 {
            let begun = || old(&log) != before || log.join("current").exists();
            changes.until("the beginning", || begun().then_some(()));
        }
        let most = 1 << (10 + random.below(12));
        for _ in 0..random.below(most) {
            std::hint::spin_loop();
        }
        process.signal(Signal::KILL);
        process.ends();
    }
    let changes = Changes::of(&[&log]);
    let last = start();
    changes.until("all of them compressed", || {
        let plain = |name: &String| name.ends_with(".s") || name.ends_with(".u");
        (!old(&log).iter().any(plain)).then_some(())
    });
    drop(into);
    assert_eq!(last.finish().code, 0);
    assert!(logged_packed(&dir, &log).into_bytes() == input, "a line is lost, torn or twice");
}

//! Old logs that multilog compresses in the background: one at a time, at low
//! priority, and whatever goes wrong with it, no line is lost and none waits.

use super::multilog::{mode, text};
use super::multilog_keep::{Logger, logged, unpacked};
use super::support::{Changes, Dir, in_path, testing_originals};
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A program named gzip that does this, before all others.
fn gzip(dir: &Dir, body: &str) -> String {
    dir.script("bin/gzip", body);
    format!("{}:/usr/bin:/bin", dir.path("bin").display())
}

/// Says that it has begun and waits until it may go on.
const WAITING: &str = "echo begun >../said; read go <../go; exec /bin/gzip \"$@\"";

impl Logger<'_> {
    /// Waits until there are so many old logs and all are compressed.
    fn until_compressed(&self, count: usize, suffix: &str) -> Vec<String> {
        self.changes.until("compressed logs", || {
            let old = self.old();
            let all = old.len() == count && old.iter().all(|name| name.ends_with(suffix));
            all.then_some(old)
        })
    }

    /// Waits for another old log.
    fn rotate(&self) -> String {
        let before = self.old().len();
        self.process.signal(Signal::ALARM);
        self.changes.until("another old log", || {
            let old = self.old();
            (old.len() > before).then(|| old[before].clone())
        })
    }
}

/// A multilog that is killed between the last two steps leaves a log and what
/// it was compressed to. They are one.
#[test]
fn a_log_that_is_there_twice_counts_once() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    for n in 1..=4 {
        let file = dir.file(format!("log/@4000000069000000000000{n}0.s"), "old\n");
        fs::set_permissions(file, Permissions::from_mode(0o744)).unwrap();
    }
    let twin = dir.file("log/@400000006900000000000040.s.gz", "old, compressed");
    fs::set_permissions(twin, Permissions::from_mode(0o744)).unwrap();
    dir.file("log/current", "not finished\n");
    let path = gzip(&dir, "exit 1");
    let mut logger = Logger::with(&dir, &["n6", "gzip", "./log"], &[("PATH", &path)]);
    logger.log_line("new");
    assert!(log.join("@400000006900000000000010.s").exists());
    assert!(!log.join("@400000006900000000000040.s").exists());
    assert_eq!(logger.old().len(), 5);
}

#[test]
fn old_logs_are_compressed() {
    if testing_originals() {
        return;
    }
    for (word, suffix) in
        [("gzip", ".s.gz"), ("gzip=9", ".s.gz"), ("zstd", ".s.zst"), ("zstd=19", ".s.zst")]
    {
        if !in_path(&word[..4]) {
            continue;
        }
        let dir = Dir::new();
        let mut log = Logger::start(&dir, &[word, "./log"]);
        log.log_line(&"one ".repeat(300));
        log.process.signal(Signal::ALARM);
        let old = log.until_compressed(1, suffix);
        let file = log.log().join(&old[0]);
        assert_eq!(mode(&file), 0o744, "{word}");
        assert!(fs::metadata(&file).unwrap().len() < 100, "{word}");
        assert_eq!(unpacked(&dir, &file), "one ".repeat(300) + "\n");
        assert!(!log.log().join("compressing").exists());
        log.log_line("two");
        log.process.signal(Signal::ALARM);
        log.until_compressed(2, suffix);
        log.log_line("three");
        assert_eq!(log.end(), "");
        assert_eq!(logged(&dir, &dir.path("log")), "one ".repeat(300) + "\ntwo\nthree\n");
    }
}

#[test]
fn what_a_processor_wrote_is_compressed_too() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["!tr a-z A-Z", "gzip", "./log"]);
    log.log_line("one");
    log.process.signal(Signal::ALARM);
    let old = log.until_compressed(1, ".s.gz");
    assert_eq!(unpacked(&dir, &log.log().join(&old[0])), "ONE\n");
    assert_eq!(log.end(), "");
}

#[test]
fn it_gives_way_and_there_is_never_a_second_one() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut said, go) = (dir.fifo("said"), dir.fifo("go"));
    let path = gzip(
        &dir,
        "echo begun >../said; read go <../go; cut -d' ' -f19 /proc/$$/stat >../said; \
         exec /bin/gzip \"$@\"",
    );
    dir.mkdir("two");
    let mut log = Logger::with(&dir, &["gzip", "./log", "./two"], &[("PATH", &path)]);
    for line in ["one", "two"] {
        log.log_line(line);
        log.rotate();
    }
    // All four are there to be compressed, and one is.
    log.log_line("three");
    let two = Changes::of(&[&dir.path("two")]);
    for turn in 0..4 {
        assert_eq!(said.line(), "begun");
        log.log_line(&format!("while it works {turn}"));
        assert!(said.is_silent(), "a second one works");
        go.say("go");
        assert_eq!(said.line(), "19");
    }
    log.until_compressed(2, ".gz");
    two.until("the other", || {
        let old = super::multilog::old(&dir.path("two"));
        old.iter().all(|name| name.ends_with(".gz")).then_some(())
    });
    assert_eq!(log.end(), "");
    assert_eq!(logged(&dir, &dir.path("log")), logged(&dir, &dir.path("two")));
}

#[test]
fn a_program_that_fails_is_run_again_and_mentioned_once() {
    if testing_originals() {
        return;
    }
    for (body, what) in [
        ("exit 3", "gzip failed in ./log, trying again in 5 seconds"),
        ("kill -9 $$", "gzip crashed in ./log, trying again in 5 seconds"),
        ("exit 0", "gzip wrote nothing in ./log, trying again in 5 seconds"),
    ] {
        let dir = Dir::new();
        let mut said = dir.fifo("said");
        let once = format!(
            "echo begun >../said; echo no >&2; if [ -e ../fails ]; then {body}; fi; \
             exec /bin/gzip \"$@\""
        );
        let path = gzip(&dir, &once);
        dir.file("fails", "");
        let mut log = Logger::with(&dir, &["gzip", "./log"], &[("PATH", &path)]);
        log.log_line("one");
        log.process.signal(Signal::ALARM);
        assert_eq!(log.process.complains("in ./log"), format!("multilog: warning: {what}"));
        assert_eq!(said.line(), "begun");
        log.log_line("two");
        if body == "exit 3" {
            // The rest is the same for all, and takes its five seconds.
            fs::remove_file(dir.path("fails")).unwrap();
            assert_eq!(said.line(), "begun");
            log.until_compressed(1, ".gz");
        }
        // What the program itself says is there once, too.
        assert_eq!(log.end(), "", "{body}");
        assert_eq!(logged(&dir, &dir.path("log")), "one\ntwo\n");
    }
}

#[test]
fn without_the_program_the_logs_stay_plain() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::with(&dir, &["zstd", "./log"], &[("PATH", "/nowhere")]);
    log.log_line("one");
    log.process.signal(Signal::ALARM);
    assert_eq!(
        log.process.complains("zstd"),
        "multilog: warning: unable to run zstd in ./log, trying again in 5 seconds: \
         file does not exist"
    );
    log.log_line("two");
    log.rotate();
    assert_eq!(log.end(), "");
    assert!(!dir.path("log/compressing").exists());
    assert_eq!(logged(&dir, &dir.path("log")), "one\ntwo\n");
}

#[test]
fn term_ends_it_and_the_next_multilog_does_it() {
    if testing_originals() {
        return;
    }
    for signal in [Signal::TERM, Signal::KILL] {
        let dir = Dir::new();
        let (mut said, _go) = (dir.fifo("said"), dir.fifo("go"));
        let path = gzip(&dir, WAITING);
        let mut log = Logger::with(&dir, &["gzip", "./log"], &[("PATH", &path)]);
        log.log_line("one");
        let name = log.rotate();
        assert_eq!(said.line(), "begun");
        log.process.signal(signal);
        let code = log.process.finish().code;
        assert_eq!(code, if signal == Signal::TERM { 0 } else { 137 });
        // It has gone: its pipes are at their end, which was waited for.
        assert_eq!(text(dir.path("log").join(name)), "one\n");
        if signal == Signal::TERM {
            assert!(!dir.path("log/compressing").exists());
        }
        let log = Logger::start(&dir, &["gzip", "./log"]);
        log.until_compressed(if signal == Signal::TERM { 1 } else { 2 }, ".gz");
        assert!(!dir.path("log/compressing").exists());
        assert_eq!(log.end(), "");
        assert_eq!(logged(&dir, &dir.path("log")), "one\n");
    }
}

#[test]
fn what_was_left_half_done_is_put_in_order() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let file = |name: &str, content: &[u8], mode: u32| {
        let path = dir.file(Path::new("log").join(name), content);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let names = [1, 2, 3].map(|n| format!("@4000000000000000000000{n:02}.s"));
    // Killed between two steps: both are there. The compressed one counts.
    file(&names[0], b"one\n", 0o744);
    file(&format!("{}.gz", names[0]), b"as it was", 0o744);
    // Somebody is not done yet, or never was.
    file(&names[1], b"two\n", 0o744);
    file(&format!("{}.gz", names[1]), b"garbage", 0o644);
    file(&format!("{}.zst", names[1]), b"", 0o744);
    // What a killed one was about to write, and what is no log.
    file("compressing", b"garbage", 0o744);
    dir.mkdir(format!("log/{}", names[2]));
    file("@400000000000000000000004.u", b"three\n", 0o744);
    file("@by-somebody-who-has-copied-it.s", b"copied", 0o744);
    let log = Logger::start(&dir, &["gzip", "./log"]);
    let wanted = [
        format!("{}.gz", names[0]),
        format!("{}.gz", names[1]),
        format!("{}.zst", names[1]),
        names[2].clone(),
        "@400000000000000000000004.u.gz".to_owned(),
        "@by-somebody-who-has-copied-it.s".to_owned(),
    ];
    log.changes.until("order", || (log.old() == wanted).then_some(()));
    assert_eq!(text(log.log().join(&wanted[0])), "as it was");
    assert_eq!(unpacked(&dir, &log.log().join(&wanted[1])), "two\n");
    assert_eq!(unpacked(&dir, &log.log().join(&wanted[4])), "three\n");
    assert!(!log.log().join("compressing").exists());
    assert_eq!(log.end(), "");
}

#[test]
fn a_log_that_goes_meanwhile_is_not_missed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut said, go) = (dir.fifo("said"), dir.fifo("go"));
    let path = gzip(&dir, WAITING);
    let mut log = Logger::with(&dir, &["n2", "gzip", "./log"], &[("PATH", &path)]);
    log.log_line("one");
    let first = log.rotate();
    assert_eq!(said.line(), "begun");
    log.log_line("two");
    log.process.signal(Signal::ALARM);
    log.changes.until("the first one to go", || {
        let old = log.old();
        (old.len() == 1 && old[0] != first).then_some(())
    });
    go.say("go");
    // The next one is what comes next.
    assert_eq!(said.line(), "begun");
    go.say("go");
    let old = log.until_compressed(1, ".gz");
    assert_eq!(unpacked(&dir, &log.log().join(&old[0])), "two\n");
    assert_eq!(log.end(), "");
}

//! What multilog does with its old logs by itself: when a log ends by the
//! clock, and which old ones go.

mod moved;

use super::multilog::{old, text};
use super::support::{Changes, Dir, Process, program, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use upkeep_core::archives;
use upkeep_core::recovery::Ending;
use upkeep_core::tai::Tai64n;

/// A multilog that writes to ./log, and whose clock can be set.
pub(crate) struct Logger<'a> {
    dir: &'a Dir,
    pub(crate) process: Process,
    stdin: ChildStdin,
    pub(crate) changes: Changes,
}

impl<'a> Logger<'a> {
    pub(crate) fn start(dir: &'a Dir, script: &[&str]) -> Self {
        Self::with(dir, script, &[])
    }

    pub(crate) fn with(dir: &'a Dir, script: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = dir.mkdir("log");
        let changes = Changes::of(&[&log]);
        let mut command = dir.tool("multilog", script);
        command.env("UPKEEP_CLOCK", dir.path("clock")).env("TZ", "UTC");
        command.envs(variables.iter().copied());
        let mut process = Process::start(command.stdin(Stdio::piped()));
        let stdin = process.stdin();
        Self { dir, process, stdin, changes }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path("log")
    }

    pub(crate) fn old(&self) -> Vec<String> {
        old(&self.log())
    }

    pub(crate) fn give(&mut self, lines: &str) {
        self.stdin.write_all(lines.as_bytes()).unwrap();
    }

    /// Gives a line, and waits until it is in the log.
    pub(crate) fn log_line(&mut self, line: &str) {
        self.give(&format!("{line}\n"));
        let current = self.log().join("current");
        self.changes.until(line, || text(&current).contains(line).then_some(()));
    }

    /// Sets the clock, has it looked at, and sees it done: what comes then is
    /// behind it.
    pub(crate) fn set_clock(&mut self, seconds: i64) {
        set_clock(self.dir, seconds);
        self.process.signal(Signal::HUP);
        self.log_line(&format!("at {seconds}"));
    }

    /// Waits until there are so many old logs.
    pub(crate) fn until_old(&self, count: usize) -> Vec<String> {
        self.changes.until("old logs", || Some(self.old()).filter(|old| old.len() == count))
    }

    /// Waits for a new directory, and that there is a current in it.
    fn appears(&mut self, above: &Changes) {
        above.until("a new one", || self.log().exists().then_some(()));
        self.changes = Changes::of(&[&self.log()]);
        let current = self.log().join("current");
        self.changes.until("current", || current.exists().then_some(()));
    }

    /// Ends it, and answers what it complained about.
    pub(crate) fn end(self) -> String {
        drop(self.stdin);
        let done = self.process.finish();
        assert_eq!(done.code, 0);
        done.err()
    }
}

/// The clock of multilog is so many seconds ahead. It is never seen half
/// written.
pub(crate) fn set_clock(dir: &Dir, seconds: i64) {
    let beside = dir.file("clock.new", seconds.to_string());
    fs::rename(beside, dir.path("clock")).unwrap();
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Makes an old log that was closed so many seconds ago.
fn closed(dir: &Dir, ago: i64, size: usize) -> String {
    let name = archives::name(Tai64n::from_unix(now() - ago, 0), Ending::Safe);
    let name = String::from_utf8(name.to_vec()).unwrap();
    dir.file(Path::new("log").join(&name), vec![b'o'; size]);
    name
}

#[test]
fn a_log_ends_at_its_age() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["R1h", "./log"]);
    log.log_line("first");
    log.set_clock(HOUR - 5);
    assert_eq!(log.old().len(), 0);
    set_clock(&dir, HOUR);
    log.process.signal(Signal::HUP);
    let old = log.until_old(1);
    assert_eq!(text(log.log().join(&old[0])), format!("first\nat {}\n", HOUR - 5));
    // An empty one has no age, and the next begins with its first line.
    log.process.signal(Signal::HUP);
    log.set_clock(10 * HOUR);
    assert_eq!(log.old().len(), 1);
    log.set_clock(11 * HOUR - 5);
    assert_eq!(log.old().len(), 1);
    set_clock(&dir, 11 * HOUR);
    log.process.signal(Signal::HUP);
    log.until_old(2);
    assert_eq!(log.end(), "");
}

#[test]
fn an_age_is_known_after_a_restart() {
    if testing_originals() {
        return;
    }
    // The file is made now. When its first line came is in the journal; without
    // one it is taken to be when the file was made.
    for (begun, with_journal) in [(2 * HOUR, true), (0, false)] {
        let dir = Dir::new();
        set_clock(&dir, begun);
        let mut log = Logger::start(&dir, &["R1h", "./log"]);
        log.log_line("first");
        log.end();
        if !with_journal {
            fs::remove_file(dir.path("log/lock")).unwrap();
        }
        set_clock(&dir, begun + HOUR - 20);
        let mut log = Logger::start(&dir, &["R1h", "./log"]);
        log.log_line("second");
        assert_eq!(log.old().len(), 0);
        log.end();
        set_clock(&dir, begun + HOUR + 20);
        // No line is needed for it.
        let log = Logger::start(&dir, &["R1h", "./log"]);
        let old = log.until_old(1);
        assert_eq!(text(log.log().join(&old[0])), "first\nsecond\n");
        assert_eq!(log.end(), "");
    }
}

#[test]
fn a_log_ends_with_its_hour_though_no_line_comes() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // A second before.
    set_clock(&dir, HOUR - now().rem_euclid(HOUR) - 1);
    let mut log = Logger::start(&dir, &["hourly", "./log", "-*", "./empty"]);
    log.give("before\n");
    let old = log.until_old(1);
    let label = archives_moment(&old[0]);
    assert_eq!(label.rem_euclid(HOUR), 0, "{label}");
    log.log_line("after");
    assert_eq!(text(log.log().join(&old[0])), "before\n");
    assert_eq!(old_of(&dir, "empty").len(), 0, "an empty log has ended");
    assert_eq!(log.end(), "");
}

fn archives_moment(name: &str) -> i64 {
    upkeep_core::retention::closed(name.as_bytes()).unwrap()
}

fn old_of(dir: &Dir, log: &str) -> Vec<String> {
    old(&dir.path(log))
}

#[test]
fn a_day_ends_at_midnight_where_this_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // Half past five there when it is midnight here.
    let there = now() + 5 * HOUR + HOUR / 2;
    set_clock(&dir, DAY - there.rem_euclid(DAY) - 60);
    let mut log =
        Logger::with(&dir, &["weekly", "./week", "daily", "./log"], &[("TZ", "XST-5:30")]);
    log.log_line("before");
    let weeks = Changes::of(&[&dir.path("week")]);
    log.process.signal(Signal::HUP);
    log.log_line("still before");
    assert_eq!(log.old().len(), 0);
    set_clock(&dir, DAY - there.rem_euclid(DAY) + 1);
    log.process.signal(Signal::HUP);
    let old = log.until_old(1);
    assert_eq!(text(log.log().join(&old[0])), "before\nstill before\n");
    log.set_clock(DAY - there.rem_euclid(DAY) + 2 * DAY);
    log.until_old(1);
    set_clock(&dir, DAY - there.rem_euclid(DAY) + 8 * DAY);
    log.process.signal(Signal::HUP);
    log.until_old(2);
    // Among these days was a Monday.
    weeks.until("a week", || (!old_of(&dir, "week").is_empty()).then_some(()));
    assert_eq!(log.end(), "");
}

#[test]
fn a_clock_that_jumps_ends_a_log_once() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["R1d", "hourly", "./log"]);
    log.log_line("first");
    // Back is no reason, and the hours go on from there.
    log.set_clock(-400 * DAY);
    assert_eq!(log.old().len(), 0);
    set_clock(&dir, HOUR - 400 * DAY);
    log.process.signal(Signal::HUP);
    log.until_old(1);
    // Forward by many hours is one end.
    log.set_clock(400 * DAY);
    assert_eq!(log.old().len(), 1);
    set_clock(&dir, 500 * DAY);
    log.process.signal(Signal::HUP);
    log.until_old(2);
    log.set_clock(500 * DAY);
    assert_eq!(log.old().len(), 2);
    assert_eq!(log.end(), "");
}

#[test]
fn a_line_that_has_begun_is_not_cut_by_the_clock() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut log = Logger::start(&dir, &["R1h", "./log"]);
    let long = "x".repeat(3000);
    log.give(&long);
    let current = log.log().join("current");
    log.changes.until("the beginning", || (text(&current).len() == 3000).then_some(()));
    set_clock(&dir, HOUR);
    log.process.signal(Signal::HUP);
    log.log_line("end of it");
    let old = log.until_old(1);
    assert_eq!(text(log.log().join(&old[0])), format!("{long}end of it\n"));
    assert_eq!(log.end(), "");
}

#[test]
fn all_old_logs_together_have_a_size() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names = [400, 300, 200, 100].map(|ago| closed(&dir, ago, 3000));
    // At the start, and with each new one.
    let mut log = Logger::start(&dir, &["S9000", "./log"]);
    log.until_old(3);
    assert_eq!(log.old(), names[1..]);
    log.log_line("one line");
    log.process.signal(Signal::ALARM);
    let new = log.changes.until("another", || {
        let old = log.old();
        (old.len() == 3 && old[0] == names[2]).then(|| old[2].clone())
    });
    assert_eq!(text(log.log().join(new)), "one line\n");
    assert_eq!(log.end(), "");
}

#[test]
fn more_than_are_looked_at_at_once_go() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut names: Vec<String> = (0..40).map(|n| closed(&dir, 100 + n, 10)).collect();
    names.sort();
    let log = Logger::start(&dir, &["S35", "n99", "./log"]);
    log.until_old(3);
    assert_eq!(log.old(), names[37..]);
    assert_eq!(log.end(), "");
}

#[test]
fn old_logs_go_when_they_are_too_old() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names = [8 * DAY, 6 * DAY, 5 * DAY].map(|ago| closed(&dir, ago, 10));
    // One that a clock in the next century closed is not the oldest, and one
    // that is called after no moment has the time of its file.
    let future = closed(&dir, -36_500 * DAY, 10);
    let named = "@by-somebody-who-has-copied-it";
    dir.file(format!("log/{named}"), "copied");
    let long_ago = UNIX_EPOCH + std::time::Duration::from_secs(1000);
    fs::File::options()
        .write(true)
        .open(dir.path("log").join(named))
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let mut log = Logger::start(&dir, &["keep=7d", "./log"]);
    log.until_old(4);
    assert!(!log.old().contains(&names[0]));
    log.set_clock(DAY + 10);
    log.until_old(3);
    log.set_clock(2 * DAY + 10);
    assert_eq!(log.until_old(2), [future, named.to_owned()]);
    assert_eq!(log.end(), "");
}

#[test]
fn an_old_log_goes_though_nothing_is_written() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // It has two seconds left.
    closed(&dir, 7 * DAY - 2, 10);
    let log = Logger::start(&dir, &["keep=7d", "./log"]);
    log.until_old(0);
    assert_eq!(log.end(), "");
}

#[test]
fn a_wrong_value_is_refused() {
    if testing_originals() {
        return;
    }
    for (word, why) in [
        ("R", "R takes a time"),
        ("R1y", "R takes a time"),
        ("N", "N takes a number of old logs"),
        ("S1x", "S takes a number of bytes"),
        ("keep=x", "keep= takes an age"),
        ("free=200%", "free= takes a number of bytes or of percent"),
        ("gzip=10", "gzip= takes a level from 1 to 9"),
        ("zstd=20", "zstd= takes a level from 1 to 19"),
    ] {
        let dir = Dir::new();
        let done = dir.run("multilog", [word, "./log"]);
        let wanted = format!("multilog: fatal: unable to follow {word}: {why}\n");
        assert_eq!((done.code, done.err()), (100, wanted));
        assert!(!dir.path("log").exists());
    }
}

#[test]
fn hundreds_of_directories() {
    if testing_originals() {
        return;
    }
    const MANY: usize = 300;
    let dir = Dir::new();
    let names: Vec<String> = (0..MANY).map(|n| format!("./log{n}")).collect();
    let script = ["s4096", "R1h", "n3", "gzip"].into_iter().map(str::to_owned);
    // As a system has it: fewer descriptors than they take.
    let mut command = dir.command("sh");
    command.args(["-c", "ulimit -Sn 1000 && exec \"$0\" \"$@\""]).arg(program("multilog"));
    command.args(script.chain(names.iter().cloned()));
    command.args(["!ulimit -Sn", "./limit"]);
    let mut process = Process::start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    let mut wanted = String::new();
    for n in 0..30 {
        wanted += &format!("line {n} {}\n", "-".repeat(90));
    }
    stdin.write_all(wanted.as_bytes()).unwrap();
    drop(stdin);
    let done = process.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    for name in &names {
        assert_eq!(logged(&dir, &dir.path(name)), wanted, "{name}");
    }
    // What they start has no more than before.
    assert!(
        old(&dir.path("limit"))
            .iter()
            .all(|name| { unpacked(&dir, &dir.path("limit").join(name)) == "1000\n" })
    );
}

/// All logs of a directory, whatever they are compressed by.
pub(crate) fn logged(dir: &Dir, log: &Path) -> String {
    let mut all = String::new();
    for name in old(log).into_iter().chain(["current".to_owned()]) {
        all += &unpacked(dir, &log.join(name));
    }
    all
}

/// What is in a log.
pub(crate) fn unpacked(dir: &Dir, file: &Path) -> String {
    let program = match file.extension().and_then(|it| it.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => return text(file),
    };
    let done = Process::start(dir.command(program).arg("-dc").arg(file)).finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{}", file.display());
    done.out()
}

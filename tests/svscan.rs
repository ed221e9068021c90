//! svscan: what it starts, what it notices, how it ends.

use crate::support::{
    Changes, Dir, Process, Service, deadline, readable, seen, supervised, testing_originals,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

/// svscan over `scan`, with the programs under test first in PATH.
fn svscan(dir: &Dir) -> Process {
    let mut command = dir.tool("svscan", ["scan"]);
    Process::start(with_path(&mut command))
}

fn with_path(command: &mut std::process::Command) -> &mut std::process::Command {
    let mut path = crate::support::programs().into_os_string();
    path.push(":/usr/bin:/bin");
    command.env("PATH", path)
}

/// The process that holds the lock of a service directory, by its children:
/// the parent of the service.
fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn it_starts_what_is_there() {
    let dir = Dir::new();
    let mut one = Service::new(&dir, "scan/one", "");
    let mut two = Service::new(&dir, "two", "");
    symlink(dir.path("two"), dir.path("scan/two")).unwrap();
    let hidden = Service::new(&dir, "scan/.hidden", "");
    dir.file("scan/file", "");
    let _svscan = svscan(&dir);
    one.up();
    two.up();
    assert!(hidden.said.is_silent());
}

#[test]
fn a_logged_service_writes_to_its_logger() {
    let dir = Dir::new();
    let _service = Service::with_script(&dir, "scan/s", "echo one; echo two; exec sleep 1000");
    let mut log = Service::with_script(&dir, "scan/s/log", "while read l; do echo $l >$said; done");
    let _svscan = svscan(&dir);
    assert_eq!(log.said.line(), "one");
    assert_eq!(log.said.line(), "two");
}

#[test]
fn the_pipe_outlives_logger_and_service() {
    let dir = Dir::new();
    // The service says a number for each line that it is sent.
    let said = dir.fifo("say");
    let script = format!("exec 3<>{}; while read n <&3; do echo $n; done", said.path().display());
    let mut service = Service::new(&dir, "unused", "");
    service.path = dir.path("scan/s");
    dir.script("scan/s/run", &script);
    let mut log = Service::with_script(
        &dir,
        "scan/s/log",
        "echo up $$ >$said; while read l; do echo $l >$said; done",
    );
    let _svscan = svscan(&dir);
    let logger = log.up();
    said.say("1");
    assert_eq!(log.said.line(), "1");
    kill(logger);
    // A process that is killed while it waits for input may still take some.
    log.until("the end of the logger", |seen| seen.pid != logger);
    // Written while nobody reads.
    said.say("2");
    let logger = log.up();
    assert_eq!(log.said.line(), "2");
    // The logger's supervise with the logger, and the service too.
    let main = service.until("the service", |seen| seen.pid != 0).pid;
    let before = parent_of(logger);
    log.svc(&dir, "-dx");
    log.until("the end of the logger", |seen| seen.pid == 0);
    kill(main);
    service.until("the next service", |seen| seen.pid != 0 && seen.pid != main);
    said.say("3");
    let logger = log.up();
    assert_ne!(parent_of(logger), before);
    assert_eq!(log.said.line(), "3");
}

#[test]
fn what_is_added_is_started() {
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "");
    let _svscan = svscan(&dir);
    first.up();
    let mut linked = Service::new(&dir, "linked", "");
    symlink(dir.path("linked"), dir.path("scan/linked")).unwrap();
    linked.up();
    let mut moved = Service::new(&dir, "moved", "");
    fs::rename(dir.path("moved"), dir.path("scan/moved")).unwrap();
    moved.path = dir.path("scan/moved");
    moved.up();
}

#[test]
fn what_is_made_in_place_is_started_when_it_is_complete() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "");
    let svscan = svscan(&dir);
    first.up();
    // The directory, then its run, then its logger: had svscan been quicker,
    // supervise would complain of the missing run and nobody would log.
    dir.mkdir("scan/slow");
    dir.script("scan/slow/run", "echo hello; exec sleep 1000");
    let mut log =
        Service::with_script(&dir, "scan/slow/log", "while read l; do echo $l >$said; done");
    assert_eq!(log.said.line(), "hello");
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

#[test]
fn a_renamed_link_is_the_same_service() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.mkdir("scan");
    symlink(dir.path("s"), dir.path("scan/old")).unwrap();
    let svscan = svscan(&dir);
    let pid = service.up();
    fs::rename(dir.path("scan/old"), dir.path("scan/new")).unwrap();
    let mut other = Service::new(&dir, "other", "");
    symlink(dir.path("other"), dir.path("scan/other")).unwrap();
    other.up();
    // The new name was seen before the other service; nothing was restarted.
    assert_eq!(service.seen().unwrap().pid, pid);
    if !testing_originals() {
        svscan.signal(Signal::TERM);
        let done = svscan.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    }
}

#[test]
fn a_supervise_that_ends_is_started_again() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "");
    let _svscan = svscan(&dir);
    let first = parent_of(service.up());
    service.svc(&dir, "-dx");
    assert_ne!(parent_of(service.up()), first);
}

#[test]
fn what_is_removed_is_not_started_again() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.mkdir("scan");
    symlink(dir.path("s"), dir.path("scan/s")).unwrap();
    let _svscan = svscan(&dir);
    service.up();
    fs::remove_file(dir.path("scan/s")).unwrap();
    let mut other = Service::new(&dir, "other", "");
    symlink(dir.path("other"), dir.path("scan/other")).unwrap();
    other.up();
    supervised(&service.path);
    service.svc(&dir, "-dx");
    service.until("the end", |seen| seen.pid == 0);
    let mut third = Service::new(&dir, "third", "");
    symlink(dir.path("third"), dir.path("scan/third")).unwrap();
    third.up();
    assert!(service.said.is_silent());
}

#[test]
fn hup_takes_down_what_has_vanished() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut stays = Service::new(&dir, "scan/stays", "");
    let mut goes = Service::new(&dir, "goes", "trap 'echo bye; exit' TERM");
    let mut log = Service::with_script(
        &dir,
        "goes/log",
        "while read l; do echo $l >$said; done; echo eof >$said",
    );
    symlink(dir.path("goes"), dir.path("scan/goes")).unwrap();
    let svscan = svscan(&dir);
    let pid = stays.up();
    goes.up();
    fs::remove_file(dir.path("scan/goes")).unwrap();
    svscan.signal(Signal::HUP);
    assert_eq!(log.said.line(), "bye");
    assert_eq!(log.said.line(), "eof");
    gone(&dir, &log.path);
    assert_eq!(stays.seen().unwrap().pid, pid);
    // It may come back.
    symlink(dir.path("goes"), dir.path("scan/goes")).unwrap();
    goes.up();
}

/// Waits until no supervise is in the service directory `path`.
fn gone(dir: &Dir, path: &Path) {
    // supervise writes its status before it leaves, and its lock goes with it.
    let ok = rustix::fs::open(
        path.join("supervise/ok"),
        rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    );
    if let Ok(ok) = ok {
        let mut fds = [rustix::event::PollFd::new(&ok, rustix::event::PollFlags::empty())];
        let left = deadline().saturating_duration_since(Instant::now());
        let timeout = rustix::event::Timespec::try_from(left).unwrap();
        assert_eq!(rustix::event::poll(&mut fds, Some(&timeout)).unwrap(), 1);
    }
    assert_eq!(dir.run("svok", [path]).code, 100);
}

#[test]
fn term_ends_everything_and_loggers_last() {
    if testing_originals() {
        return;
    }
    for signal in [Signal::TERM, Signal::INT] {
        let dir = Dir::new();
        let mut plain = Service::new(&dir, "scan/plain", "");
        // It says more on its way out than a pipe holds.
        let bye = "trap 'seq 1 20000; exit' TERM";
        let mut logged = Service::new(&dir, "scan/logged", bye);
        let log = dir.path("log");
        let script = format!("cat >{}", log.display());
        dir.script("scan/logged/log/run", &script);
        let svscan = svscan(&dir);
        plain.up();
        logged.up();
        svscan.signal(signal);
        let done = svscan.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        dir.nobody_is_left();
        let expected: String = (1..=20000).map(|n| format!("{n}\n")).collect();
        assert_eq!(fs::read_to_string(log).unwrap(), expected);
    }
}

#[test]
fn a_second_term_does_not_wait() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut stubborn = Service::new(&dir, "scan/stubborn", "trap 'echo heard >$said' TERM");
    dir.script("scan/stubborn/log/run", "exec cat >/dev/null");
    let svscan = svscan(&dir);
    stubborn.up();
    svscan.signal(Signal::TERM);
    assert_eq!(stubborn.said.line(), "heard");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

#[test]
fn a_descendant_that_keeps_the_pipe_does_not_keep_svscan() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "sleep 1000 & echo $! >$said");
    dir.script("scan/s/log/run", "exec cat >/dev/null");
    let svscan = svscan(&dir);
    let descendant: u32 = service.said.line().parse().unwrap();
    service.up();
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
    assert!(Path::new(&format!("/proc/{descendant}")).exists());
}

#[test]
fn alarm_is_a_scan_now() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "");
    let mut svscan = svscan(&dir);
    first.up();
    // A link that leads nowhere makes every scan complain.
    symlink("nowhere", dir.path("scan/dangling")).unwrap();
    let words = "svscan: warning: unable to stat dangling: file does not exist";
    assert_eq!(svscan.complains("dangling"), words);
    svscan.signal(Signal::ALARM);
    assert_eq!(svscan.complains("dangling"), words);
}

#[test]
fn it_finds_supervise_beside_itself() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "");
    let _svscan = Process::start(dir.tool("svscan", ["scan"]).env("PATH", "/usr/bin:/bin"));
    let parent = parent_of(service.up());
    let exe = fs::read_link(format!("/proc/{parent}/exe")).unwrap();
    assert_eq!(exe, crate::support::program("supervise"));
}

#[test]
fn a_log_that_is_added_is_for_the_next_supervise() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "echo hello");
    let _svscan = svscan(&dir);
    service.up();
    let mut log = Service::with_script(&dir, "scan/s/log", "while read l; do echo $l >$said; done");
    service.svc(&dir, "-dx");
    assert_eq!(log.said.line(), "hello");
}

/// It complains every five seconds and otherwise waits.
#[test]
fn a_scan_directory_that_is_removed_does_not_make_it_spin() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "");
    let mut svscan = svscan(&dir);
    first.up();
    fs::remove_dir_all(dir.path("scan")).unwrap();
    svscan.complains("unable to read directory");
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", svscan.pid())).unwrap();
        let after = stat.rsplit_once(") ").unwrap().1.to_string();
        let times = after.split(' ').skip(11).take(2);
        times.map(|t| t.parse::<u64>().unwrap()).sum::<u64>()
    };
    let before = ticks();
    let silence = dir.fifo("silence");
    assert!(!readable(&silence, Instant::now() + Duration::from_millis(1500)));
    assert!(ticks() - before < 20, "it spins");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

#[test]
fn names_are_bytes() {
    let dir = Dir::new();
    let odd: &[&[u8]] = &[b"new\nline", b"\xff\xfe", b"-x", b" ", &[b'n'; 255]];
    let hold = dir.fifo("hold");
    let script = format!("exec 3<>{}; read nothing <&3", hold.path().display());
    for name in odd {
        dir.script(Path::new("scan").join(std::ffi::OsStr::from_bytes(name)).join("run"), &script);
    }
    let mut last = Service::new(&dir, "scan/zz", "");
    let _svscan = svscan(&dir);
    last.up();
    for name in odd {
        let path = dir.path("scan").join(std::ffi::OsStr::from_bytes(name));
        supervised(&path);
        let changes = Changes::of(&[&path.join("supervise")]);
        changes.until("up", || seen(&path).filter(|seen| seen.pid != 0));
        let line = dir.run("svstat", [&path]).out;
        let start = [path.as_os_str().as_bytes(), b": up (pid "].concat();
        assert!(line.starts_with(&start), "{}", String::from_utf8_lossy(&line));
    }
}

#[test]
fn more_than_a_thousand() {
    if testing_originals() {
        return;
    }
    const MANY: usize = 1100;
    let dir = Dir::new();
    for n in 0..MANY {
        dir.file(format!("scan/s{n}/down"), "");
    }
    let svscan = svscan(&dir);
    for n in 0..MANY {
        supervised(&dir.path(format!("scan/s{n}")));
    }
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    dir.nobody_is_left();
}

#[test]
fn ten_thousand_entries_that_are_no_services() {
    let dir = Dir::new();
    dir.mkdir("scan");
    for n in 0..10_000 {
        fs::write(dir.path(format!("scan/file{n}")), "").unwrap();
    }
    let mut service = Service::new(&dir, "scan/service", "");
    let _svscan = svscan(&dir);
    service.up();
}

#[test]
fn no_directory_no_svscan() {
    let dir = Dir::new();
    let done = dir.run("svscan", ["nowhere"]);
    let words = "svscan: fatal: unable to chdir to nowhere: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

//! svlogd: signals, configs that change, processors, and what runit's loses.

use super::support::{
    Changes, Dir, Finished, Process, Service, deadline, readable, testing_originals,
};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, recv, socket};
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{ChildStdin, Stdio};

/// A log directory with this config.
fn log(dir: &Dir, name: &str, config: &str) -> std::path::PathBuf {
    let log = dir.mkdir(name);
    dir.file(format!("{name}/config"), config);
    log
}

fn start(dir: &Dir, words: &[&str]) -> (Process, ChildStdin) {
    let mut process = Process::start(dir.tool("svlogd", words).stdin(Stdio::piped()));
    let stdin = process.stdin();
    (process, stdin)
}

fn give(dir: &Dir, words: &[&str], input: &str) -> Finished {
    let (process, mut stdin) = start(dir, words);
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    process.finish()
}

fn text(path: impl AsRef<Path>) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The old logs with this ending, the oldest first.
fn old(log: &Path, ending: &str) -> Vec<String> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@') && n.ends_with(ending)).collect();
    names.sort();
    names
}

#[test]
fn a_last_line_gets_its_newline() {
    // The original loses it.
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = log(&dir, "log", "");
    assert_eq!(give(&dir, &["log"], "one\ntwo").code, 0);
    assert_eq!(text(log.join("current")), "one\ntwo\n");
    assert_eq!(fs::metadata(log.join("current")).unwrap().mode() & 0o777, 0o744);
}

#[test]
fn a_config_is_read_again_after_a_hangup() {
    let dir = Dir::new();
    let (one, two) = (log(&dir, "one", ""), log(&dir, "two", "-*\n"));
    let changes = Changes::of(&[&one, &two]);
    let (process, mut stdin) = start(&dir, &["one", "two"]);
    stdin.write_all(b"first\n").unwrap();
    changes.until("the line", || (text(one.join("current")) == "first\n").then_some(()));
    dir.file("one/config", "-*\n");
    dir.file("two/config", "pnew: \n");
    process.signal(Signal::HUP);
    // What the original takes up it makes read-write again.
    let is_open = |log: &Path| fs::metadata(log.join("current")).unwrap().mode() & 0o777 == 0o644;
    changes.until("the logs", || (is_open(&one) && is_open(&two)).then_some(()));
    // Either heard it, or hears it before it reads.
    if testing_originals() {
        return;
    }
    stdin.write_all(b"second\n").unwrap();
    changes.until("the line", || (text(two.join("current")) == "new: second\n").then_some(()));
    assert_eq!(text(one.join("current")), "first\n");
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn a_hangup_in_the_middle_of_a_line_loses_nothing() {
    if testing_originals() {
        return;
    }
    for beginning in ["half".to_owned(), "long".repeat(1000)] {
        let dir = Dir::new();
        let log = log(&dir, "log", "");
        let changes = Changes::of(&[&log]);
        let (mut process, mut stdin) = start(&dir, &["-v", "log"]);
        stdin.write_all(format!("one\n{beginning}").as_bytes()).unwrap();
        changes.until("the line", || text(log.join("current")).starts_with("one\n").then_some(()));
        dir.file("log/config", "pp: \n");
        process.signal(Signal::HUP);
        process.complains("sighangup received.");
        stdin.write_all(b" and the rest\n").unwrap();
        process.complains("append: log/current");
        stdin.write_all(b"next\n").unwrap();
        drop(stdin);
        assert_eq!(process.finish().code, 0);
        let line = format!("{beginning} and the rest\n");
        let before = format!("one\n{line}p: next\n");
        let after = format!("one\np: {line}p: next\n");
        assert_eq!(text(log.join("current")), if line.len() > 100 { before } else { after });
    }
}

#[test]
fn a_config_without_an_end_is_none() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    std::os::unix::fs::symlink("/dev/zero", log.join("config")).unwrap();
    let done = give(&dir, &["log"], "one\n");
    assert_eq!(done.err(), "svlogd: warning: unable to read config: log: file too big\n");
    assert_eq!((done.code, text(log.join("current"))), (0, "one\n".to_owned()));
}

#[test]
fn directories_come_and_go_with_a_hangup() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let one = log(&dir, "one", "");
    let (mut process, mut stdin) = start(&dir, &["one", "two"]);
    process.complains("unable to open log directory: two: file does not exist");
    let two = log(&dir, "two", "");
    fs::rename(&one, dir.path("gone")).unwrap();
    let changes = Changes::of(&[&two]);
    process.signal(Signal::HUP);
    process.complains("unable to open log directory: one: file does not exist");
    stdin.write_all(b"line\n").unwrap();
    changes.until("the line", || (text(two.join("current")) == "line\n").then_some(()));
    assert_eq!(text(dir.path("gone/current")), "");
    fs::rename(&two, dir.path("gone too")).unwrap();
    process.signal(Signal::HUP);
    process.complains("fatal: no functional log directories.");
    assert_eq!(process.finish().code, 111);
}

#[test]
fn alarm_begins_new_logs() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (one, empty) = (log(&dir, "one", ""), log(&dir, "empty", "-*\n"));
    let changes = Changes::of(&[&one]);
    let (mut process, mut stdin) = start(&dir, &["-v", "one", "empty"]);
    stdin.write_all(b"line\n").unwrap();
    changes.until("the line", || (text(one.join("current")) == "line\n").then_some(()));
    process.signal(Signal::ALARM);
    process.complains("sigalarm received.");
    let told = process.complains("rename: one/current ");
    assert!(told.ends_with(".s 5"), "{told}");
    process.signal(Signal::TERM);
    process.complains("sigterm received.");
    assert_eq!(process.finish().code, 0);
    assert_eq!((old(&one, ".s").len(), old(&empty, "").len()), (1, 0));
    drop(stdin);
}

#[test]
fn a_log_ends_at_its_age() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = log(&dir, "log", "t1\n");
    let changes = Changes::of(&[&log]);
    let (process, mut stdin) = start(&dir, &["log"]);
    stdin.write_all(b"line\n").unwrap();
    let name = changes.until("an old log", || old(&log, ".s").pop());
    assert_eq!(text(log.join(name)), "line\n");
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    assert_eq!(old(&log, "").len(), 1);
}

#[test]
fn a_processor_works_beside_the_logging() {
    let dir = Dir::new();
    let gate = dir.fifo("gate");
    let log = log(&dir, "log", "s1001\n!cat; read x <../gate; echo $x\n");
    let changes = Changes::of(&[&log]);
    let (process, mut stdin) = start(&dir, &["log"]);
    stdin.write_all(b"one\n").unwrap();
    changes.until("the full log", || old(&log, ".u").pop());
    stdin.write_all(b"two\n").unwrap();
    // It is written while the first one is processed: then the next log is
    // full, which has to wait.
    changes.until("the line", || (text(log.join("current")) == "two\n").then_some(()));
    for wanted in 1..=2 {
        gate.say("done");
        changes.until("the old log", || (old(&log, ".s").len() == wanted).then_some(()));
        if wanted == 1 {
            drop(stdin.write_all(b"three\n"));
        }
    }
    drop(stdin);
    gate.say("done");
    assert_eq!(process.finish().code, 0);
    let logs: Vec<_> = old(&log, ".s").iter().map(|name| text(log.join(name))).collect();
    assert_eq!(logs, ["one\ndone\n", "two\ndone\n", "three\ndone\n"]);
    assert_eq!((old(&log, ".u").len(), old(&log, ".t").len()), (0, 0));
}

#[test]
fn a_processor_that_fails_is_started_again() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = log(&dir, "log", "s1001\n!cat; if [ -e ../good ]; then exit 0; else exit 1; fi\n");
    let changes = Changes::of(&[&log]);
    let (mut process, mut stdin) = start(&dir, &["log"]);
    stdin.write_all(b"one\n").unwrap();
    process.complains("processor failed, restart: log");
    assert_eq!(old(&log, ".u").len(), 1);
    dir.file("good", "");
    let name = changes.until("the old log", || old(&log, ".s").pop());
    assert_eq!(text(log.join(name)), "one\n");
    fs::remove_file(dir.path("good")).unwrap();
    stdin.write_all(b"two\n").unwrap();
    process.complains("processor failed, restart: log");
    // It is not waited for at the end.
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    assert_eq!((old(&log, ".s").len(), old(&log, ".u").len()), (1, 1));
}

#[test]
fn lines_are_sent_by_udp() {
    let dir = Dir::new();
    let host = socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
    bind(&host, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: std::net::SocketAddr = getsockname(&host).unwrap().try_into().unwrap();
    let (both, only) = (
        log(&dir, "both", &format!("u{address}\npboth: \n-*no*\n")),
        log(&dir, "only", &format!("U{address}\n")),
    );
    let done = give(&dir, &["-l10", "both", "only"], "yes\nx no\nlonger than ten\n");
    assert_eq!((done.code, done.err()), (0, String::new()));
    let mut heard = Vec::new();
    for _ in 0..5 {
        assert!(readable(&host, deadline()));
        let mut line = [0; 100];
        let (n, _) = recv(&host, &mut line, rustix::net::RecvFlags::empty()).unwrap();
        heard.push(String::from_utf8_lossy(&line[..n]).into_owned());
    }
    let wanted = ["both: yes\n", "yes\n", "x no\n", "both: longer tha...\n", "longer tha...\n"];
    assert_eq!(heard, wanted);
    assert_eq!(text(both.join("current")), "both: yes\nboth: longer than ten\n");
    assert_eq!(text(only.join("current")), "");
}

#[test]
fn a_log_run_for_runit_works_as_it_is() {
    if testing_originals() {
        return;
    }
    for run in ["exec svlogd -tt ./main", "exec chpst -e ./env svlogd -tt main", "svlogd -t main"] {
        let dir = Dir::new();
        dir.mkdir("scan/s/log/env");
        let main = log(&dir, "scan/s/log/main", "s100000\nn5\n");
        let _service = Service::with_script(&dir, "scan/s", "echo one; echo two; exec sleep 1000");
        dir.script("scan/s/log/run", run);
        let changes = Changes::of(&[&main]);
        let mut command = dir.tool("svscan", ["scan"]);
        let path = format!(
            "{}:{}",
            super::support::programs().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let svscan = Process::start(command.env("PATH", path));
        let lines = changes.until("the lines", || {
            let text = text(main.join("current"));
            (text.lines().count() == 2).then_some(text)
        });
        for (line, wanted) in lines.lines().zip([" one", " two"]) {
            let (stamp, rest) = line.split_at(25);
            assert_eq!(rest, wanted, "{run}");
            let date = stamp.starts_with("20") && stamp.as_bytes()[10] == b'_';
            assert!(if run.contains("-tt") { date } else { stamp.starts_with('@') }, "{line}");
        }
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        assert_eq!(fs::metadata(main.join("current")).unwrap().mode() & 0o777, 0o744);
    }
}

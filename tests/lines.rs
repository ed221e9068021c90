//! What services without a logger write, as whole lines on svscan's own
//! standard output and standard error.

mod killed;
mod limits;
mod log;
mod stuck;

use crate::support::{Dir, Fifo, Process, Service, testing_originals};
use rustix::process::Signal;
use std::collections::HashMap;

/// A service that writes `first`, waits to be told, and writes `then`.
struct Halves {
    service: Service,
    go: Fifo,
}

impl Halves {
    fn new(dir: &Dir, name: &str, first: &str, then: &str) -> Self {
        let go = dir.fifo(format!("{name}.go"));
        let script = format!(
            "exec 3<>{}; {first}; echo half >$said; read go <&3; {then}
            echo up $$ >$said; read nothing <&3",
            go.path().display()
        );
        Self { service: Service::with_script(dir, &format!("scan/{name}"), &script), go }
    }
}

/// Ends svscan, and answers with what it and the services had left to say.
fn end(dir: &Dir, svscan: Process) -> (String, String) {
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!(done.code, 0, "{}", done.err());
    dir.nobody_is_left();
    (done.out(), done.err())
}

/// svscan with its standard output going to the file `out`.
fn into_file(dir: &Dir) -> Process {
    let mut command = dir.command("sh");
    let svscan = crate::support::program("svscan");
    let script = format!("exec {} -n scan >>out", svscan.display());
    Process::start(command.args(["-c", &script]))
}

/// The processes with this name that the test has started.
fn called(dir: &Dir, name: &str) -> Vec<i32> {
    let all = dir.processes().into_iter();
    let all = all.filter(|(_, line)| line.split(' ').next().is_some_and(|word| word == name));
    all.map(|(pid, _)| pid).collect()
}

#[test]
fn lines_that_are_written_in_halves_are_whole() {
    if testing_originals() {
        return;
    }
    for (option, names) in [("-l", ["", ""]), ("--names", ["one: ", "two: "])] {
        let dir = Dir::new();
        let mut one = Halves::new(&dir, "one", "printf 'the fir'", "echo st line");
        let mut two = Halves::new(&dir, "two", "printf 'the sec'", "echo ond line");
        let mut svscan = dir.start("svscan", [option, "scan"]);
        for half in [&mut one, &mut two] {
            assert_eq!(half.service.said.line(), "half");
        }
        two.go.say("");
        assert_eq!(svscan.prints("line"), format!("{}the second line", names[1]));
        one.go.say("");
        assert_eq!(svscan.prints("line"), format!("{}the first line", names[0]));
        one.service.up();
        two.service.up();
        assert_eq!(end(&dir, svscan), (String::new(), String::new()));
    }
}

#[test]
fn what_services_complain_of_goes_to_standard_error() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut plain = Service::new(&dir, "scan/plain", "echo out; echo err >&2");
    // Of one with a logger, what the logger does not get.
    let log = "while read line; do echo $line >$said; done";
    let mut log = Service::with_script(&dir, "scan/logged/log", log);
    let mut logged = Service::new(&dir, "scan/logged", "echo to the log; echo not to it >&2");
    let svscan = dir.start("svscan", ["-n", "scan"]);
    plain.up();
    logged.up();
    assert_eq!(log.said.line(), "to the log");
    let (out, err) = end(&dir, svscan);
    assert_eq!(out, "plain: out\n");
    let mut lines: Vec<_> = err.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["logged: not to it", "plain: err"]);
}

#[test]
fn what_a_supervise_complains_of_has_the_services_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("scan/s");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    let line = svscan.complains("s/run");
    assert_eq!(line, "s: supervise: fatal: unable to start s/run: file does not exist");
    end(&dir, svscan);
}

#[test]
fn a_hundred_services_at_once() {
    const LINES: usize = 200;
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = format!(
        "n=0; while [ $n -lt {LINES} ]; do
            printf \"line \"; printf \"$n \"; echo of ${{PWD##*/}}; n=$((n+1)); done"
    );
    let names: Vec<_> = (0..100).map(|n| format!("s{n}")).collect();
    let new = |name: &String| Service::new(&dir, &format!("scan/{name}"), &script);
    let mut services: Vec<_> = names.iter().map(new).collect();
    let svscan = into_file(&dir);
    for service in &mut services {
        service.up();
    }
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
    let out = std::fs::read_to_string(dir.path("out")).unwrap();
    let mut next: HashMap<&str, usize> = HashMap::new();
    for line in out.lines() {
        let (name, line) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        let n = next.entry(name).or_default();
        assert_eq!(line, format!("line {n} of {name}"));
        *n += 1;
    }
    assert!(names.iter().all(|name| next[name.as_str()] == LINES), "{next:?}");
}

#[test]
fn what_has_no_end_is_shown_when_nothing_follows() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut slow = Halves::new(&dir, "slow", "printf 'a question? '", "echo; echo 'the answer'");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    assert_eq!(slow.service.said.line(), "half");
    assert_eq!(svscan.prints("question"), "slow: a question? ");
    slow.go.say("");
    // Its end is not a line of its own.
    assert_eq!(svscan.prints(""), "slow: the answer");
    slow.service.up();
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
}

#[test]
fn a_line_of_a_megabyte_is_cut() {
    const LONGEST: usize = 16 * 1024;
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end";
    let mut service = Service::new(&dir, "scan/long", script);
    let svscan = into_file(&dir);
    service.up();
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
    let out = std::fs::read_to_string(dir.path("out")).unwrap();
    let lines: Vec<_> = out.lines().map(|line| line.strip_prefix("long: ").unwrap()).collect();
    let (end, rest) = lines.split_last().unwrap();
    let (last, full) = rest.split_last().unwrap();
    assert_eq!(*end, "end");
    assert!(full.iter().all(|line| line.len() == LONGEST), "{:?}", full.iter().map(|l| l.len()));
    assert_eq!(full.len() * LONGEST + last.len(), 1_000_000);
    assert!(lines[..lines.len() - 1].iter().all(|line| line.bytes().all(|b| b == b'x')));
}

#[test]
fn a_service_goes_by_its_new_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Halves::new(&dir, "old", "echo before", "echo after");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    assert_eq!(svscan.prints("before"), "old: before");
    assert_eq!(service.service.said.line(), "half");
    std::fs::rename(dir.path("scan/old"), dir.path("scan/new")).unwrap();
    // It has seen that when it has taken up what is even newer.
    let mut other = Service::new(&dir, "scan/other", "");
    other.up();
    service.go.say("");
    let line = svscan.prints("after");
    assert!(["old: after", "new: after"].contains(&line.as_str()), "{line}");
    service.service.path = dir.path("scan/new");
    service.service.up();
    service.service.svc(&dir, "-t");
    assert_eq!(service.service.said.line(), "half");
    assert_eq!(svscan.prints("before"), "new: before");
    end(&dir, svscan);
}

#[test]
fn a_service_that_is_removed_is_read_to_the_end() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let trap = "trap 'echo; echo last words; exit' TERM; printf first";
    let mut service = Service::new(&dir, "scan/gone", trap);
    let mut other = Service::new(&dir, "scan/stays", "");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    other.up();
    std::fs::rename(dir.path("scan/gone"), dir.path("away")).unwrap();
    svscan.signal(Signal::HUP);
    assert_eq!(svscan.prints("first"), "gone: first");
    assert_eq!(svscan.prints("last"), "gone: last words");
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
}

#[test]
fn a_service_that_gets_a_logger_writes_to_that() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "echo a line");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    assert_eq!(svscan.prints("line"), "s: a line");
    let script = "while read line; do echo $line >$said; done";
    let mut log = Service::with_script(&dir, "away", script);
    std::fs::rename(dir.path("away"), dir.path("scan/s/log")).unwrap();
    service.svc(&dir, "-dx");
    service.up();
    assert_eq!(log.said.line(), "a line");
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
}

#[test]
fn without_an_option_nothing_is_read() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "printf half");
    let svscan = dir.start("svscan", ["scan"]);
    service.up();
    assert_eq!(called(&dir, "svlines"), []);
    assert!(!service.path.join("supervise/stdout").exists());
    assert_eq!(end(&dir, svscan), ("half".into(), String::new()));
}

#[test]
fn svlines_has_to_be_there() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("scan");
    dir.copy(crate::support::program("svscan"), "bin/svscan");
    let mut command = dir.command(dir.path("bin/svscan"));
    let done = Process::start(command.args(["-l", "scan"]).env("PATH", "/nowhere")).finish();
    let words = "svscan: fatal: unable to find svlines: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

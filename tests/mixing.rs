//! upkeep's programs among Debian's daemontools and runit: each side's
//! clients with the other's supervise, each svscan with the other's, and both
//! supervises put through the same.

mod odd;
mod twins;

use crate::support::{Dir, Process, Service, originals, ours, supervised, testing_originals};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A service that says what signal it got and stays. Waiting for a child, a
/// shell loses no signal, as it may while it reads.
const STAYS: &str = "for s in HUP ALRM INT TERM; do trap \"echo $s >$said\" $s; done
    sleep 1000 & echo up $$ >$said
    while :; do wait; done";

/// Both suites, ours first, where both are there and ours is under test.
fn both() -> Option<(PathBuf, PathBuf)> {
    if testing_originals() {
        return None;
    }
    Some((ours(), originals()?))
}

/// Starts a program of a suite.
fn start<A: AsRef<OsStr>>(
    dir: &Dir,
    suite: &Path,
    name: &str,
    args: impl IntoIterator<Item = A>,
) -> Process {
    Process::start(dir.command(suite.join(name)).args(args))
}

/// What svstat prints, with the numbers left out.
fn svstat(dir: &Dir, suite: &Path, service: &Path) -> String {
    masked(&start(dir, suite, "svstat", [service]).finish().out())
}

/// A line of svstat's without the directory and with every number an N.
fn masked(line: &str) -> String {
    let state = line.rsplit_once(": ").unwrap().1.trim_end();
    let mut out = String::new();
    for c in state.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('N') {
            out.push('N');
        }
    }
    out
}

/// Everything that the clients of `suite` can say to the supervise of
/// `other`.
fn clients_of_one_with_supervise_of_the_other(suite: &Path, other: &Path) {
    let dir = Dir::new();
    let mut service = Service::with_script(&dir, "s", STAYS);
    let path = service.path.clone();
    let supervise = start(&dir, other, "supervise", ["s"]);
    let first = service.up();
    supervised(&path);
    let svc = |letters: &str| {
        let done = start(&dir, suite, "svc", [OsStr::new(letters), path.as_os_str()]).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    };
    let svok = || start(&dir, suite, "svok", [&path]).finish().code;
    assert_eq!(svok(), 0);
    assert_eq!(svstat(&dir, suite, &path), "up (pid N) N seconds");
    for (letter, name) in [("-h", "HUP"), ("-a", "ALRM"), ("-i", "INT"), ("-t", "TERM")] {
        svc(letter);
        assert_eq!(service.said.line(), name);
    }
    svc("-p");
    service.until("the pause", |seen| seen.paused);
    assert_eq!(svstat(&dir, suite, &path), "up (pid N) N seconds, paused");
    svc("-c");
    service.until("the end of the pause", |seen| !seen.paused);
    svc("-dk");
    assert_eq!(service.until("the end", |seen| seen.pid == 0).want, b'd');
    assert_eq!(svstat(&dir, suite, &path), "down N seconds, normally up");
    svc("-u");
    let mut line = service.said.line();
    if line == "TERM" {
        // Between d and k it had time to hear it.
        line = service.said.line();
    }
    assert!(line.starts_with("up ") && line != format!("up {first}"), "{line}");
    svc("-dkx");
    assert_eq!(supervise.ends(), 0);
    assert_eq!(svok(), 100);
    assert_eq!(svstat(&dir, suite, &path), "supervise not running");
}

#[test]
fn our_clients_with_their_supervise() {
    let Some((ours, theirs)) = both() else { return };
    clients_of_one_with_supervise_of_the_other(&ours, &theirs);
}

#[test]
fn their_clients_with_our_supervise() {
    let Some((ours, theirs)) = both() else { return };
    clients_of_one_with_supervise_of_the_other(&theirs, &ours);
}

/// `svscan` starts, joins and starts again the supervises that it finds in
/// `suite`.
fn svscan_with_supervise_of(dir: &Dir, svscan: &Path, suite: &Path) -> Process {
    let mut service = Service::with_script(dir, "scan/s", "echo hello $$; exec sleep 1000");
    let script = "while read hello pid; do echo $hello $pid >$said; done";
    let mut log = Service::with_script(dir, "scan/s/log", script);
    let mut path = suite.as_os_str().to_os_string();
    path.push(":/usr/bin:/bin");
    let svscan = Process::start(dir.command(svscan).arg("scan").env("PATH", path));
    for _ in 0..2 {
        let line = log.said.line();
        let pid: u32 = line.strip_prefix("hello ").unwrap().parse().unwrap();
        service.until("the status", |seen| seen.pid == pid);
        log.until("the logger", |seen| seen.pid != 0);
        for pid in [pid, log.seen().unwrap().pid] {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            let parent = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap();
            let exe = fs::read_link(format!("/proc/{parent}/exe")).unwrap();
            assert_eq!(exe, suite.join("supervise").canonicalize().unwrap());
        }
        supervised(&service.path);
        service.svc(dir, "-dx");
        service.until("the end", |seen| seen.pid == 0);
    }
    service.path = dir.path("scan/s");
    svscan
}

#[test]
fn their_svscan_with_our_supervise() {
    let Some((ours, theirs)) = both() else { return };
    let dir = Dir::new();
    let _svscan = svscan_with_supervise_of(&dir, &theirs.join("svscan"), &ours);
}

#[test]
fn our_svscan_with_their_supervise() {
    let Some((ours, theirs)) = both() else { return };
    let dir = Dir::new();
    // It looks beside itself first.
    let alone = dir.copy(ours.join("svscan"), "alone/svscan");
    let svscan = svscan_with_supervise_of(&dir, &alone, &theirs);
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
}

#[test]
fn sv_of_runit_with_our_supervise() {
    let sv = Path::new("/usr/bin/sv");
    if testing_originals() || !sv.exists() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let path = service.path.clone();
    let sv = |command: &str| {
        // sv looks at its own name and at variables of its own.
        let mut sv = dir.command(sv);
        let done = Process::start(sv.arg(command).arg(&path).env("SVWAIT", "30")).finish();
        (done.code, done.out().trim_end().to_string(), done.err())
    };
    let state = |command: &str| {
        let (code, out, err) = sv(command);
        let out = out.replace(&format!("{}: ", path.display()), "");
        assert_eq!((code, err.as_str()), (0, ""), "{command}");
        let words = out.split(' ').map(|word| {
            let digits = word.chars().any(|c| c.is_ascii_digit());
            if digits { "N" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let (code, out, err) = sv("status");
    let words =
        format!("warning: {}: unable to open supervise/ok: file does not exist", path.display());
    assert_eq!((code, out, err.as_str()), (1, words, ""));
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&path);
    assert_eq!(state("status"), "run: (pid N N");
    state("down");
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    assert_eq!(state("status"), "down: N normally up");
    assert_eq!(state("stop"), "ok: down: N normally up");
    state("up");
    service.up();
    assert_eq!(state("start"), "ok: run: (pid N N");
    assert_eq!(state("check"), "ok: run: (pid N N");
    state("pause");
    service.until("the pause", |seen| seen.paused);
    assert_eq!(state("status"), "run: (pid N N paused");
    state("cont");
    state("once");
    service.until("once", |seen| seen.want == 0 && !seen.paused);
    let before = service.seen().unwrap().pid;
    state("up");
    assert_eq!(state("restart"), "ok: run: (pid N N");
    assert_ne!(service.up(), before);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    let (code, out, _) = sv("status");
    assert_eq!((code, out), (1, format!("fail: {}: runsv not running", path.display())));
}

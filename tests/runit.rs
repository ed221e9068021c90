//! What supervise does for a directory that was written for runit, beside
//! Debian's runsv where it is installed.

use crate::adopt::kill;
use crate::support::{Dir, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::path::Path;

/// What the two files say.
fn words(service: &Service) -> Option<(String, String)> {
    let read = |file| fs::read_to_string(service.path.join("supervise").join(file)).ok();
    Some((read("stat")?, read("pid")?))
}

/// Waits until they say `stat` of the process that is on record, and tell it.
fn until_words(service: &Service, stat: &str) -> u32 {
    let mut pid = 0;
    service.until(stat, |seen| {
        let named = if seen.pid == 0 { String::new() } else { format!("{}\n", seen.pid) };
        pid = seen.pid;
        words(service) == Some((format!("{stat}\n"), named))
    });
    pid
}

/// Puts a service under a supervise through everything that runit's words
/// speak of.
fn sequence(supervise: &Path) {
    let dir = Dir::new();
    let go = dir.fifo("go");
    let more = "trap '' TERM\ntrap 'exit 3' HUP";
    let mut service = Service::new(&dir, "s", more);
    dir.script("s/finish", &format!("read go <{}", go.path().display()));
    let process = Process::start(dir.command(supervise).arg("s"));
    let tell = |letter: &str| {
        fs::write(service.path.join("supervise/control"), letter).unwrap();
    };
    let line = service.said.line();
    assert_eq!(line, format!("up {}", until_words(&service, "run")));
    for (letter, stat) in [
        ("p", "run, paused"),
        ("c", "run"),
        ("t", "run, got TERM"),
        ("o", "run, got TERM, want down"),
        ("u", "run, got TERM"),
        ("d", "run, got TERM, want down"),
        ("p", "run, paused, got TERM, want down"),
        ("c", "run, got TERM, want down"),
        ("h", "finish, want down"),
        ("u", "finish"),
    ] {
        tell(letter);
        until_words(&service, stat);
    }
    go.say("on");
    let line = service.said.line();
    assert_eq!(line, format!("up {}", until_words(&service, "run")));
    for (letter, stat) in [("o", "run, want down"), ("h", "finish, want down")] {
        tell(letter);
        until_words(&service, stat);
    }
    go.say("on");
    assert_eq!(until_words(&service, "down"), 0);
    tell("u");
    service.said.line();
    until_words(&service, "run");
    process.signal(Signal::TERM);
    until_words(&service, "run, got TERM, want exit");
    // After k runsv is gone before it has seen the end.
    tell("h");
    until_words(&service, "finish, want exit");
    go.say("on");
    assert_eq!(process.ends(), 0);
    assert_eq!(words(&service), Some(("down\n".to_string(), String::new())));
    assert!(!service.path.join("supervise/stat.new").exists());
    assert!(!service.path.join("supervise/pid.new").exists());
}

#[test]
fn the_words_for_the_status_are_runits() {
    if testing_originals() {
        return;
    }
    sequence(&crate::support::program("supervise"));
    let runsv = Path::new("/usr/bin/runsv");
    if runsv.exists() {
        sequence(runsv);
    }
}

#[test]
fn they_are_written_where_somebody_may_read_them() {
    if testing_originals() {
        return;
    }
    type Make = fn(&Dir);
    let cases: [(&str, bool, Make); 7] = [
        ("nothing", false, |_| {}),
        ("check", true, |dir| drop(dir.script("s/check", ""))),
        ("control", true, |dir| drop(dir.mkdir("s/control"))),
        ("finish", true, |dir| drop(dir.script("s/finish", ""))),
        ("finish for s6", false, |dir| {
            dir.script("s/finish", "");
            dir.file("s/timeout-finish", "0");
        }),
        ("a file called control", false, |dir| drop(dir.file("s/control", ""))),
        ("what runsv has left", true, |dir| {
            dir.file("s/supervise/stat", "run\n");
            dir.file("s/supervise/pid", "1\n");
        }),
    ];
    for (case, written, make) in cases {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        dir.mkdir("s/supervise");
        make(&dir);
        let supervise = service.supervise(&dir);
        let pid = service.up();
        supervised(&service.path);
        let expected = written.then(|| ("run\n".to_string(), format!("{pid}\n")));
        assert_eq!(words(&service), expected, "{case}");
        // A start later it is looked for again.
        fs::write(service.path.join("check"), "").unwrap();
        service.svc(&dir, "-k");
        let pid = service.up();
        let expected = ("run\n".to_string(), format!("{pid}\n"));
        assert_eq!(words(&service), Some(expected), "{case}");
        service.svc(&dir, "-dx");
        assert_eq!(supervise.finish().code, 0);
    }
}

/// One that was killed before it had written them leaves that to the next.
#[test]
fn the_next_supervise_puts_them_right() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.script("s/check", "");
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    kill(first.pid());
    assert_ne!(first.ends(), 0);
    dir.file("s/supervise/stat", "down\n");
    dir.file("s/supervise/pid", "");
    let second = service.supervise(&dir);
    supervised(&service.path);
    assert_eq!(words(&service), Some(("run\n".to_string(), format!("{pid}\n"))));
    service.svc(&dir, "-dx");
    assert_eq!(second.finish().code, 0);
}

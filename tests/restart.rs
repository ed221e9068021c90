//! `restart` and the files beside it: when a service is started again by
//! itself, how long after, and when it is not any more.

use crate::adopt::{history, kill, parent_of, supervised_by_another};
use crate::support::{Dir, Process, Service, supervised, testing_originals};
use std::fs;

/// A service that exits 7 on HUP, 0 on USR1 and dies of anything else, with
/// these files in its directory.
fn with_files(dir: &Dir, name: &str, files: &[(&str, &str)]) -> Service {
    let service = Service::new(dir, name, "trap 'exit 7' HUP; trap 'exit 0' USR1");
    for (file, content) in files {
        fs::write(service.path.join(file), content).unwrap();
    }
    service
}

/// Failures in a row, and ends in the window, as on record.
fn counts(service: &Service) -> (u8, u16) {
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    (record[109], u16::from_le_bytes([record[110], record[111]]))
}

/// When the next start is due, and how the record says so.
fn due(service: &Service) -> (u64, u64) {
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    let number = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().unwrap());
    let wait = u32::from_le_bytes(record[116..120].try_into().unwrap());
    assert_eq!(record[68], 1, "a start is due");
    (number(80), number(72) + u64::from(wait) * 1_000_000)
}

/// Waits until it is down and stays so.
fn until_over(service: &Service) {
    let seen = service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    assert_eq!(seen.want, b'd');
}

fn until_waiting(service: &Service) {
    let waiting = |_: &_| fs::read(service.path.join("supervise/status")).unwrap()[68] == 1;
    service.until("the wait", waiting);
}

fn end(dir: &Dir, service: &Service, supervise: Process) {
    service.svc(dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

const OVER: &str = "down N seconds, normally up";
const FAILED: &str = "down N seconds, normally up, failed: exited N";
const KILLED: &str = "down N seconds, normally up, failed: killed by N";

/// Each word with a success, a failure and a signal: what svstat says if it is
/// not started again.
#[test]
fn each_word_and_each_end() {
    if testing_originals() {
        return;
    }
    for (word, ends) in [
        ("always\n", [None, None, None]),
        ("on-failure", [Some(OVER), None, None]),
        ("on-success\n\n", [None, Some(FAILED), Some(KILLED)]),
        ("never", [Some(OVER), Some(FAILED), Some(KILLED)]),
    ] {
        let dir = Dir::new();
        let mut service = with_files(&dir, "s", &[("restart", word)]);
        let supervise = service.supervise(&dir);
        service.up();
        supervised(&service.path);
        for (letter, over) in ["-1", "-h", "-k"].iter().zip(ends) {
            service.svc(&dir, letter);
            if let Some(says) = over {
                until_over(&service);
                assert_eq!(service.svstat(&dir), says, "{word} {letter}");
                service.svc(&dir, "-u");
            }
            service.up();
            assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
        }
        // Whoever tells it to end knows.
        service.svc(&dir, "-r");
        service.up();
        service.svc(&dir, "-t");
        service.up();
        end(&dir, &service, supervise);
    }
}

#[test]
fn what_is_a_success_and_what_is_the_end() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files =
        [("restart", "on-failure"), ("restart-success", "7 SIGQUIT"), ("restart-never", "KILL\n9")];
    let mut service = with_files(&dir, "s", &files);
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for (letter, says) in [("-h", OVER), ("-q", OVER), ("-k", KILLED)] {
        service.svc(&dir, letter);
        until_over(&service);
        assert_eq!(service.svstat(&dir), says);
        service.svc(&dir, "-u");
        service.up();
    }
    // 0 is no success any more, and no number is a signal.
    for letter in ["-1", "-a"] {
        service.svc(&dir, letter);
        service.up();
    }
    end(&dir, &service, supervise);
}

#[test]
fn it_gives_up_whoever_is_killed_and_begins_anew_when_told() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_files(&dir, "scan/s", &[("restart-limit", "3 1000000\n")]);
    let mut svscan = dir.start("svscan", ["scan"]);
    let mut pid = service.up();
    supervised(&service.path);
    let words = "supervise: warning: giving up s: it has ended 3 times in 1000000 seconds";
    for round in 0..2_u64 {
        for deaths in 1..3 {
            // Told to, it may end as often as it likes.
            service.svc(&dir, "-r");
            service.up();
            service.svc(&dir, "-h");
            pid = service.up();
            assert_eq!(counts(&service), (deaths, deaths.into()));
            let supervise = parent_of(pid);
            kill(supervise);
            supervised_by_another(&service, supervise);
            assert_eq!(counts(&service), (deaths, deaths.into()));
        }
        service.svc(&dir, "-h");
        assert_eq!(svscan.complains("giving up"), words);
        until_over(&service);
        let gave_up = "down N seconds, normally up, failed: exited 7, \
                       gave up after N deaths in N seconds";
        assert_eq!(service.svstat(&dir), gave_up);
        assert_eq!(history(&service.path), ([1, 7], 5 * (round + 1)));
        // Also the next supervise lets it be.
        service.svc(&dir, "-e");
        assert_eq!(service.svstat(&dir), gave_up);
        service.svc(&dir, "-u");
        pid = service.up();
        assert_eq!(counts(&service), (0, 0));
    }
    // An end with its supervise is one too.
    fs::write(service.path.join("restart-limit"), "1 10").unwrap();
    service.svc(&dir, "-r");
    let next = service.up();
    assert_ne!(next, pid);
    let supervise = parent_of(next);
    svscan.signal(rustix::process::Signal::STOP);
    kill(supervise);
    kill(next);
    svscan.signal(rustix::process::Signal::CONT);
    svscan.complains("giving up");
    until_over(&service);
    svscan.signal(rustix::process::Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

#[test]
fn the_delay_grows_survives_a_kill_and_ends_with_up() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [("restart-delay", "600000"), ("restart-delay-max", "1000000\n")];
    let mut service = with_files(&dir, "s", &files);
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-h");
    until_waiting(&service);
    let (first, agreed) = due(&service);
    assert_eq!(first, agreed);
    assert_eq!(counts(&service).0, 1);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, want up");
    // The next supervise waits for the same moment.
    supervise.signal(rustix::process::Signal::KILL);
    assert_eq!(supervise.ends(), 137);
    let supervise = service.supervise(&dir);
    supervised(&service.path);
    // What it says now is what it has read.
    service.svc(&dir, "-c");
    assert_eq!(due(&service), (first, agreed));
    assert!(service.said.is_silent());
    // The impatient do not wait, and what was is forgotten.
    service.svc(&dir, "-u");
    service.up();
    assert_eq!(counts(&service).0, 0);
    end(&dir, &service, supervise);
}

#[test]
fn each_failure_in_a_row_doubles_the_delay() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [("restart-delay", "20"), ("restart-delay-max", "60000000")];
    let mut service = with_files(&dir, "s", &files);
    let supervise = service.supervise(&dir);
    let mut pid = service.up();
    supervised(&service.path);
    for failures in 1..4 {
        service.svc(&dir, "-h");
        let next = service.up();
        assert_ne!(next, pid);
        assert_eq!(counts(&service).0, failures);
        pid = next;
    }
    service.svc(&dir, "-1");
    service.up();
    assert_eq!(counts(&service).0, 0);
    end(&dir, &service, supervise);
}

#[test]
fn what_cannot_be_used_is_reported_and_the_service_runs() {
    if testing_originals() {
        return;
    }
    for (file, content, default) in [
        ("restart", "sometimes", "using always"),
        ("restart-success", "0 BANG", "using 0"),
        ("restart-never", "300", "using none"),
        ("restart-delay", "soon", "using the default"),
        ("restart-delay-max", "-1", "letting the delay not grow"),
        ("restart-limit", "5", "using none"),
    ] {
        let dir = Dir::new();
        let mut service = with_files(&dir, "s", &[(file, content)]);
        let mut supervise = dir.start("supervise", ["s"]);
        let words = format!(
            "supervise: warning: unable to use s/{file}, {default}: no such value: {content}"
        );
        assert_eq!(supervise.complains(file), words);
        let pid = service.up();
        supervised(&service.path);
        service.svc(&dir, "-h");
        assert_ne!(service.up(), pid);
        assert_eq!(supervise.complains(file), words);
        end(&dir, &service, supervise);
    }
}

#[test]
fn finish_has_the_last_word() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = with_files(&dir, "s", &[]);
    dir.script("s/finish", "exit 125");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for (letter, says) in [("-1", OVER), ("-h", FAILED), ("-k", KILLED)] {
        service.svc(&dir, letter);
        until_over(&service);
        assert_eq!(service.svstat(&dir), says);
        service.svc(&dir, "-u");
        service.up();
    }
    // Where the policy has decided already, finish runs all the same.
    fs::write(service.path.join("restart-never"), "7").unwrap();
    service.svc(&dir, "-1");
    until_over(&service);
    service.svc(&dir, "-u");
    service.up();
    dir.script("s/finish", &format!("echo finish >{}", service.said.path().display()));
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "finish");
    service.until("the end", |seen| seen.pid == 0);
    assert_eq!(service.svstat(&dir), FAILED);
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
}

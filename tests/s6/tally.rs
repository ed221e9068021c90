//! `supervise/death_tally`, as s6's programs read it.

use crate::adopt::{kill, parent_of, supervise_of, supervised_by_another};
use crate::support::{Dir, Finished, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// One of s6's programs, if it is installed.
fn theirs(name: &str) -> Option<String> {
    let path = format!("/usr/bin/{name}");
    (!testing_originals() && Path::new(&path).exists()).then_some(path)
}

/// A service that exits 3 on HUP, in a directory for s6.
fn mortal(dir: &Dir, name: &str) -> Service {
    let service = Service::new(dir, name, "trap 'exit 3' HUP");
    dir.file(format!("{name}/max-death-tally"), "3\n");
    service
}

fn run(dir: &Dir, program: &str, service: &Service) -> Finished {
    let done = Process::start(dir.command(program).arg(&service.path)).finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    done
}

/// The ends that s6-svdt prints; each has to be of now, on s6's clock.
fn ends(dir: &Dir, service: &Service) -> Vec<String> {
    let printed = run(dir, "/usr/bin/s6-svdt", service).out();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let end = |line: &str| {
        let (stamp, how) = line.split_once(' ').unwrap();
        let seconds = u64::from_str_radix(&stamp[1..17], 16).unwrap() - (1 << 62) - 37;
        assert!((now - 20..=now).contains(&seconds), "{line} at {now}");
        how.to_owned()
    };
    printed.lines().map(end).collect()
}

fn records(service: &Service) -> Vec<u8> {
    fs::read(service.path.join("supervise/death_tally")).unwrap_or_default()
}

#[test]
fn it_says_what_theirs_says() {
    let Some(supervise) = theirs("s6-supervise") else { return };
    let under = |ours: bool| {
        let dir = Dir::new();
        let mut service = mortal(&dir, "s");
        let mut command =
            if ours { dir.tool("supervise", [""; 0]) } else { dir.command(&supervise) };
        // It begins with none, whatever was there before.
        let before = [0x40; 14];
        dir.file("s/supervise/death_tally", before);
        let process = Process::start(command.arg("s"));
        let mut said = Vec::new();
        for signal in [Signal::HUP, Signal::KILL, Signal::USR1, Signal::HUP] {
            let line = service.said.line();
            let pid = line.strip_prefix("up ").unwrap().parse().unwrap();
            said.push(ends(&dir, &service));
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, signal).unwrap();
        }
        service.said.line();
        said.push(ends(&dir, &service));
        run(&dir, "/usr/bin/s6-svdt-clear", &service);
        said.push(ends(&dir, &service));
        process.signal(Signal::TERM);
        assert_eq!(process.finish().code, 0);
        said.push(ends(&dir, &service));
        said
    };
    let ours = under(true);
    assert_eq!(ours, under(false));
    assert_eq!(ours[4], ["signal SIGKILL", "signal SIGUSR1", "exitcode 3"]);
}

#[test]
fn none_are_kept_where_none_are_to_be() {
    if testing_originals() {
        return;
    }
    for (name, content, size) in [
        ("max-death-tally", "0", 0),
        ("max-death-tally", "1\n", 14),
        ("max-death-tally", "many", 28),
        ("timeout-kill", "0", 28),
        ("other", "", 0),
    ] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "trap 'exit 3' HUP");
        dir.file(format!("s/{name}"), content);
        let supervise = service.supervise(&dir);
        service.up();
        supervised(&service.path);
        service.svc(&dir, "-h");
        service.up();
        service.svc(&dir, "-dx");
        assert_eq!(supervise.finish().code, 0);
        assert_eq!(records(&service).len(), size, "{name} {content:?}");
    }
}

#[test]
fn their_finish_sees_what_happened_too_often() {
    let Some(permafailon) = theirs("s6-permafailon") else { return };
    let dir = Dir::new();
    let mut service = mortal(&dir, "s");
    dir.script("s/finish", &format!("exec {permafailon} 60 2 3,SIGKILL true"));
    let supervise = service.supervise(&dir);
    for letter in ["-h", "-t", "-k"] {
        let pid = service.up();
        supervised(&service.path);
        service.svc(&dir, letter);
        service.until("the end", |seen| seen.pid != pid);
    }
    let seen = service.until("the end for good", |seen| seen.want == b'd');
    assert_eq!(seen.pid, 0);
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
    assert!(service.said.is_silent());
}

/// Whoever is killed, each end is noted once.
#[test]
fn a_killed_supervise_neither_forgets_one_nor_counts_it_twice() {
    if testing_originals() {
        return;
    }
    // One that was taken up is waited for by svscan, which leaves word.
    let cases = ["death: tallied", "status: written"];
    for (point, taken_up) in cases.into_iter().flat_map(|point| [(point, false), (point, true)]) {
        let dir = Dir::new();
        let mut service = mortal(&dir, "scan/s");
        let at = format!("{point}={}", dir.path("death").display());
        let svscan = Process::start(dir.tool("svscan", ["scan"]).env("UPKEEP_KILL_AT", at));
        let first = service.up();
        supervised(&service.path);
        let mut supervise = parent_of(first);
        if taken_up {
            kill(supervise);
            supervised_by_another(&service, supervise);
            supervise = supervise_of(&service);
        }
        dir.file("death", "");
        service.svc(&dir, "-h");
        supervised_by_another(&service, supervise);
        let second = service.up();
        assert!(!dir.path("death").exists(), "{point}: nobody came there");
        assert_eq!(records(&service)[12..], [3, 0], "{point}");
        supervised(&service.path);
        kill(second);
        service.up();
        assert_eq!(records(&service)[26..], [137, 9], "{point}");
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        assert_eq!(records(&service).len(), 42, "{point}");
    }
}

#[test]
fn the_last_of_many_are_kept() {
    if testing_originals() {
        return;
    }
    for (keep, size) in [("100", 100), ("150", 150), ("100000", 201)] {
        let dir = Dir::new();
        let mut service = mortal(&dir, "s");
        dir.file("s/max-death-tally", keep);
        // With a TERM right behind its HUP it could die of that.
        dir.file("s/down-signal", "HUP");
        let supervise = service.supervise(&dir);
        service.up();
        let many: Vec<u8> = (0..200_u8).flat_map(|n| [n; 14]).collect();
        // A piece of one at the end is none.
        dir.file("s/supervise/death_tally", [&many[..], b"torn"].concat());
        supervised(&service.path);
        service.svc(&dir, "-dx");
        assert_eq!(supervise.finish().code, 0);
        let seen = records(&service);
        assert_eq!((seen.len(), &seen[(size - 1) * 14 + 12..]), (size * 14, &[3, 0][..]));
        assert_eq!(seen[..(size - 1) * 14], many[(201 - size) * 14..]);
    }
}

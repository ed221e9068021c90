//! Whatever is killed, the service goes on: what the next supervise and the
//! next svscan find, and that nothing is ever started twice.

mod foreign;
mod points;
mod upgrade;

use crate::support::{Dir, Process, Service, is_supervised, supervised, testing_originals};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A service that complains when there is another one of it.
fn only_one(dir: &Dir, name: &str, more: &str) -> Service {
    let lock = format!("exec 9>>lock; flock -n 9 || echo two >$said\n{more}");
    Service::new(dir, name, &lock)
}

pub(crate) fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

/// Kills a supervise that the test has started.
fn end(supervise: Process) {
    supervise.signal(Signal::KILL);
    assert_eq!(supervise.ends(), 137);
}

/// The part of the record that is for the next supervise: how the last process
/// ended, and how often there was a start.
pub(crate) fn history(path: &Path) -> ([u8; 2], u64) {
    let record = fs::read(path.join("supervise/status")).unwrap();
    assert_eq!(&record[20..24], b"upk\x01");
    ([record[70], record[71]], u64::from_le_bytes(record[88..96].try_into().unwrap()))
}

/// Waits until `d` and the `x` behind it are both on record: what a supervise
/// has read and not done is gone with it.
pub(crate) fn until_leaving(service: &Service) {
    service.until("it is leaving", |seen| {
        let record = fs::read(service.path.join("supervise/status")).unwrap();
        seen.want == b'd' && record[69] & 1 != 0
    });
}

/// Starts the next supervise, and waits until it is there.
fn next(dir: &Dir, service: &Service) -> Process {
    let supervise = service.supervise(dir);
    supervised(&service.path);
    supervise
}

#[test]
fn a_running_service_is_taken_up() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "trap 'echo HUP >$said' HUP");
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    end(first);
    assert!(!is_supervised(&service.path));
    let second = next(&dir, &service);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    assert_eq!(service.seen().unwrap().pid, pid);
    // It is signalled, its death is noticed, and it is started again.
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    kill(pid);
    assert_ne!(service.up(), pid);
    service.svc(&dir, "-dx");
    assert_eq!(second.finish().code, 0);
}

/// The same where the kernel gives less: each time without another of the
/// newer calls.
#[test]
fn a_running_service_is_taken_up_on_older_kernels() {
    if testing_originals() {
        return;
    }
    for refused in ["pidfd-info", "pidfs", "pidfd", "close-range", "pidfd,pidfs,close-range"] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "s", "trap 'echo HUP >$said' HUP");
        let start = || {
            let mut command = dir.tool("supervise", ["s"]);
            Process::start(command.env("UPKEEP_REFUSE", refused))
        };
        let first = start();
        let pid = service.up();
        supervised(&service.path);
        end(first);
        let second = start();
        supervised(&service.path);
        assert_eq!(service.seen().unwrap().pid, pid, "without {refused}");
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), "HUP");
        kill(pid);
        assert_ne!(service.up(), pid);
        service.svc(&dir, "-dx");
        assert_eq!(second.finish().code, 0);
    }
}

#[test]
fn what_is_down_stays_down() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "");
    let first = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    end(first);
    let second = next(&dir, &service);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up");
    assert!(service.said.is_silent());
    end(second);
    // Also one that goes down while nobody looks.
    let third = next(&dir, &service);
    service.svc(&dir, "-o");
    let pid = service.up();
    end(third);
    kill(pid);
    let fourth = next(&dir, &service);
    service.until("the end", |seen| (seen.pid, seen.want) == (0, 0));
    assert!(service.said.is_silent());
    service.svc(&dir, "-x");
    assert_eq!(fourth.finish().code, 0);
}

#[test]
fn what_was_told_is_not_forgotten() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "trap 'echo TERM >$said' TERM");
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    // Paused, on its way down, and with supervise on its way out.
    service.svc(&dir, "-p");
    service.until("the pause", |seen| seen.paused);
    end(first);
    let second = next(&dir, &service);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds, paused");
    service.svc(&dir, "-dx");
    assert_eq!(service.said.line(), "TERM");
    until_leaving(&service);
    end(second);
    let third = next(&dir, &service);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds, want down");
    kill(pid);
    assert_eq!(third.finish().code, 0);
    assert!(service.said.is_silent());
    // Having left, it is forgotten: the next one begins anew.
    let fourth = service.supervise(&dir);
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(service.said.line(), "TERM");
    service.svc(&dir, "-k");
    assert_eq!(fourth.finish().code, 0);
}

#[test]
fn the_second_between_starts_goes_on() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::with_script(&dir, "s", "date +%s%N >$said");
    let mut supervise = service.supervise(&dir);
    let start = |service: &mut Service| service.said.line().parse::<u64>().unwrap();
    let mut before = start(&mut service);
    for _ in 0..3 {
        service.until("it waits", |seen| seen.pid == 0);
        end(supervise);
        supervise = service.supervise(&dir);
        let now = start(&mut service);
        // Not at once, whatever a shell's own start may differ.
        assert!(now - before > 500_000_000, "{} ns", now - before);
        before = now;
    }
}

#[test]
fn how_it_ended_is_known() {
    if testing_originals() {
        return;
    }
    let ends = |refused: &str| {
        let dir = Dir::new();
        let mut service = only_one(&dir, "scan/s", "trap 'exit 7' HUP");
        let mut command = dir.tool("svscan", ["scan"]);
        let svscan = Process::start(command.env("UPKEEP_REFUSE", refused));
        let pid = service.up();
        supervised(&service.path);
        let supervise = parent_of(pid);
        kill(supervise);
        supervised_by_another(&service, supervise);
        service.svc(&dir, "-h");
        service.up();
        let history = history(&service.path);
        svscan.signal(Signal::TERM);
        assert_eq!(svscan.finish().code, 0);
        history
    };
    // From the kernel, and by way of svscan, which has reaped it.
    assert_eq!(ends(""), ([1, 7], 2));
    assert_eq!(ends("pidfd-info"), ([1, 7], 2));
    assert_eq!(ends("pidfd"), ([1, 7], 2));
}

pub(crate) fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The supervise that holds the lock of a service directory: the parent of a
/// service only as long as it has not been taken up by another.
pub(crate) fn supervise_of(service: &Service) -> u32 {
    let inode = fs::metadata(service.path.join("supervise/lock")).unwrap().ino();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let line = locks.lines().find(|line| line.contains(&format!(":{inode} "))).unwrap();
    line.split_whitespace().nth(4).unwrap().parse().unwrap()
}

/// Kills svscan, and both of it and a supervise: the next svscan leaves alone
/// what lives, starts what is missing, and complains of nothing.
#[test]
fn a_killed_svscan_leaves_everything_as_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut services: Vec<_> = (0..3).map(|n| only_one(&dir, &format!("scan/s{n}"), "")).collect();
    let first = dir.start("svscan", ["scan"]);
    let pids: Vec<_> = services.iter_mut().map(Service::up).collect();
    for service in &services {
        supervised(&service.path);
    }
    let supervises: Vec<_> = pids.iter().map(|pid| parent_of(*pid)).collect();
    end(first);
    let second = dir.start("svscan", ["scan"]);
    // Its supervise is not this svscan's child, and missed all the same.
    kill(supervises[0]);
    supervised_by_another(&services[0], supervises[0]);
    services[0].svc(&dir, "-k");
    assert_ne!(services[0].up(), pids[0]);
    end(second);
    kill(supervises[1]);
    let third = dir.start("svscan", ["scan"]);
    supervised_by_another(&services[1], supervises[1]);
    for n in [1, 2] {
        assert_eq!(services[n].seen().unwrap().pid, pids[n]);
        services[n].svc(&dir, "-p");
        services[n].until("the pause", |seen| seen.paused);
    }
    // It takes down also what it did not start.
    third.signal(Signal::TERM);
    let done = third.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert!(services.iter().all(|service| service.said.is_silent()));
    dir.nobody_is_left();
}

/// Waits for the end of a process that has been killed.
pub(crate) fn dies(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        assert!(crate::support::readable(&pidfd, crate::support::deadline()), "{pid:?} lives");
    }
}

/// Waits until a supervise is there that is not this process, which has been
/// killed.
pub(crate) fn supervised_by_another(service: &Service, before: u32) {
    dies(before);
    supervised(&service.path);
}

/// The pipe to the logger outlives svscan, both supervises and the logger.
#[test]
fn no_line_is_lost_between_service_and_logger() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let say = dir.fifo("say");
    let script = format!(
        "exec 9>>lock; flock -n 9 || echo two >$said\nexec 3<>{}; echo up $$ >$said
        while read n <&3; do echo $n; done",
        say.path().display()
    );
    let mut service = Service::with_script(&dir, "scan/s", &script);
    let mut log = Service::with_script(
        &dir,
        "scan/s/log",
        "echo up $$ >$said; while read l; do echo $l >$said; done; echo eof >$said",
    );
    let mut svscan = dir.start("svscan", ["scan"]);
    let pid = service.up();
    let mut logger = log.up();
    for round in 0..4 {
        supervised(&service.path);
        supervised(&log.path);
        let (main, other) = (supervise_of(&service), supervise_of(&log));
        end(svscan);
        let victims = [main, other, logger];
        for victim in &victims[..round] {
            kill(*victim);
        }
        victims[..round].iter().for_each(|victim| dies(*victim));
        // Written while nobody, or nobody that lives, reads.
        say.say(&format!("line {round}"));
        svscan = dir.start("svscan", ["scan"]);
        if round == 3 {
            logger = log.up();
        }
        assert_eq!(log.said.line(), format!("line {round}"));
        assert_eq!(service.until("the service", |seen| seen.pid != 0).pid, pid);
    }
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(log.said.line(), "eof");
    assert!(service.said.is_silent());
    dir.nobody_is_left();
}

/// A supervise that is killed when everything is to go down is started again,
/// to take its service down: nothing is left.
#[test]
fn a_supervise_that_is_killed_on_the_way_out_leaves_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "scan/s", "trap 'echo bye; exit' TERM");
    let lines = dir.path("lines");
    dir.script("scan/s/log/run", &format!("exec cat >{}", lines.display()));
    let svscan = dir.start("svscan", ["scan"]);
    let pid = service.up();
    supervised(&service.path);
    supervised(&service.path.join("log"));
    svscan.signal(Signal::STOP);
    kill(parent_of(pid));
    svscan.signal(Signal::TERM);
    svscan.signal(Signal::CONT);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    dir.nobody_is_left();
    assert_eq!(fs::read_to_string(lines).unwrap(), "bye\n");
}

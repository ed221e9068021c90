//! Signals that are ignored, blocked or held back, and the children of others.

use super::{as_root, path};
use crate::support::{
    Dir, Process, Service, deadline, program, readable, supervised, testing_originals,
};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid,
};
use std::fs;

#[test]
fn a_stopped_supervise_obeys_later() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let traps = ["HUP", "ALRM", "INT"].map(|s| format!("trap 'echo {s} >$said' {s}\n"));
    let mut service = Service::new(&dir, "s", &traps.concat());
    let supervise = service.supervise(&dir);
    let first = service.up();
    supervised(&service.path);
    supervise.signal(Signal::STOP);
    let pid = Pid::from_raw(supervise.pid().cast_signed()).unwrap();
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap().unwrap();
    // svc and svok do not wait for it.
    service.svc(&dir, "-o");
    service.svc(&dir, "-h");
    service.svc(&dir, "-k");
    service.svc(&dir, "-u");
    assert_eq!(dir.run("svok", ["s"]).code, 0);
    assert!(service.said.is_silent());
    assert_eq!(service.seen().unwrap().want, b'u');
    supervise.signal(Signal::CONT);
    // All of them, in the order given: without the u it would stay down.
    let line = loop {
        let line = service.said.line();
        if line != "HUP" {
            break line;
        }
    };
    assert_ne!(line, format!("up {first}"));
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// Starts a program with signals ignored and blocked, as a careless parent
/// would, if there is an env that can.
fn carelessly(dir: &Dir, name: &str, args: &[&str]) -> Option<Process> {
    let careless = ["--ignore-signal=CHLD,TERM", "--block-signal=CHLD,TERM,HUP"];
    let mut command = dir.command("env");
    if Process::start(command.args(careless).arg("true")).finish().code != 0 {
        return None;
    }
    let mut command = dir.command("env");
    command.args(careless).arg(program(name)).args(args).env("PATH", path());
    Some(Process::start(&mut command))
}

#[test]
fn supervise_notices_deaths_that_its_parent_ignored() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let Some(supervise) = carelessly(&dir, "supervise", &["s"]) else { return };
    let first = service.up();
    kill_process(Pid::from_raw(first.cast_signed()).unwrap(), Signal::KILL).unwrap();
    assert_ne!(service.up(), first);
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    service.svc(&dir, "-u");
    service.up();
    supervise.signal(Signal::TERM);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn svscan_notices_deaths_that_its_parent_ignored() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "");
    let Some(svscan) = carelessly(&dir, "svscan", &["scan"]) else { return };
    let first = service.up();
    supervised(&service.path);
    service.svc(&dir, "-dx");
    assert_ne!(service.up(), first);
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// The process that `pid` is in its own pid name space, seen from here.
fn from_inside(dir: &Dir, pid: &str) -> Pid {
    let inside = |outside: i32| {
        let status = fs::read_to_string(format!("/proc/{outside}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or("").to_string();
        let pids: Vec<_> = line.split_whitespace().skip(1).map(str::to_string).collect();
        pids.len() > 1 && pids.last().is_some_and(|last| last == pid)
    };
    let found = dir.processes().into_iter().find(|(outside, _)| inside(*outside));
    Pid::from_raw(found.unwrap().0).unwrap()
}

#[test]
fn the_first_process_reaps_what_it_inherits() {
    let dir = Dir::new();
    let new_pids = ["-pf", "--mount-proc"];
    let mut command = dir.command("unshare");
    if !as_root() || Process::start(command.args(new_pids).arg("true")).finish().code != 0 {
        return;
    }
    const ORPHANS: usize = 3;
    // Each orphan's parent ends at once; the orphan waits for its own end.
    let gate = dir.fifo("gate");
    let orphans = format!(
        "for n in 1 2 3; do (sh -c 'echo $$ >'$said'; read go <{}' &); done",
        gate.path().display()
    );
    let mut service = Service::with_script(&dir, "scan/s", &format!("{orphans}\nexec sleep 1000"));
    let mut command = dir.command("unshare");
    command.args(new_pids).arg(program("svscan")).arg("scan").env("PATH", path());
    let svscan = Process::start(&mut command);
    let inside: Vec<_> = (0..ORPHANS).map(|_| service.said.line()).collect();
    for pid in &inside {
        let orphan = pidfd_open(from_inside(&dir, pid), PidfdFlags::empty()).unwrap();
        kill_process(from_inside(&dir, pid), Signal::KILL).unwrap();
        assert!(readable(&orphan, deadline()));
    }
    // svscan reaps before it starts what is new, so the new one can tell.
    let count = format!(
        "for pid in {}; do test ! -e /proc/$pid || echo zombie $pid >$said; done
        echo parent $(cut -d' ' -f4 /proc/$(cut -d' ' -f4 /proc/$$/stat)/stat) >$said
        exec sleep 1000",
        inside.join(" ")
    );
    let mut last = Service::with_script(&dir, "last", &count);
    fs::rename(dir.path("last"), dir.path("scan/last")).unwrap();
    assert_eq!(last.said.line(), "parent 1");
    kill_process(from_inside(&dir, "1"), Signal::TERM).unwrap();
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    dir.nobody_is_left();
}

//! What a service says of itself meanwhile, and that it can say which of its
//! processes it is.

use super::{FORKS, daemon, number, said_up};
use crate::adopt::{kill, supervise_of, supervised_by_another};
use crate::support::{Dir, Process, deadline, ours, readable, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::process::Stdio;

#[test]
fn it_can_say_which_process_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let notify = ours().join("svnotify").display().to_string();
    let start = format!(
        "trap 'exit 7' HUP; setsid ./daemon & echo $! >pid
        read go <other; {notify} MAINPID=$(cat main); echo said >$said
        while :; do read nothing <other; done"
    );
    let mut service = daemon(&dir, "scan/s", "", &start);
    fs::remove_file(service.path.join("follow")).unwrap();
    dir.file("scan/s/ready-by", "notify");
    let other = dir.fifo("scan/s/other");
    let stranger = Process::start(dir.command("cat").stdin(Stdio::piped()));
    let svscan = dir.start("svscan", ["scan"]);
    let pid = said_up(&mut service);
    supervised(&service.path);
    let run = service.until("run", |seen| seen.pid != 0).pid;
    assert_ne!(run, pid);
    // A stranger is refused.
    dir.file("scan/s/main", stranger.pid().to_string());
    other.say("on");
    assert_eq!(service.said.line(), "said");
    assert_eq!(service.seen().unwrap().pid, run);
    kill(pid);
    service.svc(&dir, "-h");
    let pid = said_up(&mut service);
    service.until("run again", |seen| ![0, run].contains(&seen.pid));
    dir.file("scan/s/main", pid.to_string());
    other.say("on");
    assert_eq!(service.said.line(), "said");
    assert_eq!(service.seen().unwrap().pid, pid);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    let supervise = supervise_of(&service);
    kill(supervise);
    supervised_by_another(&service, supervise);
    assert_eq!(service.seen().unwrap().pid, pid);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
    // Its parent, which nobody follows any more, has not waited for it.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(stat.contains(") Z "), "{stat}");
}

/// Also before it is known which process it is.
#[test]
fn it_is_heard_while_it_is_looked_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let start = "(setsid ./daemon & echo $! >late; read go <other; mv late pid) &";
    let mut service = daemon(&dir, "s", "pidfile pid", start);
    let script = fs::read_to_string(service.path.join("daemon")).unwrap();
    let notify = format!("{} ready; echo HUP", ours().join("svnotify").display());
    let script = script.replace("echo HUP", &notify);
    dir.script("s/daemon", script.trim_start_matches("#!/bin/sh\n"));
    dir.file("s/ready-by", "notify");
    let other = dir.fifo("s/other");
    let supervise = service.supervise(&dir);
    let pid = said_up(&mut service);
    supervised(&service.path);
    service.until("it is looked for", |seen| seen.pid == 0);
    let daemon = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(daemon, Signal::HUP).unwrap();
    assert_eq!(service.said.line(), "HUP");
    other.say("on");
    service.until("it", |seen| seen.pid == pid);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    service.svc(&dir, "-dx");
    let done = supervise.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

/// What supervise itself has started beside the service is not followed.
#[test]
fn a_script_that_runs_is_not_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let start = "[ -e pid ] && read nothing <other && exit 0\n";
    let mut service = daemon(&dir, "s", "child", &format!("{start}{FORKS}"));
    let said = service.said.path().display().to_string();
    dir.script("s/control/h", &format!("echo script >{said}; read nothing <held"));
    let [other, held] = [dir.fifo("s/other"), dir.fifo("s/held")];
    let mut supervise = dir.start("supervise", ["s"]);
    let pid = service.up();
    supervised(&service.path);
    kill(pid);
    service.until("run again", |seen| ![0, pid].contains(&seen.pid));
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "script");
    other.say("end");
    let words = supervise.complains("unable to follow");
    assert!(words.ends_with("nothing is left of it"), "{words}");
    assert_eq!(number(&service), Some(pid));
    service.svc(&dir, "-d");
    held.say("end");
    service.svc(&dir, "-x");
    drop(other);
    assert_eq!(supervise.ends(), 0);
}

/// What was left behind while nobody was there is heard all the same.
#[test]
fn the_next_supervise_hears_what_was_left_behind() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let start = format!("{FORKS}\nread go <other");
    let mut service = daemon(&dir, "scan/s", "pidfile pid", &start);
    let script = fs::read_to_string(service.path.join("daemon")).unwrap();
    let notify = format!("{} ready; echo HUP", ours().join("svnotify").display());
    let script = script.replace("echo HUP", &notify);
    dir.script("scan/s/daemon", script.trim_start_matches("#!/bin/sh\n"));
    dir.file("scan/s/ready-by", "notify");
    let other = dir.fifo("scan/s/other");
    let svscan = dir.start("svscan", ["scan"]);
    let pid = said_up(&mut service);
    supervised(&service.path);
    let run = service.until("run", |seen| seen.pid != 0).pid;
    let supervise = supervise_of(&service);
    svscan.signal(Signal::STOP);
    kill(supervise);
    let run = rustix::process::Pid::from_raw(run.cast_signed()).unwrap();
    let run = rustix::process::pidfd_open(run, rustix::process::PidfdFlags::empty()).unwrap();
    other.say("on");
    assert!(readable(&run, deadline()), "run stays");
    svscan.signal(Signal::CONT);
    supervised_by_another(&service, supervise);
    service.until("it", |seen| seen.pid == pid);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
}

/// Nor is whoever is told of it, however long that takes.
#[test]
fn who_is_told_of_it_is_not_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = daemon(&dir, "s", "child", super::FORKS_TWICE);
    dir.script("s/notify", "read nothing <held");
    let held = dir.fifo("s/held");
    let mut supervise = service.supervise(&dir);
    let mut pid = service.up();
    for _ in 0..2 {
        kill(pid);
        pid = service.up();
    }
    // More than there is room for are not started.
    supervise.complains("s/notify: too many of it are still running");
    service.svc(&dir, "-dx");
    assert_eq!(supervise.ends(), 0);
    drop(held);
}

//! `svstat -e`: each change as a line of JSON.

use super::items;
use crate::support::{
    Dir, Json, Process, Service, deadline, readable, supervised, testing_originals,
};
use rustix::process::Signal;
use std::fs;

/// The next line of `svstat -e` that has `text` in it.
fn event(events: &mut Process, text: &str) -> Json {
    Json::parse(events.prints(text).as_bytes())
}

/// That it is asked to end, and does.
pub(super) fn ends(process: Process, signal: Signal) {
    process.signal(signal);
    let done = process.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

#[test]
fn each_change_is_a_line() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let mut events = dir.start("svstat", ["-e", "s", "nowhere"]);
    let first = event(&mut events, "\"s\"");
    assert_eq!(first.keys(), [items("CHANGES"), items("JSON")].concat());
    assert!(*first.get("event") == "seen" && *first.get("pid") == pid);
    assert!(*first.get("missed") == 0 && *first.get("supervise_ended") == false);
    let other = event(&mut events, "\"nowhere\"");
    assert_eq!(*other.get("error"), "unable to chdir: file does not exist");
    assert_eq!(*other.get("missed"), Json::Null);
    // A record that says the same is no change.
    let status = service.path.join("supervise/status");
    fs::copy(&status, status.with_extension("same")).unwrap();
    fs::rename(status.with_extension("same"), &status).unwrap();
    service.svc(&dir, "-p");
    let paused = event(&mut events, "\"changed\"");
    assert!(*paused.get("paused") == true && *paused.get("name") == "s");
    service.svc(&dir, "-cd");
    let down = event(&mut events, "\"state\":\"down\"");
    assert!(*down.get("exit_signal") == "SIGTERM" && *down.get("starts") == 1);
    service.svc(&dir, "-u");
    let pid = service.up();
    let up = event(&mut events, "\"state\":\"up\"");
    assert!(*up.get("pid") == pid && *up.get("starts") == 2 && *up.get("missed") == 0);
    // Its supervise goes and another one comes.
    supervise.signal(Signal::KILL);
    supervise.ends();
    let gone = event(&mut events, "\"supervised\":false");
    assert!(*gone.get("error") == "supervise not running" && *gone.get("pid") == Json::Null);
    let _supervise = service.supervise(&dir);
    let back = event(&mut events, "\"supervised\":true");
    assert!(*back.get("pid") == pid && *back.get("starts") == 2 && *back.get("missed") == 0);
    // What was nowhere is there, and vanishes again.
    dir.mkdir("nowhere");
    event(&mut events, "supervise/ok: file does not exist");
    fs::remove_dir(dir.path("nowhere")).unwrap();
    let gone = event(&mut events, "\"nowhere\"");
    assert_eq!(*gone.get("error"), "unable to chdir: file does not exist");
    ends(events, Signal::TERM);
}

/// A reader that is late is told how many starts it was told nothing of.
#[test]
fn what_was_not_told_is_counted() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let mut events = dir.start("svstat", ["-e", "s"]);
    event(&mut events, "\"seen\"");
    events.signal(Signal::STOP);
    for _ in 0..3 {
        service.svc(&dir, "-du");
        service.up();
    }
    events.signal(Signal::CONT);
    let next = event(&mut events, "\"starts\":4");
    assert_eq!(*next.get("missed"), 2);
    ends(events, Signal::INT);
}

#[test]
fn services_come_and_go() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("all/a");
    dir.mkdir("apart/b");
    let mut command = dir.tool("svstat", ["-e"]);
    let mut events = Process::start(command.env("SVDIR", dir.path("all")));
    assert_eq!(*event(&mut events, "\"a\"").get("event"), "seen");
    fs::rename(dir.path("apart/b"), dir.path("all/b")).unwrap();
    assert_eq!(*event(&mut events, "\"b\"").get("event"), "came");
    // Its logger is there when it is looked at again.
    let mut service = Service::new(&dir, "all/b", "");
    dir.script("all/b/log", "exec sleep 1000");
    let _supervise = service.supervise(&dir);
    service.up();
    let logger = event(&mut events, "\"b/log\"");
    assert!(*logger.get("event") == "came" && *logger.get("log") == Json::Null);
    let place = dir.path("all/b/log");
    assert_eq!(*logger.get("path"), place.to_str().unwrap());
    // A change of the logger is told of it.
    service.svc(&dir, "-p");
    assert_eq!(*event(&mut events, "\"paused\":true").get("name"), "b");
    let _logger = dir.start("supervise", ["all/b/log"]);
    let logger = event(&mut events, "\"state\":\"up\"");
    assert_eq!(*logger.get("name"), "b/log");
    assert_eq!(dir.run("svc", ["-p", "all/b/log"]).code, 0);
    assert_eq!(*event(&mut events, "\"paused\":true").get("name"), "b/log");
    fs::rename(dir.path("all/b"), dir.path("apart/b")).unwrap();
    assert_eq!(*event(&mut events, "\"went\"").get("name"), "b");
    assert_eq!(*event(&mut events, "\"went\"").get("name"), "b/log");
    ends(events, Signal::TERM);
}

/// Also if nothing changes any more, and if it is in the middle of a line.
#[test]
fn it_ends_with_its_reader() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("s");
    for form in ["-e", "-f"] {
        let mut command = dir.tool("svstat", [form, "s"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut first = [0; 1];
        let mut out = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut out, &mut first).unwrap();
        drop(out);
        let pidfd = rustix::process::pidfd_open(
            rustix::process::Pid::from_child(&child),
            rustix::process::PidfdFlags::empty(),
        );
        assert!(readable(pidfd.unwrap(), deadline()), "{form} goes on");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{form}");
    }
    // More than a pipe holds, and nobody reads it.
    let many = core::iter::once("-e").chain([".", "s"].repeat(200));
    let mut events = dir.start("svstat", many);
    event(&mut events, "\"seen\"");
    events.signal(Signal::TERM);
    assert_eq!(events.ends(), 0);
}

//! What runs before `run` and after the last one, and what is told of them.

use super::end;
use crate::adopt::{dies, kill};
use crate::support::{Dir, Fifo, Process, Service, supervised, testing_originals};
use std::fs;

/// Makes `file` say its name and its process and end as it is told on the FIFO
/// of its name; TERM ends it with 0.
fn asks(dir: &Dir, service: &Service, file: &str) -> Fifo {
    let go = dir.hold(format!("s.{file}"));
    let (said, path) = (service.said.path().display(), go.path().display());
    let script = format!(
        "said={said}\ntrap 'exit 0' TERM\nexec 3<>{path}\necho {file} $$ >$said\n\
         code=\nuntil [ \"$code\" ]; do read code <&3; done\nexit $code"
    );
    dir.script(service.path.join(file), &script);
    go
}

/// Waits for this program to say that it runs, and for the status to say so.
fn runs(service: &mut Service, file: &str) -> u32 {
    let line = service.said.line();
    let pid = line.strip_prefix(&format!("{file} ")).unwrap_or_else(|| panic!("said {line:?}"));
    let pid = pid.parse().unwrap();
    service.until("the status to name it", |seen| seen.pid == pid);
    pid
}

/// Byte 68 of the record.
fn stage(service: &Service) -> u8 {
    fs::read(service.path.join("supervise/status")).unwrap()[68]
}

fn until_down(service: &Service) {
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
}

fn begin(dir: &Dir, service: &Service) -> Process {
    let supervise = service.supervise(dir);
    supervised(&service.path);
    supervise
}

#[test]
fn start_runs_when_it_comes_up_and_stop_when_it_has_gone_down() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
    let supervise = begin(&dir, &service);
    for _ in 0..2 {
        runs(&mut service, "start");
        assert_eq!(stage(&service), 6);
        assert_eq!(service.svstat(&dir), "up (pid N) N seconds, starting");
        start.say("0");
        let pid = service.up();
        // Not for each process.
        service.svc(&dir, "-k");
        assert_ne!(service.up(), pid);
        service.svc(&dir, "-d");
        runs(&mut service, "stop");
        // What is to come up again then begins from the beginning.
        service.svc(&dir, "-u");
        stop.say("0");
    }
    runs(&mut service, "start");
    start.say("0");
    service.up();
    service.svc(&dir, "-o");
    service.svc(&dir, "-k");
    runs(&mut service, "stop");
    stop.say("1");
    service.until("the end", |seen| seen.pid == 0);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up");
    service.svc(&dir, "-o");
    runs(&mut service, "start");
    start.say("0");
    service.up();
    service.svc(&dir, "-dx");
    runs(&mut service, "stop");
    stop.say("0");
    assert_eq!(supervise.finish().code, 0);
    assert!(service.said.is_silent());
}

#[test]
fn a_start_that_fails_is_the_end_of_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
    let supervise = begin(&dir, &service);
    runs(&mut service, "start");
    start.say("7");
    until_down(&service);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed: exited N");
    service.svc(&dir, "-u");
    // By somebody, and not by supervise.
    kill(runs(&mut service, "start"));
    until_down(&service);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed: killed by N");
    // Told to end, it has not failed, and runs again.
    service.svc(&dir, "-u");
    runs(&mut service, "start");
    service.svc(&dir, "-k");
    runs(&mut service, "start");
    start.say("7");
    until_down(&service);
    service.svc(&dir, "-u");
    runs(&mut service, "start");
    start.say("0");
    service.up();
    service.svc(&dir, "-d");
    runs(&mut service, "stop");
    stop.say("0");
    end(&dir, &service, supervise);
    assert!(service.said.is_silent(), "it has run, or was stopped twice");
}

#[test]
fn whoever_is_told_to_go_down_does_not_run() {
    if testing_originals() {
        return;
    }
    for letters in ["-d", "-dx", "-x"] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
        let supervise = begin(&dir, &service);
        runs(&mut service, "start");
        service.svc(&dir, letters);
        if letters == "-x" {
            start.say("0");
        }
        // It has succeeded, and so is undone.
        runs(&mut service, "stop");
        stop.say("0");
        if letters == "-d" {
            until_down(&service);
            assert_eq!(service.svstat(&dir), "down N seconds, normally up");
            end(&dir, &service, supervise);
        } else {
            assert_eq!(supervise.finish().code, 0);
        }
        assert!(service.said.is_silent(), "{letters}");
    }
}

#[test]
fn the_next_supervise_goes_on_with_each_of_them() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
    let next = |service: &Service, supervise: Process| {
        kill(supervise.pid());
        assert_ne!(supervise.ends(), 0);
        begin(&dir, service)
    };
    let mut supervise = begin(&dir, &service);
    let pid = runs(&mut service, "start");
    supervise = next(&service, supervise);
    assert_eq!((service.seen().unwrap().pid, stage(&service)), (pid, 6));
    // Killed with it, it has to do it again: nobody can say how it ended.
    kill(supervise.pid());
    assert_ne!(supervise.ends(), 0);
    kill(pid);
    dies(pid);
    supervise = begin(&dir, &service);
    runs(&mut service, "start");
    start.say("0");
    let pid = service.up();
    supervise = next(&service, supervise);
    assert_eq!(service.seen().unwrap().pid, pid);
    service.svc(&dir, "-d");
    let pid = runs(&mut service, "stop");
    supervise = next(&service, supervise);
    assert_eq!(service.seen().unwrap().pid, pid);
    stop.say("0");
    service.until("the end", |seen| seen.pid == 0);
    end(&dir, &service, supervise);
    assert!(service.said.is_silent());
}

#[test]
fn there_may_be_nothing_to_run() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    fs::remove_file(service.path.join("run")).unwrap();
    let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
    let supervise = begin(&dir, &service);
    runs(&mut service, "start");
    let up = || dir.run("svup", [&service.path]).code;
    assert_eq!(up(), 100);
    start.say("0");
    service.until("that it is up without", |seen| seen.pid == 0 && seen.want == 0);
    assert_eq!(up(), 0);
    service.svc(&dir, "-d");
    runs(&mut service, "stop");
    assert_eq!(dir.run("svup", [&service.path]).code, 100);
    stop.say("0");
    until_down(&service);
    end(&dir, &service, supervise);
    assert!(service.said.is_silent());
}

#[test]
fn notify_is_told_of_each_process() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'exit 100' HUP");
    let (start, stop) = (asks(&dir, &service, "start"), asks(&dir, &service, "stop"));
    let mut told = dir.fifo("told");
    dir.script("s/notify", &format!("echo \"$*\" >{}", told.path().display()));
    let supervise = begin(&dir, &service);
    // Nobody waits for them, so they may overtake each other.
    let mut lines = |mut expected: Vec<String>| {
        let mut found: Vec<_> = expected.iter().map(|_| told.line()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    };
    let first = runs(&mut service, "start");
    lines(vec![format!("start start {first} 0")]);
    start.say("0");
    let run = service.up();
    lines(vec![format!("start exit {first} 0"), format!("run start {run} 0")]);
    service.svc(&dir, "-k");
    let second = service.up();
    lines(vec![format!("run killed {run} 9"), format!("run start {second} 0")]);
    service.svc(&dir, "-d");
    let last = runs(&mut service, "stop");
    lines(vec![format!("run killed {second} 15"), format!("stop start {last} 0")]);
    stop.say("3");
    lines(vec![format!("stop exit {last} 3")]);
    service.svc(&dir, "-u");
    let first = runs(&mut service, "start");
    start.say("0");
    let run = service.up();
    lines(vec![
        format!("start start {first} 0"),
        format!("start exit {first} 0"),
        format!("run start {run} 0"),
    ]);
    service.svc(&dir, "-h");
    lines(vec![format!("run exit {run} 100")]);
    until_down(&service);
    end(&dir, &service, supervise);
    assert!(service.said.is_silent() && told.is_silent());
}

/// One that does not end holds up nothing.
#[test]
fn nobody_waits_for_notify() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let hold = dir.fifo("hold");
    dir.script("s/notify", &format!("read nothing <{}", hold.path().display()));
    let supervise = begin(&dir, &service);
    service.up();
    service.svc(&dir, "-k");
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.ends(), 0);
}

#[test]
fn control_u_runs_before_each_start_however_it_ends() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.mkdir("s/control");
    let script = asks(&dir, &service, "u");
    fs::rename(service.path.join("u"), service.path.join("control/u")).unwrap();
    let supervise = begin(&dir, &service);
    for code in ["0", "1", "100"] {
        runs(&mut service, "u");
        script.say(code);
        service.up();
        service.svc(&dir, "-k");
    }
    // Killed in it, it is not waited for again.
    runs(&mut service, "u");
    service.svc(&dir, "-k");
    service.up();
    service.svc(&dir, "-k");
    runs(&mut service, "u");
    service.svc(&dir, "-d");
    until_down(&service);
    service.svc(&dir, "-u");
    runs(&mut service, "u");
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
    assert!(service.said.is_silent());
}

//! Services that put themselves into the background: which process they are
//! is found out, and what holds for others holds for them.

mod killed;
mod real;
mod says;

use crate::adopt::{history, kill, parent_of};
use crate::support::{
    Changes, Dir, Process, Service, deadline, readable, supervised, testing_originals,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::process::Stdio;

/// A service that says `up PID` from the background, where `start` in its
/// `run` has put `./daemon`, which complains when there is another one of it.
fn daemon(dir: &Dir, name: &str, follow: &str, start: &str) -> Service {
    let said = dir.fifo(format!("{name}.said"));
    let hold = dir.hold(format!("{name}.hold"));
    let (to, from) = (said.path().display(), hold.path().display());
    let script = format!(
        "exec 3<>{from} 9>>lock; flock -n 9 || echo two >{to}
        trap 'echo HUP >{to}' HUP; trap 'exit 0' INT
        echo up $$ >{to}; while :; do read nothing <&3; done"
    );
    dir.script(format!("{name}/daemon"), &script);
    dir.script(format!("{name}/run"), &format!("said={to}\nhold={from}\n{start}"));
    dir.file(format!("{name}/follow"), follow);
    Service { path: dir.path(name), said }
}

/// Writes the pid file by itself.
const FORKS: &str = "setsid ./daemon & echo $! >pid";

/// Forks twice, so that nobody but the kernel knows the number.
const FORKS_TWICE: &str = "(setsid ./daemon & exit 0)";

/// The next `up PID`, whatever the status says.
fn said_up(service: &mut Service) -> u32 {
    let line = service.said.line();
    line.strip_prefix("up ").unwrap_or_else(|| panic!("said {line:?}")).parse().unwrap()
}

#[test]
fn it_is_what_run_leaves_behind() {
    if testing_originals() {
        return;
    }
    for (follow, start) in [
        ("pidfile pid\n", FORKS),
        ("pidfile pid\n", "rm -f pid; (setsid ./daemon & echo $! >late; mv late pid)"),
        ("child\n", FORKS),
        ("child\n", FORKS_TWICE),
    ] {
        let dir = Dir::new();
        let mut service = daemon(&dir, "s", follow, start);
        dir.file("s/max-death-tally", "5");
        let supervise = service.supervise(&dir);
        let pid = service.up();
        supervised(&service.path);
        assert_eq!(service.svstat(&dir), "up (pid N) N seconds", "{start}");
        assert_eq!(parent_of(pid), supervise.pid());
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), "HUP");
        // Its end is one like any other.
        kill(pid);
        assert_ne!(service.up(), pid);
        assert_eq!(history(&service.path), ([2, 9], 2), "{start}");
        let tally = fs::read(service.path.join("supervise/death_tally")).unwrap();
        assert_eq!(tally[12..], [137, 9], "the end of run is none");
        service.svc(&dir, "-p");
        service.until("the pause", |seen| seen.paused);
        service.svc(&dir, "-dx");
        let done = supervise.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        assert_eq!(history(&service.path), ([2, 15], 2));
        assert!(service.said.is_silent());
        dir.nobody_is_left();
    }
}

/// The same where the kernel or the system gives less.
#[test]
fn it_is_found_on_older_kernels() {
    if testing_originals() {
        return;
    }
    for refused in ["proc", "pidfd", "pidfs", "stat", "cgroup", "proc,pidfd,pidfs"] {
        for mode in ["process", "tree"] {
            let dir = Dir::new();
            let mut service = daemon(&dir, "s", "pidfile pid", FORKS);
            dir.file("s/kill-mode", mode);
            let mut command = dir.tool("supervise", ["s"]);
            let supervise = Process::start(command.env("UPKEEP_REFUSE", refused));
            let pid = service.up();
            supervised(&service.path);
            kill(pid);
            assert_ne!(service.up(), pid, "without {refused}");
            service.svc(&dir, "-dx");
            assert_eq!(supervise.ends(), 0);
            dir.nobody_is_left();
        }
    }
}

/// One that was found while it had another parent, and is a child since: how it
/// ended is known, also where the kernel tells only its parent.
#[test]
fn how_it_ended_is_known_whoever_was_its_parent() {
    if testing_originals() {
        return;
    }
    for refused in ["", "pidfd-info"] {
        let dir = Dir::new();
        let start = "(setsid ./daemon & echo $! >pid; read go <other) &";
        let mut service = daemon(&dir, "s", "pidfile pid", start);
        let script = fs::read_to_string(service.path.join("daemon")).unwrap();
        let script = script.replace("trap 'echo HUP", "trap 'exit 7; echo HUP");
        dir.script("s/daemon", script.trim_start_matches("#!/bin/sh\n"));
        let other = dir.fifo("s/other");
        let mut command = dir.tool("supervise", ["s"]);
        let supervise = Process::start(command.env("UPKEEP_REFUSE", refused));
        let pid = service.up();
        supervised(&service.path);
        let parent = Pid::from_raw(parent_of(pid).cast_signed()).unwrap();
        assert_ne!(parent.as_raw_pid().cast_unsigned(), supervise.pid());
        let parent = pidfd_open(parent, PidfdFlags::empty()).unwrap();
        other.say("end");
        assert!(readable(&parent, deadline()), "its parent stays");
        assert_eq!(parent_of(pid), supervise.pid());
        service.svc(&dir, "-h");
        assert_ne!(service.up(), pid);
        assert_eq!(history(&service.path), ([1, 7], 2), "without {refused}");
        service.svc(&dir, "-d");
        other.say("end");
        service.svc(&dir, "-x");
        assert_eq!(supervise.ends(), 0);
    }
}

#[test]
fn it_says_itself_when_it_is_ready() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = daemon(&dir, "s", "child", FORKS_TWICE);
    let script = fs::read_to_string(service.path.join("daemon")).unwrap();
    let script = script.replace("echo HUP", "echo >&5; echo HUP");
    dir.script("s/daemon", script.trim_start_matches("#!/bin/sh\n"));
    dir.file("s/notification-fd", "5");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds, not ready");
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    let awaited = || fs::read(service.path.join("supervise/status")).unwrap()[69] & 8 != 0;
    service.until("it is ready", |_| !awaited());
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    service.svc(&dir, "-dx");
    assert_eq!(supervise.ends(), 0);
}

#[test]
fn among_several_it_is_the_one_that_is_left() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let start = format!("{FORKS}\n(read nothing <other) &");
    let mut service = daemon(&dir, "s", "child", &start);
    let other = dir.fifo("s/other");
    let supervise = service.supervise(&dir);
    let pid = said_up(&mut service);
    supervised(&service.path);
    service.until("it is looked for", |seen| seen.pid == 0);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, following, want up");
    assert_eq!(fs::read(service.path.join("supervise/status")).unwrap()[68], 7);
    other.say("end");
    service.until("the one that is left", |seen| seen.pid == pid);
    // Told to end, it hands over to nobody.
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    dir.nobody_is_left();
}

/// What exits 0 and leaves something behind has handed over to that.
#[test]
fn whoever_exits_0_hands_over() {
    if testing_originals() {
        return;
    }
    for follow in ["child", "pidfile pid"] {
        let dir = Dir::new();
        let start = "sh -c 'read nothing <other; ./daemon & exit 0' & echo $! >pid";
        let mut service = daemon(&dir, "s", follow, start);
        let other = dir.fifo("s/other");
        let supervise = service.supervise(&dir);
        let changes = Changes::of(&[&service.path]);
        let first = changes.until("a pid file", || number(&service));
        service.until("the first", |seen| seen.pid == first);
        supervised(&service.path);
        other.say("go on");
        let second = said_up(&mut service);
        if follow == "child" {
            service.until("the second", |seen| seen.pid == second);
            kill(second);
        }
        // By its pid file it is not known, and `run` is started again.
        let next = changes.until("another", || number(&service).filter(|pid| *pid != first));
        service.until("the next", |seen| seen.pid == next);
        assert_eq!(history(&service.path).1, 2);
        service.svc(&dir, "-dx");
        assert_eq!(supervise.ends(), 0);
        if follow != "child" {
            kill(second);
        }
    }
}

fn number(service: &Service) -> Option<u32> {
    fs::read_to_string(service.path.join("pid")).ok()?.trim().parse().ok()
}

/// A number in the file is not enough: it has to be one of the service's own,
/// and of this start.
#[test]
fn a_number_that_is_somebody_elses_is_not_followed() {
    if testing_originals() {
        return;
    }
    for stale in ["foreign", "dead", "1", "none"] {
        let dir = Dir::new();
        let start =
            "setsid ./daemon & read go <other; echo $! >pid.new; read go <other; mv pid.new pid";
        let start = format!("({start}) &");
        let mut service = daemon(&dir, "s", "pidfile pid", &start);
        let other = dir.fifo("s/other");
        let stranger = Process::start(dir.command("cat").stdin(Stdio::piped()));
        match stale {
            "foreign" => dir.file("s/pid", format!("{}\n", stranger.pid())),
            "dead" => dir.file("s/pid", "4194303\n"),
            "1" => dir.file("s/pid", "1\n"),
            _ => dir.path("s"),
        };
        let supervise = service.supervise(&dir);
        let pid = said_up(&mut service);
        supervised(&service.path);
        service.until("it is looked for", |seen| seen.pid == 0);
        other.say("on");
        assert_eq!(service.seen().unwrap().pid, 0, "{stale}");
        other.say("on");
        service.until("the right one", |seen| seen.pid == pid);
        service.svc(&dir, "-dx");
        assert_eq!(supervise.ends(), 0);
        assert!(service.said.is_silent());
    }
}

/// What an earlier start has left behind is not what this one has.
#[test]
fn what_is_older_than_run_is_not_followed() {
    if testing_originals() {
        return;
    }
    for follow in ["pidfile pid", "child"] {
        let dir = Dir::new();
        let start = "[ -e second ] && exit 0\n(read go <other) & echo $! >second\n";
        let mut service = daemon(&dir, "s", "pidfile pid", &format!("{start}{FORKS}"));
        let _other = dir.fifo("s/other");
        let mut supervise = dir.start("supervise", ["s"]);
        let pid = service.up();
        supervised(&service.path);
        fs::rename(service.path.join("second"), service.path.join("pid")).unwrap();
        dir.file("s/second", "");
        dir.file("s/follow", follow);
        kill(pid);
        let words = "supervise: warning: unable to follow s into the background: \
                     nothing is left of it";
        assert_eq!(supervise.complains("unable to follow"), words);
        service.svc(&dir, "-dx");
        assert_eq!(supervise.ends(), 0);
        assert_eq!(history(&service.path).0, [3, 0]);
        kill(number(&service).unwrap());
    }
}

/// Not to be found in time is a failure, however `run` has ended.
#[test]
fn what_is_not_there_in_time_has_failed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = daemon(&dir, "s", "pidfile none/pid", "setsid ./daemon &");
    dir.file("s/timeout-follow", "100");
    dir.file("s/restart", "on-success");
    let mut supervise = dir.start("supervise", ["s"]);
    let pid = said_up(&mut service);
    let words = "supervise: warning: unable to follow s into the background: \
                 it is not there in time";
    assert_eq!(supervise.complains("unable to follow"), words);
    supervised(&service.path);
    service.until("its end", |seen| seen.want == b'd');
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed");
    service.svc(&dir, "-x");
    assert_eq!(supervise.ends(), 0);
    kill(pid);
}

#[test]
fn a_run_that_fails_has_left_nothing_behind() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let service = daemon(&dir, "s", "child", "exit 7");
    dir.file("s/restart", "never");
    let supervise = service.supervise(&dir);
    supervised(&service.path);
    service.until("its end", |seen| seen.want == b'd');
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed: exited N");
    service.svc(&dir, "-x");
    let done = supervise.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

#[test]
fn what_follow_can_say() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = daemon(&dir, "s", "the leader\n", "exec ./daemon");
    dir.file("s/timeout-follow", "0");
    let mut supervise = dir.start("supervise", ["s"]);
    let pid = service.up();
    let words = "supervise: warning: unable to use s/follow, following nobody: \
                 no such value: the leader";
    assert_eq!(supervise.complains("follow"), words);
    supervised(&service.path);
    dir.file("s/follow", "child");
    service.svc(&dir, "-r");
    assert_ne!(service.up(), pid);
    let words = "supervise: warning: unable to use s/timeout-follow, using 10000: \
                 no such value: 0";
    assert_eq!(supervise.complains("follow"), words);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// What is told to end while it is looked for is told when it is found.
#[test]
fn a_stop_reaches_it_while_it_is_looked_for() {
    if testing_originals() {
        return;
    }
    for (letters, tree) in [("-dx", false), ("-dx", true), ("-r", false), ("-t", true)] {
        let dir = Dir::new();
        let start = "(setsid ./daemon & echo $! >late; read go <other; mv late pid) &";
        let mut service = daemon(&dir, "s", "pidfile pid", start);
        if tree {
            dir.file("s/kill-mode", "tree");
        }
        let other = dir.fifo("s/other");
        let supervise = service.supervise(&dir);
        let pid = said_up(&mut service);
        supervised(&service.path);
        service.until("it is looked for", |seen| seen.pid == 0);
        service.svc(&dir, letters);
        if tree {
            // Everything that there is has heard.
            if letters == "-t" {
                assert_ne!(said_up(&mut service), pid);
                service.svc(&dir, "-dx");
            }
        } else {
            if letters == "-dx" {
                crate::adopt::until_leaving(&service);
            }
            other.say("on");
            if letters == "-r" {
                let next = said_up(&mut service);
                assert_ne!(next, pid);
                other.say("on");
                service.until("the next", |seen| seen.pid == next);
                service.svc(&dir, "-dx");
            }
        }
        assert_eq!(supervise.finish().code, 0, "{letters}");
        assert!(service.said.is_silent());
        dir.nobody_is_left();
    }
}

#[test]
fn a_stop_reaches_whom_kill_mode_says() {
    if testing_originals() {
        return;
    }
    // In a session of its own, in another's group, and in that of `run`.
    let starts = [
        "setsid ./daemon & echo $! >pid",
        "setsid sh -c './daemon & echo $! >pid' &",
        "./daemon & echo $! >pid",
    ];
    for (start, mode) in starts.iter().flat_map(|start| [(start, "group"), (start, "tree")]) {
        let dir = Dir::new();
        let mut service = daemon(&dir, "s", "pidfile pid", start);
        let beside = "sh -c 'trap \"\" TERM; echo child >$0; read nothing <hold' ";
        let said = service.said.path().display().to_string();
        let daemon = fs::read_to_string(service.path.join("daemon")).unwrap();
        let hold = dir.fifo("s/hold");
        let daemon = daemon.replacen("exec 3<>", &format!("{beside} {said} &\nexec 3<>"), 1);
        dir.script("s/daemon", daemon.trim_start_matches("#!/bin/sh\n"));
        dir.file("s/kill-mode", mode);
        let supervise = service.supervise(&dir);
        let mut lines = [service.said.line(), service.said.line()];
        lines.sort();
        assert_eq!(lines[0], "child");
        supervised(&service.path);
        service.until("the daemon", |seen| lines[1] == format!("up {}", seen.pid));
        service.svc(&dir, "-kdx");
        assert_eq!(supervise.finish().code, 0);
        dir.nobody_is_left();
        drop(hold);
    }
}

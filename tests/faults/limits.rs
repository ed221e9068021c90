//! No more processes, no more descriptors.

use super::{announced, as_root, path, set_limit};
use crate::support::{
    Changes, Dir, Fifo, Process, Service, program, supervised, testing_originals,
};
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// The first account in /etc/passwd that is not root's: name, user, group.
fn somebody() -> (String, u32, u32) {
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let mut accounts = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = accounts.find(|fields| fields.len() == 7 && fields[2] != "0").unwrap();
    (account[0].to_string(), account[2].parse().unwrap(), account[3].parse().unwrap())
}

#[test]
fn no_more_processes() {
    if !as_root() {
        return;
    }
    let dir = Dir::new();
    let (user, uid, gid) = somebody();
    let mut service = Service::new(&dir, "s", "");
    for name in ["s", "s/run", "s.said", "s.hold"] {
        chown(dir.path(name), Some(uid), Some(gid)).unwrap();
    }
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o755)).unwrap();
    // Where every user can run them.
    let copy = |name: &str| dir.copy(program(name), Path::new("bin").join(name));
    let (softlimit, supervise) = (copy("softlimit"), copy("supervise"));
    let mut command = dir.tool("setuidgid", [user.as_ref(), softlimit.as_os_str()]);
    let mut supervise = Process::start(command.args(["-p", "1"]).arg(supervise).arg("s"));
    let words = "supervise: warning: unable to fork for s, \
                 trying again in 5 seconds: temporary failure";
    assert_eq!(supervise.complains("unable to fork"), words);
    supervised(&service.path);
    assert_eq!(dir.run("svok", ["s"]).code, 0);
    announced(&service.path, || service.svc(&dir, "-p"));
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, want up");
    // Asked again, it tries again at once.
    service.svc(&dir, "-u");
    assert_eq!(supervise.complains("unable to fork"), words);
    // Down it has no reason to try, so that what starts it is the u.
    service.svc(&dir, "-d");
    service.until("down", |seen| seen.want == b'd');
    assert!(service.said.is_silent());
    let args = [user.as_str(), "prlimit", "--nproc=1000:", "--pid"];
    let done = dir.run("setuidgid", args.iter().copied().chain([&*supervise.pid().to_string()]));
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// The first six descriptors that a process does not have.
fn free(pid: u32) -> Vec<u32> {
    let held = |n: &u32| fs::symlink_metadata(format!("/proc/{pid}/fd/{n}")).is_ok();
    (0..).filter(|n| !held(n)).take(6).collect()
}

#[test]
fn no_more_descriptors_for_the_status() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'echo HUP >$said' HUP");
    let mut supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    set_limit(&dir, supervise.pid(), &format!("nofile={}:", free(supervise.pid())[0]));
    let words = format!(
        "supervise: warning: unable to open {}/supervise/status.new: \
         process cannot open more files",
        service.path.display()
    );
    service.svc(&dir, "-o");
    assert_eq!(supervise.complains("status.new"), words);
    assert_eq!(dir.run("svok", ["s"]).code, 0);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    // Nobody told it that it can: it tries again by itself.
    assert_eq!(service.seen().unwrap().want, b'u');
    set_limit(&dir, supervise.pid(), "nofile=1000:");
    let seen = service.until("the status to be true again", |seen| seen.want == 0);
    assert_eq!(seen.pid, pid);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// So few that the status is what does not fit: it starts all the same.
#[test]
fn too_few_descriptors_from_the_start() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("s/run", "exec sleep 1000");
    let mut command = dir.tool("softlimit", ["-o", "9"]);
    let mut supervise = Process::start(command.arg(program("supervise")).arg("s"));
    let words = "supervise: warning: unable to open s/supervise/status.new: \
                 process cannot open more files";
    assert_eq!(supervise.complains("status.new"), words);
    supervised(&dir.path("s"));
    assert_eq!(dir.run("svc", ["-dx", "s"]).code, 0);
    assert_eq!(supervise.finish().code, 0);
}

/// Adds a service with a logger. It says which limit on descriptors it has.
fn add_logged(dir: &Dir, name: &str, said: &Fifo) {
    let run = format!("echo $(ulimit -n) >{}; exec sleep 1000", said.path().display());
    dir.script(format!("{name}/run"), &run);
    dir.script(format!("{name}/log/run"), "exec sleep 1000");
    fs::rename(dir.path(name), dir.path("scan").join(name)).unwrap();
}

#[test]
fn no_more_descriptors_for_pipes() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut first = Service::new(&dir, "scan/first", "");
    let mut command = dir.tool("softlimit", ["-o", "50"]);
    command.arg(program("svscan")).arg("scan").env("PATH", path());
    let mut svscan = Process::start(&mut command);
    first.up();
    // Room for the line to svhold, two pipes, and to look who is there, beside
    // the six that no pipe takes.
    let free = free(svscan.pid());
    set_limit(&dir, svscan.pid(), &format!("nofile={}:", free[5] + 1 + 6));
    let mut said = dir.fifo("said");
    for name in ["one", "two"] {
        add_logged(&dir, name, &said);
        assert_eq!(said.line(), "50");
    }
    for name in ["three", "four"] {
        add_logged(&dir, name, &said);
        let words = format!(
            "svscan: warning: unable to create pipe for {name}: \
             process cannot open more files"
        );
        assert_eq!(svscan.complains(&format!("pipe for {name}")), words);
    }
    // Services without a logger have what they need.
    let mut plain = Service::new(&dir, "plain", "");
    fs::rename(dir.path("plain"), dir.path("scan/plain")).unwrap();
    plain.path = dir.path("scan/plain");
    plain.up();
    // Nor can it look at the directory. That, too, is weather.
    set_limit(&dir, svscan.pid(), &format!("nofile={}:", free[5]));
    svscan.signal(Signal::ALARM);
    let words = "svscan: warning: unable to read directory: process cannot open more files";
    assert_eq!(svscan.complains("unable to read"), words);
    assert!(said.is_silent());
    set_limit(&dir, svscan.pid(), "nofile=1000:");
    for _ in ["three", "four"] {
        assert_eq!(said.line(), "50");
    }
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// Those that live already are taken over where another one would not be
/// started.
#[test]
fn services_are_taken_over_with_the_last_descriptors() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let start = || {
        let mut command = dir.command("prlimit");
        command.arg("--nofile=32:32").arg(program("svscan")).arg("scan").env("PATH", path());
        Process::start(&mut command)
    };
    let names = ["one", "two", "three", "four", "five"];
    let mut said = dir.fifo("said");
    dir.mkdir("scan");
    names.iter().for_each(|name| add_logged(&dir, name, &said));
    let svscan = start();
    for _ in names {
        assert_eq!(said.line(), "32");
    }
    let loggers = names.map(|name| dir.path(format!("scan/{name}/log")));
    loggers.iter().for_each(|logger| supervised(logger));
    svscan.signal(Signal::KILL);
    svscan.ends();
    let looks = loggers.each_ref().map(|logger| Changes::openings(&logger.join("supervise")));
    let svscan = start();
    looks.iter().for_each(|look| look.of_file(c"ok"));
    svscan.signal(Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(dir.processes(), []);
}

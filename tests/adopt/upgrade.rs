//! Programs that execute themselves anew, as after an upgrade.

use super::{history, only_one, parent_of};
use crate::support::{Changes, Dir, Process, program, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Puts another file with the same program in the place of `path`.
fn replace(dir: &Dir, path: &Path) -> u64 {
    let new = dir.copy(path, "new");
    fs::rename(new, path).unwrap();
    fs::metadata(path).unwrap().ino()
}

fn executes(pid: u32) -> u64 {
    fs::metadata(format!("/proc/{pid}/exe")).map_or(0, |stat| stat.ino())
}

fn own(dir: &Dir, name: &str) -> PathBuf {
    dir.copy(program(name), Path::new("bin").join(name))
}

/// Its death may be told to the program that is about to be replaced.
#[test]
fn an_end_just_before_the_new_program_is_noticed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let mut pid = service.up();
    supervised(&service.path);
    for _ in 0..3 {
        service.svc(&dir, "-ek");
        let next = service.up();
        assert_ne!(next, pid);
        assert_eq!(parent_of(next), supervise.pid());
        pid = next;
    }
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn supervise_becomes_its_new_program_and_the_service_stays() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let path = own(&dir, "supervise");
    let mut service = only_one(&dir, "s", "trap 'echo HUP >$said' HUP");
    let mut supervise = Process::start(dir.command(&path).arg("s"));
    let pid = service.up();
    supervised(&service.path);
    // Whoever holds this sees that there is always a supervise.
    let ok = fs::OpenOptions::new().write(true).open(service.path.join("supervise/ok")).unwrap();
    for _ in 0..3 {
        let inode = replace(&dir, &path);
        // What is said with it and behind it is not lost.
        for letters in ["-eh", "-h"] {
            service.svc(&dir, letters);
            assert_eq!(service.said.line(), "HUP");
        }
        assert_eq!(executes(supervise.pid()), inode);
        assert_eq!((service.seen().unwrap().pid, parent_of(pid)), (pid, supervise.pid()));
    }
    let mut fds = [rustix::event::PollFd::new(&ok, rustix::event::PollFlags::empty())];
    let now = rustix::event::Timespec::default();
    assert_eq!(rustix::event::poll(&mut fds, Some(&now)), Ok(0));
    // One that cannot be executed leaves the old one, which still is a parent.
    fs::write(dir.path("broken"), "").unwrap();
    fs::rename(dir.path("broken"), &path).unwrap();
    service.svc(&dir, "-e");
    let words = "supervise: warning: unable to execute supervise anew for s, going on: \
                 access denied";
    assert_eq!(supervise.complains("anew"), words);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "HUP");
    super::kill(pid);
    assert_ne!(service.up(), pid);
    assert_eq!(history(&service.path), ([2, 9], 2));
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// A tree of a hundred services that all write to their logs while it is
/// upgraded with one signal.
#[test]
fn a_whole_tree_while_lines_flow() {
    if testing_originals() {
        return;
    }
    const SERVICES: usize = 100;
    let dir = Dir::new();
    let paths = ["svscan", "supervise"].map(|name| own(&dir, name));
    own(&dir, "svhold");
    // Each says what it is told.
    let script = "exec 9>>lock; flock -n 9 || echo two >>two\nexec 3<>say
        trap 'echo end; exit' TERM
        echo up $$; while :; do read line <&3 && [ \"$line\" ] && echo $line; done";
    let service = |n: usize| dir.path(format!("scan/s{n}"));
    let mouths: Vec<_> = (0..SERVICES).map(|n| dir.hold(format!("scan/s{n}/say"))).collect();
    for n in 0..SERVICES {
        dir.script(format!("scan/s{n}/run"), script);
        dir.script(format!("scan/s{n}/log/run"), "exec cat >>lines");
    }
    let mut path = dir.path("bin").into_os_string();
    path.push(":/usr/bin:/bin");
    let svscan = Process::start(dir.command(&paths[0]).arg("scan").env("PATH", path));
    let up = |n: usize| {
        supervised(&service(n));
        supervised(&service(n).join("log"));
        let changes = Changes::of(&[&service(n).join("supervise")]);
        let seen = || crate::support::seen(&service(n)).filter(|seen| seen.pid != 0);
        changes.until("up", seen).pid
    };
    let pids: Vec<u32> = (0..SERVICES).map(up).collect();
    let supervises: Vec<u32> = pids.iter().map(|pid| parent_of(*pid)).collect();
    let inodes = paths.each_ref().map(|path| replace(&dir, path));
    let say_all = |line: &str| mouths.iter().for_each(|mouth| mouth.say(line));
    say_all("one");
    svscan.signal(Signal::USR1);
    say_all("two");
    // Whoever becomes the new one opens the directory's files again.
    let done = |n: usize| {
        let changes = Changes::openings(&service(n).join("supervise"));
        changes.until("a new supervise", || (executes(supervises[n]) == inodes[1]).then_some(()));
    };
    say_all("three");
    (0..SERVICES).for_each(done);
    say_all("four");
    // What was said is in the log before it is told to end.
    let logged = |n: usize| {
        let log = service(n).join("log");
        let changes = Changes::of(&[&log]);
        changes.until("the last line", || {
            fs::read_to_string(log.join("lines")).ok().filter(|lines| lines.contains("four"))
        });
    };
    (0..SERVICES).for_each(logged);
    assert_eq!((0..SERVICES).map(up).collect::<Vec<_>>(), pids);
    let parents: Vec<u32> = pids.iter().map(|pid| parent_of(*pid)).collect();
    assert_eq!(parents, supervises);
    svscan.signal(Signal::TERM);
    let pid = svscan.pid();
    let is_new = executes(pid) == inodes[0];
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert!(is_new, "svscan is the old one");
    for (n, up) in pids.iter().enumerate() {
        let lines = fs::read_to_string(service(n).join("log/lines")).unwrap();
        assert_eq!(lines, format!("up {up}\none\ntwo\nthree\nfour\nend\n"), "s{n}");
        assert!(!service(n).join("two").exists());
    }
    dir.nobody_is_left();
}

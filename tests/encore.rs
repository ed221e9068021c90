//! What supervise, svscan and the clients do for a directory that was written
//! for daemontools-encore.

mod prepare;

use crate::adopt::{dies, kill, parent_of, supervised_by_another};
use crate::support::{Dir, Fifo, Finished, Process, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The numbers in /proc that say in which group and in which session it is.
fn group_and_session(pid: u32) -> (String, String) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut words = stat.rsplit_once(") ").unwrap().1.split(' ').skip(2);
    let mut next = || words.next().unwrap().to_string();
    (next(), next())
}

fn end(dir: &Dir, service: &Service, supervise: Process) {
    service.svc(dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// What a directory is taken for, by what follows from it: s6's `run` has an
/// argument, runit's status is there in words, encore's 100 is the end.
#[test]
fn a_word_overrides_the_guess() {
    if testing_originals() {
        return;
    }
    for (files, word, (named, words, over)) in [
        ([None, None], None, (false, false, false)),
        ([Some("no-setsid"), None], None, (false, false, true)),
        ([Some("no-setsid"), Some("lock-fd")], None, (true, false, false)),
        ([Some("lock-fd"), None], Some("encore\n"), (false, false, true)),
        ([Some("no-setsid"), None], Some("daemontools"), (false, false, false)),
        ([Some("no-setsid"), None], Some("runit\n"), (false, true, false)),
        ([Some("no-setsid"), None], Some(" s6"), (true, false, false)),
    ] {
        let dir = Dir::new();
        let script = "echo $# >$said\nread code <code\nexit $code";
        let mut service = Service::with_script(&dir, "s", script);
        let code = dir.fifo("s/code");
        for file in files.into_iter().flatten() {
            dir.file(format!("s/{file}"), "5\n");
        }
        if let Some(word) = word {
            dir.file("s/dialect", word);
        }
        let supervise = service.supervise(&dir);
        let case = format!("{files:?} {word:?}");
        assert_eq!(service.said.line(), if named { "1" } else { "0" }, "{case}");
        assert_eq!(service.path.join("supervise/stat").exists(), words, "{case}");
        supervised(&service.path);
        code.say("100");
        if over {
            service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
        } else {
            service.said.line();
        }
        end(&dir, &service, supervise);
    }
}

#[test]
fn a_word_that_is_none_is_reported_and_the_guess_used() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let service = Service::with_script(&dir, "s", "exit 100");
    dir.file("s/no-setsid", "");
    dir.file("s/dialect", "perp\n");
    let mut supervise = dir.start("supervise", ["s"]);
    let words = "supervise: warning: unable to use s/dialect, guessing: no such value: perp";
    assert_eq!(supervise.complains("dialect"), words);
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    supervised(&service.path);
    end(&dir, &service, supervise);
}

#[test]
fn a_service_that_exits_with_100_is_over() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'exit 100' HUP; trap 'exit 99' USR1");
    dir.file("s/dialect", "encore");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-1");
    service.up();
    service.svc(&dir, "-h");
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed: exited N");
    // Whoever lists the ends himself means those.
    dir.file("s/restart-never", "99");
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-h");
    service.up();
    end(&dir, &service, supervise);
}

#[test]
fn no_setsid_leaves_it_in_the_session_and_the_group() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let ours = group_and_session(supervise.pid());
    let pid = service.up();
    assert_eq!(group_and_session(pid), (pid.to_string(), pid.to_string()));
    supervised(&service.path);
    dir.file("s/no-setsid", "");
    service.svc(&dir, "-k");
    let pid = service.up();
    assert_eq!(group_and_session(pid), ours);
    // What is to be reached as a group is one.
    dir.file("s/kill-mode", "group");
    service.svc(&dir, "-k");
    let pid = service.up();
    assert_eq!(group_and_session(pid), (pid.to_string(), ours.1));
    end(&dir, &service, supervise);
}

/// Where the files of a service are with an absolute `$SUPERVISEDIR`.
fn place_of(base: &Path, service: &Path) -> PathBuf {
    let path = service.canonicalize().unwrap();
    let name = path.to_str().unwrap().strip_prefix('/').unwrap().replace('/', ":");
    base.join(name)
}

/// A service as it is seen where its files are: below `view`.
fn seen_from(dir: &Dir, view: &str, service: Service, place: &Path) -> Service {
    let path = dir.mkdir(view);
    symlink(place, path.join("supervise")).unwrap();
    Service { path, ..service }
}

/// Runs a program under test with `$SUPERVISEDIR`.
fn run_moved(dir: &Dir, base: &str, name: &str, args: &[&str]) -> Finished {
    let mut command = dir.tool(name, args);
    Process::start(command.env("SUPERVISEDIR", base)).finish()
}

#[test]
fn supervise_keeps_its_files_elsewhere() {
    if testing_originals() {
        return;
    }
    for absolute in [false, true] {
        let dir = Dir::new();
        let service = Service::new(&dir, "real/s", "");
        symlink("real/s", dir.path("s")).unwrap();
        dir.file("s/notification-fd", "4\n");
        dir.file("s/lock-fd", "5\n");
        let base = if absolute { dir.mkdir("state") } else { PathBuf::from("state") };
        let place = if absolute {
            place_of(&base, &dir.path("s"))
        } else {
            dir.path("real/s").join("state")
        };
        let mut service = seen_from(&dir, "view", service, &place);
        let base = base.to_str().unwrap();
        let start = || Process::start(dir.tool("supervise", ["s"]).env("SUPERVISEDIR", base));
        let run = |name, args: &[&str]| run_moved(&dir, base, name, args);
        let first = start();
        let pid = service.up();
        supervised(&service.path);
        assert_eq!(run("svok", &["s"]).code, 0);
        let line = run("svstat", &["s"]).out();
        assert!(line.starts_with(&format!("s: up (pid {pid}) ")), "{line}");
        // The next supervise finds it there.
        kill(first.pid());
        assert_ne!(first.ends(), 0);
        assert_eq!(run("svok", &["s"]).code, 100);
        let second = start();
        supervised(&service.path);
        assert_eq!(service.seen().unwrap().pid, pid);
        // So does one that executes itself anew, and does not lose it.
        assert_eq!(run("svc", &["-er", "s"]).err(), "");
        assert_ne!(service.up(), pid);
        assert_eq!(run("svc", &["-dx", "s"]).err(), "");
        assert_eq!(second.finish().code, 0);
        assert!(!dir.path("s/supervise").exists());
        for file in ["lock", "control", "ok", "status", "notify", "service-lock", "death_tally"] {
            assert!(place.join(file).exists(), "{file}");
        }
    }
}

#[test]
fn svscan_and_its_loggers_find_them_there() {
    if testing_originals() {
        return;
    }
    for absolute in [false, true] {
        let dir = Dir::new();
        let service = Service::with_script(
            &dir,
            "real",
            "read line <line\necho \"$line\"\necho up $$ >$said\nexec sleep 1000",
        );
        let line = dir.fifo("real/line");
        let log = "echo up $$ >$said\nwhile read l; do echo $l >$said; done";
        let log = Service::with_script(&dir, "real/log", log);
        dir.mkdir("scan");
        symlink("../real", dir.path("scan/s")).unwrap();
        let base = if absolute { dir.mkdir("state") } else { PathBuf::from("state") };
        let place = |directory: &str| {
            let path = dir.path(directory);
            if absolute { place_of(&base, &path) } else { path.join("state") }
        };
        let places = [place("real"), place("real/log")];
        let mut service = seen_from(&dir, "view", service, &places[0]);
        let mut log = seen_from(&dir, "view-log", log, &places[1]);
        let base = base.to_str().unwrap();
        let start = || Process::start(dir.tool("svscan", ["scan"]).env("SUPERVISEDIR", base));
        let first = start();
        let logger = log.up();
        // The pipe is where both supervises can hold it.
        assert!(places[0].join("output").exists());
        let supervise = parent_of(logger);
        kill(logger);
        dies(logger);
        line.say("one");
        let pid = service.up();
        log.up();
        assert_eq!(log.said.line(), "one");
        // The next svscan finds both supervises.
        kill(first.pid());
        assert_ne!(first.ends(), 0);
        let second = start();
        let mut second_up = Service::new(&dir, "scan/other", "");
        second_up.said.line();
        assert_eq!(service.seen().unwrap().pid, pid);
        assert_eq!(parent_of(log.seen().unwrap().pid), supervise);
        second.signal(Signal::TERM);
        assert_eq!(second.ends(), 0);
        for files in ["real/supervise", "real/log/supervise", "scan/other/supervise"] {
            assert!(!dir.path(files).exists(), "{files}");
        }
    }
}

/// The same as `up`, for a logger that is a file: its status is apart.
fn logger_of(dir: &Dir, view: &str, service: &Service, said: Fifo) -> Service {
    let path = dir.mkdir(view);
    symlink(service.path.join("supervise/log"), path.join("supervise")).unwrap();
    Service { path, said }
}

/// A service that echoes what it is told, and a logger that is a file.
fn logged(dir: &Dir, name: &str) -> (Service, Service, Fifo) {
    let script = "exec 3<>line\necho up $$ >$said\nwhile read l <&3; do echo $l; done";
    let service = Service::with_script(dir, name, script);
    let line = dir.fifo(format!("{name}/line"));
    let said = dir.fifo("log.said");
    let script = "pwd >$said\necho up $$ >$said\nwhile read l; do echo \"read $l\" >$said; done";
    dir.script(format!("{name}/log"), &format!("said={}\n{script}", said.path().display()));
    let logger = logger_of(dir, "view", &service, said);
    (service, logger, line)
}

fn svscan(dir: &Dir) -> Process {
    dir.start("svscan", ["scan"])
}

#[test]
fn a_file_log_is_a_logger() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut service, mut logger, line) = logged(&dir, "scan/s");
    // What is said of the service is not said of its logger.
    dir.file("scan/s/restart", "never");
    dir.file("scan/s/kill-mode", "tree");
    dir.script("scan/s/finish", "");
    let svscan = svscan(&dir);
    assert_eq!(logger.said.line(), service.path.to_str().unwrap());
    let first = logger.up();
    let pid = service.up();
    line.say("one");
    assert_eq!(logger.said.line(), "read one");
    // It is started again, and what is written meanwhile is not lost.
    kill(first);
    dies(first);
    line.say("two");
    logger.said.line();
    let second = logger.up();
    assert_ne!(second, first);
    assert_eq!(logger.said.line(), "read two");
    supervised(&logger.path);
    supervised(&service.path);
    // Both are shown, and either can be told.
    let lines = dir.run("svstat", ["scan/s"]).out();
    let begins = |line: Option<&str>, with: String| {
        assert!(line.is_some_and(|line| line.starts_with(&with)), "{lines}");
    };
    begins(lines.lines().next(), format!("scan/s: up (pid {pid}) "));
    begins(lines.lines().nth(1), format!("scan/s log: up (pid {second}) "));
    let line = dir.run("svstat", ["scan/s/log"]).out();
    assert!(line.starts_with(&format!("scan/s/log: up (pid {second}) ")), "{line}");
    assert_eq!(line.lines().count(), 1);
    assert_eq!(dir.run("svok", ["scan/s/log"]).code, 0);
    let up = |args: &[&str]| dir.run("svup", args).code;
    for args in [&["scan/s"][..], &["-l", "scan/s"], &["-L", "scan/s"], &["scan/s/log"]] {
        assert_eq!(up(args), 0, "{args:?}");
    }
    // Also while its supervise becomes a new program.
    let supervise = parent_of(second);
    assert_eq!(dir.run("svc", ["-et", "scan/s/log"]).err(), "");
    logger.said.line();
    let third = logger.up();
    assert_ne!(third, second);
    assert_eq!(parent_of(third), supervise);
    assert_eq!(service.seen().unwrap().pid, pid);
    logger.svc(&dir, "-d");
    logger.until("the end of the logger", |seen| seen.pid == 0);
    let codes = [&["scan/s"][..], &["-l", "scan/s"], &["-L", "scan/s"], &["scan/s/log"]].map(up);
    assert_eq!(codes, [100, 0, 100, 100]);
    logger.svc(&dir, "-u");
    logger.said.line();
    logger.up();
    // At the end it reads everything.
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    assert_eq!((service.seen().unwrap().pid, logger.seen().unwrap().pid), (0, 0));
}

/// It begins to be supervised there, and stays it, wherever there is.
#[test]
fn what_is_kept_of_it_is_below_what_is_kept_of_its_service() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (_service, mut logger, line) = logged(&dir, "scan/s");
    dir.file("scan/s/down", "");
    let base = dir.mkdir("state");
    let place = place_of(&base, &dir.path("scan/s")).join("log");
    fs::remove_file(logger.path.join("supervise")).unwrap();
    symlink(&place, logger.path.join("supervise")).unwrap();
    let base = base.to_str().unwrap();
    let svscan = Process::start(dir.tool("svscan", ["scan"]).env("SUPERVISEDIR", base));
    logger.said.line();
    let pid = logger.up();
    supervised(&logger.path);
    let run = |name, args: &[&str]| run_moved(&dir, base, name, args);
    let shown = run("svstat", &["scan/s/log"]).out();
    assert!(shown.starts_with(&format!("scan/s/log: up (pid {pid}) ")), "{shown}");
    assert_eq!(run("svc", &["-u", "scan/s"]).err(), "");
    line.say("one");
    assert_eq!(logger.said.line(), "read one");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
    assert!(!dir.path("scan/s/supervise").exists());
}

#[test]
fn its_supervise_may_be_killed_too() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut service, mut logger, line) = logged(&dir, "scan/s");
    let mut svscan = svscan(&dir);
    logger.said.line();
    let pids = (service.up(), logger.up());
    supervised(&logger.path);
    let supervise = parent_of(pids.1);
    kill(supervise);
    supervised_by_another(&logger, supervise);
    line.say("one");
    assert_eq!(logger.said.line(), "read one");
    // So may all be together.
    for pid in [svscan.pid(), parent_of(pids.0)] {
        kill(pid);
    }
    assert_ne!(svscan.ends(), 0);
    line.say("two");
    assert_eq!(logger.said.line(), "read two");
    svscan = crate::encore::svscan(&dir);
    let mut other = Service::new(&dir, "scan/other", "");
    other.up();
    assert_eq!((service.seen().unwrap().pid, logger.seen().unwrap().pid), pids);
    // And all that there is becomes new programs.
    svscan.signal(Signal::USR1);
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.ends(), 0);
    assert_eq!((service.seen().unwrap().pid, logger.seen().unwrap().pid), (0, 0));
}

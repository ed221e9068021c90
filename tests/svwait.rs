//! svwait: what it waits for, that it misses nothing, and how it ends.

use crate::support::{Changes, Dir, Finished, Process, Service, supervised, testing_originals};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use upkeep_core::record::{Identity, Record, Stage};
use upkeep_core::restart::Reason;
use upkeep_core::status::{Status, Want};
use upkeep_core::supervise::Machine;
use upkeep_core::tai::Tai64n;

/// A service directory whose supervise is the test.
pub(crate) struct Played {
    pub(crate) path: PathBuf,
    ok: Option<OwnedFd>,
}

/// A record of a service at this stage, started so often.
pub(crate) fn at(stage: Stage, starts: u32) -> Record {
    let pid = if matches!(stage, Stage::Up | Stage::Finishing) { 1000 + starts } else { 0 };
    let status = Status {
        since: Tai64n::from_unix(1_700_000_000, starts),
        pid,
        paused: false,
        want: Want::Up,
        terminating: false,
        finishing: stage == Stage::Finishing,
    };
    let process = Identity { pid, ..Identity::default() };
    let mut own = Machine::new(true, 0).own([1; 16], process, Tai64n::default(), false);
    (own.stage, own.starts) = (stage, starts);
    Record { status, own }
}

fn awaited(starts: u32) -> Record {
    let mut record = at(Stage::Up, starts);
    record.own.awaited = true;
    record
}

pub(crate) fn over(failed: bool, starts: u32) -> Record {
    let mut record = at(Stage::Down, starts);
    record.own.history.reason = Reason::GaveUp;
    record.own.history.failed = failed;
    record
}

impl Played {
    pub(crate) fn new(dir: &Dir, name: &str, record: &Record) -> Self {
        let fifo = dir.fifo(format!("{name}/supervise/ok"));
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let ok = rustix::fs::open(fifo.path(), flags, Mode::empty()).unwrap();
        let played = Self { path: dir.path(name), ok: Some(ok) };
        played.write(record);
        played
    }

    pub(crate) fn write(&self, record: &Record) {
        let (new, name) = ("supervise/status.new", "supervise/status");
        fs::write(self.path.join(new), record.encode()).unwrap();
        fs::rename(self.path.join(new), self.path.join(name)).unwrap();
    }

    pub(crate) fn end(&mut self) {
        self.ok = None;
    }
}

/// Starts a program and waits until it has read the status in this directory,
/// that of the last service that it is given.
pub(crate) fn reading(last: &Path, start: impl FnOnce() -> Process) -> Process {
    let readings = Changes::readings(&last.join("supervise"));
    let process = start();
    readings.of_file(c"status");
    process
}

fn waiting(dir: &Dir, options: &[&str], services: &[&Played]) -> Process {
    let names = services.iter().map(|service| service.path.to_str().unwrap());
    let args: Vec<_> = options.iter().copied().chain(names).collect();
    reading(&services[services.len() - 1].path, || dir.start("svwait", args))
}

fn says(done: &Finished) -> (i32, String) {
    let line = done.err();
    (done.code, line.rsplit_once(": ").map_or("", |words| words.1).trim_end().to_owned())
}

const ENDED: &str = "it has ended for good";

#[test]
fn each_kind_is_there_or_comes() {
    if testing_originals() {
        return;
    }
    let (up, down, finishing) = (at(Stage::Up, 5), at(Stage::Down, 5), at(Stage::Finishing, 5));
    let again = at(Stage::Up, 6);
    let (unready, unready_again) = (awaited(5), awaited(6));
    let waits = at(Stage::Waiting, 6);
    // What was, what does not satisfy, and what does.
    for (kind, was, before, comes) in [
        ("-u", &down, &at(Stage::Preparing, 5), &again),
        // It came up and was down before anybody could look.
        ("-u", &down, &finishing, &waits),
        ("-U", &unready, &unready_again, &up),
        ("-U", &down, &waits, &up),
        ("-d", &up, &unready, &finishing),
        ("-d", &up, &unready, &unready_again),
        ("-D", &up, &finishing, &down),
        ("-D", &up, &finishing, &again),
        ("-r", &up, &finishing, &unready_again),
        ("-r", &down, &finishing, &again),
        ("-R", &up, &unready_again, &again),
        ("-R", &down, &unready_again, &again),
        ("-f", &up, &down, &over(true, 5)),
    ] {
        let dir = Dir::new();
        let (service, other) = (Played::new(&dir, "s", was), Played::new(&dir, "o", was));
        let wait = waiting(&dir, &[kind, "-a"], &[&service, &other]);
        let any = waiting(&dir, &[kind, "-o"], &[&other, &service]);
        service.write(before);
        service.write(comes);
        assert_eq!((any.finish().code, kind), (0, kind), "{comes:?}");
        other.write(comes);
        assert_eq!((wait.finish().code, kind), (0, kind), "{comes:?}");
        if !["-r", "-R"].contains(&kind) && comes.own.starts == was.own.starts {
            assert_eq!((dir.run("svwait", [kind, "s"]).code, kind), (0, kind));
        }
    }
}

#[test]
fn of_all_each_counts_and_of_any_the_first() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let up = at(Stage::Up, 5);
    let (a, b) = (Played::new(&dir, "a", &up), Played::new(&dir, "b", &at(Stage::Down, 5)));
    let run = |args: &[&str]| says(&dir.run("svwait", args));
    assert_eq!(run(&["-uo", "a", "b"]).0, 0);
    assert_eq!(run(&["-t1", "a", "b"]), (99, "timed out".into()));
    assert_eq!(run(&["-t", "1", "-R", "-o", "a", "b"]), (99, "timed out".into()));
    let wait = waiting(&dir, &["-u"], &[&a, &b]);
    // What was up and is not any more is not: all are to be at once.
    a.write(&at(Stage::Down, 5));
    b.write(&at(Stage::Up, 6));
    a.write(&at(Stage::Up, 6));
    assert_eq!(wait.finish().code, 0);
}

#[test]
fn what_has_ended_for_good_is_counted() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let up = at(Stage::Up, 5);
    let services = ["a", "b", "c"].map(|name| Played::new(&dir, name, &up));
    let [a, b, c] = &services;
    let wait = waiting(&dir, &["-R"], &[a, b, c]);
    let any = waiting(&dir, &["-Ro"], &[a, b, c]);
    a.write(&over(true, 5));
    b.write(&over(false, 5));
    let failed = waiting(&dir, &["-fo"], &[b, c]);
    // As long as one may come, it is waited for.
    c.write(&at(Stage::Waiting, 5));
    c.write(&at(Stage::Up, 6));
    assert_eq!(says(&wait.finish()), (2, ENDED.into()));
    assert_eq!(any.finish().code, 0);
    c.write(&over(false, 6));
    assert_eq!(says(&failed.finish()), (2, ENDED.into()));
    let run = |args: &[&str]| says(&dir.run("svwait", args));
    assert_eq!(run(&["-u", "a", "b", "c"]), (3, ENDED.into()));
    assert_eq!(run(&["-Uo", "a"]), (1, ENDED.into()));
    assert_eq!(run(&["-D", "a", "b", "c"]).0, 0);
    assert_eq!(run(&["-fo", "a", "b", "c"]).0, 0);
    assert_eq!(run(&["-f", "a", "b", "c"]).0, 2);
    let many: Vec<_> = (0..120).map(|i| format!("many/{i}")).collect();
    let _many: Vec<_> = many.iter().map(|name| Played::new(&dir, name, &over(true, 1))).collect();
    assert_eq!(dir.run("svwait", &many).code, 98);
}

#[test]
fn a_supervise_that_ends_is_the_end() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let up = at(Stage::Up, 5);
    let (mut a, mut b) = (Played::new(&dir, "a", &up), Played::new(&dir, "b", &up));
    let all = waiting(&dir, &["-d"], &[&a, &b]);
    let any = waiting(&dir, &["-do"], &[&a, &b]);
    a.end();
    assert_eq!(says(&all.finish()), (102, "supervise has ended".into()));
    // The other one may still go down; what was the last it wrote counts.
    let last = waiting(&dir, &["-d"], &[&b]);
    b.write(&at(Stage::Over, 5));
    b.end();
    assert_eq!((any.finish().code, last.finish().code), (0, 0));
    let words = "supervise not running".to_owned();
    assert_eq!(says(&dir.run("svwait", ["-d", "a"])), (102, words.clone()));
    dir.mkdir("empty");
    assert_eq!(says(&dir.run("svwait", ["empty"])), (102, words));
    // The directory is removed.
    let gone = Played::new(&dir, "gone", &up);
    let wait = waiting(&dir, &["-r"], &[&gone]);
    fs::rename(&gone.path, dir.path("other")).unwrap();
    fs::remove_dir_all(dir.path("other")).unwrap();
    assert_eq!(says(&wait.finish()), (102, "supervise has ended".into()));
}

#[test]
fn what_is_wrong_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let run = |args: &[&str]| {
        let done = dir.run("svwait", args);
        (done.code, done.err())
    };
    let (code, words) = run(&["-u"]);
    assert!(code == 100 && words.starts_with("svwait: usage: svwait ["), "{code} {words}");
    for args in [&["-x", "s"][..], &["-t", "soon", "s"], &["-t", "-1", "s"], &["-t"]] {
        assert_eq!(run(args).0, 100, "{args:?}");
    }
    let words = run(&["-t", "soon", "s"]).1;
    assert!(words.starts_with("svwait: fatal: not a number of milliseconds: soon\n"), "{words}");
    let words = "svwait: fatal: unable to chdir to nowhere: file does not exist\n";
    assert_eq!(run(&["nowhere"]), (111, words.into()));
    let words = "svwait: fatal: unable to chdir to no*: file does not exist\n";
    assert_eq!(run(&["no*"]), (111, words.into()));
    let _played = Played::new(&dir, "s", &at(Stage::Up, 1));
    fs::write(dir.path("s/supervise/status"), [b'x'; 17]).unwrap();
    let words =
        "svwait: fatal: unable to wait for s: unable to read supervise/status: bad format\n";
    assert_eq!(run(&["s"]), (111, words.into()));
    let mut command = dir.tool("svwait", ["s"]);
    let done = Process::start(command.env("UPKEEP_REFUSE", "inotify")).finish();
    let words = "svwait: fatal: unable to wait for s: no more descriptors, or inotify instances \
                 (fs.inotify.max_user_instances)\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

/// Thousands of changes of hundreds of services, whose restarts show in their
/// counts only: each is noticed, and none is made up.
#[test]
fn of_thousands_of_restarts_none_is_missed() {
    const SERVICES: usize = 400;
    const RESTARTS: u32 = 10;
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names: Vec<_> = (0..SERVICES).map(|i| format!("s{i}")).collect();
    let all: Vec<_> = names.iter().map(|name| Played::new(&dir, name, &at(Stage::Up, 1))).collect();
    let last = Played::new(&dir, "last", &at(Stage::Up, 1));
    let mut waits: Vec<_> = ["-d", "-D", "-r", "-R"]
        .iter()
        .map(|kind| {
            let names = names.iter().map(String::as_str);
            let args = [*kind].into_iter().chain(names).chain(["last"]);
            reading(&last.path, || dir.start("svwait", args))
        })
        .collect();
    std::thread::scope(|scope| {
        for half in all.chunks(SERVICES / 2) {
            scope.spawn(move || {
                for starts in 2..2 + RESTARTS {
                    half.iter().for_each(|service| service.write(&at(Stage::Up, starts)));
                }
            });
        }
    });
    // Whoever had lost count would not wait for this one alone.
    let early = dir.run("svwait", ["-t1", "-r", "last"]);
    assert_eq!(early.code, 99);
    assert!(waits.iter_mut().all(Process::runs));
    last.write(&at(Stage::Up, 2));
    for wait in waits {
        assert_eq!(wait.finish().code, 0);
    }
}

/// One change each, in the middle of others, hundreds of times.
#[test]
fn a_restart_in_a_crowd_is_noticed_each_time() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let service = Played::new(&dir, "s", &at(Stage::Up, 0));
    for starts in 0..300 {
        let wait = waiting(&dir, &["-r"], &[&service]);
        let mut paused = at(Stage::Up, starts);
        for round in 0..20 {
            paused.status.paused = round % 2 == 0;
            service.write(&paused);
        }
        service.write(&at(Stage::Up, starts + 1));
        assert_eq!(wait.finish().code, 0);
    }
}

/// The real thing: a supervise that is killed, at whatever moment.
#[test]
fn a_supervise_that_is_killed_is_noticed_each_time() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let mut supervise = service.supervise(&dir);
    service.up();
    for _ in 0..20 {
        supervised(&service.path);
        let wait = reading(&service.path, || dir.start("svwait", ["-d", "s"]));
        supervise.signal(Signal::KILL);
        assert_eq!(says(&wait.finish()), (102, "supervise has ended".into()));
        supervise.ends();
        supervise = service.supervise(&dir);
    }
    supervised(&service.path);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn a_service_is_waited_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "services/web-1", "");
    fs::write(service.path.join("down"), "").unwrap();
    let supervise = service.supervise(&dir);
    supervised(&service.path);
    let elsewhere = dir.mkdir("elsewhere");
    let path = service.path.clone();
    let start = |args: [&str; 2]| {
        let mut command = dir.tool("svwait", args);
        command.current_dir(&elsewhere).env("SVDIR", dir.path("services"));
        reading(&path, || Process::start(&mut command))
    };
    let wait = start(["-U", "web-1"]);
    service.svc(&dir, "-u");
    assert_eq!(wait.finish().code, 0);
    service.up();
    let wait = start(["-R", "we[a-b]-*"]);
    // To become the same program again is no end.
    service.svc(&dir, "-e");
    service.svc(&dir, "-t");
    assert_eq!(wait.finish().code, 0);
    service.up();
    let wait = start(["-D", "web-?"]);
    service.svc(&dir, "-dx");
    assert_eq!(wait.finish().code, 0);
    assert_eq!(supervise.finish().code, 0);
}

/// Wherever the record is: by `$SUPERVISEDIR`, and of a logger that is a file.
#[test]
fn what_is_kept_elsewhere_is_found() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let played = Played::new(&dir, "played", &at(Stage::Up, 1));
    let kept = played.path.join("supervise");
    dir.mkdir("s");
    dir.script("l/log", "exit");
    let base = dir.mkdir("base");
    let name = dir.path("s").to_str().unwrap().replacen('/', "", 1).replace('/', ":");
    fs::create_dir(dir.path("l/supervise")).unwrap();
    for place in ["l/supervise/log", "s/state", &format!("base/{name}")] {
        std::os::unix::fs::symlink(&kept, dir.path(place)).unwrap();
    }
    let mut starts = 1;
    for (moved, service) in [("", "l/log"), ("state", "s"), (base.to_str().unwrap(), "s")] {
        for elsewhere in ["", "s"] {
            let mut command =
                dir.tool("svwait", ["-r", "-t0", dir.path(service).to_str().unwrap()]);
            command.env("SUPERVISEDIR", moved).current_dir(dir.path(elsewhere));
            let wait = reading(&played.path, || Process::start(&mut command));
            played.write(&at(Stage::Finishing, starts));
            starts += 1;
            played.write(&at(Stage::Up, starts));
            assert_eq!(says(&wait.finish()), (0, String::new()), "{moved} {service}");
        }
    }
}

/// The same services, the same questions, s6's programs and ours: the codes.
#[test]
fn the_codes_are_those_of_s6() {
    if testing_originals() || !Path::new("/usr/bin/s6-svwait").exists() {
        return;
    }
    let theirs = |name: &str| Path::new("/usr/bin").join(format!("s6-{name}"));
    let codes = |program: &dyn Fn(&str) -> PathBuf| {
        let dir = Dir::new();
        for (name, run) in [("s", "exec sleep 1000"), ("over", "exit 1")] {
            dir.script(format!("{name}/run"), run);
            fs::write(dir.path(name).join("down"), "").unwrap();
        }
        dir.script("over/finish", "exit 125");
        // It never says that it is ready.
        fs::write(dir.path("over/notification-fd"), "3").unwrap();
        let supervises = ["s", "over"].map(|name| {
            let process = Process::start(dir.command(program("supervise")).arg(name));
            let path = dir.path(name);
            Changes::of(&[&path])
                .until("supervise/", || path.join("supervise").is_dir().then_some(()));
            Changes::of(&[&path.join("supervise")])
                .until("a status", || path.join("supervise/status").exists().then_some(()));
            process
        });
        let mut said = Vec::new();
        for args in [
            &["svc", "-wu", "-u", "s"][..],
            &["svwait", "-u", "s"],
            // s6's programs start one more before they wait, in the same time.
            &["svwait", "-t", "2000", "-d", "s"],
            &["svwait", "-x", "s"],
            &["svwait"],
            &["svc", "-wr", "-r", "s"],
            &["svc", "-wD", "-d", "s"],
            &["svwait", "-D", "s"],
            &["svwait", "-d", "over"],
            &["svc", "-wU", "-u", "over"],
            &["svwait", "-o", "-d", "s", "over"],
            &["svc", "-wu", "-T", "2000", "-d", "s"],
        ] {
            let done = Process::start(dir.command(program(args[0])).args(&args[1..])).finish();
            said.push((args[1..].join(" "), done.code));
        }
        for name in ["s", "over"] {
            let done = Process::start(dir.command(program("svc")).args(["-dx", name])).finish();
            assert_eq!(done.code, 0);
        }
        for process in supervises {
            assert_eq!(process.finish().code, 0);
        }
        said
    };
    assert_eq!(codes(&crate::support::program), codes(&theirs));
}

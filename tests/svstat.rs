//! svstat's forms beside the line: JSON and single fields here, a table and
//! those that go on below.

mod events;
mod table;

use crate::support::{Dir, Json, Process, Service, ours, supervised, testing_originals};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The document for these services.
fn json<A: AsRef<OsStr>>(dir: &Dir, services: impl IntoIterator<Item = A>) -> Json {
    let args: Vec<_> = services.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
    let done = dir.run("svstat", [OsStr::new("-j").to_owned()].into_iter().chain(args));
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    Json::parse(&done.out)
}

/// What is said of the one service.
fn one(dir: &Dir, service: &str) -> Json {
    let document = json(dir, [service]);
    assert_eq!(document.get("services").all().len(), 1);
    document.get("services").all()[0].clone()
}

/// The fields of the one service.
fn fields(dir: &Dir, fields: &str, service: &str) -> String {
    let done = dir.run("svstat", ["-o", fields, service]);
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    done.out().trim_end_matches('\n').to_owned()
}

/// Whether the record says that nothing is awaited of it any more.
fn is_ready(service: &Service) -> bool {
    let record = fs::read(service.path.join("supervise/status"));
    record.is_ok_and(|record| record[68] == 2 && record[69] & 8 == 0)
}

/// The names that the page's section has as items.
fn items(section: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/svstat.8");
    let page = fs::read_to_string(path).unwrap();
    let lines = page.lines().skip_while(|line| *line != format!(".Sh {section}")).skip(1);
    let items = lines.take_while(|line| !line.starts_with(".Sh "));
    let items = items.filter_map(|line| line.strip_prefix(".It Li "));
    items.flat_map(|item| item.split(" , ").map(str::to_owned)).collect()
}

#[test]
fn the_page_and_the_document_have_the_same_members() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let document = json(&dir, ["nowhere"]);
    assert_eq!(document.keys(), ["version", "time", "services"]);
    assert_eq!(*document.get("version"), 1);
    let service = &document.get("services").all()[0];
    assert_eq!(service.keys(), items("JSON"));
    // And each is a field.
    for name in items("JSON").iter().chain(&items("FIELDS OF S6")) {
        let shown = fields(&dir, name, "nowhere");
        assert!(["nowhere", "NA", "-1"].contains(&shown.as_str()) || name == "error", "{name}");
    }
    let known = dir.run("svstat", ["-o", "no_such"]).err();
    let known = known.trim_end().split_once("there are: ").unwrap().1;
    assert_eq!(known, [items("JSON"), items("FIELDS OF S6")].concat().join(" "));
}

#[test]
fn no_service_is_still_a_document() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("services");
    let mut command = dir.tool("svstat", ["-j"]);
    let done = Process::start(command.env("SVDIR", dir.path("services"))).finish();
    assert!(Json::parse(&done.out).get("services").all().is_empty());
}

#[test]
fn the_life_of_a_service() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'exit 7' HUP");
    dir.file("s/restart", "on-success");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let seen = one(&dir, "s");
    let place = service.path.to_str().unwrap();
    for (name, expected) in [("name", "s"), ("path", place), ("state", "up"), ("wanted", "up")] {
        assert_eq!(*seen.get(name), expected, "{name}");
    }
    for (name, expected) in [
        ("supervised", true),
        ("up", true),
        ("ready", true),
        ("normally_up", true),
        ("paused", false),
        ("stopping", false),
        ("exiting", false),
        ("failed", false),
    ] {
        assert_eq!(*seen.get(name), expected, "{name}");
    }
    for (name, expected) in [("pid", pid), ("pgid", pid), ("starts", 1), ("restarts", 0)] {
        assert_eq!(*seen.get(name), expected, "{name}");
    }
    for name in ["error", "log", "finish_pid", "last_exit", "exit_code", "reason", "status"] {
        assert_eq!(*seen.get(name), Json::Null, "{name}");
    }
    assert_eq!(seen.get("since"), seen.get("ready_since"));
    service.svc(&dir, "-p");
    service.until("the pause", |seen| seen.paused);
    assert_eq!(*one(&dir, "s").get("paused"), true);
    service.svc(&dir, "-ch");
    service.until("the end", |seen| seen.pid == 0);
    let seen = one(&dir, "s");
    for (name, expected) in [("state", "down"), ("last_exit", "exited"), ("reason", "restart")] {
        assert_eq!(*seen.get(name), expected, "{name}");
    }
    assert_eq!((seen.get("pid"), seen.get("exit_signal")), (&Json::Null, &Json::Null));
    assert_eq!(*seen.get("exit_code"), 7);
    assert!(*seen.get("failed") == true && *seen.get("up") == false);
    let shown = fields(&dir, "name,state,pid,exit_code,exit_signal,exitcode,signal,reason", "s");
    assert_eq!(shown, "s down -1 7 NA 7 NA restart");
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-k");
    service.until("the end", |seen| seen.pid == 0);
    let shown = fields(&dir, "exit_code,exit_signal,signal,signum,starts,restarts", "s");
    assert_eq!(shown, "-1 SIGKILL SIGKILL 9 2 1");
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    let seen = one(&dir, "s");
    assert_eq!(*seen.get("supervised"), false);
    assert_eq!(*seen.get("error"), "supervise not running");
    assert_eq!(*seen.get("state"), Json::Null);
}

#[test]
fn a_start_that_is_due() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let service = Service::with_script(&dir, "s", "exit 3");
    dir.file("s/restart-delay", "1000000");
    let _supervise = service.supervise(&dir);
    supervised(&service.path);
    // A first start is due as well, but not after a failure.
    let waits = || {
        let record = fs::read(service.path.join("supervise/status")).unwrap();
        record[68] == 1 && record[109] == 1
    };
    service.until("the wait", |seen| seen.pid == 0 && waits());
    let seen = one(&dir, "s");
    assert_eq!(*seen.get("state"), "waiting");
    let Json::Number(due) = seen.get("start_due_ms") else { panic!("{seen:?}") };
    assert!((900_000.0..=1_100_000.0).contains(due), "{due}");
    assert_eq!(*seen.get("failures"), 1);
}

#[test]
fn what_a_service_says() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let notify = ours().join("svnotify").display().to_string();
    let more = format!("{notify} 'STATUS=all \"is\" well' ERRNO=2 READY=1");
    let mut service = Service::new(&dir, "s", &more);
    dir.file("s/ready-by", "notify");
    dir.file("s/watchdog", "3600000");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    let said = || fs::read(service.path.join("supervise/said")).is_ok_and(|said| said.len() > 20);
    service.until("ready, and said", |_| is_ready(&service) && said());
    let seen = one(&dir, "s");
    assert!(*seen.get("status") == "all \"is\" well" && *seen.get("ready") == true);
    assert!(*seen.get("pid") == pid && *seen.get("errno") == 2);
    assert_eq!(*seen.get("watchdog_ms"), 3_600_000);
    assert_eq!(fields(&dir, "pid,status", "s"), format!("{pid} all\\x20\"is\"\\x20well"));
}

/// daemontools' 18 bytes and runit's 20 say less, and what they do not say is
/// null.
#[test]
fn what_others_do_not_say_is_null() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let _ok = dir.fifo("s/supervise/ok");
    let mut record = [0; 20];
    record[..12].copy_from_slice(b"\x40\0\0\0\0\0\0\x0a\0\0\0\x05");
    record[12..18].copy_from_slice(&[1, 2, 0, 0, 0, b'u']);
    for (len, state, finish) in [(18, "up", Json::Null), (20, "finishing", Json::Number(513.0))] {
        record[19] = 2;
        dir.file("s/supervise/status", &record[..len]);
        let seen = one(&dir, "s");
        assert_eq!(*seen.get("state"), state);
        assert_eq!(*seen.get("since"), "1970-01-01T00:00:00.000000005Z");
        assert_eq!(*seen.get("wanted"), "up");
        assert_eq!(*seen.get("finish_pid"), finish);
        for name in ["ready", "ready_since", "starts", "last_exit", "failed", "reason", "exiting"] {
            assert_eq!(*seen.get(name), Json::Null, "{name} of {len} bytes");
        }
    }
    let label = "NA @400000000000000a00000005 NA";
    assert_eq!(fields(&dir, "ready,updownsince,readysince", "s"), label);
}

/// No name is lost, whatever its bytes.
#[test]
fn any_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let bytes =
        [&(1..=255).collect::<Vec<u8>>()[..], "\u{e4}\u{1f980}".as_bytes(), b"\xed\xb2\x80"];
    let names: Vec<_> = bytes.concat().chunks(100).map(<[u8]>::to_vec).collect();
    let document = json(&dir, names.iter().map(|name| OsStr::from_bytes(name)));
    let seen: Vec<_> = document.get("services").all().iter().map(|one| one.get("name")).collect();
    let names: Vec<_> = names.into_iter().map(Json::Text).collect();
    assert_eq!(seen, names.iter().collect::<Vec<_>>());
    let done = dir.run("svstat", [OsStr::new("-j"), OsStr::from_bytes(b"a\xff")]);
    assert!(done.out().contains("\"a\\udcff\""), "{}", done.out());
}

#[test]
fn all_services_with_their_loggers() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for name in ["all/web/log", "all/db", "all/.hidden", "elsewhere/api"] {
        dir.mkdir(name);
    }
    dir.script("all/db/log", "exec cat");
    dir.file("all/file", "");
    std::os::unix::fs::symlink("../elsewhere/api", dir.path("all/api")).unwrap();
    let mut service = Service::new(&dir, "all/run", "");
    dir.script("all/run/log", "exec cat");
    let _supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let mut command = dir.tool("svstat", ["-o", "name,log"]);
    let done = Process::start(command.env("SVDIR", dir.path("all"))).finish();
    let all = "api NA\ndb file\ndb/log NA\nrun file\nrun/log NA\nweb directory\nweb/log NA\n";
    assert_eq!((done.out().as_str(), done.err().as_str()), (all, ""));
    // Of those that are named, a directory has to be named as well.
    let done = dir.run("svstat", ["-o", "name", "all/web", "all/run/"]);
    assert_eq!(done.out(), "all/web\nall/run/\nall/run/log\n");
    let mut command = dir.tool("svstat", [""; 0]);
    let done = Process::start(command.env("SVDIR", dir.path("all"))).finish();
    assert_eq!((done.code, done.out().as_str()), (0, ""));
    // A pattern is for their names, in each form.
    let shown = |args: &[&str]| {
        let mut command = dir.tool("svstat", args);
        Process::start(command.env("SVDIR", dir.path("all"))).finish().out()
    };
    let path = dir.path("all").display().to_string();
    let found = format!("{path}/api\n{path}/db\n{path}/db/log\n");
    assert_eq!(shown(&["-o", "name", "[ad]*"]), found);
    let lines = format!("{path}/api: unable to open supervise/ok: file does not exist\n");
    assert_eq!(shown(&["a*"]), lines);
    assert_eq!(shown(&["x*"]), "x*: unable to chdir: file does not exist\n");
}

#[test]
fn wrong_fields_and_forms() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (list, wrong) in [("pid,bogus", "bogus"), ("pid,", "\"\""), ("PID", "PID")] {
        let done = dir.run("svstat", ["-o", list, "s"]);
        assert_eq!((done.code, done.out().as_str()), (100, ""), "{list}");
        let words = format!("svstat: fatal: unknown field {wrong}; there are: name path ");
        assert!(done.err().starts_with(&words), "{}", done.err());
    }
    let done = dir.run("svstat", ["-jo", "pid", "s"]);
    assert_eq!((done.code, done.out().as_str()), (100, ""));
    let done = dir.run("svstat", ["-jz", "s"]);
    assert_eq!(done.code, 100);
    assert!(done.err().starts_with("svstat: illegal option -- z\nsvstat: usage: svstat "));
    // What does not begin like an option is a service, as it always was.
    let done = dir.run("svstat", ["-z", "--", "-j"]);
    let line = |name: &str| format!("{name}: unable to chdir: file does not exist\n");
    assert_eq!((done.code, done.out()), (0, ["-z", "--", "-j"].map(line).concat()));
}

/// The fields that s6-svstat has, of the same service under both supervises.
#[test]
fn s6_svstat_says_the_same() {
    const SHARED: &str = "up,wantedup,normallyup,ready,paused,exitcode,signal,signum";
    let theirs = Path::new("/usr/bin/s6-svstat");
    if testing_originals() || !theirs.exists() {
        return;
    }
    let dir = Dir::new();
    let service = |name: &str| {
        let service = Service::new(&dir, name, "trap 'exit 7' HUP; echo >&5");
        dir.file(format!("{name}/notification-fd"), "5");
        dir.mkdir(format!("{name}/event"));
        service
    };
    let (mut a, mut b) = (service("a"), service("b"));
    let _ours = a.supervise(&dir);
    let _theirs = Process::start(dir.command("/usr/bin/s6-supervise").arg("b"));
    let theirs = |fields: &str| {
        let done = Process::start(dir.command(theirs).args(["-o", fields, "b"])).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        done.out().trim_end().to_owned()
    };
    // Whoever asks opens what others watch, so both are waited for first.
    let wait = |how: &str| {
        let wait = ["-t", "30000", how, "b"];
        let done = Process::start(dir.command("/usr/bin/s6-svwait").args(wait)).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    };
    let same = |a: &Service, ready: bool, shown: &str| {
        wait(if ready { "-U" } else { "-D" });
        a.until("the same", |seen| (seen.pid != 0) == ready && (!ready || is_ready(a)));
        assert_eq!((theirs(SHARED), fields(&dir, SHARED, "a")), (shown.into(), shown.into()));
    };
    let first = a.said.line();
    assert!(first.starts_with("up "));
    b.said.line();
    same(&a, true, "true true true true false -1 NA -1");
    let (pid, label) = (fields(&dir, "pid", "a"), fields(&dir, "updownsince", "a"));
    assert_eq!(first, format!("up {pid}"));
    assert_eq!((label.len(), &label[..2]), (theirs("updownsince").len(), "@4"));
    let tell = |letters: &str| {
        assert_eq!(dir.run("svc", [letters, "a"]).code, 0);
        let done = Process::start(dir.command("/usr/bin/s6-svc").args([letters, "b"])).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    };
    tell("-d");
    same(&a, false, "false false true false false -1 SIGTERM 15");
    tell("-o");
    a.said.line();
    b.said.line();
    same(&a, true, "true false true true false -1 NA -1");
    tell("-h");
    same(&a, false, "false false true false false 7 NA -1");
    tell("-u");
    same(&a, true, "true true true true false -1 NA -1");
}

/// Nobody takes half a document for one.
#[test]
fn what_cannot_be_written_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("services/s");
    let run = |program: &str, args: &str, into: &str| {
        let line = format!("exec {} {args} {into}", ours().join(program).display());
        let mut command = dir.command("/bin/sh");
        command.args(["-c", &line]).env("SVDIR", dir.path("services"));
        let done = Process::start(&mut command).finish();
        (done.code, done.err())
    };
    for (into, why) in [(">/dev/full", "out of disk space"), (">&-", "file descriptor not open")] {
        let words = |program| {
            (111, format!("{program}: fatal: unable to write to standard output: {why}\n"))
        };
        for form in ["-j", "-t", "-o name", "-f", "-e"] {
            assert_eq!(run("svstat", form, into), words("svstat"), "{form} {into}");
            let named = format!("{form} services/s");
            assert_eq!(run("svstat", &named, into), words("svstat"), "{named} {into}");
        }
        for args in ["-l", "services/s", "-j services/s"] {
            assert_eq!(run("svcheck", args, into), words("svcheck"), "{args} {into}");
        }
        // The line is daemontools'.
        assert_eq!(run("svstat", "services/s", into), (0, String::new()), "{into}");
    }
}

//! Which log a name stands for.

use super::super::support::{Dir, Process, program, testing_originals};
use super::shown;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A service whose logger writes to `log`, relative to the service.
fn service(dir: &Dir, name: &str, script: &str, log: &str) {
    dir.script(format!("{name}/run"), "exec sleep 1000");
    dir.script(format!("{name}/log/run"), script);
    dir.file(format!("{name}/{log}/current"), format!("of {name}\n"));
}

#[test]
fn a_service_is_known_by_its_logger() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    service(&dir, "a", "exec setuidgid log multilog t n20 ./main", "log/main");
    service(&dir, "b", "exec multilog '-*' '+*fatal*' ./fatal '+*' ./all", "log/all");
    dir.file("b/log/fatal/current", "wrong\n");
    service(&dir, "c", "exec chpst -ulog svlogd -tt .", "log");
    service(&dir, "d", "exec s6-log -b n10 -- T ../here", "here");
    service(&dir, "e", &format!("exec svlogd {}", dir.path("e/far").display()), "far");
    // One that does not say it, but keeps to the habit.
    service(&dir, "f", "exec multilog t \"$DIRECTORY\"", "log/main");
    dir.file("f/log/aaa/current", "wrong\n");
    service(&dir, "h", "cd ..\ncd there && exec multilog t .", "there");
    for name in ["a", "b", "c", "d", "e", "f", "h"] {
        assert_eq!(shown(&dir, &[name]), format!("of {name}\n"));
        assert_eq!(shown(&dir, &[&format!("{name}/")]), format!("of {name}\n"));
    }
    // The logger is a service itself.
    assert_eq!(shown(&dir, &["a/log"]), "of a\n");
    assert_eq!(shown(&dir, &["a/log/main"]), "of a\n");
    assert_eq!(shown(&dir, &["a/log/main/current"]), "of a\n");
    // Encore's logger is a file.
    dir.script("g/run", "exec sleep 1000");
    dir.script("g/log", "exec multilog t ./logs");
    dir.file("g/logs/current", "of g\n");
    assert_eq!(shown(&dir, &["g"]), "of g\n");
    assert_eq!(shown(&dir, &["g/log"]), "of g\n");
}

#[test]
fn names_are_found_where_services_are() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    service(&dir, "services/web-1", "exec multilog t ./main", "log/main");
    service(&dir, "services/web-2", "exec multilog t ./main", "log/main");
    dir.script("services/web-3/run", "exec sleep 1000");
    let run = |name: &str| {
        let mut command = dir.tool("svlog", [name]);
        Process::start(command.env("SVDIR", dir.path("services"))).finish()
    };
    assert_eq!(run("web-1").out(), "of services/web-1\n");
    let all = run("web-*");
    assert_eq!((all.code, all.err()), (0, String::new()));
    assert_eq!(all.out(), "web-1 of services/web-1\nweb-2 of services/web-2\n");
    let none = run("web-3");
    assert_eq!(none.code, 111);
    assert_eq!(
        none.err(),
        "svlog: warning: unable to find log of web-3: it is no log directory, which has a file \
         current, and no service with a logger\n"
    );
    let none = run("nowhere");
    let expected = "svlog: warning: unable to find log of nowhere: file does not exist\n";
    assert_eq!((none.code, none.err()), (111, expected.to_owned()));
}

/// What happens to be in the current directory, and is no log, hides no service.
#[test]
fn a_service_is_found_whatever_is_here() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    service(&dir, "services/web", "exec multilog t ./main", "log/main");
    service(&dir, "services/db", "exec multilog t ./main", "log/main");
    service(&dir, "services/mail", "exec multilog t ./main", "log/main");
    service(&dir, "mail", "exec multilog t ./main", "log/main");
    dir.file("web", "a page\n");
    dir.file("db/tables/some", "rows\n");
    dir.file("cron/current", "a log\n");
    dir.mkdir("services/cron");
    let run = |args: &[&str]| {
        let mut command = dir.tool("svlog", args);
        Process::start(command.env("SVDIR", dir.path("services"))).finish()
    };
    for (name, expected) in [
        ("web", "of services/web\n"),
        ("./web", "a page\n"),
        ("db", "of services/db\n"),
        ("mail", "of mail\n"),
        ("cron", "a log\n"),
    ] {
        let done = run(&[name]);
        assert_eq!((done.code, done.out().as_str(), done.err()), (0, expected, String::new()));
    }
    // Who follows does not wait for it to become a log.
    dir.mkdir("ftp");
    service(&dir, "services/ftp", "exec multilog t ./main", "log/main");
    let mut command = dir.tool("svlog", ["-f", "ftp"]);
    let mut svlog = Process::start(command.env("SVDIR", dir.path("services")));
    svlog.prints("of services/ftp");
}

/// A log needs nothing of the current directory, and a service does not need
/// to see what is in it.
#[test]
fn the_current_directory_need_not_be_readable() {
    let is_root = rustix::process::geteuid().is_root();
    if testing_originals() || !is_root || !Path::new("/usr/bin/setpriv").exists() {
        return;
    }
    let dir = Dir::new();
    service(&dir, "services/web", "exec multilog t ./main", "log/main");
    dir.mkdir("here");
    let program = dir.copy(program("svlog"), "svlog");
    fs::set_permissions(dir.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    for (mode, name, expected) in [
        (0o711, "web", "of services/web\n"),
        (0o711, "/main", "of services/web\n"),
        (0o700, "/main", "of services/web\n"),
    ] {
        fs::set_permissions(dir.path("here"), fs::Permissions::from_mode(mode)).unwrap();
        let name = match name.strip_prefix('/') {
            Some(log) => dir.path("services/web/log").join(log).into_os_string(),
            None => name.into(),
        };
        let mut command = dir.command("/usr/bin/setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command.arg(name).env("SVDIR", dir.path("services"));
        let done = Process::start(command.current_dir(dir.path("here"))).finish();
        assert_eq!((done.code, done.out().as_str(), done.err()), (0, expected, String::new()));
    }
}

#[test]
fn what_is_wrong_is_said_and_the_others_are_read() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    service(&dir, "a", "exec multilog t ./main", "log/main");
    dir.script("b/run", "exec sleep 1000");
    dir.script("b/log/run", "exec logger -t b");
    dir.script("c/run", "exec sleep 1000");
    dir.script("c/log/run", "exec multilog t ./main");
    let done = dir.run("svlog", ["-t", "none", "a", "b", "c"]);
    assert_eq!((done.code, done.out()), (111, "of a\n".to_owned()));
    let here = dir.path("c/log/main");
    assert_eq!(
        done.err(),
        format!(
            "svlog: warning: unable to find log of b: log/run does not say where it writes to; \
             name the log directory itself\n\
             svlog: warning: unable to find log of c: its logger writes to {}, which is not \
             there\n",
            here.display()
        )
    );
}

/// Its logger has not written anything yet.
#[test]
fn a_log_that_is_followed_may_come_later() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("web/run", "exec sleep 1000");
    dir.script("web/log/run", "exec multilog t ./main");
    let mut svlog = Process::start(&mut dir.tool("svlog", ["-f", "web", "plain/file"]));
    dir.file("web/log/main/current", "one\n");
    assert_eq!(svlog.prints("one"), "web        one");
    dir.file("plain/file", "two\n");
    assert_eq!(svlog.prints("two"), "plain/file two");
}

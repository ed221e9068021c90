//! svc, svstat, svok and svup: words, codes, and finding a service by its name.

use crate::support::{Dir, Service, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const LETTERS: &str = "svc options: u up, d down, o once, x exit, p pause, c continue, h hup, \
                       a alarm, i interrupt, t term, k kill\n";

#[test]
fn an_unknown_letter_is_a_usage_error() {
    let dir = Dir::new();
    let done = dir.run("svc", ["-uz", "s"]);
    assert_eq!((done.code, done.out().as_str()), (100, ""));
    assert_eq!(done.err(), format!("svc: illegal option -- z\n{LETTERS}"));
}

#[test]
fn nothing_to_do_is_success() {
    let dir = Dir::new();
    for (program, args) in [("svc", &["-u"][..]), ("svc", &[]), ("svstat", &[])] {
        let done = dir.run(program, args);
        assert_eq!((done.code, done.out().as_str(), done.err().as_str()), (0, "", ""));
    }
    let done = dir.run("svok", [""; 0]);
    assert_eq!((done.code, done.err().as_str()), (100, "svok: usage: svok dir\n"));
}

#[test]
fn svc_warns_of_each_service_and_goes_on() {
    let dir = Dir::new();
    dir.mkdir("empty");
    let mut service = Service::new(&dir, "good", "");
    let supervise = service.supervise(&dir);
    service.up();
    let mut dead = Service::new(&dir, "dead", "");
    let first = dead.supervise(&dir);
    // Until then its child has copies of its descriptors.
    dead.up();
    supervised(&dead.path);
    first.signal(Signal::KILL);
    first.ends();
    let done = dir.run("svc", ["-dx", "nowhere", "empty", "dead", "good"]);
    assert_eq!(done.code, 0);
    assert_eq!(
        done.err(),
        "svc: warning: unable to chdir to nowhere: file does not exist\n\
         svc: warning: unable to control empty: file does not exist\n\
         svc: warning: unable to control dead: supervise not running\n"
    );
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn repeated_letters_are_said_once() {
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    let done = dir.run("svc", ["-uu", "-du", "-x", "--", "s"]);
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(control.bytes(), b"udx");
    let done = dir.run("svc", ["-xkticaphodu", "s"]);
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(control.bytes(), b"xkticaphodu");
}

#[test]
fn svstat_says_what_is_wrong() {
    let dir = Dir::new();
    dir.mkdir("empty");
    dir.file("file", "");
    dir.mkdir("loop");
    symlink("down", dir.path("loop/down")).unwrap();
    let _ok = dir.fifo("nostatus/supervise/ok");
    let _ok = dir.fifo("short/supervise/ok");
    dir.file("short/supervise/status", [b'x'; 17]);
    let gone = dir.fifo("dead/supervise/ok");
    drop(gone);
    let names = ["nowhere", "file", "empty", "loop", "nostatus", "short", "dead"];
    let done = dir.run("svstat", names);
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(
        done.out(),
        "nowhere: unable to chdir: file does not exist\n\
         file: unable to chdir: not a directory\n\
         empty: unable to open supervise/ok: file does not exist\n\
         loop: unable to stat down: symbolic link loop\n\
         nostatus: unable to open supervise/status: file does not exist\n\
         short: unable to read supervise/status: bad format\n\
         dead: supervise not running\n"
    );
}

/// The original takes a failed read for a whole record and prints what was in
/// its memory.
#[test]
fn svstat_and_a_status_that_cannot_be_read() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let _ok = dir.fifo("s/supervise/ok");
    dir.mkdir("s/supervise/status");
    let line = "s: unable to read supervise/status: is a directory\n";
    assert_eq!(dir.run("svstat", ["s"]).out(), line);
}

#[test]
fn svstat_reads_any_18_bytes() {
    let dir = Dir::new();
    let _ok = dir.fifo("s/supervise/ok");
    let mut record = [0xff; 18];
    // A clock that went back gives 0, and garbage is not an error.
    dir.file("s/supervise/status", record);
    assert_eq!(dir.run("svstat", ["s"]).out(), "s: up (pid 4294967295) 0 seconds, paused\n");
    record[12..16].copy_from_slice(&[1, 2, 0, 0]);
    record[16..].copy_from_slice(&[0, b'd']);
    dir.file("s/supervise/status", [&record[..], &[9; 100]].concat());
    dir.file("s/down", "");
    let line = "s: up (pid 513) 0 seconds, normally down, want down\n";
    assert_eq!(dir.run("svstat", ["s"]).out(), line);
    record[12..].copy_from_slice(&[0, 0, 0, 0, 1, b'u']);
    dir.file("s/supervise/status", record);
    assert_eq!(dir.run("svstat", ["s"]).out(), "s: down 0 seconds, want up\n");
}

#[test]
fn svok_answers_with_its_code() {
    let dir = Dir::new();
    dir.mkdir("empty");
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    assert_eq!(dir.run("svok", ["s"]).code, 0);
    supervise.signal(Signal::KILL);
    supervise.ends();
    for name in ["s", "empty"] {
        let done = dir.run("svok", [name]);
        assert_eq!((done.code, done.err().as_str()), (100, ""), "{name}");
    }
    let done = dir.run("svok", ["nowhere"]);
    let words = "svok: fatal: unable to chdir to nowhere: file does not exist\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
    dir.file("odd/supervise", "");
    let done = dir.run("svok", ["odd"]);
    let words = "svok: fatal: unable to open odd/supervise/ok: not a directory\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

#[test]
fn svup_answers_with_its_code() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let up = |args: &[&str]| {
        let done = dir.run("svup", args);
        assert_eq!(done.out(), "");
        (done.code, done.err())
    };
    let silent = |code| (code, String::new());
    let mut service = Service::new(&dir, "s", "");
    let said = service.said.path().display();
    dir.script("s/finish", &format!("exec 3<>../s.hold; echo finishing >{said}; read x <&3"));
    assert_eq!(up(&["s"]), silent(100), "nobody supervises it");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for (args, code) in [
        (&["s"][..], 0),
        (&["-l", "s"], 0),
        (&["-L", "s"], 100),
        (&["-lL", "s"], 100),
        (&["-L", "-l", "--", "s", "nowhere"], 0),
    ] {
        assert_eq!(up(args), silent(code), "{args:?}");
    }
    service.svc(&dir, "-d");
    assert_eq!(service.said.line(), "finishing");
    assert_eq!(up(&["s"]), silent(100), "it has ended");
    service.svc(&dir, "-kx");
    assert_eq!(supervise.finish().code, 0);
    assert_eq!(up(&["s"]), silent(100));

    // What others have written.
    let mut record = [0; 20];
    record[12] = 7;
    for (state, code) in [(0, 0), (1, 0), (2, 100)] {
        let _ok = dir.fifo("other/supervise/ok");
        record[19] = state;
        dir.file("other/supervise/status", record);
        assert_eq!(up(&["other"]), silent(code), "{state}");
        assert_eq!(up(&["-L", "other"]), silent(100), "{state}");
        fs::remove_dir_all(dir.path("other")).unwrap();
    }
    let _ok = dir.fifo("other/supervise/ok");
    assert_eq!(up(&["other"]), silent(100));
    dir.file("other/supervise/status", &record[..17]);
    let fatal = |words| (111, format!("svup: fatal: {words}\n"));
    assert_eq!(up(&["other"]), fatal("bad data in supervise/status: truncated file"));
    fs::remove_file(dir.path("other/supervise/status")).unwrap();
    dir.mkdir("other/supervise/status");
    assert_eq!(up(&["other"]), fatal("unable to read supervise/status: is a directory"));
    assert_eq!(up(&["nowhere"]), fatal("unable to chdir to nowhere: file does not exist"));
    dir.file("odd/supervise", "");
    assert_eq!(up(&["odd"]), fatal("unable to open supervise/ok: not a directory"));
    let usage = "svup: usage: svup [-lL] service\n";
    assert_eq!(up(&[]), (100, usage.into()));
    assert_eq!(up(&["-l"]), (100, usage.into()));
    assert_eq!(up(&["-x", "s"]), (100, format!("svup: illegal option -- x\n{usage}")));
}

#[test]
fn a_name_is_looked_up_where_services_are() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "services/myapp", "");
    let _supervise = service.supervise(&dir);
    let first = service.up();
    supervised(&service.path);
    let elsewhere = dir.mkdir("elsewhere");
    // A file of that name here is no service.
    fs::write(elsewhere.join("myapp"), "").unwrap();
    let run = |program: &str, args: &[&str]| {
        let mut command = dir.tool(program, args);
        command.current_dir(&elsewhere).env("SVDIR", dir.path("services"));
        crate::support::Process::start(&mut command).finish()
    };
    assert_eq!(run("svok", &["myapp"]).code, 0);
    assert!(run("svstat", &["myapp"]).out().starts_with("myapp: up (pid "));
    let done = run("svc", &["-du", "myapp"]);
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_ne!(service.up(), first);
    // A slash means a path, and a directory here comes first.
    assert_eq!(run("svok", &["./myapp"]).code, 111);
    assert_eq!(run("svok", &["myapp/log"]).code, 111);
    fs::remove_file(elsewhere.join("myapp")).unwrap();
    fs::create_dir(elsewhere.join("myapp")).unwrap();
    assert_eq!(run("svok", &["myapp"]).code, 100);
    // What is nowhere is reported as it is here.
    let done = run("svstat", &["unheard"]);
    assert_eq!(done.out(), "unheard: unable to chdir: file does not exist\n");
}

#[test]
fn a_directory_that_is_closed_to_us() {
    let dir = Dir::new();
    if rustix::process::geteuid().is_root() {
        // root enters everything; the case is for everybody else.
        return;
    }
    let closed = dir.mkdir("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    let line = "closed: unable to chdir: access denied\n";
    assert_eq!(dir.run("svstat", ["closed"]).out(), line);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What daemontools has takes such a word for the end of the options.
#[test]
fn a_long_option_that_there_is_not_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    for (words, option) in [
        ("svwait --down s", "--down"),
        ("svwait -d --soon s", "--soon"),
        ("svcheck --json s", "--json"),
        ("svcheck -j --notes s", "--notes"),
        ("svstat -t --foo", "--foo"),
        ("svstat -j --foo", "--foo"),
        ("svup --foo s", "--foo"),
        ("svc -wU --restart s", "--restart"),
    ] {
        let (name, args) = words.split_once(' ').unwrap();
        let done = dir.run(name, args.split(' '));
        let line = format!("{name}: illegal option {option}\n");
        assert!(done.err().starts_with(&line), "{words}: {}", done.err());
        assert_eq!((done.code, done.out().as_str()), (100, ""), "{words}");
    }
    // Two dashes alone still end them, and where svc waits for nothing all is
    // as it was.
    for words in ["-u -- s", "-u --restart s"] {
        assert_eq!(dir.run("svc", words.split(' ')).code, 0, "{words}");
        assert_eq!(control.bytes(), b"u", "{words}");
    }
    let done = dir.run("svwait", ["-d", "--", "nowhere"]);
    assert_eq!(done.err(), "svwait: fatal: unable to chdir to nowhere: file does not exist\n");
}

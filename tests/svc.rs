//! svc where it is more than the original: letters of other suites, waiting,
//! and patterns for names.

use crate::support::{Dir, Finished, Process, Service, supervised, testing_originals};
use crate::svwait::{Played, at, over};
use std::fs;
use upkeep_core::record::Stage;
use upkeep_core::status::Want;

fn says(done: &Finished) -> (i32, String) {
    (done.code, done.err())
}

#[test]
fn letters_of_other_suites() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    for (options, bytes) in [
        (&["-by"][..], "bw"),
        (&["-s", "TERM", "-sSIGUSR1", "-s9", "-s", "stop"], "t1kp"),
        (&["-s", "CONT", "-s", "hup", "-s14", "-s", "int"], "chai"),
        (&["-s", "ABRT", "-s", "QUIT", "-s", "USR2", "-s", "WINCH"], "bq2w"),
        // A w that says nothing of what to wait for is the signal.
        (&["-w"], "w"),
        (&["-w", "-u"], "wu"),
        (&["-qw", "-d"], "qwd"),
        (&["-wq"], "wq"),
        (&["-dU", "-T", "5"], "du"),
        // Letters count once, but for those that mean another thing behind a plus.
        (&["-tt+tt=O"], "t+t=O"),
        (&["-PCK"], "PCK"),
    ] {
        let done = dir.run("svc", options.iter().chain(&["s"]));
        assert_eq!(says(&done), (0, String::new()), "{options:?}");
        assert_eq!(String::from_utf8(control.bytes()).unwrap(), bytes, "{options:?}");
    }
    for options in [&["-s", "SEGV"][..], &["-s", "x"], &["-T", "soon"], &["-L"], &["-s"]] {
        let done = dir.run("svc", options.iter().chain(&["s"]));
        assert_eq!(done.code, 100, "{options:?}");
        assert!(done.err().contains("svc options: u up, "), "{options:?}");
    }
    for (options, words) in [
        (["-s", "SEGV"], "not a signal that can be sent: SEGV"),
        (["-T", "soon"], "not a number of milliseconds: soon"),
    ] {
        let done = dir.run("svc", options.iter().chain(&["s"]));
        assert!(done.err().starts_with(&format!("svc: fatal: {words}\nsvc options: ")));
    }
    assert_eq!(control.bytes(), b"");
}

#[test]
fn some_letters_keep_the_file_down() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    let down = dir.path("s/down");
    // In a directory that has one and in one that has none.
    for (letter, byte, is_there) in [
        ("-D", "d", true),
        ("-D", "d", true),
        ("-U", "u", false),
        ("-U", "u", false),
        ("-Q", "o", true),
        ("-u", "u", true),
        ("-U", "u", false),
        ("-d", "d", false),
    ] {
        assert_eq!(says(&dir.run("svc", [letter, "s"])), (0, String::new()));
        assert_eq!(String::from_utf8(control.bytes()).unwrap(), byte);
        assert_eq!(down.exists(), is_there, "{letter}");
    }
    fs::create_dir(&down).unwrap();
    let words = "svc: warning: unable to remove s/down: is a directory\n";
    assert_eq!(says(&dir.run("svc", ["-U", "s"])), (0, words.into()));
    assert_eq!(control.bytes(), b"u");
    // That of a oneshot is a program, and stays.
    fs::remove_dir(&down).unwrap();
    dir.file("s/type", "oneshot\n");
    for file in ["up", "down"] {
        dir.file(format!("s/{file}"), "echo\n");
    }
    assert_eq!(says(&dir.run("svc", ["-U", "s"])), (0, String::new()));
    let words = "svc: warning: s/down is what undoes it: left alone\n";
    assert_eq!(says(&dir.run("svc", ["-D", "s"])), (0, words.into()));
    assert_eq!(fs::read(&down).unwrap(), b"echo\n");
    assert_eq!(control.bytes(), b"ud");
}

/// It listens and looks before it speaks: whatever happens when it has been
/// heard is noticed, hundreds of times.
#[test]
fn it_listens_before_it_speaks() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    let service = Played::new(&dir, "s", &at(Stage::Up, 0));
    for starts in 0..200 {
        let wait = dir.start("svc", ["-wR", "-r", "s"]);
        assert_eq!(control.spoken(), b"r");
        service.write(&at(Stage::Up, starts + 1));
        assert_eq!(says(&wait.finish()), (0, String::new()));
    }
}

#[test]
fn it_waits_as_svwait_does() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let control = dir.fifo("s/supervise/control");
    let mut service = Played::new(&dir, "s", &at(Stage::Up, 1));
    // What is so already is not waited for.
    assert_eq!(says(&dir.run("svc", ["-wu", "s"])).0, 0);
    let timed_out = "svc: warning: unable to wait for s: timed out\n";
    assert_eq!(says(&dir.run("svc", ["-dwD", "-T1", "s"])), (99, timed_out.into()));
    assert_eq!(control.bytes(), b"d");
    for (kind, record) in [("-wd", at(Stage::Finishing, 1)), ("-wD", at(Stage::Down, 1))] {
        let wait = dir.start("svc", [kind, "-d", "s"]);
        assert_eq!(control.spoken(), b"d");
        service.write(&record);
        assert_eq!(wait.finish().code, 0, "{kind}");
    }
    for (kind, starts) in [("-wu", 2), ("-wU", 3), ("-wr", 4)] {
        service.write(&at(Stage::Waiting, starts - 1));
        let wait = dir.start("svc", ["-u", kind, "s"]);
        assert_eq!(control.spoken(), b"u");
        service.write(&at(Stage::Up, starts));
        assert_eq!(wait.finish().code, 0, "{kind}");
    }
    // What has ended for good may come up now that it was told to.
    service.write(&over(true, 4));
    let wait = dir.start("svc", ["-wU", "-u", "s"]);
    assert_eq!(control.spoken(), b"u");
    service.write(&at(Stage::Waiting, 4));
    service.write(&at(Stage::Up, 5));
    assert_eq!(wait.finish().code, 0);
    // If it ends again, or is told nothing, it does not.
    service.write(&over(true, 5));
    let words = "svc: warning: unable to wait for s: it has ended for good\n";
    assert_eq!(says(&dir.run("svc", ["-wU", "s"])), (1, words.into()));
    // Nor if what it is told does not start it.
    for letters in ["-h", "-r", "-dx"] {
        assert_eq!(says(&dir.run("svc", ["-wU", letters, "s"])), (1, words.into()), "{letters}");
        assert_eq!(control.bytes(), &letters.as_bytes()[1..]);
    }
    let mut down = at(Stage::Down, 5);
    down.status.want = Want::Down;
    service.write(&down);
    let to_be_down = "svc: warning: unable to wait for s: it is to be down\n";
    for goal in ["-wu", "-wU", "-wr", "-wR"] {
        assert_eq!(says(&dir.run("svc", [goal, "-r", "s"])), (1, to_be_down.into()), "{goal}");
        assert_eq!(control.bytes(), b"r");
    }
    assert_eq!(dir.run("svc", ["-wD", "-r", "s"]).code, 0);
    assert_eq!(control.bytes(), b"r");
    // Somebody else may start it.
    assert_eq!(dir.run("svc", ["-wU", "-T1", "s"]).code, 99);
    service.write(&over(true, 5));
    let wait = dir.start("svc", ["-wU", "-u", "s"]);
    assert_eq!(control.spoken(), b"u");
    service.write(&at(Stage::Waiting, 5));
    service.write(&over(true, 6));
    assert_eq!(says(&wait.finish()), (1, words.into()));
    service.write(&at(Stage::Up, 6));
    let wait = dir.start("svc", ["-wd", "-dx", "s"]);
    assert_eq!(control.spoken(), b"dx");
    service.end();
    let words = "svc: warning: unable to wait for s: supervise has ended\n";
    assert_eq!(says(&wait.finish()), (102, words.into()));
}

/// Everybody is told, and who is there is waited for.
#[test]
fn who_is_not_there_does_not_keep_it_from_the_others() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("empty");
    dir.file("odd/supervise/control", "");
    let _odd = Played::new(&dir, "odd", &over(false, 1));
    let control = dir.fifo("s/supervise/control");
    let service = Played::new(&dir, "s", &at(Stage::Up, 1));
    for (other, starts, code, words) in [
        ("empty", 2, 102, "unable to control empty: file does not exist"),
        ("nowhere", 3, 111, "unable to chdir to nowhere: file does not exist"),
        ("odd", 4, 111, "unable to control odd: supervise/control is not a fifo"),
    ] {
        let wait = dir.start("svc", ["-wr", "-r", other, "s"]);
        assert_eq!(control.spoken(), b"r");
        service.write(&at(Stage::Up, starts));
        assert_eq!(says(&wait.finish()), (code, format!("svc: warning: {words}\n")));
        // Without waiting it says the same, and that is all.
        let done = dir.run("svc", ["-r", other, "s"]);
        assert_eq!(says(&done), (0, format!("svc: warning: {words}\n")));
        assert_eq!(control.bytes(), b"r");
    }
}

#[test]
fn a_pattern_stands_for_all_names_that_match() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let names = ["web-2", "web-1", ".web-3", "db", "a[1]", "a1"];
    let fifos = names.map(|name| dir.fifo(format!("services/{name}/supervise/control")));
    dir.file("services/web-0", "no directory");
    let run = |args: &[&str], services: &str| {
        let mut command = dir.tool("svc", args);
        Process::start(command.env("SVDIR", dir.path(services))).finish()
    };
    let heard = || fifos.each_ref().map(|fifo| String::from_utf8(fifo.bytes()).unwrap());
    let nothing = (0, String::new());
    assert_eq!(says(&run(&["-d", "web-*"], "services")), nothing);
    assert_eq!(heard(), ["d", "d", "", "", "", ""]);
    assert_eq!(says(&run(&["-u", "[!w]?", "web-[2-9]"], "services")), nothing);
    assert_eq!(heard(), ["u", "", "", "u", "", "u"]);
    // A pattern that matches nothing is a name.
    assert_eq!(says(&run(&["-o", "a\\[1]"], "services")), nothing);
    assert_eq!(heard(), ["", "", "", "", "o", ""]);
    // So is what a service is called, in any of these directories.
    assert_eq!(says(&run(&["-o", "a[1]"], "services")), nothing);
    assert_eq!(heard(), ["", "", "", "", "o", ""]);
    let words = "svc: warning: unable to chdir to x*: file does not exist\n";
    assert_eq!(says(&run(&["-d", "x*"], "services")), (0, words.into()));
    let words = "svc: warning: unable to chdir to services/web-*: file does not exist\n";
    assert_eq!(says(&run(&["-d", "services/web-*"], "services")), (0, words.into()));
    assert_eq!(heard(), [""; 6]);
    // A directory here comes first.
    let here = dir.fifo("web-*/supervise/control");
    assert_eq!(says(&run(&["-t", "web-*"], "services")), nothing);
    assert_eq!((here.bytes(), heard()), (b"t".to_vec(), [""; 6].map(String::from)));
    // They are told in the order of their names, also who is not there.
    dir.mkdir("others/b-2");
    dir.mkdir("others/b-10");
    let others = dir.path("others");
    let words = ["b-10", "b-2"].map(|name| {
        format!(
            "svc: warning: unable to control {}/{name}: file does not exist\n",
            others.display()
        )
    });
    assert_eq!(says(&run(&["-d", "b-*"], others.to_str().unwrap())), (0, words.concat()));
}

/// The real thing.
#[test]
fn a_service_is_told_and_waited_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    dir.script("s/finish", "echo finished >../s.said");
    fs::write(service.path.join("down"), "").unwrap();
    let supervise = service.supervise(&dir);
    supervised(&service.path);
    let svc = |args: &[&str]| {
        assert_eq!(
            says(&dir.run("svc", args.iter().chain(&["s"]))),
            (0, String::new()),
            "{args:?}"
        );
    };
    svc(&["-wU", "-U"]);
    let first = service.seen().unwrap().pid;
    assert_eq!(service.up(), first);
    assert!(!service.path.join("down").exists());
    svc(&["-wR", "-r"]);
    assert_eq!(service.said.line(), "finished");
    let second = service.seen().unwrap().pid;
    assert_ne!(second, first);
    assert_eq!(service.up(), second);
    svc(&["-wD", "-D"]);
    assert_eq!(service.said.line(), "finished");
    assert_eq!(service.seen().unwrap().pid, 0);
    svc(&["-wu", "-u"]);
    service.up();
    svc(&["-wd", "-dx"]);
    assert_eq!(supervise.finish().code, 0);
}

//! What services find in their environment.

use crate::support::container::{Container, Plan, both};
use crate::support::{Dir, Finished, Process, Service, supervised};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;

/// The variables of a service, in the order of their names, without those that
/// its shell sets.
fn variables(environment: &[&str], options: &[&str], prepare: impl Fn(&Dir)) -> Vec<String> {
    let mut all = Vec::new();
    let found = core::cell::RefCell::new(Vec::new());
    both(|who| {
        let dir = Dir::new();
        let env = "env | while read -r line; do echo \"$line\"; done >$said.env\n";
        let mut service = Service::with_script(
            &dir,
            "scan/s",
            &format!(
                "said={}\n{env}echo up >$said\nexec sleep 1000",
                dir.path("scan/s.said").display()
            ),
        );
        prepare(&dir);
        let mut args = options.to_vec();
        args.push("scan");
        let container = Plan::new(&dir, who).environment(environment).start("svscan", args);
        assert_eq!(service.said.line(), "up");
        let text = fs::read_to_string(dir.path("scan/s.said.env")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| {
            !["PWD=", "_=", "SHLVL=", "OLDPWD="].iter().any(|own| line.starts_with(own))
        });
        lines.sort();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
        found.borrow_mut().push(lines);
    });
    for one in found.take() {
        assert!(all.is_empty() || all == one, "{all:?} {one:?}");
        all = one;
    }
    all
}

const PATH: &str = "PATH=/usr/bin:/bin";

#[test]
fn it_is_the_containers_own_unless_it_is_to_be_clean() {
    if crate::support::testing_originals() {
        return;
    }
    let given = [PATH, "A=1", "B=two words", "EMPTY="];
    let mut all: Vec<_> = given.iter().map(|one| (*one).to_owned()).collect();
    all.sort();
    assert_eq!(variables(&given, &[], |_| {}), all);
    assert_eq!(variables(&given, &["--clean-env"], |_| {}), [PATH]);
    assert_eq!(variables(&given, &["-E"], |_| {}), [PATH]);
    let file = |dir: &Dir| drop(dir.file("scan/.svscan/clean-env", ""));
    assert_eq!(variables(&given, &[], file), [PATH]);
}

#[test]
fn directories_add_and_take_away() {
    if crate::support::testing_originals() {
        return;
    }
    let prepare = |dir: &Dir| {
        dir.file("scan/.svscan/env/A", "tree\n");
        dir.file("scan/.svscan/env/T", "tree\n");
        dir.file("one/A", "one  \nmore\n");
        dir.file("one/B", "");
        dir.file("one/.dot", "x\n");
        dir.file("two/C", "two\n");
    };
    let given = [PATH, "A=1", "B=2"];
    let options = ["--env", "one", "-d", "two"];
    assert_eq!(variables(&given, &options, prepare), ["A=one", "C=two", PATH, "T=tree"]);
    let clean = ["-E", "--env=one"];
    assert_eq!(variables(&given, &clean, prepare), ["A=one", PATH, "T=tree"]);
}

#[test]
fn secrets_are_read_from_files() {
    if crate::support::testing_originals() {
        return;
    }
    let around = Dir::new();
    let at = around.file("secret", "s3cret\nsecond line\n\n");
    let named = format!("DB_PASSWORD_FILE={}", at.display());
    let given = [PATH, &named, "LOG_FILE=relative"];
    let found = variables(&given, &["--secrets"], |_| {});
    let left = variables(&given, &[], |_| {});
    // The second line is a line of what `env` prints.
    assert_eq!(found, ["DB_PASSWORD=s3cret", "LOG_FILE=relative", PATH, "second line"]);
    assert_eq!(left, [&*named, "LOG_FILE=relative", PATH]);
}

#[test]
fn what_cannot_be_read_ends_it_at_the_start() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("scan");
    dir.mkdir("bad/directory");
    let long = "x".repeat(200_000);
    dir.file("long", &long);
    dir.file("zero", "a\0b");
    let path = |name: &str| dir.path(name).to_str().unwrap().to_owned();
    let run = |options: &[&str], variable: (&str, String)| -> Finished {
        let mut command = dir.tool("svscan", options.iter().chain(&["scan"]));
        Process::start(command.env_clear().env(variable.0, variable.1)).finish()
    };
    let nothing = || ("X", String::new());
    for (options, variable, said) in [
        (
            &["-d", "none"][..],
            nothing(),
            format!("unable to enter {}: file does not exist", path("none")),
        ),
        (
            &["-d", "bad"],
            nothing(),
            format!("unable to read {}/directory: is a directory", path("bad")),
        ),
        (
            &["-F"],
            ("K_FILE", path("none")),
            format!("unable to read {} for K: file does not exist", path("none")),
        ),
        (
            &["-F"],
            ("K_FILE", path("zero")),
            format!("unable to use {} for K: a zero in it", path("zero")),
        ),
        (
            &["-F"],
            ("K_FILE", path("bad")),
            format!("unable to read {} for K: is a directory", path("bad")),
        ),
    ] {
        let done = run(options, variable);
        assert_eq!((done.code, done.err()), (111, format!("svscan: fatal: {said}\n")));
    }
    let mut command = dir.tool("svscan", ["-F", "scan"]);
    let done =
        Process::start(command.env_clear().env("K", "v").env("K_FILE", path("zero"))).finish();
    assert_eq!(
        (done.code, done.err().as_str()),
        (111, "svscan: fatal: both K and K_FILE are set\n")
    );
}

/// What no program could be given is no secret, and stays what it is.
#[test]
fn a_file_that_is_too_long_for_a_variable_stays_a_file() {
    if crate::support::testing_originals() {
        return;
    }
    let around = Dir::new();
    let at = around.path("long");
    let named = format!("SSL_CERT_FILE={}", at.display());
    for (length, is_secret) in [(131_062, true), (131_063, false), (300_000, false)] {
        fs::write(&at, "x".repeat(length)).unwrap();
        let found = variables(&[PATH, &named], &["-F", "-d", "env"], |dir| {
            dir.file("env/PATH", &PATH[5..]);
        });
        let expected =
            if is_secret { format!("SSL_CERT={}", "x".repeat(length)) } else { named.clone() };
        assert!(found == [PATH.to_owned(), expected], "{length}");
    }
}

/// Where the state is cannot be said by a file.
#[test]
fn the_place_of_the_state_is_svscans_to_say() {
    if crate::support::testing_originals() {
        return;
    }
    let prepare = |dir: &Dir| drop(dir.file("scan/.svscan/env/SUPERVISEDIR", "/nowhere\n"));
    assert_eq!(variables(&[PATH], &[], prepare), [PATH]);
    let found = variables(&[PATH, "SUPERVISEDIR=kept"], &["-E"], prepare);
    assert_eq!(found, [PATH, "SUPERVISEDIR=kept"]);
}

/// The command, and what runs before it, have the container's own whatever the
/// services have, with what is added for all.
#[test]
fn the_command_has_everything() {
    both(|who| {
        let dir = Dir::new();
        dir.file("secret", "s3cret\n");
        dir.file("env/ADDED", "added\n");
        let secret = format!("KEY_FILE={}", dir.path("secret").display());
        let line = "$OWN $KEY $KEY_FILE $ADDED";
        dir.script("scan/.svscan/init", &format!("echo init {line}"));
        let script = format!(
            "said={0}\necho up \"{line}\" >$said\nexec sleep 1000",
            dir.path("scan/s.said").display()
        );
        let mut service = Service::with_script(&dir, "scan/s", &script);
        let plan = Plan::new(&dir, who).environment(&[PATH, "OWN=own", &secret]);
        let print = format!("echo command {line}; read go");
        let args = ["-EF", "-d", "env", "scan", "--", "sh", "-c", &print];
        let mut container = plan.start_with("svscan", args, |command| {
            command.stdin(std::process::Stdio::piped());
        });
        assert_eq!(service.said.line(), "up    added");
        drop(container.process.stdin());
        let done = container.process.finish();
        assert_eq!(done.out(), "init own s3cret added\ncommand own s3cret added\n");
    });
}

/// Without a directory there is no `.svscan` either, but the options hold.
#[test]
fn a_command_alone_gets_what_is_added() {
    both(|who| {
        let dir = Dir::new();
        dir.file(".svscan/env/A", "tree\n");
        dir.file("env/B", "added\n");
        let args = ["--env", "env", "--", "sh", "-c", "echo $A $B"];
        let container = Plan::new(&dir, who).environment(&[PATH]).start("svscan", args);
        let done = container.process.finish();
        assert_eq!((done.code, done.out().as_str()), (0, "added\n"), "{done:?}");
    });
}

/// Its service, told to start again, is started by the same svscan, or by the
/// one that it has become.
fn goes_on(container: &Container<'_>, service: &mut Service) {
    let code = |tool: &str, args: &[&str]| container.start(tool, args).finish().code;
    assert_eq!(code("svwait", &["-t", "9000", "-u", "./scan/s"]), 0);
    assert_eq!(code("svc", &["-dx", "./scan/s"]), 0);
    let line = service.said.line();
    assert!(line.starts_with("up "), "{line}");
}

/// What was there when svscan began may have gone bad when it is to be executed
/// anew: then it is not, and nothing ends.
#[test]
fn a_start_that_would_fail_is_not_made_again() {
    for (options, spoil, complaint) in [
        ("", "mkdir -p scan/.svscan/env/oops", "warning: unable to read .svscan/env/oops: "),
        ("-d more", "rm -r more", "/more: file does not exist"),
        ("-F", "rm secret", "/secret for A: file does not exist"),
        (
            "-n -L log",
            "mv log other",
            "warning: unable to use log directory log: file does not exist",
        ),
        ("", "rm now", "unable to chdir to now: file does not exist"),
    ] {
        both(|who| {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            dir.file("secret", "x");
            dir.mkdir("more");
            symlink("scan", dir.path("now")).unwrap();
            let path = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
            let secret = format!("A_FILE={}", dir.path("secret").display());
            let mut args: Vec<_> = options.split_whitespace().collect();
            args.push("now");
            let plan = Plan::new(&dir, who).environment(&[&path, &secret]);
            let mut container = plan.start("svscan", args);
            assert!(service.said.line().starts_with("up "));
            assert_eq!(container.start("sh", ["-c", spoil]).finish().code, 0);
            container.signal(Signal::USR1);
            container.process.complains(complaint);
            container.process.complains("warning: unable to execute svscan anew, going on");
            goes_on(&container, &mut service);
            container.signal(Signal::TERM);
            assert_eq!(container.process.finish().code, 0, "{options} {spoil}");
        });
    }
}

/// What goes bad between the rehearsal and the reading is left out, and said.
#[test]
fn one_that_was_executed_anew_does_not_end_by_what_it_reads() {
    for (options, gone, complaint) in [
        (&[][..], "scan/.svscan/env/V", "warning: unable to read .svscan/env/V: "),
        (&["-d", "more"], "more", "/more: file does not exist"),
        (&["-F"], "secret", "/secret for A: file does not exist"),
        (&["-n", "-L", "no/log"], "no", "warning: unable to use log directory no/log: "),
    ] {
        both(|who| {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            for file in ["scan/.svscan/env/V", "more/W", "secret"] {
                dir.file(file, "text");
            }
            dir.mkdir("no");
            let path = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
            let secret = format!("A_FILE={}", dir.path("secret").display());
            let given = [path.as_str(), secret.as_str(), "UPKEEP_REFUSE=rehearsal"];
            let plan = Plan::new(&dir, who).environment(&given);
            let mut container = plan.start("svscan", [options, &["scan"]].concat());
            assert!(service.said.line().starts_with("up "));
            supervised(&service.path);
            // A directory is no variable, and no secret.
            fs::rename(dir.path(gone), dir.path("gone")).unwrap();
            if gone.ends_with('V') {
                fs::create_dir(dir.path(gone)).unwrap();
            }
            container.signal(Signal::USR1);
            container.process.complains(complaint);
            goes_on(&container, &mut service);
            container.signal(Signal::TERM);
            assert_eq!(container.process.finish().code, 0, "{options:?}");
        });
    }
}

/// A FIFO is no secret, and what is too long is said once. What was left for
/// clients before that ends svscan is left no more.
#[test]
fn a_fifo_is_no_secret() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("scan");
        let fifo = dir.fifo("secret");
        let long = dir.file("long", "x".repeat(200_000));
        let given =
            [format!("A_FILE={}", fifo.path().display()), format!("B_FILE={}", long.display())];
        let plan = Plan::new(&dir, who).tmpfs("/run", "1m").tmpfs("/dev/shm", "1m");
        let plan = plan.setup("mkdir -m 700 /run/upkeep");
        let plan = plan.environment(&[&given[0], &given[1]]);
        let args = ["-c", "programs/svscan -F -S state scan; echo $?; ls -A /run/upkeep"];
        let done = Process::start(&mut plan.command("/bin/sh", args)).finish();
        assert_eq!(done.out(), "111\n");
        let expected = format!("unable to read {} for A: a fifo\n", fifo.path().display());
        assert!(done.err().ends_with(&expected), "{done:?}");
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = Plan::new(&dir, who).environment(&[&given[1]]);
        let container = plan.start("svscan", ["-F", "scan"]);
        // Before that, process 1 may not hear it.
        service.up();
        container.signal(Signal::TERM);
        let said = container.process.finish().err();
        assert_eq!(said.matches("is too long for B").count(), 1, "{said}");
    });
}

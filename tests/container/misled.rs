//! A machine's process 1 that was told something wrong, or cannot go on: it
//! never ends by itself, for the kernel ends everything with it.

use super::send;
use crate::support::container::{Plan, Who, both};
use crate::support::{Dir, Finished, Process, Service, Terminal};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Stdio;

/// A machine without a console, so that what takes its place has the streams
/// that it had.
fn machine(dir: &Dir, who: Who) -> Plan<'_> {
    let null = dir.file("null", "").display().to_string();
    Plan::new(dir, who).setup(&format!(
        "mount --bind /dev/null {null}; mount -t tmpfs -o mode=755,size=64k none /dev
         touch /dev/null; mount --bind {null} /dev/null"
    ))
}

/// What comes of these words, whose rescue is a shell that hears this line.
fn shell(plan: Plan<'_>, name: &str, args: &[&str]) -> Finished {
    let mut container = plan.start_with(name, args, |command| {
        command.stdin(Stdio::piped());
    });
    // It may end without having read.
    let _ = container.process.stdin().write_all(b"echo shell $$; exit 42\n");
    container.process.finish()
}

const GOING_ON: &str = "svscan: warning: going on as /bin/sh\n";

#[test]
fn wrong_words() {
    both(|who| {
        for args in [
            &["-m", "-Z", "scan"][..],
            &["-Z", "-m", "scan"],
            &["--nothing", "--machine", "scan"],
            &["-m", "-x", "perhaps", "scan"],
            &["-x", "perhaps", "-m", "scan"],
            &["-t", "soon", "-vm"],
            &["-m", "scan", "quiet"],
            // As where the kernel has a word that it puts before all others.
            &["splash", "-m", "scan"],
            &["-m", "--reboot"],
            &["-m", "-R"],
            &["-h", "-m", "scan"],
            &["--help", "-m", "scan"],
            &["--version", "-m", "scan"],
        ] {
            let dir = Dir::new();
            dir.mkdir("scan");
            let done = shell(machine(&dir, who), "svscan", args);
            assert_eq!((done.code, done.out().as_str()), (42, "shell 1\n"), "{args:?} {done:?}");
            assert!(done.err().starts_with("svscan: "), "{args:?} {done:?}");
            assert!(done.err().ends_with(GOING_ON), "{args:?} {done:?}");
        }
    });
}

/// Whatever the words behind are about, what was chosen is.
#[test]
fn wrong_words_and_a_rescue_of_its_own() {
    both(|who| {
        for args in [
            &["-m", "-R", "./rescue", "-Z", "scan"][..],
            &["-Z", "--rescue=./rescue", "-m", "scan"],
            &["splash", "-R", "./rescue", "-m", "scan"],
            // A container's process 1 too.
            &["-Z", "-R", "./rescue", "scan"],
        ] {
            let dir = Dir::new();
            dir.mkdir("scan");
            dir.script("rescue", "echo rescue $$; exit 41");
            let done = shell(machine(&dir, who), "svscan", args);
            assert_eq!((done.code, done.out().as_str()), (41, "rescue 1\n"), "{args:?} {done:?}");
        }
    });
}

/// Behind the mark the words are the command's, and a container's process 1
/// has a code for whoever waits.
#[test]
fn what_is_no_machines() {
    both(|who| {
        for args in [
            &["-Z", "scan", "--", "sh", "-m"][..],
            &["-Z", "-R"],
            &["scan", "more"],
            // A command that lacks the mark.
            &["scan", "python3", "-m", "http.server"],
            &["-n", "scan", "ls", "-R", "/bin/false"],
        ] {
            let dir = Dir::new();
            dir.mkdir("scan");
            let done = shell(machine(&dir, who), "svscan", args);
            assert_eq!((done.code, done.out().as_str()), (100, ""), "{args:?} {done:?}");
        }
    });
    if !crate::support::testing_originals() {
        let dir = Dir::new();
        dir.script("rescue", "exit 41");
        // Nobody else needs to be rescued from what he types.
        assert_eq!(dir.run("svscan", ["-Z", "-m", "-R", "./rescue"]).code, 100);
    }
}

#[test]
fn a_tree_that_is_wrong() {
    both(|who| {
        for (args, said) in [
            (&["-m", "nowhere"][..], "unable to chdir to nowhere: "),
            (&["-m", "-d", "nowhere", "scan"], "nowhere"),
            (&["-m", "-F", "scan"], "unable to "),
            (&["-m", "-L", "scan/file/log", "scan"], "scan/file/log"),
            (&["-m", "-S", "scan/file", "scan"], "scan/file"),
            (&["-m", "failing"], ".svscan/init failed with exit code 7"),
        ] {
            let dir = Dir::new();
            dir.file("scan/file", "");
            dir.script("failing/.svscan/init", "exit 7");
            let plan = machine(&dir, who).environment(&["PATH=/usr/bin:/bin", "A_FILE=/nowhere"]);
            let done = shell(plan, "svscan", args);
            assert_eq!((done.code, done.out().as_str()), (42, "shell 1\n"), "{args:?} {done:?}");
            assert!(done.err().contains(said), "{args:?} {done:?}");
        }
    });
}

/// Where what was chosen is not there, a shell is better than nothing.
#[test]
fn a_rescue_that_is_not_there() {
    both(|who| {
        let dir = Dir::new();
        let done = shell(machine(&dir, who), "svscan", &["-m", "-R", "./no-rescue", "nowhere"]);
        assert_eq!((done.code, done.out().as_str()), (42, "shell 1\n"), "{done:?}");
        assert!(done.err().contains("unable to run ./no-rescue: "), "{done:?}");
    });
}

/// Without anything, it waits and reaps, and the machine can be ended.
#[test]
fn nothing_at_all() {
    both(|who| {
        for (args, number, code) in [
            (&["-m", "-Z"][..], 2, 129),
            (&["-m", "nowhere"], 38, 130),
            (&["-m", "failing"], 30, 130),
        ] {
            let dir = Dir::new();
            dir.script("failing/.svscan/init", "exit 7");
            let empty = dir.file("empty", "").display().to_string();
            let setup = format!("mount --bind {empty} \"$(readlink -f /bin/sh)\"");
            let mut container = machine(&dir, who).setup(&setup).start("svscan", args);
            container.process.complains("unable to run /bin/sh: ");
            let line = container.process.complains("nothing can go on");
            assert!(line.ends_with("waiting for a signal that ends the machine"), "{line}");
            // Whose orphan is gone for good has been waited for.
            let script = "pipe R, W; if (!fork) { $p = fork; syswrite W, $p if $p; exit }
                close W; wait; $p = <R>; 1 while kill 0, $p; print qq(gone\n)";
            let done = Process::start(container.enter("perl").args(["-e", script])).finish();
            assert_eq!((done.code, done.out().as_str()), (0, "gone\n"), "{done:?}");
            send(&container, 1);
            send(&container, number);
            let code = if who == Who::Root { code } else { 0 };
            assert_eq!(container.process.finish().code, code, "{args:?}");
            dir.nobody_is_left();
        }
    });
}

/// The kernel hands its first program every word that it does not know, and
/// what they are about is nothing here.
#[test]
fn the_kernels_words() {
    both(|who| {
        for words in [
            &["quiet", "ro", "splash"][..],
            &["ro", "quiet", "-x"],
            &["single"],
            &["-b"],
            &["emergency", "-s", "S", "1"],
            &["-h"],
            &["--help"],
            &["--version"],
            &["--", "-Z"],
        ] {
            let dir = Dir::new();
            // A link to where the programs will be.
            symlink("programs/svscan", dir.path("init")).unwrap();
            let mut service = Service::new(&dir, "scan/a", "");
            let plan = Plan::new(&dir, who).in_made_root();
            let etc = plan.inside("/etc");
            std::fs::create_dir(&etc).unwrap();
            symlink(dir.path("scan"), etc.join("service")).unwrap();
            let init = dir.path("init");
            let container = plan.start(init.to_str().unwrap(), words);
            service.up();
            send(&container, 38);
            let done = container.process.finish();
            let code = if who == Who::Root { 130 } else { 0 };
            assert_eq!((done.code, done.out().as_str(), done.err().as_str()), (code, "", ""));
        }
    });
}

/// The shell has the console, and that is its terminal.
#[test]
fn the_console_is_the_shells() {
    both(|who| {
        let dir = Dir::new();
        let (mut terminal, slave) = Terminal::open();
        let name = rustix::termios::ttyname(&slave, Vec::new()).unwrap();
        who.owns(std::path::Path::new(name.to_str().unwrap()));
        let setup = format!("mount --bind {} /dev/console", name.to_str().unwrap());
        let container = Plan::new(&dir, who).setup(&setup).start("svscan", ["-m", "-Z"]);
        terminal.draws("going on as /bin/sh", "\n");
        terminal.types("echo $((6 * 7)) >/dev/tty\n");
        terminal.draws("42", "\n");
        terminal.types("exit 43\n");
        let done = container.process.finish();
        assert_eq!((done.code, done.out().as_str()), (43, ""), "{done:?}");
        assert!(done.err().contains("illegal option -- Z"), "{done:?}");
    });
}

//! `svscan -- command`, without a directory: a small process 1 for one command.

use super::{UNREAD, hearing};
use crate::support::container::{Plan, both};
use crate::support::{Changes, Dir, Process};
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::process::Stdio;

fn run(dir: &Dir, args: &[&str]) -> crate::support::Finished {
    dir.run("svscan", args)
}

#[test]
fn its_end_is_the_commands() {
    both(|who| {
        for (script, code) in [
            ("exit 0", 0),
            ("exit 1", 1),
            ("exit 100", 100),
            ("exit 255", 255),
            ("kill -KILL $$", 137),
            ("kill -TERM $$", 143),
            ("kill -SEGV $$", 139),
            ("kill -37 $$", 128 + 37),
        ] {
            let dir = Dir::new();
            let container = Plan::new(&dir, who).start("svscan", ["--", "sh", "-c", script]);
            let done = container.process.finish();
            assert_eq!((done.code, done.err().as_str()), (code, ""), "{script}");
        }
    });
}

#[test]
fn what_cannot_be_run() {
    both(|who| {
        for (command, code, why) in [
            ("nowhere", 127, "file does not exist"),
            ("./nowhere", 127, "file does not exist"),
            ("./no-program", 126, "access denied"),
            ("/", 126, "access denied"),
        ] {
            let dir = Dir::new();
            dir.file("no-program", "");
            let plan = Plan::new(&dir, who).environment(&["PATH=/usr/bin:/bin"]);
            let done = plan.start("svscan", ["--", command]).process.finish();
            let said = format!("svscan: warning: unable to run {command}: {why}\n");
            assert_eq!((done.code, done.err()), (code, said));
        }
    });
}

#[test]
fn codes_that_are_expected() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let code =
        |args: &[&str], script| run(&dir, &[args, &["--", "sh", "-c", script]].concat()).code;
    assert_eq!(code(&["-e", "143"], "kill -TERM $$"), 0);
    assert_eq!(code(&["-e", "143", "--expect=7"], "exit 7"), 0);
    assert_eq!(code(&["-e7"], "exit 8"), 8);
    assert_eq!(code(&["-e", "255"], "exit 255"), 0);
}

#[test]
fn what_is_wrong_on_the_command_line() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    for args in [
        &["--"][..],
        &["-P", "--", "true"],
        &["one", "two"],
        &["-e", "256", "--", "true"],
        &["-e", "x", "--", "true"],
        &["-r", "TERM", "--", "true"],
        &["-r", "TERM=WRONG", "--", "true"],
        &["-k", "0", "--", "true"],
        &["-k", "KILL", "."],
        &["-k", "STOP", "--", "true"],
        &["-k", "CHLD", "."],
        &["-k", "SEGV", "--", "true"],
        &["-r", "KILL=TERM", "--", "true"],
        &["-r", "CHLD=0", "--", "true"],
        &["-t", "soon", "--", "true"],
        &["-x", "perhaps", "--", "true"],
        &["--reboot", "dir"],
        &["--nothing", "--", "true"],
        &["-r"],
    ] {
        let done = run(&dir, args);
        assert_eq!(done.code, 100, "{args:?} {}", done.err());
        assert_eq!(done.err().lines().last().unwrap().find("svscan: "), Some(0), "{args:?}");
    }
}

#[test]
fn the_code_where_nobody_reads_why() {
    both(|who| {
        let dir = Dir::new();
        let svscan = dir.path("programs/svscan");
        let args = ["-c", UNREAD, "sh", svscan.to_str().unwrap(), "--", "./nowhere"];
        let done = Plan::new(&dir, who).start("sh", args).process.finish();
        assert_eq!(done.code, 127);
    });
}

#[test]
fn nothing_is_changed_for_the_command() {
    both(|who| {
        let script = "read line; echo \"$line $PWD\"; env | sort; ls /proc/self/fd; \
                      grep ^SigBlk /proc/self/status";
        // With svscan, and without.
        let seen = |program: &str, args: &[&str]| {
            let dir = Dir::new();
            let args = [args, &["-c", script]].concat();
            let plan = Plan::new(&dir, who).environment(&["A=b", "PATH=/usr/bin:/bin"]);
            let container = plan.start_with(program, args, |command| {
                command.stdin(Stdio::piped());
            });
            let mut process = container.process;
            process.stdin().write_all(b"a line\n").unwrap();
            let done = process.finish();
            assert_eq!((done.code, done.err().as_str()), (0, ""));
            done.out().replace(dir.path("").to_str().unwrap().trim_end_matches('/'), "DIR")
        };
        let through = seen("svscan", &["--", "sh"]);
        assert!(through.starts_with("a line DIR\nA=b\n"), "{through}");
        assert_eq!(through, seen("sh", &[]));
    });
}

#[test]
fn the_command_leads_a_group_of_its_own() {
    both(|who| {
        let dir = Dir::new();
        let script = "cut -d' ' -f1,5 /proc/$$/stat; grep ^SigIgn /proc/$$/status";
        let done = Plan::new(&dir, who).start("svscan", ["--", "sh", "-c", script]);
        let out = done.process.finish().out();
        let (numbers, ignored) = out.split_once('\n').unwrap();
        let (pid, group) = numbers.split_once(' ').unwrap();
        assert!(pid != "1" && pid == group, "{numbers}");
        assert_eq!(ignored, "SigIgn:\t0000000000000000\n");
    });
}

#[test]
fn ten_thousand_orphans_are_waited_for() {
    const ORPHANS: usize = 10_000;
    both(|who| {
        let dir = Dir::new();
        let reaped = dir.file("reaped", "");
        // Each is nobody's as soon as it begins.
        let script = format!(
            "n=0; while [ $n -lt {ORPHANS} ]; do n=$((n+1)); (: &); done; echo done; read go"
        );
        let svscan = dir.path("programs/svscan");
        let words = ["-c", "exec \"$@\" 2>reaped", "sh", svscan.to_str().unwrap()];
        let args = [&words[..], &["-w", "--", "sh", "-c", &script]].concat();
        let mut container = Plan::new(&dir, who).start_with("sh", args, |command| {
            command.stdin(Stdio::piped());
        });
        let stdin = container.process.stdin();
        container.process.prints("done");
        let count = || fs::read_to_string(&reaped).unwrap().lines().count();
        let changes = Changes::of(&[&dir.path("")]);
        changes.until("each to be waited for", || (count() >= ORPHANS).then_some(()));
        assert_eq!(container.processes().len(), 2, "{:?}", container.processes());
        drop(stdin);
        assert_eq!((container.process.finish().code, count()), (1, ORPHANS));
    });
}

/// The one who became svscan had children, and one of them is dead by then.
#[test]
fn what_died_before_it_began() {
    both(|who| {
        let dir = Dir::new();
        // A shell would wait for it.
        let script = r"exit 5 unless $child = fork;
            do { open S, qq(/proc/$child/stat); } until <S> =~ /\) Z /; exec @ARGV";
        let svscan = dir.path("programs/svscan");
        let args = ["-e", script, svscan.to_str().unwrap(), "-P", "-w"];
        let mut container = Plan::new(&dir, who).start("perl", args);
        container.process.complains("exit code 5");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

#[test]
fn nothing_but_reaping() {
    both(|who| {
        for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
            let dir = Dir::new();
            let mut container = Plan::new(&dir, who).start("svscan", ["-P", "-w"]);
            // What is started inside and left is its.
            let left = container.start("sh", ["-c", "(sh -c 'exit 5' &)"]);
            assert_eq!(left.finish().code, 0);
            container.process.complains("exit code 5");
            container.signal(signal);
            assert_eq!(container.process.finish().code, 0);
        }
    });
}

#[test]
fn without_room_for_descriptors() {
    both(|who| {
        let dir = Dir::new();
        let script = "ulimit -n 5; exec \"$@\"";
        let svscan = dir.path("programs/svscan");
        let args = ["-c", script, "sh", svscan.to_str().unwrap(), "--", "sh", "-c", "exit 6"];
        let done = Plan::new(&dir, who).start("sh", args).process.finish();
        assert_eq!((done.code, done.err().as_str()), (6, ""));
    });
}

#[test]
fn its_parents_end() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    // The shell that starts it ends when it is told to.
    let gate = dir.fifo("gate");
    let out = dir.fifo("out");
    let script = format!(
        "exec 4<>{}; {} -p HUP -- sh -c '{command}' >{} & read go <&4",
        gate.path().display(),
        crate::support::program("svscan").display(),
        out.path().display(),
    );
    let shell = Process::start(dir.command("sh").args(["-c", &script]));
    let mut out = out;
    assert_eq!(out.line(), "hears");
    gate.say("go");
    assert_eq!(out.line(), "got 1.");
    drop(shell);
    fs::remove_file(gate.path()).unwrap();
}

#[test]
fn a_command_without_svscan_is_told_to_end() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let mut process = dir.start("svscan", ["--", "sh", "-c", &command]);
    process.prints("hears");
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

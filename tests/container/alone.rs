//! `svscan -- command`, without a directory: a small process 1 for one command.

use super::{hearing, send};
use crate::support::container::{Plan, both};
use crate::support::{Changes, Dir, Process, Terminal};
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

/// Signals that a process gets for its own faults, cannot have, or has from
/// its terminal and its children only.
const NOT_FORWARDED: [u8; 14] = [4, 5, 6, 7, 8, 9, 11, 17, 19, 21, 22, 31, 32, 33];

#[test]
fn every_signal_is_the_commands() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let plan = Plan::new(&dir, who);
        let mut container = plan.start("svscan", ["--", "sh", "-c", &command]);
        container.process.prints("hears");
        for number in (1..=64).filter(|number| !NOT_FORWARDED.contains(number)) {
            send(&container, number);
            container.process.prints(&format!("got {number}."));
        }
    });
}

/// Its standard error is a pipe that nobody reads.
const UNREAD: &str = "mkfifo unread; exec 3<>unread 4>unread 3>&-; exec 2>&4 4>&-; exec \"$@\"";

#[test]
fn messages_that_nobody_reads_are_no_signals() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let svscan = dir.path("programs/svscan");
        let words = ["-c", UNREAD, "sh", svscan.to_str().unwrap()];
        let args = [&words[..], &["-v", "--", "sh", "-c", &command]].concat();
        let mut container = Plan::new(&dir, who).start("sh", args);
        container.process.prints("hears");
        for number in [10, 12, 13, 15] {
            send(&container, number);
            assert_eq!(container.process.prints("got"), format!("got {number}."));
        }
        container.signal(Signal::KILL);
        assert!(!container.process.finish().out().contains("got"));
    });
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
fn signals_are_rewritten_and_dropped() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let rewrites = ["-r", "TERM=QUIT", "--rewrite=1:SIGRTMIN+2", "-r", "INT=0"];
        let args = [&rewrites[..], &["-v", "--", "sh", "-c", &command]].concat();
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("hears");
        container.signal(Signal::INT);
        container.signal(Signal::TERM);
        let line = container.process.complains("forwarded");
        assert_eq!(line, "svscan: info: signal 15 forwarded as 3");
        container.process.prints("got 3.");
        container.signal(Signal::HUP);
        container.process.prints("got 36.");
        container.signal(Signal::KILL);
        assert!(!container.process.finish().out().contains("got 2."));
    });
}

#[test]
fn a_signal_for_the_group() {
    both(|who| {
        for (option, expected) in [("-g", true), ("-s", false)] {
            let dir = Dir::new();
            let hold = dir.hold("hold");
            let script = format!(
                "exec 3<>{}; (trap 'echo child; exit' USR1; echo up; until [ \"$no\" ]; do read no <&3; done) & \
                 trap 'echo parent; wait; exit 9' USR1; echo up; wait",
                hold.path().display()
            );
            let args = [option, "--", "sh", "-c", &script];
            let mut container = Plan::new(&dir, who).start("svscan", args);
            container.process.prints("up");
            container.process.prints("up");
            container.signal(Signal::USR1);
            if expected {
                container.process.prints("child");
            } else {
                container.process.prints("parent");
                hold.say("go");
            }
            let done = container.process.finish();
            assert_eq!((done.code, done.out().contains("child")), (9, false));
        }
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
        assert_eq!(done.process.finish().out(), "2 2\nSigIgn:\t0000000000000000\n");
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

/// What nohup says is heeded, and not undone for the command.
#[test]
fn a_signal_that_was_ignored_before() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let svscan = crate::support::program("svscan");
    let script = "trap '' HUP; exec \"$@\"";
    let args = ["-c", script, "sh", svscan.to_str().unwrap(), "--", "sh", "-c", &command];
    let mut process = Process::start(dir.command("sh").args(args));
    process.prints("hears");
    process.signal(Signal::HUP);
    process.signal(Signal::USR1);
    // Signals are handed on in order.
    assert_eq!(process.prints("got"), "got 10.");
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

/// But what was asked for by name is.
#[test]
fn the_stop_signal_was_ignored_before() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let svscan = crate::support::program("svscan");
    let words = ["-c", "trap '' INT; exec \"$@\"", "sh", svscan.to_str().unwrap()];
    let args = [&words[..], &["-k", "INT", "--", "sh", "-c", &command]].concat();
    let mut process = Process::start(dir.command("sh").args(args));
    process.prints("hears");
    process.signal(Signal::INT);
    process.signal(Signal::USR1);
    assert_eq!(process.prints("got"), "got 2.");
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

#[test]
fn a_dropped_stop_is_dropped_where_nothing_else_is_stopped() {
    both(|who| {
        let dir = Dir::new();
        let command = hearing(&dir);
        let args = ["-r", "TERM=0", "--", "sh", "-c", &command];
        let mut container = Plan::new(&dir, who).start("svscan", args);
        container.process.prints("hears");
        container.signal(Signal::TERM);
        container.signal(Signal::USR1);
        assert_eq!(container.process.prints("got"), "got 10.");
        container.signal(Signal::KILL);
        container.process.finish();
    });
}

/// C libraries keep two signals for themselves.
#[test]
fn signals_that_the_library_hides() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let command = hearing(&dir);
    let args = ["-r", "32=USR1", "-r", "33=USR2", "--", "sh", "-c", &command];
    let mut process = dir.start("svscan", args);
    process.prints("hears");
    let pid = rustix::process::Pid::from_raw(process.pid().cast_signed()).unwrap();
    for (number, got) in [(32, "got 10."), (33, "got 12.")] {
        upkeep_sys::signals::send(upkeep_sys::signals::Whom::One(pid), number).unwrap();
        assert_eq!(process.prints("got"), got);
    }
    process.signal(Signal::KILL);
    process.prints("got 15.");
}

#[test]
fn a_command_that_has_left_its_group() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = "$| = 1; $SIG{USR1} = sub { exit 6 };
        setpgrp(0, getpgrp(getppid())) or die; print qq(up\n); sleep 1000";
    let mut process = dir.start("svscan", ["-g", "--", "perl", "-e", script]);
    process.prints("up");
    process.signal(Signal::USR1);
    assert_eq!(process.finish().code, 6);
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
fn the_terminal_is_the_commands() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    // A session of its own, whose terminal this is.
    let script = "ps -o tpgid= -o pgid= -p $$; read line; echo \"[$line]\"; exit 4";
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait"]).arg(crate::support::program("svscan"));
    command.args(["--", "sh", "-c", script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    let line = process.prints(" ");
    let groups: Vec<_> = line.split_whitespace().collect();
    assert_eq!(groups[0], groups[1], "it has the terminal: {line}");
    terminal.types("hello\n");
    process.prints("[hello]");
    assert_eq!(process.finish().code, 4);
    drop((terminal.draws("hello", "\n"), slave));
}

/// The leader of a session has no shell that would have it go on.
#[test]
fn a_stop_at_the_terminal_is_undone_where_nobody_would_undo_it() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    let script = "echo up; read line; echo \"[$line]\"; exit 4";
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait"]).arg(crate::support::program("svscan"));
    command.args(["--", "sh", "-c", script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    process.prints("up");
    terminal.types("\x1a");
    terminal.types("hello\n");
    process.prints("[hello]");
    assert_eq!(process.finish().code, 4);
    drop((terminal.draws("hello", "\n"), slave));
}

#[test]
fn a_stop_at_the_terminal_stops_svscan_too() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    // A shell with job control starts it, sees it stop, and goes on with it.
    let script = format!(
        "exec 2>/dev/tty; set -m; {} -- sh -c 'echo up; read line; echo \"[$line]\"; exit 4'; \
         echo stopped $?; fg >/dev/null; echo ended $?",
        crate::support::program("svscan").display()
    );
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait", "bash", "-c", &script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    process.prints("up");
    terminal.types("\x1a");
    process.prints("stopped 147");
    terminal.types("again\n");
    process.prints("[again]");
    process.prints("ended 4");
    assert_eq!(process.finish().code, 0);
    drop((terminal.draws("again", "\n"), slave));
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

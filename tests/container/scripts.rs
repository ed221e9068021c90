//! `.svscan/init` and `.svscan/finish`: when they run, and what follows from
//! how they end.

use crate::support::container::{Plan, both};
use crate::support::{Dir, Service};
use rustix::process::Signal;

#[test]
fn one_runs_before_and_one_after() {
    both(|who| {
        let dir = Dir::new();
        let said = dir.fifo("said");
        let say = format!(">{}", said.path().display());
        dir.script("scan/.svscan/init", &format!("echo init $# $(pwd) {say}"));
        dir.script("scan/.svscan/finish", &format!("echo finish $# $1 {say}"));
        let trap = format!("trap 'echo ended {say}; exit' TERM; echo service {say}");
        let mut service = Service::new(&dir, "scan/a", &trap);
        let args = ["scan", "--", "sh", "-c", "read no; exit 5"];
        let mut said = said;
        let container = Plan::new(&dir, who).start_with("svscan", args, |command| {
            command.stdin(std::process::Stdio::piped());
        });
        let mut process = container.process;
        let stdin = process.stdin();
        let here = dir.path("scan").display().to_string();
        assert_eq!(said.line(), format!("init 0 {here}"));
        assert_eq!(said.line(), "service");
        service.up();
        drop(stdin);
        assert_eq!(said.line(), "ended");
        assert_eq!(said.line(), "finish 1 5");
        let done = process.finish();
        assert_eq!((done.code, done.err().as_str()), (5, ""));
    });
}

#[test]
fn an_init_that_fails() {
    both(|who| {
        for (option, code, out, err) in [
            (None, 7, "", "svscan: warning: .svscan/init failed with exit code 7\n"),
            (Some("stop"), 7, "", "svscan: warning: .svscan/init failed with exit code 7\n"),
            (Some("warn"), 5, "begun\n", "svscan: warning: .svscan/init failed with exit code 7\n"),
            (Some("ignore"), 5, "begun\n", ""),
        ] {
            let dir = Dir::new();
            dir.script("scan/.svscan/init", "exit 7");
            let words = option.map_or(Vec::new(), |word| vec!["-x", word]);
            let args = [&words[..], &["scan", "--", "sh", "-c", "echo begun; exit 5"]].concat();
            let done = Plan::new(&dir, who).start("svscan", args).process.finish();
            assert_eq!((done.code, done.out().as_str(), done.err().as_str()), (code, out, err));
        }
    });
}

#[test]
fn a_finish_that_fails() {
    both(|who| {
        let said = "svscan: warning: .svscan/finish failed with exit code 9\n";
        for (option, script, code, err) in [
            ("warn", "exit 5", 5, said),
            ("stop", "exit 5", 5, said),
            ("stop", "exit 0", 9, said),
            ("ignore", "exit 0", 0, ""),
        ] {
            let dir = Dir::new();
            dir.script("scan/.svscan/finish", "exit 9");
            let args = ["-x", option, "scan", "--", "sh", "-c", script];
            let done = Plan::new(&dir, who).start("svscan", args).process.finish();
            assert_eq!((done.code, done.err().as_str()), (code, err), "{option} {script}");
        }
    });
}

#[test]
fn what_is_not_executable_is_none() {
    both(|who| {
        let dir = Dir::new();
        dir.file("scan/.svscan/init", "exit 7");
        dir.mkdir("scan/.svscan/finish");
        let done = Plan::new(&dir, who).start("svscan", ["scan", "--", "true"]).process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    });
}

#[test]
fn a_program_that_cannot_be_executed_fails() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("scan/.svscan/init", "");
    std::fs::write(dir.path("scan/.svscan/init"), "#!/nowhere\n").unwrap();
    let done = dir.run("svscan", ["scan", "--", "true"]);
    assert_eq!(done.code, 111);
    assert!(done.err().contains("unable to run .svscan/init: "), "{}", done.err());
}

#[test]
fn a_stop_meanwhile() {
    both(|who| {
        for (command, grace, trap, code) in [
            (false, "1000", "exit 0", 0),
            (true, "1000", "exit 0", 143),
            // Deaf, it is killed when the time is over.
            (true, "0.1", ":", 143),
        ] {
            let dir = Dir::new();
            let mut said = dir.fifo("said");
            let script = format!(
                "trap '{trap}' TERM; echo up >{}; sleep 1000 & while :; do wait; done",
                said.path().display()
            );
            dir.script("scan/.svscan/init", &script);
            let never = Service::new(&dir, "scan/never", "");
            let words = if command { &["scan", "--", "echo", "begun"][..] } else { &["scan"][..] };
            let container = Plan::new(&dir, who).start("svscan", [&["-t", grace], words].concat());
            assert_eq!(said.line(), "up");
            container.signal(Signal::TERM);
            let done = container.process.finish();
            assert_eq!((done.code, done.out().as_str()), (code, ""), "{}", done.err());
            assert!(never.said.is_silent());
        }
    });
}

#[test]
fn a_second_stop_kills_them() {
    both(|who| {
        let dir = Dir::new();
        let mut said = dir.fifo("said");
        let deaf = format!(
            "trap 'echo told >{0}' TERM; echo up >{0}; sleep 1000 & while :; do wait; done",
            said.path().display()
        );
        dir.script("scan/.svscan/init", &deaf);
        dir.script("scan/.svscan/finish", &deaf);
        let container = Plan::new(&dir, who).start("svscan", ["-t", "1000", "scan"]);
        assert_eq!(said.line(), "up");
        container.signal(Signal::TERM);
        assert_eq!(said.line(), "told");
        container.signal(Signal::TERM);
        // That of `finish`.
        assert_eq!(said.line(), "up");
        container.signal(Signal::TERM);
        let done = container.process.finish();
        let why = "svscan: warning: .svscan/finish failed with exit code 137\n";
        assert_eq!((done.code, done.err().as_str()), (0, why));
    });
}

#[test]
fn a_finish_on_a_full_disk() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("full");
        let script = "head -c 100000 /dev/zero >../full/file; exit 4";
        dir.script("scan/.svscan/finish", script);
        let plan = Plan::new(&dir, who).tmpfs(dir.path("full"), "16k");
        let done = plan.start("svscan", ["scan", "--", "true"]).process.finish();
        assert_eq!(done.code, 0);
        assert!(done.err().contains(".svscan/finish failed with exit code 4"), "{}", done.err());
    });
}

/// What is executed anew does not do twice what comes before everything.
#[test]
fn a_renewed_svscan_has_begun() {
    both(|who| {
        let dir = Dir::new();
        let mut said = dir.fifo("said");
        dir.script("scan/.svscan/init", &format!("echo init >{}", said.path().display()));
        let mut first = Service::new(&dir, "scan/first", "");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        assert_eq!(said.line(), "init");
        let pid = first.up();
        container.signal(Signal::USR1);
        let mut late = Service::new(&dir, "late", "");
        who.owns(&dir.path(""));
        std::fs::rename(dir.path("late"), dir.path("scan/late")).unwrap();
        late.path = dir.path("scan/late");
        late.up();
        assert_eq!(first.seen().unwrap().pid, pid);
        assert!(said.is_silent());
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

/// What it was given by somebody else does not say that it has begun.
#[test]
fn a_directory_that_is_open_says_nothing() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/.svscan/init", "echo begun");
        let svscan = dir.path("programs/svscan");
        let script = "exec 3<.; exec \"$@\"";
        let list = "[ -e /proc/self/fd/3 ] && exit 4";
        let args = ["-c", script, "sh", svscan.to_str().unwrap(), "scan", "--", "sh", "-c", list];
        let done = Plan::new(&dir, who).start("sh", args).process.finish();
        assert_eq!((done.code, done.out().as_str()), (4, "begun\n"), "{}", done.err());
    });
}

/// What is started after svscan was executed anew has the limits that it had.
#[test]
fn a_renewed_svscan_gives_the_limits_on() {
    both(|who| {
        let dir = Dir::new();
        let say = "echo limit $(ulimit -Sn) >$said";
        let mut first =
            Service::with_script(&dir, "scan/first", &format!("{say}; exec sleep 1000"));
        let mut second = Service::with_script(&dir, "second", &format!("{say}; exec sleep 1000"));
        let svscan = dir.path("programs/svscan");
        let args = ["-c", "ulimit -Sn 256; exec \"$@\"", "sh", svscan.to_str().unwrap(), "scan"];
        let container = Plan::new(&dir, who).start("sh", args);
        assert_eq!(first.said.line(), "limit 256");
        crate::support::supervised(&first.path);
        container.signal(Signal::USR1);
        std::fs::rename(dir.path("second"), dir.path("scan/second")).unwrap();
        assert_eq!(second.said.line(), "limit 256");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

#[test]
fn an_init_is_killed_with_its_group() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let hold = dir.fifo("hold");
    let init = "trap '' TERM; exec 3<>HOLD; (echo up; read no <&3) & read no <&3";
    let init = init.replace("HOLD", hold.path().to_str().unwrap());
    dir.script("scan/.svscan/init", &init);
    let mut process = dir.start("svscan", ["-t", "0.1", "scan"]);
    process.prints("up");
    process.signal(Signal::TERM);
    assert_eq!(process.finish().code, 0);
    assert_eq!(dir.processes(), []);
}

/// Both have the variables that were added, and the limit that svscan had.
#[test]
fn what_they_are_given() {
    both(|who| {
        let dir = Dir::new();
        dir.file("env/ADDED", "yes");
        for name in ["init", "finish"] {
            dir.script(format!("scan/.svscan/{name}"), "echo $0 $ADDED $(ulimit -Sn)");
        }
        let svscan = dir.path("programs/svscan");
        let words = ["-c", "ulimit -Sn 77; exec \"$@\"", "sh", svscan.to_str().unwrap()];
        let args = [&words[..], &["-d", "env", "scan", "--", "true"]].concat();
        let done = Plan::new(&dir, who).start("sh", args).process.finish();
        let said = ["init", "finish"].map(|name| format!(".svscan/{name} yes 77\n")).concat();
        assert_eq!((done.code, done.out()), (0, said), "{}", done.err());
    });
}

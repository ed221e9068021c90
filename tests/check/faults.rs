//! What can be wrong.

use super::{Tree, set_mode};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const RUN: (&str, &str) = ("run", "#!/bin/sh\nexec sleep 1000\n");
const FINISH: (&str, &str) = ("finish", "#!/bin/sh\nrm -f socket\n");
const CHECK: (&str, &str) = ("check", "#!/bin/sh\ntest -e socket\n");
const LOG: (&str, &str) = ("log/run", "#!/bin/sh\nexec multilog t ./main\n");

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

pub(super) fn plant(tree: &mut Tree<'_>) {
    programs(tree);
    scripts(tree);
    loggers(tree);
    values(tree);
    combinations(tree);
    names(tree);
    order(tree);
    places(tree);
}

fn programs(tree: &mut Tree<'_>) {
    tree.service("no-run", &[("down", "")], &["run no-run"]);
    tree.service("no-run-at-all", &[], &["run no-run"]);
    tree.service("run-of-another-case", &[("Run", RUN.1)], &["run no-run", "Run misspelt"]);
    tree.service("run-with-a-suffix", &[("run.sh", RUN.1)], &["run no-run", "run.sh misspelt"]);
    tree.service("run-is-a-directory", &[("run/", "")], &["run wrong-type"]);
    fifo(&tree.service("run-is-a-fifo", &[], &["run wrong-type"]).join("run"));
    let path = tree.service("run-leads-nowhere", &[], &["run dangling"]);
    symlink("elsewhere", path.join("run")).unwrap();
    let path = tree.service("run-leads-to-itself", &[], &["run dangling"]);
    symlink("run", path.join("run")).unwrap();
    let path = tree.service("run-is-not-executable", &[RUN], &["run not-executable"]);
    set_mode(&path.join("run"), 0o644);
    let path = tree.service("run-is-empty", &[("run", "")], &["run empty"]);
    set_mode(&path.join("run"), 0o755);
    let plain = [("run", "exec sleep 1000\n")];
    let path = tree.service("run-has-no-interpreter", &plain, &["run:1 no-interpreter"]);
    set_mode(&path.join("run"), 0o755);
    let text = [("run", "#!\nexec sleep 1000\n")];
    tree.service("run-has-half-an-interpreter", &text, &["run:1 no-interpreter"]);
    let text = [("run", "#!/bin/sh\r\nexec sleep 1000\r\n")];
    tree.service("lines-of-dos", &text, &["run:1 crlf"]);
    let text = [("run", "#!/bin/sh\ntrue\nexec sleep 1000\r\n")];
    tree.service("one-line-of-dos", &text, &["run:3 crlf"]);
    let text = [("run", "\u{feff}#!/bin/sh\nexec sleep 1000\n")];
    tree.service("byte-order-mark", &text, &["run:1 bom"]);
    let text = [("run", "#!/no/such/interpreter\n")];
    tree.service("interpreter-is-not-there", &text, &["run:1 interpreter"]);
    let text = [("run", "#!/etc/passwd -x\n")];
    tree.service("interpreter-is-no-program", &text, &["run:1 interpreter"]);
    tree.service("interpreter-is-a-directory", &[("run", "#!/bin\n")], &["run:1 interpreter"]);
    let text = [("run", "#!/usr/bin/env no-such-program\n")];
    tree.service("env-finds-nothing", &text, &["run:1 interpreter"]);
    let text = [("run", "#!/usr/bin/env sh -e\nexec sleep 1000\n")];
    tree.service("env-with-an-option", &text, &["run:1 interpreter"]);
    let path = tree.service("finish-is-not-executable", &[RUN, FINISH], &["finish not-executable"]);
    set_mode(&path.join("finish"), 0o644);
    let text = ("finish", "#!/no/such/shell\n");
    tree.service("finish-has-no-interpreter", &[RUN, text], &["finish:1 interpreter"]);
    let path = tree.service("check-is-not-executable", &[RUN, CHECK], &["check not-executable"]);
    set_mode(&path.join("check"), 0o644);
    let start = ("start", "#!/bin/sh\ntrue\n");
    let path = tree.service("start-is-not-executable", &[RUN, start], &["start not-executable"]);
    set_mode(&path.join("start"), 0o644);
    let path = tree.service(
        "script-is-not-executable",
        &[RUN, ("control/t", FINISH.1)],
        &["control/t not-executable"],
    );
    set_mode(&path.join("control/t"), 0o644);
    let files = [RUN, ("control/term", FINISH.1)];
    tree.service("script-for-no-letter", &files, &["control/term misspelt"]);
    tree.service("control-is-a-file", &[RUN, ("control", "")], &["control wrong-type"]);
}

fn scripts(tree: &mut Tree<'_>) {
    for (name, text, find) in [
        ("no-exec", "#!/bin/sh\nexec 2>&1\nmyserver --foreground\n", "run:3 no-exec"),
        ("no-exec-by-path", "#!/bin/sh\n\n/usr/bin/myserver\n", "run:3 no-exec"),
        ("no-exec-with-an-account", "#!/bin/bash\nsetuidgid root myserver\n", "run:2 no-exec"),
        ("no-exec-of-a-variable", "#!/bin/sh\nD=/usr/bin/d\n$D -f\n", "run:3 no-exec"),
        ("no-exec-behind-a-test", "#!/bin/sh\nA=1 &&\n B=2 myserver -a\n", "run:3 no-exec"),
        ("no-exec-in-long-lines", "#!/bin/sh\nmyserver \\\n -a \\\n -b\n", "run:2 no-exec"),
        ("behind-the-exec", "#!/bin/sh\nexec myserver\n\nrm -f pid\n", "run:4 after-exec"),
        ("into-the-background", "#!/bin/sh\nexec myserver &\n", "run:2 background"),
        ("also-into-the-background", "#!/bin/sh\nmyserver&\n# done\n", "run:2 background"),
        ("daemonizes", "#!/bin/sh\nexec myserver --daemonize\n", "run:2 daemonizes"),
        ("sshd", "#!/bin/sh\nexec /usr/sbin/sshd -p 2222\n", "run:2 daemonizes"),
        ("setsid", "#!/bin/sh\nexec setsid myserver\n", "run:2 daemonizes"),
        ("init-script", "#!/bin/sh\nexec service nginx start\n", "run:2 daemonizes"),
        ("pipe", "#!/bin/sh\nmyserver 2>&1 | logger -t my\n", "run:2 pipe"),
        ("exec-in-a-pipe", "#!/bin/sh\n\nexec myserver |\n logger\n", "run:3 pipe"),
        ("cd", "#!/bin/sh\ncd /srv/app\nexec myserver\n", "run:2 cd"),
        ("cd-of-a-variable", "#!/bin/sh\nD=$1\ncd \"$D\";exec myserver\n", "run:3 cd"),
        ("account", "#!/bin/sh\nexec setuidgid no-such-user x\n", "run:2 account"),
        ("account-with-a-group", "#!/bin/sh\nexec chpst -u nosuch:g x\n", "run:2 account"),
    ] {
        tree.service(name, &[("run", text)], &[find]);
    }
    let text = "#!/bin/sh\n. /lib/x.sh\nsleep 1\nenv myserver\n";
    tree.service("no-exec-behind-a-file", &[("run", text)], &["run:4 no-exec"]);
    let text = "#!/bin/sh\nmyserver | sed s/a/b/ | logger\n";
    tree.service("filter", &[("run", text)], &["run:2 pipe", "run:2 buffered"]);
    let text = "#!/bin/sh\nsed s/a/b/ /dev/tty | logger\n";
    tree.service("filter-first", &[("run", text)], &["run:2 pipe", "run:2 buffered"]);
    let text = "#!/bin/sh\ncd / && cd /usr || exit 111\nexec myserver -c ./conf\n";
    tree.service("file-of-elsewhere", &[("run", text), ("conf", "")], &["run:3 cwd"]);
    let text = "#!/bin/sh\nexec 2>&1\nexec python3 -E app.py\n";
    tree.service("python", &[("run", text), LOG], &["run:3 buffered"]);
    let text = ("finish", "#!/bin/sh\ncd /var/lib/app\nrm -f *.tmp\n");
    tree.service("finish-that-removes", &[RUN, text], &["finish:2 cd"]);
}

fn loggers(tree: &mut Tree<'_>) {
    tree.service("log-without-run", &[RUN, ("log/", "")], &["log/run no-run"]);
    let path = tree.service("log-run-is-not-executable", &[RUN, LOG], &["log/run not-executable"]);
    set_mode(&path.join("log/run"), 0o644);
    let path = tree.service("log-leads-nowhere", &[RUN], &["log dangling"]);
    symlink("../logger", path.join("log")).unwrap();
    tree.service("log-is-a-file", &[RUN, ("log", "multilog t ./main\n")], &["log wrong-type"]);
    let text = ("log/run", "#!/bin/sh\nmultilog t ./main\n");
    tree.service("log-without-exec", &[RUN, text], &["log/run:2 no-exec"]);
    let text = ("log/run", "#!/bin/sh\nexec svlogd -tt ./main\n");
    tree.service("log-for-svlogd", &[RUN, text], &["log/run:2 log-dir"]);
    let text = ("log/run", "#!/bin/sh\nexec multilog t /no/such/place\n");
    tree.service("log-to-nowhere", &[RUN, text], &["log/run:2 log-dir"]);
    let files = [RUN, LOG, ("log/main", "")];
    tree.service("log-to-a-file", &files, &["log/run:2 log-dir"]);
    let files = [RUN, LOG, ("log/log/run", LOG.1)];
    tree.service("log-of-a-log", &files, &["log/log no-effect"]);
    let files = [RUN, LOG, ("log/control/t", FINISH.1)];
    tree.service("log-with-scripts", &files, &["log/control no-effect"]);
    let files = [RUN, LOG, ("log/timeout-kill", "x\n")];
    tree.service("log-with-a-value", &files, &["log/timeout-kill:1 bad-value"]);
}

fn values(tree: &mut Tree<'_>) {
    for (file, content) in [
        ("timeout-kill", "5s\n"),
        ("down-signal", "SIGNOW\n"),
        ("restart", "maybe\n"),
        ("restart-limit", "5\n"),
        ("notification-fd", "1\n"),
        ("kill-mode", "Tree\n"),
        ("ready-by", "luck\n"),
        ("dialect", "systemd\n"),
        ("watchdog", "\n"),
    ] {
        let find = format!("{file}:1 bad-value");
        tree.service(&format!("bad-{file}"), &[RUN, (file, content)], &[&find]);
    }
    for file in ["timeout-kill", "watchdog", "check-interval"] {
        let find = format!("{file}:1 milliseconds");
        tree.service(&format!("seconds-in-{file}"), &[RUN, CHECK, (file, "5\n")], &[&find]);
    }
    let list = ("restart-never", "100\nTERM\n111 TREM\n");
    tree.service("bad-in-its-third-line", &[RUN, list], &["restart-never:3 bad-value"]);
    let path = tree.service("value-is-a-fifo", &[RUN], &["timeout-kill wrong-type"]);
    fifo(&path.join("timeout-kill"));
    let files = [RUN, ("restart-delay/", "")];
    tree.service("value-is-a-directory", &files, &["restart-delay wrong-type"]);
    let path = tree.service("value-leads-nowhere", &[RUN], &["kill-mode dangling"]);
    symlink("nothing", path.join("kill-mode")).unwrap();
}

fn combinations(tree: &mut Tree<'_>) {
    let files = [RUN, ("check-interval", "1000\n")];
    tree.service("interval-without-check", &files, &["check-interval:1 no-check"]);
    let files = [RUN, ("ready-by", "check\n")];
    tree.service("ready-without-check", &files, &["ready-by:1 no-check"]);
    for (name, file, content, others) in [
        ("timeout-of-no-check", "timeout-check", "5000\n", &[CHECK][..]),
        ("failures-of-no-check", "check-failures", "5\n", &[CHECK]),
        ("timeout-of-no-finish", "timeout-finish", "5000\n", &[]),
        ("timeout-of-no-follow", "timeout-follow", "5000\n", &[]),
        ("timeout-of-no-control", "timeout-control", "5000\n", &[]),
        ("ready-at-once", "timeout-ready", "5000\n", &[]),
        ("ready-by-another", "notification-fd", "3\n", &[("ready-by", "notify\n")]),
        ("never-and-a-delay", "restart-delay", "5000\n", &[("restart", "never\n")]),
        ("group-that-is-not-killed", "flag-timeout-killpg", "", &[]),
        ("stop-beside-finish", "stop", "#!/bin/sh\ntrue\n", &[FINISH, ("dialect", "encore\n")]),
        ("start-for-another", "start", "#!/bin/sh\ntrue\n", &[("dialect", "s6\n")]),
    ] {
        let files = [&[RUN, (file, content)], others].concat();
        tree.service(name, &files, &[&format!("{file} no-effect")]);
    }
    let files = [RUN, ("restart-limit", "60 10\n")];
    tree.service("limit-that-is-never-reached", &files, &["restart-limit:1 no-effect"]);
    let files = [RUN, ("restart-delay", "5000\n"), ("restart-delay-max", "600\n")];
    tree.service("delay-above-the-longest", &files, &["restart-delay-max:1 conflict"]);
    let files = [RUN, ("lock-fd", "3\n"), ("notification-fd", "3\n")];
    tree.service("one-descriptor-for-two", &files, &["lock-fd:1 conflict"]);
    let files = [RUN, ("follow", "child\n"), ("flag-newpidns", "")];
    tree.service("follow-in-a-name-space", &files, &["follow conflict"]);
    let text = ("run", "#!/bin/sh\nexec sshd -D\n");
    tree.service("follow-what-stays", &[text, ("follow", "child\n")], &["run:2 conflict"]);
}

fn order(tree: &mut Tree<'_>) {
    tree.service("needs-nobody", &[RUN, ("needs/no-such", "")], &["needs/no-such needs"]);
    tree.service("wants-nobody", &[RUN, ("wants/no-such", "")], &["wants/no-such wants"]);
    tree.service("group-of-nobody", &[("needs/no-such", "")], &["needs/no-such needs"]);
    tree.service(
        "needs-itself",
        &[RUN, ("needs/needs-itself", "")],
        &["needs/needs-itself circle"],
    );
    tree.service("circle-a", &[RUN, ("needs/circle-b", "")], &[]);
    tree.service("circle-b", &[RUN, ("after/circle-c", "")], &[]);
    tree.service("circle-c", &[RUN, ("wants/circle-a", "")], &["wants/circle-a circle"]);
    let up = ("up", "#!/no/such/shell\n");
    tree.service("oneshot", &[("type", "oneshot\n"), up], &["up:1 interpreter"]);
    let files = [("type", "oneshot\n"), ("up", "#!/bin/sh\ntrue\n"), ("down", "#!/bin/sh\r\n")];
    tree.service("oneshot-undone", &files, &["down:1 crlf"]);
    tree.service("oneshot-of-nothing", &[("type", "oneshot\n")], &["run no-run"]);
    let files = [RUN, ("type", "oneshot\n"), ("up", FINISH.1)];
    tree.service("oneshot-with-both", &files, &["run no-effect"]);
    tree.service("up-alone", &[("up", FINISH.1)], &["run no-run"]);
    tree.service("needs-is-a-file", &[RUN, ("needs", "plain\n")], &["needs wrong-type"]);
    let files = [RUN, ("type", "bundle\n")];
    tree.service("bad-type", &files, &["type:1 bad-value"]);
    tree.service("need-misspelt", &[RUN, ("need/plain", "")], &["need misspelt"]);
}

fn names(tree: &mut Tree<'_>) {
    for (name, wrong) in [
        ("finish-misspelt", "finsh"),
        ("delay-misspelt", "restart-dealy"),
        ("fd-misspelt", "notify-fd"),
        ("fd-with-a-line-below", "notification_fd"),
        ("down-misspelt", "donw"),
        ("follow-misspelt", "folow"),
    ] {
        tree.service(name, &[RUN, (wrong, "3\n")], &[&format!("{wrong} misspelt")]);
    }
    let files = [RUN, ("logs/run", LOG.1)];
    tree.service("log-misspelt", &files, &["logs misspelt"]);
    tree.service(".hidden", &[RUN], &[" ignored"]);
    let dangling = tree.dir.path("scan/leads-nowhere");
    symlink("nowhere-else", dangling).unwrap();
    tree.finds("leads-nowhere", &[" dangling"]);
}

fn places(tree: &mut Tree<'_>) {
    let path = tree.service("run-of-everybody", &[RUN], &["run writable"]);
    set_mode(&path.join("run"), 0o777);
    set_mode(&tree.service("directory-of-everybody", &[RUN], &[" writable"]), 0o777);
    let path = tree.service("log-of-everybody", &[RUN, LOG], &["log writable", "log/run writable"]);
    set_mode(&path.join("log"), 0o1777);
    set_mode(&path.join("log/run"), 0o757);
    let path =
        tree.service("value-of-everybody", &[RUN, ("restart", "always\n")], &["restart writable"]);
    set_mode(&path.join("restart"), 0o666);
    let path = tree.service(
        "script-of-everybody",
        &[RUN, ("control/t", FINISH.1)],
        &["control/t writable"],
    );
    set_mode(&path.join("control/t"), 0o757);
    let text = ("run", "#!/bin/sh\n. ./conf\nexec envdir ./env myserver\n");
    let files = [text, ("conf", ""), ("env/A", "b\n")];
    let path = tree.service("what-is-read", &files, &["conf writable", "env writable"]);
    set_mode(&path.join("conf"), 0o666);
    set_mode(&path.join("env"), 0o777);
    let text = ("run", "#!/bin/sh\nexec bin/server\n");
    let path = tree.service(
        "what-is-run",
        &[text, ("bin/server", "#!/bin/sh\n")],
        &["bin/server writable"],
    );
    set_mode(&path.join("bin/server"), 0o757);
    let path = tree.service("linked-to-everybody", &[], &[]);
    fs::create_dir(tree.dir.path("open")).unwrap();
    let target = tree.dir.file("open/run", RUN.1);
    set_mode(&target, 0o755);
    set_mode(&tree.dir.path("open"), 0o777);
    symlink(&target, path.join("run")).unwrap();
    tree.expected.insert(format!("{} writable", tree.dir.path("open").display()));
    tree.service("supervise-is-a-file", &[RUN, ("supervise", "")], &["supervise supervise"]);
    let files = [RUN, ("supervise/control", "")];
    tree.service("control-is-no-fifo", &files, &["supervise/control supervise"]);
    let files = [RUN, ("supervise/lock/", "")];
    tree.service("lock-is-no-file", &files, &["supervise/lock supervise"]);
    let path = tree.service(
        "supervise-of-everybody",
        &[RUN, ("supervise/lock", "")],
        &["supervise writable"],
    );
    set_mode(&path.join("supervise"), 0o777);
}

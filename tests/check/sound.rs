//! What may look odd, and is right.

use super::Tree;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const RUN: (&str, &str) = ("run", "#!/bin/sh\nexec sleep 1000\n");
const LOG: (&str, &str) = ("log/run", "#!/bin/sh\nexec multilog t ./main\n");
const SCRIPT: &str = "#!/bin/sh\necho \"$@\"\n";

pub(super) fn plant(tree: &mut Tree<'_>) {
    scripts(tree);
    suites(tree);
}

fn scripts(tree: &mut Tree<'_>) {
    for (name, text) in [
        ("plain", "#!/bin/sh\nexec 2>&1\nexec myserver --foreground\n"),
        ("loop", "#!/bin/sh\nwhile :; do\n  myjob\n  sleep 60\ndone\n"),
        ("until", "#!/bin/sh -e\nuntil test -e x; do sleep 1; done; exec myserver\n"),
        ("if", "#!/bin/sh\nif test -x /a; then exec /a; else exec /b; fi\n"),
        ("case", "#!/bin/sh\ncase $1 in\n  a|b) exec x ;;\n  *) exec y ;;\nesac\n"),
        ("function", "#!/bin/sh\nstart() {\n  exec myserver\n}\nstart\n"),
        ("exit", "#!/bin/sh\nmyjob\nexit $?\n"),
        ("wait", "#!/bin/sh\nmyserver &\nwait\n"),
        ("trap", "#!/bin/sh\ntrap 'kill $!' TERM\nmyserver & wait $!\nmycleanup\n"),
        ("once", "#!/bin/sh\nmyjob\nsv down .\n"),
        ("or", "#!/bin/sh\nmyserver || exit 111\n"),
        ("or-else", "#!/bin/sh\nmyserver || otherserver\n"),
        ("cd-if", "#!/bin/sh\ntest -d /nowhere && cd /nowhere\nexec myserver\n"),
        ("exec-or", "#!/bin/bash\nshopt -s execfail\nexec a\nexec b\n"),
        ("test-and-exec", "#!/bin/sh\n[ -x /a ] && exec /a\nexec /b\n"),
        ("subshell", "#!/bin/sh\n(cd /nowhere && make) && exec myserver\n"),
        ("here", "#!/bin/sh\ncat >conf <<EOF\nmyserver &\ncd /x\nEOF\nexec myserver\n"),
        ("quotes", "#!/bin/sh\nexec sh -c 'a | b &'\n"),
        ("not-understood", "#!/bin/bash\nfor ((i = 0; i < 3; i++)); do x; done\nmyserver\n"),
        ("set-e", "#!/bin/sh\nset -eu\ncd /nowhere\nexec myserver\n"),
        ("dash-e", "#!/bin/sh -e\ncd /nowhere\nexec myserver\n"),
        ("cd-or", "#!/bin/sh\ncd /nowhere || exit 111\nexec myserver\n"),
        ("cd-and", "#!/bin/sh\ncd /nowhere && exec myserver\n"),
        ("cd-to-run", "#!/bin/sh\ncd /nowhere\nexec ./myserver\n"),
        ("function-of-others", "#!/bin/sh\n. /lib/x.sh\nmyserver\nlogs \"ended: $?\"\n"),
        ("cd-root", "#!/bin/sh\ncd /\nexec myserver\n"),
        ("cd-here", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nexec myserver\n"),
        ("loop-in-a-pipe", "#!/bin/sh\nwhile :; do date; sleep 1; done | logger\n"),
        ("told-to-stay", "#!/bin/sh\nexec rsync --daemon --no-detach\n"),
        ("cron", "#!/bin/sh\nexec cron -f\n"),
        ("descriptors", "#!/bin/sh\nexec 3<>fifo >&2 2>&1\nexec myserver <&3 &>log\n"),
        ("account", "#!/bin/sh\nexec setuidgid root myserver\n"),
        ("numbers", "#!/bin/sh\nexec chpst -u :1000:1000 myserver\n"),
        ("variable-account", "#!/bin/sh\nexec setuidgid \"$WHO\" myserver\n"),
        ("env", "#!/usr/bin/env sh\nexec myserver\n"),
        ("env-s", "#!/usr/bin/env -S sh -e\nexec myserver\n"),
        ("blank", "#! /bin/sh\nexec myserver\n"),
        ("awk", "#!/usr/bin/awk -f\nBEGIN { while (1) system(\"sleep 1\") }\n"),
    ] {
        tree.service(&format!("good-{name}"), &[("run", text)], &[]);
    }
    for (name, text) in [
        ("python-u", "#!/bin/sh\nexec 2>&1\nexec python3 -u app.py\n"),
        ("python-env", "#!/bin/sh\nexport PYTHONUNBUFFERED=1\nexec python3 app.py\n"),
        ("python-clustered", "#!/bin/sh\nexec python3 -Eu app.py\n"),
        ("python-envdir", "#!/bin/sh\nexec envdir ./env python3 app.py\n"),
    ] {
        let files = [("run", text), LOG, ("env/PYTHONUNBUFFERED", "1\n")];
        tree.service(&format!("good-{name}"), &files, &[]);
    }
    let text = "#!/bin/sh\n[ -d /no/x ] || install -dm 755 /no/x\nexec svlogd -tt /no/x\n";
    tree.service("good-log-that-makes", &[RUN, ("log/run", text)], &[]);
    let text = "#!/bin/sh\nexec myserver --daemon\n";
    tree.service("good-follow", &[("run", text), ("follow", "pidfile /run/my.pid\n")], &[]);
    let text = "#!/bin/sh\nmyjob\n";
    tree.service("good-job", &[("run", text), ("restart", "on-failure\n")], &[]);
    let group = tree.service("good-group", &[RUN], &[]);
    // Whose own group it is, one who is not root need not have.
    if rustix::process::geteuid().is_root() {
        super::set_mode(&group.join("run"), 0o775);
    }
    let program = tree.service("good-program", &[], &[]);
    symlink("/bin/sleep", program.join("run")).unwrap();
}

/// What the suites' own documents show.
fn suites(tree: &mut Tree<'_>) {
    tree.service("daemontools", &[RUN, LOG, ("down", ""), ("env/HOME", "/\n")], &[]);
    let svlogd = ("log/run", "#!/bin/sh\nexec chpst -u root svlogd -tt ./main\n");
    let files = [
        RUN,
        svlogd,
        ("log/main/config", "s100000\n"),
        ("finish", SCRIPT),
        ("check", SCRIPT),
        ("control/t", SCRIPT),
        ("control/u", SCRIPT),
        ("conf", "A=1\n"),
        ("supervise/lock", ""),
        ("supervise/stat", "down\n"),
    ];
    tree.service("runit", &files, &[]);
    let files = [
        RUN,
        ("notification-fd", "3\n"),
        ("finish", SCRIPT),
        ("timeout-finish", "0\n"),
        ("timeout-kill", "10000\n"),
        ("down-signal", "SIGINT\n"),
        ("data/check", SCRIPT),
        ("type", "longrun\n"),
        ("dependencies.d/base", ""),
        ("event/", ""),
        ("log/run", "#!/bin/sh\nexec s6-log -b n20 s1000000 t ./main\n"),
    ];
    tree.service("s6", &files, &[]);
    if Path::new("/usr/bin/execlineb").exists() {
        let text = "#!/usr/bin/execlineb -P\nfdmove -c 2 1\ns6-setuidgid root\nmyserver\n";
        tree.service("s6-execline", &[("run", text)], &[]);
    }
    let files = [
        RUN,
        ("start", SCRIPT),
        ("stop", SCRIPT),
        ("notify", SCRIPT),
        ("log", "#!/bin/sh\nexec multilog t ./main\n"),
        ("no-setsid", ""),
    ];
    tree.service("encore", &files, &[]);
    tree.service("group", &[("needs/runit", ""), ("wants/good-job", "")], &[]);
    let files = [RUN, ("needs/runit", ""), ("after/group", ""), ("after/some-day", "")];
    tree.service("ordered", &files, &[]);
    let files = [("type", "oneshot\n"), ("up", SCRIPT), ("down", SCRIPT), ("needs/ordered", "")];
    tree.service("oneshot-with-up", &files, &[]);
    let text = ("run", "#!/bin/sh\nmkfs /dev/ram0\n");
    tree.service("oneshot-with-run", &[text, ("type", "oneshot\n"), ("stop", SCRIPT)], &[]);
    tree.service("encore-once", &[("start", SCRIPT), ("stop", SCRIPT)], &[]);
    let files = [
        RUN,
        ("ready-by", "check\n"),
        ("check", SCRIPT),
        ("check-interval", "5000\n"),
        ("timeout-ready", "10000\n"),
        ("restart", "on-failure\n"),
        ("restart-delay", "100\n"),
        ("restart-delay-max", "60000\n"),
        ("restart-limit", "5 60\n"),
        ("restart-never", "100 TERM\n111\n"),
        ("kill-mode", "tree\n"),
        ("README", "A service.\n"),
        ("run.old", "what it was"),
        ("run2", "what it will be"),
        ("notes.txt", ""),
    ];
    tree.service("upkeep", &files, &[]);
    tree.dir.file("scan/README", "services");
    fs::create_dir(tree.dir.path("scan/.being-filled")).unwrap();
    let elsewhere = tree.dir.mkdir("elsewhere");
    super::set_mode(&elsewhere, 0o755);
    let run = tree.dir.file("elsewhere/run", RUN.1);
    super::set_mode(&run, 0o755);
    symlink(&elsewhere, tree.dir.path("scan/linked")).unwrap();
}

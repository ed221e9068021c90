//! What svboot prints, and what it refuses.

use super::{KINDS, command, done, root, svboot};
use crate::support::{Dir, Process, ours, testing_originals};
use std::os::unix::fs::symlink;

#[test]
fn kinds_are_listed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let listed = done(&dir, &["--list"]);
    let names: Vec<_> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, KINDS);
}

#[test]
fn what_is_printed_names_what_is_asked_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for kind in KINDS {
        let user = ["systemd-user", "crontab", "profile"].contains(&kind);
        let usual = match kind {
            _ if user => "/home/me/service",
            "runit" | "s6" => "/service",
            _ => "/etc/service",
        };
        let text = done(&dir, &[kind]);
        let svscan = ours().join("svscan").display().to_string();
        assert!(text.contains(&svscan), "{kind}: {text}");
        assert!(text.contains(usual), "{kind}: {text}");
        let text = done(&dir, &["-b", "/opt/up/", "--dir=/srv/all", kind]);
        assert!(text.contains("/opt/up/svscan") && text.contains("/srv/all"), "{kind}: {text}");
        assert!(!text.contains(usual) && !text.contains(&svscan), "{kind}: {text}");
        // All programs in one file are called by it.
        let upkeep = ours().join("upkeep");
        let text = done(&dir, &["-b", upkeep.to_str().unwrap(), kind]);
        let quoted = if kind == "docker" { "\", \"" } else { " " };
        let words = match kind {
            "launchd" => format!("<string>{}</string>\n\t\t<string>svscan<", upkeep.display()),
            "openrc" => "command_args=\"svscan -t".to_owned(),
            _ => format!("{}{quoted}svscan", upkeep.display()),
        };
        assert!(text.contains(&words), "{kind}: {text}");
    }
}

#[test]
fn it_is_itself_all_programs_where_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    symlink(ours().join("upkeep"), dir.path("all")).unwrap();
    let done = Process::start(dir.command(dir.path("all")).args(["svboot", "busybox"])).finish();
    let line = format!("exec {} svscan -t 80 /etc/service'\n", dir.path("all").display());
    assert!(done.code == 0 && done.out().contains(&line), "{done:?}");
}

#[test]
fn what_is_wrongly_asked_is_refused() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let usage = "svboot: usage: svboot [-i | -r] [-b path] [-d dir] [-R root] [kind]\n";
    for args in [&["-ir"][..], &["-r", "--install"], &["systemd", "x"], &["-x"], &["-d"]] {
        let done = svboot(&dir, args);
        assert_eq!((done.code, done.out().as_str()), (100, ""), "{args:?}");
        assert!(done.err().ends_with(usage), "{args:?}: {}", done.err());
    }
    let plain = "it has to begin with / and to have letters, digits and ._-+,@ only\n";
    for (args, why) in [
        (&["init"][..], "there is no kind init: see svboot -l\n".to_owned()),
        (&["-d", "service", "s6"], format!("unable to use service: {plain}")),
        (&["-d", "/a b", "s6"], format!("unable to use /a b: {plain}")),
        (&["-b", "/$(x)", "s6"], format!("unable to use /$(x): {plain}")),
        (&["-d", "/x%n", "s6"], format!("unable to use /x%n: {plain}")),
        (&["-i", "docker"], "unable to install docker: it can be printed only\n".to_owned()),
        (&["-i", "-R", ".", "crontab"], "unable to change crontab below another root\n".to_owned()),
    ] {
        let done = svboot(&dir, args);
        let words = format!("svboot: fatal: {why}");
        assert_eq!((done.code, done.err(), done.out().as_str()), (100, words, ""), "{args:?}");
    }
    dir.mkdir("root");
    for (args, why) in [
        (&["-R", "missing", "s6"][..], "unable to open missing: file does not exist\n"),
        (
            &["-R", "root", "-d", "/etc/service", "runit"],
            "unable to use /etc/service: it is runit's own\n",
        ),
    ] {
        let done = svboot(&dir, args);
        assert_eq!((done.code, done.err()), (111, format!("svboot: fatal: {why}")), "{args:?}");
    }
    let mut command = command(&dir, &["profile"]);
    let done = Process::start(command.env_remove("HOME")).finish();
    assert_eq!(done.code, 111);
}

#[test]
fn a_dockerfile_has_the_programs_where_it_calls_them() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let root = root(&dir);
    dir.script(root.join("up"), "");
    for (bin, copied, made, called) in [
        ("/", "/upkeep", "/", "\"/svscan\""),
        ("/opt", "/opt/upkeep", "/opt", "\"/opt/svscan\""),
        ("/up", "/up", "/", "\"/up\", \"svscan\""),
    ] {
        let text = done(&dir, &["-R", "root", "-b", bin, "docker"]);
        for line in [
            format!("COPY upkeep {copied}\nRUN [\"{copied}\", \"--install\", \"{made}\"]\n"),
            format!("\nENTRYPOINT [{called}, \"/etc/service\", \"--\"]\n"),
        ] {
            assert!(text.contains(&line), "{bin}: {text}");
        }
    }
}

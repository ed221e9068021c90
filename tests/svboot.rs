//! svboot: what it prints is what each init wants, what it installs it takes
//! away again, and what it has not written it leaves alone.

use crate::support::container::{Plan, Who};
use crate::support::{Dir, Finished, Process, Service, is_supervised, ours, testing_originals};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

const KINDS: [&str; 13] = [
    "systemd",
    "systemd-user",
    "openrc",
    "sysv",
    "inittab",
    "busybox",
    "runit",
    "s6",
    "launchd",
    "docker",
    "cron",
    "crontab",
    "profile",
];
/// Those that are files below a root.
const FILES: [&str; 11] = [
    "systemd",
    "systemd-user",
    "openrc",
    "sysv",
    "inittab",
    "busybox",
    "runit",
    "s6",
    "launchd",
    "cron",
    "profile",
];

/// svboot, with a home and a PATH of the test's own.
fn command(dir: &Dir, args: &[&str]) -> Command {
    let mut command = dir.tool("svboot", args);
    let path = format!("{}:/usr/bin:/bin", dir.path("bin").display());
    command.env("HOME", "/home/me").env("PATH", path);
    command
}

fn svboot(dir: &Dir, args: &[&str]) -> Finished {
    Process::start(&mut command(dir, args)).finish()
}

/// The same, which has to succeed.
fn done(dir: &Dir, args: &[&str]) -> String {
    let done = svboot(dir, args);
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{args:?}");
    done.out()
}

/// Everything below a directory, by its path: modes, links and contents.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let stat = path.symlink_metadata().unwrap();
            let mut text = format!("{:o} {} ", stat.mode(), stat.uid());
            if stat.is_symlink() {
                text.push_str(fs::read_link(&path).unwrap().to_str().unwrap());
            } else if stat.is_dir() {
                left.push(path.clone());
            } else {
                text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
            }
            found.insert(path, text);
        }
    }
    found
}

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
    let line = format!("::respawn:{} svscan /etc/service\n", dir.path("all").display());
    assert_eq!((done.code, done.out()), (0, line));
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

/// A root with what most of them find there.
fn root(dir: &Dir) -> PathBuf {
    let root = dir.mkdir("root");
    dir.file("root/etc/inittab", "id:2:initdefault:\nlast line without end");
    dir.file("root/home/me/.profile", "umask 022\n");
    for path in ["etc/service", "service", "home/me/service", "etc/systemd/system", "etc/cron.d"] {
        dir.mkdir(Path::new("root").join(path));
    }
    for level in 0..7 {
        dir.mkdir(format!("root/etc/rc{level}.d"));
    }
    for path in
        ["etc/init.d", "etc/runlevels/default", "etc/sv", "etc/s6/sv", "Library/LaunchDaemons"]
    {
        dir.mkdir(Path::new("root").join(path));
    }
    let programs = ours();
    let programs = dir.mkdir(Path::new("root").join(programs.strip_prefix("/").unwrap()));
    dir.script(programs.join("svscan"), "");
    fs::set_permissions(dir.path("root/etc/inittab"), fs::Permissions::from_mode(0o600)).unwrap();
    root
}

#[test]
fn what_is_installed_is_removed_and_nothing_else() {
    if testing_originals() {
        return;
    }
    for kind in FILES {
        let dir = Dir::new();
        let root = root(&dir);
        let before = tree(&root);
        let first = done(&dir, &["-i", "-R", "root", kind]);
        assert!(first.starts_with("wrote /"), "{kind}: {first}");
        let with = tree(&root);
        assert_ne!(with, before, "{kind}");
        // What is printed is what is there.
        let text = done(&dir, &["-R", "root", kind]);
        assert!(with.values().any(|content| content.contains(&text)), "{kind}");
        // A second time nothing is done.
        assert_eq!(
            done(&dir, &["-i", "-R", "root", kind]),
            format!("{kind}: it is there already\n")
        );
        assert_eq!(tree(&root), with, "{kind}");
        // What has changed is replaced.
        dir.mkdir("root/srv");
        done(&dir, &["-i", "-R", "root", "-d", "/srv", kind]);
        let other = tree(&root);
        assert_eq!(other.len(), with.len() + 1, "{kind}");
        assert_eq!(done(&dir, &["-i", "-R", "root", kind]).lines().count(), 1, "{kind}");
        fs::remove_dir(dir.path("root/srv")).unwrap();
        assert_eq!(tree(&root), with, "{kind}");
        let last = done(&dir, &["-r", "-R", "root", kind]);
        assert!(last.contains("removed /") || last.contains("wrote /"), "{kind}: {last}");
        assert_eq!(tree(&root), before, "{kind}");
        assert_eq!(
            done(&dir, &["-r", "-R", "root", kind]),
            format!("{kind}: there is nothing of ours\n")
        );
    }
}

#[test]
fn an_empty_file_stays_and_one_of_ours_does_not() {
    if testing_originals() {
        return;
    }
    for (kind, file) in [("inittab", "etc/inittab"), ("profile", "home/me/.profile")] {
        for is_there in [true, false] {
            let dir = Dir::new();
            let root = root(&dir);
            let path = root.join(file);
            fs::remove_file(&path).unwrap();
            if is_there {
                fs::write(&path, "").unwrap();
            }
            let before = tree(&root);
            for _ in 0..2 {
                svboot(&dir, &["-i", "-R", "root", kind]);
            }
            assert_ne!(tree(&root), before);
            svboot(&dir, &["-r", "-R", "root", kind]);
            assert_eq!(tree(&root), before, "{kind} {is_there}");
        }
    }
}

#[test]
fn a_script_that_cannot_run_is_written_again() {
    if testing_originals() {
        return;
    }
    for (kind, file) in [("sysv", "etc/init.d/svscan"), ("s6", "etc/s6/sv/svscan/run")] {
        let dir = Dir::new();
        let file = root(&dir).join(file);
        done(&dir, &["-i", "-R", "root", kind]);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(done(&dir, &["-i", "-R", "root", kind]).starts_with("wrote /"));
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o755);
    }
}

/// What is in the way of the file that is written first is not written to.
#[test]
fn a_link_in_the_way_is_not_followed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let root = root(&dir);
    let victim = dir.file("victim", "precious");
    let beside = root.join("etc/.inittab.svboot");
    fs::hard_link(&victim, &beside).unwrap();
    done(&dir, &["-i", "-R", "root", "inittab"]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!beside.exists());
}

#[test]
fn runits_own_directory_is_known_by_any_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let root = root(&dir);
    dir.mkdir("root/var");
    symlink("/run/runit/runsvdir/current", root.join("var/service")).unwrap();
    symlink("/etc/service", root.join("srv")).unwrap();
    for name in ["/etc/service/", "/etc//service", "/etc/./service", "/srv", "/var/service"] {
        let done = svboot(&dir, &["-i", "-R", "root", "-d", name, "runit"]);
        assert!(done.err().ends_with(": it is runit's own\n"), "{name}: {}", done.err());
        assert_eq!(done.code, 111, "{name}");
    }
    // What it has later, it has not had when it was installed.
    let before = tree(&root);
    done(&dir, &["-i", "-R", "root", "runit"]);
    dir.mkdir("root/etc/runit/runsvdir/default");
    let text = done(&dir, &["-r", "-R", "root", "runit"]);
    assert!(text.contains("removed /etc/service/svscan\n"), "{text}");
    fs::remove_dir_all(root.join("etc/runit")).unwrap();
    assert_eq!(tree(&root), before);
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

#[test]
fn what_leads_to_it_is_linked() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    root(&dir);
    let leads = |path: &str| fs::read_link(dir.path("root").join(path)).unwrap();
    done(&dir, &["-i", "-R", "root", "systemd"]);
    let wants = "etc/systemd/system/multi-user.target.wants/svscan.service";
    assert_eq!(leads(wants), Path::new("/etc/systemd/system/svscan.service"));
    done(&dir, &["-i", "-R", "root", "sysv"]);
    for name in ["rc0.d/K20svscan", "rc1.d/K20svscan", "rc2.d/S20svscan", "rc5.d/S20svscan"] {
        let path = Path::new("etc").join(name);
        assert!(dir.path("root").join(&path).exists(), "{name}");
        assert_eq!(leads(path.to_str().unwrap()), Path::new("../init.d/svscan"));
    }
    done(&dir, &["-i", "-R", "root", "runit"]);
    assert_eq!(leads("etc/service/svscan"), Path::new("/etc/sv/svscan"));
    // Void's place for it comes first.
    done(&dir, &["-r", "-R", "root", "runit"]);
    dir.mkdir("root/etc/runit/runsvdir/default");
    done(&dir, &["-i", "-R", "root", "runit"]);
    assert_eq!(leads("etc/runit/runsvdir/default/svscan"), Path::new("/etc/sv/svscan"));
    assert!(!dir.path("root/etc/service/svscan").exists());
}

#[test]
fn what_somebody_else_wrote_stays() {
    if testing_originals() {
        return;
    }
    let not_ours = "svboot did not write it\n";
    let torn = "the lines of svboot have lost their beginning or their end\n";
    let dir = Dir::new();
    let root = root(&dir);
    dir.file("root/etc/systemd/system/svscan.service", "[Service]\n");
    // Masked, by hand.
    symlink("/dev/null", dir.path("root/etc/init.d/svscan")).unwrap();
    // Something else of the same name, which only one part would meet.
    symlink("/etc/sv/other", dir.path("root/etc/service/svscan")).unwrap();
    dir.file("root/etc/inittab", "# BEGIN svboot\nSV::respawn:x\n");
    dir.mkdir("root/etc/cron.d/svscan");
    for (kind, path, why) in [
        ("systemd", "/etc/systemd/system/svscan.service", not_ours),
        ("sysv", "/etc/init.d/svscan", not_ours),
        ("openrc", "/etc/init.d/svscan", not_ours),
        ("runit", "/etc/service/svscan", not_ours),
        ("inittab", "/etc/inittab", torn),
        ("busybox", "/etc/inittab", torn),
    ] {
        let before = tree(&root);
        for option in ["-i", "-r"] {
            let done = svboot(&dir, &[option, "-R", "root", kind]);
            let words = format!("svboot: fatal: unable to change {path}: {why}");
            assert_eq!((done.code, done.err(), done.out().as_str()), (111, words, ""), "{kind}");
        }
        assert_eq!(tree(&root), before, "{kind}");
    }
    let done = svboot(&dir, &["-i", "-R", "root", "cron"]);
    assert_eq!(done.code, 111);
    assert!(done.err().starts_with("svboot: fatal: unable to read /etc/cron.d/svscan: "));
}

#[test]
fn links_lead_where_they_lead_below_the_root() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    root(&dir);
    // As on Red Hat's: absolute, which outside of it would be the machine's.
    fs::remove_dir(dir.path("root/etc/init.d")).unwrap();
    dir.mkdir("root/etc/rc.d/init.d");
    symlink("/etc/rc.d/init.d", dir.path("root/etc/init.d")).unwrap();
    done(&dir, &["-i", "-R", "root", "sysv"]);
    assert!(dir.path("root/etc/rc.d/init.d/svscan").is_file());
    // A profile that is kept elsewhere stays there, and its mode.
    fs::rename(dir.path("root/home/me/.profile"), dir.path("root/home/dots")).unwrap();
    symlink("/home/dots", dir.path("root/home/me/.profile")).unwrap();
    done(&dir, &["-i", "-R", "root", "profile"]);
    let text = fs::read_to_string(dir.path("root/home/dots")).unwrap();
    assert!(text.starts_with("umask 022\n# BEGIN svboot\n"), "{text}");
    assert!(dir.path("root/home/me/.profile").is_symlink());
    done(&dir, &["-r", "-R", "root", "profile"]);
    assert_eq!(fs::read_to_string(dir.path("root/home/dots")).unwrap(), "umask 022\n");
}

#[test]
fn what_is_not_there_is_told() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("root");
    let done = svboot(&dir, &["-i", "-R", "root", "-b", "/bin", "s6"]);
    assert_eq!(done.code, 0);
    let words = "svboot: warning: there is no /bin/svscan\nsvboot: warning: there is no /service\n";
    assert_eq!(done.err(), words);
    assert_eq!(done.out(), "wrote /etc/s6/sv/svscan/run\n");
}

#[test]
fn the_init_is_told_by_its_files() {
    if testing_originals() {
        return;
    }
    let unable = "svboot: fatal: unable to tell which init there is: name one of svboot -l\n";
    for (files, kind) in [
        (&["etc/cron.d/"][..], "cron"),
        (&["etc/init.d/", "etc/cron.d/"], "sysv"),
        (&["etc/init.d/", "lib/systemd/systemd"], "systemd"),
        (&["etc/init.d/", "etc/inittab", "lib/systemd/systemd"], "inittab"),
        (&["etc/inittab", "sbin/openrc-run"], "openrc"),
        (&["sbin/openrc-run", "etc/runit/2"], "runit"),
        (&["run/systemd/system/", "etc/runit/2", "etc/inittab"], "systemd"),
        (&["etc/s6-linux-init/", "etc/runit/2"], "s6"),
        (&["Library/LaunchDaemons/"], "launchd"),
    ] {
        let dir = Dir::new();
        dir.mkdir("root");
        let done_none = svboot(&dir, &["-R", "root"]);
        assert_eq!((done_none.code, done_none.err().as_str()), (111, unable));
        for file in files {
            let path = Path::new("root").join(file);
            if file.ends_with('/') {
                dir.mkdir(path)
            } else {
                dir.file(path, "")
            };
        }
        let text = done(&dir, &["-R", "root"]);
        assert_eq!(text, done(&dir, &["-R", "root", kind]), "{files:?}");
    }
    let dir = Dir::new();
    dir.file("root/etc/inittab", "");
    dir.mkdir("root/sbin");
    symlink("../bin/busybox", dir.path("root/sbin/init")).unwrap();
    assert!(done(&dir, &["-R", "root"]).starts_with("::respawn:"));
}

/// Without root's rights it is what a user can have of his own.
#[test]
fn a_user_gets_what_is_his_own() {
    if testing_originals() || !Who::Nobody.can() {
        return;
    }
    let dir = Dir::new();
    let is_systemd = Path::new("/run/systemd/system").exists();
    let plan = Plan::new(&dir, Who::Nobody).environment(&["HOME=/home/me", "PATH=/nothing"]);
    let done = plan.start("svboot", [""; 0]).process.finish();
    let front = if is_systemd { "# " } else { "(" };
    assert!(done.out().starts_with(front) && done.out().contains("/home/me/service"), "{done:?}");
}

/// Runs a shell's look at a script, which must find nothing.
fn parses(dir: &Dir, shell: &[&str], text: &str) {
    let file = dir.file("script", text);
    let done = Process::start(dir.command(shell[0]).args(&shell[1..]).arg(file)).finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{text}");
}

#[test]
fn scripts_are_scripts() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for kind in ["openrc", "sysv", "runit", "s6", "profile"] {
        parses(&dir, &["sh", "-n"], &done(&dir, &[kind]));
        parses(&dir, &["bash", "-n"], &done(&dir, &[kind]));
    }
    for kind in ["cron", "crontab"] {
        for line in done(&dir, &[kind]).lines().filter(|line| !line.starts_with('#')) {
            let line = line.strip_prefix("@reboot ").unwrap();
            parses(&dir, &["sh", "-n"], line.strip_prefix("root ").unwrap_or(line));
        }
    }
    // Two lines and no more may begin an inittab's entry: `id:levels:action:`.
    for (kind, front) in [("inittab", "SV:2345:respawn:/"), ("busybox", "::respawn:/")] {
        let text = done(&dir, &["-b", "/usr/bin", kind]);
        assert!(text.starts_with(front) && text.lines().count() == 1, "{text}");
        // As long as System V's init takes.
        assert!(text.len() < 127, "{text}");
    }
}

#[test]
fn systemd_takes_the_units() {
    if testing_originals() || !crate::support::in_path("systemd-analyze") {
        return;
    }
    let dir = Dir::new();
    for kind in ["systemd", "systemd-user"] {
        let unit = dir.file("svscan.service", done(&dir, &[kind]));
        let mut command = dir.command("systemd-analyze");
        let done = Process::start(command.args(["verify", "--man=no"]).arg(unit)).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{kind}");
    }
}

#[test]
fn a_plist_is_well_formed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let text = done(&dir, &["launchd"]);
    // The first of all, or it is no declaration.
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- "), "{text}");
    let mut open = Vec::new();
    for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let word = tag.split(' ').next().unwrap();
        match word.strip_prefix('/') {
            Some(word) => assert_eq!(open.pop(), Some(word)),
            None if tag.starts_with(['?', '!']) || tag.ends_with('/') => {}
            None => open.push(word),
        }
    }
    assert_eq!(open, [""; 0]);
}

/// What systemd's manager, cron and a login do with the lines, done by hand:
/// svscan is there once, however often they are run.
#[test]
fn a_profile_starts_it_once() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "service/s", "");
    let scan = dir.path("service");
    let lines = done(&dir, &["-d", scan.to_str().unwrap(), "profile"]);
    let login = |dir: &Dir| {
        let file = dir.file(".profile", &lines);
        assert_eq!(Process::start(dir.command("sh").arg(file)).ends(), 0);
    };
    login(&dir);
    service.up();
    let svscans = |dir: &Dir| {
        let all = dir.processes().into_iter().filter(|(_, line)| line.contains("/svscan "));
        let all: Vec<_> = all.map(|(pid, _)| pid).collect();
        // What it has just forked is called so until it executes something.
        let is_forked = |pid: &i32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
            parent.is_none_or(|parent| all.iter().any(|pid| pid.to_string() == parent))
        };
        all.iter().copied().filter(|pid| !is_forked(pid)).collect::<Vec<_>>()
    };
    let first = svscans(&dir);
    assert_eq!(first.len(), 1);
    // The second finds the lock taken, and is over when the shell's output is.
    let again = lines.trim_end().replace(" &)", ")");
    let over = Process::start(dir.command("sh").args(["-c", &again])).finish();
    assert_eq!((over.code, over.out().as_str(), over.err().as_str()), (0, "", ""));
    assert_eq!(svscans(&dir), first);
    // It leads a session of its own.
    let stat = fs::read_to_string(format!("/proc/{}/stat", first[0])).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap();
    assert_eq!(session, first[0].to_string());
    assert!(is_supervised(&service.path));
    let pid = rustix::process::Pid::from_raw(first[0]).unwrap();
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(crate::support::readable(&pidfd, crate::support::deadline()));
    // Its end is that of the lock.
    assert_eq!(svscans(&dir), [0; 0]);
    assert!(scan.join(".svscan-log").is_dir());
    login(&dir);
    service.up();
}

/// The script of System V's init does what it is told, with a /run of its own.
#[test]
fn the_script_in_init_d_starts_and_ends_it() {
    if testing_originals() || !Who::Root.can() {
        return;
    }
    let dir = Dir::new();
    let service = Service::new(&dir, "scan/s", "");
    let scan = dir.path("scan");
    let programs = dir.path("programs");
    let args = ["-b", programs.to_str().unwrap(), "-d", scan.to_str().unwrap(), "sysv"];
    let script = dir.file("init", done(&dir, &args));
    let said = service.said;
    let steps = format!(
        "run() {{ out=$(sh {script} $1 2>&1); echo \"$1 $? ${{out%% (*}}\"; }}
         run status; run stop; run start; read up <{said}; run status; run start; run reload
         run restart; read up <{said}; run status; run force-reload; read up <{said}
         run stop; run status; run nonsense; ls /run",
        script = script.display(),
        said = said.path().display(),
    );
    let container = Plan::new(&dir, Who::Root).tmpfs("/run", "64k").start("sh", ["-c", &steps]);
    let done = container.process.finish();
    assert_eq!(done.err(), "");
    let lines: Vec<_> = done.out().lines().map(str::trim_end).map(str::to_owned).collect();
    let up = "status 0 svscan is running";
    let down = "status 3 svscan is not running";
    assert_eq!(
        lines[..12],
        [
            down,
            "stop 0",
            "start 0",
            up,
            "start 0",
            "reload 0",
            "restart 0",
            up,
            "force-reload 0",
            "stop 0",
            down,
            &lines[11],
        ]
    );
    assert!(lines[11].starts_with("nonsense 2 usage: "), "{lines:?}");
    assert_eq!(lines[12..], ["svscan.lock"]);
}

/// A crontab that is a file beside it.
fn crontab(dir: &Dir) {
    dir.script(
        "bin/crontab",
        "case $1 in
         -l) [ ! -e broken ] || { echo input/output error >&2; exit 1; }
             [ -e table ] || { echo no crontab for me >&2; exit 1; }; cat table ;;
         -) [ ! -e refuse ] || exit 1; cat >table ;;
         esac",
    );
}

#[test]
fn a_crontab_is_changed_by_its_program() {
    if testing_originals() {
        return;
    }
    for before in ["", "MAILTO=me\n0 * * * * true\n"] {
        let dir = Dir::new();
        crontab(&dir);
        let table = || fs::read_to_string(dir.path("table")).unwrap();
        if !before.is_empty() {
            dir.file("table", before);
        }
        let warns = "svboot: warning: there is no /home/me/service\n";
        let first = svboot(&dir, &["-i", "crontab"]);
        let wrote = "wrote the crontab\n";
        assert_eq!((first.code, first.out().as_str(), first.err().as_str()), (0, wrote, warns));
        let line = done(&dir, &["crontab"]);
        let with = format!("{before}# BEGIN svboot\n{line}# END svboot\n");
        assert_eq!(table(), with);
        let again = svboot(&dir, &["-i", "crontab"]);
        assert_eq!((again.code, again.out().as_str()), (0, "crontab: it is there already\n"));
        assert_eq!(table(), with);
        // Who cannot read it does not write it either.
        dir.file("broken", "");
        for option in ["-i", "-r"] {
            let broken = svboot(&dir, &[option, "crontab"]);
            let words = "input/output error\n\
                         svboot: fatal: unable to read the crontab: crontab refuses\n";
            assert_eq!((broken.code, broken.err().as_str()), (111, words));
            assert_eq!(table(), with);
        }
        fs::remove_file(dir.path("broken")).unwrap();
        dir.file("refuse", "");
        let refused = svboot(&dir, &["-r", "crontab"]);
        let words = "svboot: fatal: unable to write the crontab: crontab refuses\n";
        assert_eq!((refused.code, refused.err().as_str()), (111, words));
        assert_eq!(table(), with);
        fs::remove_file(dir.path("refuse")).unwrap();
        assert_eq!(done(&dir, &["-r", "crontab"]), wrote);
        assert_eq!(table(), before);
        assert_eq!(done(&dir, &["-r", "crontab"]), "crontab: there is nothing of ours\n");
    }
}

/// What a unit with `Type=notify` waits for, and what svscan keeps to itself.
#[test]
fn whoever_starts_svscan_is_told_how_far_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let socket = UnixDatagram::bind(dir.path("socket")).unwrap();
    let hears = |what: &str| {
        assert!(crate::support::readable(&socket, crate::support::deadline()), "not {what}");
        let mut buffer = [0; 100];
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..count]), what);
    };
    let script = "echo ${NOTIFY_SOCKET-none} >$said; exec sleep 1000";
    let mut service = Service::with_script(&dir, "scan/s", script);
    let start = |args: &[&str]| {
        Process::start(dir.tool("svscan", args).env("NOTIFY_SOCKET", dir.path("socket")))
    };
    let svscan = start(&["scan"]);
    hears("READY=1");
    assert_eq!(service.said.line(), "none");
    svscan.signal(rustix::process::Signal::TERM);
    hears("STOPPING=1");
    assert_eq!(svscan.finish().code, 0);
    // A main command says it itself, and svscan nothing.
    let go = dir.fifo("go");
    let svscan = start(&["scan", "--", "sh", "-c", "read go <go; echo $NOTIFY_SOCKET"]);
    assert_eq!(service.said.line(), "none");
    go.say("on");
    let done = svscan.finish();
    assert_eq!((done.code, done.out()), (0, format!("{}\n", dir.path("socket").display())));
    assert!(!crate::support::readable(&socket, std::time::Instant::now()));
    // Whom nobody can tell is no trouble.
    drop(socket);
    let svscan = start(&["scan"]);
    assert_eq!(service.said.line(), "none");
    svscan.signal(rustix::process::Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

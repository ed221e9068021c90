//! svcheck: a tree with faults in it, each of which is found with its file and
//! its line, and sound directories, of which nothing is said.

use crate::support::{Dir, Service, originals, programs, supervised, testing_originals};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

mod faults;
mod sound;

/// A scan directory, and what is to be found in it.
pub(crate) struct Tree<'a> {
    dir: &'a Dir,
    expected: BTreeSet<String>,
    count: usize,
}

impl<'a> Tree<'a> {
    fn new(dir: &'a Dir) -> Self {
        set_mode(&dir.path(""), 0o755);
        set_mode(&dir.mkdir("scan"), 0o755);
        Self { dir, expected: BTreeSet::new(), count: 0 }
    }

    /// A service with these files, of which those that begin with `#!` are
    /// executable; a name that ends in a slash is a directory.
    fn service(&mut self, name: &str, files: &[(&str, &str)], finds: &[&str]) -> PathBuf {
        let path = self.dir.mkdir(format!("scan/{name}"));
        for (file, content) in files {
            let inside = format!("scan/{name}/{file}");
            if file.ends_with('/') {
                set_mode(&self.dir.mkdir(inside), 0o755);
                continue;
            }
            let file = self.dir.file(inside, content);
            let is_program = content.trim_start_matches('\u{feff}').starts_with("#!");
            set_mode(&file, if is_program { 0o755 } else { 0o644 });
            set_mode(file.parent().unwrap(), 0o755);
        }
        set_mode(&path, 0o755);
        self.count += 1;
        self.finds(name, finds);
        path
    }

    /// What is to be found below `name`: `run:3 no-exec`.
    fn finds(&mut self, name: &str, finds: &[&str]) {
        for find in finds {
            let separator = if find.starts_with([':', ' ']) { "" } else { "/" };
            self.expected.insert(format!("scan/{name}{separator}{find}"));
        }
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The findings as `path:line id`.
fn found(out: &str) -> BTreeSet<String> {
    let short = |line: &str| {
        let (place, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        let id = rest.rsplit_once('[').unwrap_or_else(|| panic!("{line}")).1;
        format!("{place} {}", id.trim_end_matches(']'))
    };
    out.lines().map(short).collect()
}

#[test]
fn a_hundred_directories_with_planted_faults() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut tree = Tree::new(&dir);
    faults::plant(&mut tree);
    sound::plant(&mut tree);
    assert!(tree.count >= 100, "{}", tree.count);
    let done = dir.run("svcheck", ["scan"]);
    let found = found(&done.out());
    let missing: Vec<_> = tree.expected.difference(&found).collect();
    let wrong: Vec<_> = found.difference(&tree.expected).collect();
    let none: Vec<&String> = Vec::new();
    assert_eq!((missing, wrong), (none.clone(), none), "{}", done.out());
    assert_eq!((done.code, done.err()), (2, String::new()));
}

#[test]
fn nothing_is_wrong_with_the_examples() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    // As a copy, since who has the original depends on how it came here.
    let mut copy = dir.command("cp");
    assert!(copy.arg("-R").arg(&examples).arg("examples").status().unwrap().success());
    let all = ["flaky", "mailbox", "ticker", "container/service", "init/service"];
    for path in all.map(|path| dir.path("examples").join(path)) {
        let done = dir.run("svcheck", [path]);
        // They are root's: nobody else can make the directories of their logs.
        let of_root = |line: &&str| {
            !rustix::process::geteuid().is_root() && line.contains(": error: /var/log/")
        };
        let (of_root, wrong): (Vec<_>, Vec<_>) =
            done.out().lines().map(str::to_owned).partition(|line| of_root(&line.as_str()));
        let code = if of_root.is_empty() { 0 } else { 2 };
        assert_eq!((done.code, wrong, done.err()), (code, Vec::new(), String::new()));
    }
}

/// What Debian's packages bring.
#[test]
fn nothing_is_wrong_with_what_the_suites_bring() {
    if testing_originals() || originals().is_none() {
        return;
    }
    let dir = Dir::new();
    for path in ["/etc/sv/svlogd", "/usr/share/runit/sv"] {
        if Path::new(path).exists() {
            let done = dir.run("svcheck", ["-x", "account,no-run", path]);
            assert_eq!((done.code, done.out()), (0, String::new()), "{path}");
        }
    }
}

/// A file with each of these has supervise report it: svcheck does, in the same
/// words.
#[test]
fn supervise_says_the_same_of_what_it_cannot_use() {
    if testing_originals() {
        return;
    }
    for (file, content) in [
        ("dialect", "perp"),
        ("type", "bundle"),
        ("kill-mode", "all"),
        ("timeout-kill", "soon"),
        ("down-signal", "NOW"),
        ("reload-signal", "99"),
        ("notification-fd", "2"),
        ("lock-fd", "x"),
        ("restart", "sometimes"),
        ("restart-success", "0 BAD"),
        ("restart-never", "999"),
        ("restart-delay", "-1"),
        ("restart-delay-max", "1s"),
        ("restart-limit", "5"),
        ("ready-by", "magic"),
        ("timeout-ready", "1.5"),
        ("watchdog", "dog"),
        ("check-interval", "often"),
        ("timeout-check", "x"),
        ("check-failures", "0"),
        ("follow", "me"),
    ] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        dir.file(format!("s/{file}"), format!("{content}\n"));
        let done = dir.run("svcheck", ["-x", "no-effect,no-check", "s"]);
        let mut supervise = service.supervise(&dir);
        let said = supervise.complains("unable to");
        service.up();
        let middle = format!("unable to use {}/{file}, ", service.path.display());
        let words = said.split_once(&middle).unwrap_or_else(|| panic!("{said}")).1;
        let (instead, value) = words.split_once(": ").unwrap();
        let start =
            format!("s/{file}:1: error: {value}: supervise will report it, {instead}; say ");
        assert!(done.out().starts_with(&start), "{said}\n{}", done.out());
        assert_eq!((done.code, done.out().lines().count()), (2, 1), "{}", done.out());
        service.svc(&dir, "-dx");
        assert_eq!(supervise.finish().code, 0);
    }
}

#[test]
fn a_directory_that_was_copied_from_under_its_supervise() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let done = dir.run("svcheck", ["s"]);
    assert_eq!((done.code, done.out()), (0, String::new()));
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    let mut copy = dir.command("cp");
    assert!(copy.args(["-a", "s", "t"]).status().unwrap().success());
    assert_eq!(dir.run("svcheck", ["s"]).out(), "");
    let done = dir.run("svcheck", ["t"]);
    assert_eq!(found(&done.out()), BTreeSet::from(["t/supervise copied".to_owned()]));
    assert_eq!(done.code, 1);
}

#[test]
fn codes_and_options() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("bad/run", "exec sleep 1000 &");
    dir.script("poor/run", "cd /nowhere\nexec sleep 1000");
    dir.script("good/run", "exec sleep 1000");
    dir.file("good/down", "");
    let code = |args: &[&str]| dir.run("svcheck", args).code;
    assert_eq!([code(&["good"]), code(&["poor"]), code(&["bad"])], [0, 1, 2]);
    assert_eq!([code(&["-e", "poor"]), code(&["-x", "cd", "poor"])], [0, 0]);
    assert_eq!([code(&["-x", "cd,background", "."]), code(&["."])], [0, 2]);
    assert_eq!([code(&["nowhere"]), code(&["nowhere", "bad"])], [111, 111]);
    dir.script("encore/log", "exec multilog ./main");
    assert_eq!([code(&["encore/log"]), code(&["good/run"])], [111, 111]);
    assert_eq!([code(&[]), code(&["-z", "."]), code(&["-x", "cdd", "."])], [100; 3]);
    let done = dir.run("svcheck", ["nowhere", "poor"]);
    assert_eq!(done.err(), "svcheck: warning: unable to read nowhere: file does not exist\n");
    assert_eq!(
        done.out(),
        "poor/run:2: warning: if /nowhere is not there the script goes on here; \
         cd /nowhere || exit 111 [cd]\n"
    );
    let done = dir.run("svcheck", ["-nj", "good", "bad/"]);
    assert_eq!(
        done.out(),
        "{\"path\":\"bad/run\",\"line\":2,\"severity\":\"error\",\"id\":\"background\",\
         \"what\":\"the last command is put into the background, and the service has ended\",\
         \"advice\":\"drop the &, and begin with exec\"}\n\
         {\"path\":\"good/down\",\"line\":null,\"severity\":\"note\",\"id\":\"down\",\
         \"what\":\"the service is not started until svc -u or -o\",\
         \"advice\":\"remove it if it is to be\"}\n"
    );
    // Of a oneshot it is no such file.
    dir.file("once/type", "oneshot\n");
    dir.script("once/up", "true");
    dir.script("once/down", "true");
    assert_eq!(dir.run("svcheck", ["-n", "once"]).out(), "");
    let list = dir.run("svcheck", ["-l"]);
    assert_eq!(list.code, 0);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/man/svcheck.8")).unwrap();
    let items = page.lines().filter_map(|line| line.strip_prefix(".It Ic "));
    let items: Vec<_> = items.flat_map(|line| line.split(" , ")).collect();
    for line in list.out().lines() {
        let id = line.split_whitespace().next().unwrap();
        assert!(items.contains(&id), "man/svcheck.8 has no {id}");
    }
    assert_eq!(items.len(), list.out().lines().count());
}

#[test]
fn what_a_script_says_is_meant() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("s/run", "# svcheck: off cd no-exec\ncd /nowhere\ncd /elsewhere\nmyserver");
    dir.script("s/log/run", "# svcheck: off no-exec\ncd /nowhere\nmyserver");
    assert_eq!(
        found(&dir.run("svcheck", ["s"]).out()),
        BTreeSet::from(["s/log/run:3 cd".to_owned()])
    );
}

/// What one service alone says of those beside it.
#[test]
fn the_order_of_one_service() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (name, needs) in [("a", "b"), ("b", "a"), ("c", "a"), ("d", "nobody"), ("e", "d")] {
        dir.script(format!("scan/{name}/run"), "exec sleep 1000");
        dir.file(format!("scan/{name}/needs/{needs}"), "");
    }
    dir.mkdir("links");
    symlink(dir.path("scan/d"), dir.path("links/d")).unwrap();
    for (name, finds) in [
        ("scan/a", &["scan/b/needs/a circle"][..]),
        ("scan/b/", &["scan/a/needs/b circle"]),
        ("scan/c", &[]),
        ("scan/d", &["scan/d/needs/nobody needs"]),
        ("scan/e", &[]),
        ("links/d", &["links/d/needs/nobody needs"]),
    ] {
        let done = dir.run("svcheck", [name]);
        let expected: BTreeSet<_> = finds.iter().map(|find| (*find).to_owned()).collect();
        assert_eq!(found(&done.out()), expected, "{name}");
    }
    for (name, at) in [("d", "scan"), ("scan/d", ".")] {
        let mut command = dir.tool("svcheck", [name]);
        let done = command.current_dir(dir.path(at)).output().unwrap();
        let expected = BTreeSet::from([format!("{name}/needs/nobody needs")]);
        assert_eq!(found(&String::from_utf8_lossy(&done.stdout)), expected);
    }
    let mut command = dir.tool("svcheck", ["d"]);
    let done = command.env("SVDIR", dir.path("scan")).output().unwrap();
    let expected = BTreeSet::from(["d/needs/nobody needs".to_owned()]);
    assert_eq!(found(&String::from_utf8_lossy(&done.stdout)), expected);
}

/// A service directory, or one with service directories in it.
#[test]
fn which_of_the_two_a_directory_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (name, file, finds) in [
        ("lone", "log/run", Some("run no-run")),
        ("filled", "supervise/lock", Some("run no-run")),
        ("misspelt", "Run", Some("run no-run")),
        ("scan", "web/run", None),
        ("called-run", "run/run", None),
    ] {
        dir.script(format!("{name}/{file}"), "exec sleep 1000");
        let done = dir.run("svcheck", ["-x", "misspelt", name]);
        let expected: BTreeSet<_> = finds.iter().map(|find| format!("{name}/{find}")).collect();
        assert_eq!(found(&done.out()), expected, "{name}");
    }
    dir.mkdir("empty");
    assert_eq!(dir.run("svcheck", ["empty"]).code, 2);
}

/// By its name, in $SVDIR, and whatever the current directory is.
#[test]
fn a_service_is_found_by_its_name() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.script("scan/web/run", "myserver");
    let mut command = dir.tool("svcheck", ["web"]);
    let done = command.env("SVDIR", dir.path("scan")).output().unwrap();
    assert!(done.stdout.starts_with(b"web/run:2: warning: "), "{done:?}");
    assert!(programs().join("svcheck").exists());
}

/// It reads, and that is all.
#[test]
fn nothing_is_run_or_written() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = format!("touch {}\nexec sleep 1000", dir.path("ran").display());
    for file in ["run", "finish", "check", "start", "control/t", "log/run"] {
        dir.script(format!("scan/s/{file}"), &script);
    }
    let before = Dir::path(&dir, "scan/s").read_dir().unwrap().count();
    dir.run("svcheck", ["-n", "scan"]);
    assert_eq!(dir.path("scan/s").read_dir().unwrap().count(), before);
    assert!(!dir.path("ran").exists());
}

/// Whose what runs is.
#[test]
fn what_others_could_take_over() {
    if testing_originals() || !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let mut tree = Tree::new(&dir);
    let run = ("run", "#!/bin/sh\nexec sleep 1000\n");
    let users = tree.service("users", &[run], &[" owner", "run owner"]);
    chown(&users, Some(4242), None).unwrap();
    chown(users.join("run"), Some(4242), None).unwrap();
    let linked = tree.service("linked", &[], &["run owner"]);
    dir.file("home/run", run.1);
    set_mode(&dir.path("home/run"), 0o755);
    chown(dir.path("home/run"), Some(4243), None).unwrap();
    chown(dir.path("home"), Some(4243), None).unwrap();
    symlink(dir.path("home/run"), linked.join("run")).unwrap();
    tree.expected.insert(format!("{} owner", dir.path("home").display()));
    let group = tree.service("group", &[run], &["run group-writable"]);
    chown(group.join("run"), None, Some(4242)).unwrap();
    set_mode(&group.join("run"), 0o775);
    let account =
        [("run", run.1), ("log/run", "#!/bin/sh\nexec setuidgid nobody multilog ./main\n")];
    tree.service("account", &account, &["log/run:2 log-dir"]);
    let mine = tree.service("mine", &[account[0], account[1], ("log/main/", "")], &[]);
    chown(mine.join("log/main"), Some(65534), None).unwrap();
    let done = dir.run("svcheck", ["scan"]);
    assert_eq!(found(&done.out()), tree.expected, "{}", done.out());
    // What belongs to the one to whom it all belongs is his.
    let done = dir.run("svcheck", ["scan/users"]);
    assert_eq!((done.code, done.out()), (0, String::new()));
}

#[test]
fn a_name_that_is_no_text_is_not_lost() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let name = OsStr::from_bytes(b"scan/a\xff");
    dir.mkdir(name);
    dir.file("scan/b/needs/.keep", "");
    dir.file(Path::new("scan/b/needs").join(OsStr::from_bytes(b"\xfe")), "");
    let done = dir.run("svcheck", ["-j", "scan"]);
    assert!(done.out().contains("\"path\":\"scan/b/needs/\\udcfe\""), "{}", done.out());
    let done = dir.run("svcheck", [OsStr::new("-j"), name]);
    assert!(done.out().contains("\"path\":\"scan/a\\udcff/run\""), "{}", done.out());
    let done = dir.run("svcheck", [name]);
    assert!(done.out().starts_with("scan/a\u{fffd}/run: error: "), "{}", done.out());
}

#[test]
fn what_is_to_be_done_once_is_called_up() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (name, file, advice) in [
        ("none", "type", "make up, a script that does what is to be done"),
        ("other", "Up", "call Up up"),
        ("script", "run.sh", "call run.sh run"),
    ] {
        dir.file(format!("{name}/{file}"), "");
        dir.file(format!("{name}/type"), "oneshot\n");
        let done = dir.run("svcheck", [name]);
        let line = format!("{name}/run: error: it is not there; {advice} [no-run]\n");
        assert!(done.out().contains(&line), "{}", done.out());
    }
}

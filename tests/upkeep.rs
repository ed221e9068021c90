//! `upkeep`, which is all programs in one file, and all that has to be in an
//! image.

use crate::pages::PROGRAMS;
use crate::support::container::{Plan, both};
use crate::support::{Dir, Finished, Process, ours, testing_originals};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Those that are files of their own only.
const APART: [&str; 3] = ["readproctitle", "svscanboot", "upkeep"];

fn within() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().copied().filter(|name| !APART.contains(name))
}

fn run(dir: &Dir, program: &Path, args: &[&str]) -> Finished {
    Process::start(dir.command(program).args(args)).finish()
}

#[test]
fn it_is_the_program_that_it_is_called() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let upkeep = ours().join("upkeep");
    for name in within() {
        let link = dir.path(name);
        symlink(&upkeep, &link).unwrap();
        let version = format!("{name} (upkeep) {}\n", env!("CARGO_PKG_VERSION"));
        for done in [run(&dir, &link, &["--version"]), run(&dir, &upkeep, &[name, "--version"])] {
            assert_eq!((done.code, done.out(), done.err()), (0, version.clone(), String::new()));
        }
    }
    // A path is as good as a name, and arguments are passed on as they are.
    let done = run(&dir, &upkeep, &["/bin/setlock", "-n", "lock", "echo", "-x", ""]);
    assert_eq!((done.code, done.out().as_str()), (0, "-x \n"));
    let done = run(&dir, &dir.path("svok"), &["nothing"]);
    assert_eq!(done.code, 111);
    assert!(done.err().starts_with("svok: fatal: unable to chdir to nothing: "), "{done:?}");
    // A name comes before an argument.
    fs::remove_file(dir.path("svok")).unwrap();
    let done = run(&dir, &dir.path("setlock"), &["svok", "echo", "done"]);
    assert_eq!((done.code, done.out().as_str()), (0, "done\n"));
}

/// As the kernel calls its first program.
#[test]
fn called_init_it_is_a_machines_svscan() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    symlink(ours().join("upkeep"), dir.path("init")).unwrap();
    let done = run(&dir, &dir.path("init"), &["quiet"]);
    let words = "svscan: fatal: only process 1 can be a machine's\n";
    assert_eq!((done.code, done.err().as_str()), (111, words));
}

#[test]
fn it_lists_what_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for option in ["-l", "--list"] {
        let done = run(&dir, &ours().join("upkeep"), &[option]);
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        let names: BTreeSet<_> = done.out().lines().map(str::to_owned).collect();
        assert_eq!(names, within().map(str::to_owned).collect());
    }
}

#[test]
fn wrong_usage_is_told() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let upkeep = ours().join("upkeep");
    let usage = [
        (&[][..], "upkeep: usage: upkeep program [argument ...]\n"),
        (&["--install"], "upkeep: usage: upkeep --install dir\n"),
        (&["--install", "a", "b"], "upkeep: usage: upkeep --install dir\n"),
        (&["--list", "a"], "upkeep: usage: upkeep --install dir\n"),
        (&["-x"], "upkeep: usage: upkeep --install dir\n"),
        (&["nonsense"], "upkeep: fatal: there is no program nonsense: try upkeep --list\n"),
        (&["svscan/"], "upkeep: fatal: there is no program svscan/: try upkeep --list\n"),
    ];
    for (args, words) in usage {
        let done = run(&dir, &upkeep, args);
        assert_eq!((done.code, done.err().as_str(), done.out().as_str()), (100, words, ""));
    }
    // By a link of another name too.
    symlink(&upkeep, dir.path("busy")).unwrap();
    assert_eq!(run(&dir, &dir.path("busy"), &["x"]).code, 100);
    assert_eq!(run(&dir, &dir.path("busy"), &["svok"]).code, 100);
}

#[test]
fn links_are_made_where_nothing_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let upkeep = ours().join("upkeep");
    dir.file("bin/sv", "mine");
    // A link that leads nowhere is there too.
    symlink("nowhere", dir.path("bin/svc")).unwrap();
    for _ in 0..2 {
        let done = run(&dir, &upkeep, &["--install", "bin"]);
        assert_eq!((done.code, done.err().as_str(), done.out().as_str()), (0, "", ""));
    }
    for name in within().filter(|name| !["sv", "svc"].contains(name)) {
        assert_eq!(fs::read_link(dir.path("bin").join(name)).unwrap(), upkeep);
    }
    assert_eq!(fs::read(dir.path("bin/sv")).unwrap(), b"mine");
    assert_eq!(fs::read_link(dir.path("bin/svc")).unwrap(), Path::new("nowhere"));
    assert_eq!(fs::read_dir(dir.path("bin")).unwrap().count(), within().count());
    // Beside itself by its name alone, by whatever path it is called.
    fs::create_dir(dir.path("image")).unwrap();
    symlink(&upkeep, dir.path("image/upkeep")).unwrap();
    for (program, to) in [("image/upkeep", "image"), ("./image/../image/upkeep", "./image/.")] {
        assert_eq!(run(&dir, &dir.path(program), &["--install", to]).code, 0);
        assert_eq!(fs::read_link(dir.path("image/svscan")).unwrap(), Path::new("upkeep"));
        fs::remove_file(dir.path("image/svscan")).unwrap();
    }
    let done = run(&dir, &upkeep, &["--install", "missing"]);
    assert_eq!(done.code, 111);
    assert_eq!(done.err(), "upkeep: fatal: unable to open missing: file does not exist\n");
    let done = run(&dir, &upkeep, &["--install", "bin/sv"]);
    assert_eq!((done.code, done.err().lines().count()), (111, 1));
}

#[test]
fn a_link_that_cannot_be_made_is_told() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("bin");
        let plan = Plan::new(&dir, who).read_only(dir.path("bin"));
        let done = plan.start("upkeep", ["--install", "bin"]).process.finish();
        assert_eq!(done.code, 111);
        assert_eq!(done.err().lines().count(), within().count());
        assert!(
            done.err()
                .starts_with("upkeep: fatal: unable to create bin/svscan: read-only file system\n")
        );
    });
}

/// The files that a program is loaded with.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let done = std::process::Command::new("ldd").arg(program).output().unwrap();
    let lines = String::from_utf8(done.stdout).unwrap();
    let paths =
        lines.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(PathBuf::from).collect()
}

/// A root directory with `upkeep` in it, and a shell that stands for the
/// programs of the services; and, since both are linked dynamically here, what
/// they are loaded with.
fn image(dir: &Dir) -> PathBuf {
    let root = dir.mkdir("image");
    let shell = fs::canonicalize("/bin/sh").unwrap();
    for (program, name) in [(ours().join("upkeep"), "upkeep"), (shell, "shell")] {
        for library in libraries(&program) {
            dir.copy(&library, Path::new("image").join(library.strip_prefix("/").unwrap()));
        }
        dir.copy(program, Path::new("image").join(name));
    }
    root
}

/// Neither /proc nor /dev, no PATH, no links, and a service with a logger.
#[test]
fn nothing_else_has_to_be_in_an_image() {
    both(|who| {
        let dir = Dir::new();
        let root = image(&dir);
        let mut said = dir.fifo("image/said");
        let hold = dir.fifo("image/hold");
        let script = |path: &str, body: &str| {
            let path = Path::new("image/services").join(path);
            let script = dir.script(&path, body);
            let text = fs::read_to_string(&script).unwrap();
            // Not written by this process, as `script` has it.
            let beside = dir.file("beside", text.replace("#!/bin/sh", "#!/shell"));
            dir.copy(beside, path);
        };
        script("s/run", "echo up >/said\necho a line\nwhile :; do read nothing </hold; done");
        script("s/log/run", "read line\necho logged $line >/said\nread line");
        let plan = Plan::new(&dir, who).in_root(&root).environment(&[]);
        let container = plan.start("/upkeep", ["svscan", "/services"]);
        let mut lines = [said.line(), said.line()];
        lines.sort();
        assert_eq!(lines, ["logged a line", "up"]);
        let names: BTreeSet<_> = container.processes().into_iter().map(|(_, name)| name).collect();
        // Each is the same file, under the name that it was executed as.
        assert!(names.contains("upkeep") && names.contains("run"), "{names:?}");
        let mut svstat = container.enter("/upkeep");
        let done =
            Process::start(svstat.args(["svstat", "/services/s", "/services/s/log"])).finish();
        assert_eq!(done.out().matches(": up (pid ").count(), 2, "{done:?}");
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        drop(hold);
    });
}

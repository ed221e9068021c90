//! The example image: its root file system, made by the script and not by an
//! engine, and run as a container.

use crate::support::container::{Container, Plan, Who, both};
use crate::support::{Dir, Finished, Process, has_busybox, ours, testing_originals};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/container").join(name)
}

fn script(dir: &Dir, name: &str) -> Command {
    let mut command = dir.command("sh");
    command.arg(example(name));
    command
}

/// The image for `FROM scratch`.
fn image(dir: &Dir) -> PathBuf {
    let root = dir.path("image");
    let mut command = script(dir, "rootfs");
    command.arg("scratch").arg(&root).arg(ours().join("upkeep"));
    let busybox = Path::new("/bin/busybox");
    let done = Process::start(command.arg(busybox)).finish();
    assert_eq!((done.code, done.out().as_str(), done.err().as_str()), (0, "", ""));
    root
}

/// It runs, with the machine's /dev and its own /proc and network.
fn container<'a>(
    dir: &'a Dir,
    who: Who,
    root: &Path,
    read_only: bool,
    args: &[&str],
) -> Container<'a> {
    let mut plan = Plan::new(dir, who).own_network();
    if read_only {
        plan = plan.read_only(root);
        for place in ["run", "tmp", "var/log"] {
            plan = plan.tmpfs(root.join(place), "1m");
        }
    }
    for name in ["dev", "proc"] {
        let place = root.join(name);
        plan = plan.setup(&format!("mount --rbind /{name} '{}'", place.display()));
    }
    let plan = plan.in_root(root).environment(&["PATH=/bin", "GREETING=hello"]);
    plan.start("/bin/svscan", ["-n", "/etc/service", "--"].iter().chain(args))
}

fn ask(container: &Container<'_>, args: &[&str]) -> Finished {
    let mut command = container.enter(args[0]);
    Process::start(command.args(&args[1..])).finish()
}

const SAYS: &str = "main: hello, and the web server says: It works.";

#[test]
fn services_logger_and_command_run_from_scratch() {
    if testing_originals() || !has_busybox() {
        return;
    }
    both(|who| {
        for read_only in [false, true] {
            let dir = Dir::new();
            let root = image(&dir);
            let mut container = container(&dir, who, &root, read_only, &["/bin/main"]);
            container.process.prints(SAYS);
            container.process.prints("beat: alive");
            let services = ["web", "web/log", "beat"].map(|name| format!("/etc/service/{name}"));
            let [web, log, beat] = &services;
            let done = ask(&container, &["/bin/svstat", web, log, beat]);
            assert_eq!(done.out().matches(": up (pid ").count(), 3, "{done:?}");
            container.signal(Signal::TERM);
            container.process.prints("main: told to end");
            let done = container.process.finish();
            assert_eq!(done.code, 0, "{done:?}");
            dir.nobody_is_left();
            // Who has looked whether it is there stands in the log, which is whole
            // when everything is over. It is gone with the memory that it was in.
            let log = fs::read_to_string(root.join("var/log/web/current"));
            assert_eq!(log.is_ok_and(|log| log.contains("response:200")), !read_only);
            // Nothing was written to what is read-only.
            let supervise = root.join("etc/service/web/supervise");
            assert_eq!(supervise.exists(), !read_only, "{who:?}");
        }
    });
}

#[test]
fn the_code_of_the_command_is_that_of_the_container() {
    if testing_originals() || !has_busybox() {
        return;
    }
    both(|who| {
        let dir = Dir::new();
        let root = image(&dir);
        for (args, code) in [
            (&["/bin/main", "exit", "7"][..], 7),
            (&["/bin/sh", "-c", "kill -KILL $$"], 137),
            (&["/bin/missing"], 127),
        ] {
            let done = container(&dir, who, &root, false, args).process.finish();
            assert_eq!(done.code, code, "{args:?}: {done:?}");
        }
    });
}

/// By the script that does what an engine does.
#[test]
fn the_script_runs_it_without_an_engine() {
    if testing_originals() || !has_busybox() || !Who::Root.can() {
        return;
    }
    let dir = Dir::new();
    let root = image(&dir);
    for option in ["", "-r"] {
        let network = format!(
            "busybox ip link set lo up; exec sh {} {option} \"$@\"",
            example("start").display()
        );
        let mut command = dir.command("unshare");
        command.args(["--net", "sh", "-c", &network, "sh"]).arg(&root);
        let command = command.args(["/bin/main", "exit", "3"]).env("GREETING", "hello");
        let done = Process::start(command).finish();
        assert_eq!(done.code, 3, "{done:?}");
        assert!(done.out().lines().any(|line| line == SAYS), "{done:?}");
    }
    dir.nobody_is_left();
    for args in [&[][..], &["-r"]] {
        let done = Process::start(script(&dir, "start").args(args)).finish();
        assert_eq!(done.code, 100);
    }
}

#[test]
fn the_script_refuses_what_is_not_empty() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.file("root/mine", "mine");
    let mut command = script(&dir, "rootfs");
    let done =
        Process::start(command.args(["scratch", "root"]).arg(ours().join("upkeep"))).finish();
    assert_eq!((done.code, done.err().as_str()), (111, "rootfs: root is not empty\n"));
    assert_eq!(fs::read_dir(dir.path("root")).unwrap().count(), 1);
    for args in [&["scratch", "new"][..], &["gentoo", "new", "upkeep"]] {
        assert_eq!(Process::start(script(&dir, "rootfs").args(args)).finish().code, 100);
        assert!(!dir.path("new").exists());
    }
}

/// What both Dockerfiles copy is there.
#[test]
fn dockerfiles_name_what_is_there() {
    if testing_originals() {
        return;
    }
    for name in ["Dockerfile", "Dockerfile.debian"] {
        let text = fs::read_to_string(example(name)).unwrap();
        let copied = text.lines().filter_map(|line| line.strip_prefix("COPY examples/"));
        let mut count = 0;
        for path in copied.map(|rest| rest.split(' ').next().unwrap()) {
            assert!(example("..").join(path).exists(), "{path}");
            count += 1;
        }
        assert_eq!(count, 3, "{name}");
    }
}

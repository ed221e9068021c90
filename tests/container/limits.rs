//! What is not to be had: descriptors, processes, memory. Process 1 goes on.

use crate::support::container::{Container, Plan, Who, both};
use crate::support::{Dir, Service};
use rustix::process::Signal;
use std::fs;

/// svscan as process 1 under a limit that the shell's `ulimit` sets.
fn limited<'a>(dir: &'a Dir, who: Who, limit: &str, args: &[&str]) -> Container<'a> {
    let svscan = dir.path("programs/svscan");
    let script = format!("ulimit {limit}; exec \"$@\"");
    let words = ["-c", &script, "sh", svscan.to_str().unwrap()];
    Plan::new(dir, who).start("sh", [&words[..], args].concat())
}

#[test]
fn too_few_descriptors_for_all_services() {
    both(|who| {
        let dir = Dir::new();
        let mut plain = Service::new(&dir, "scan/plain", "");
        for number in 0..10 {
            dir.script(format!("scan/logged-{number}/run"), "exec sleep 1000");
            dir.script(format!("scan/logged-{number}/log/run"), "exec cat");
        }
        let mut container = limited(&dir, who, "-n 17", &["scan"]);
        container.process.complains("unable to");
        plain.up();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
        dir.nobody_is_left();
    });
}

#[test]
fn a_command_where_hardly_a_descriptor_is_left() {
    both(|who| {
        let dir = Dir::new();
        Service::new(&dir, "scan/a", "");
        let args = ["-y", "0.1", "scan", "--", "sh", "-c", "exit 5"];
        let done = limited(&dir, who, "-n 12", &args).process.finish();
        assert_eq!(done.code, 5, "{}", done.err());
    });
}

/// Nobody's is limited by the kernel; root is not, and has a depth.
#[test]
fn a_fork_bomb_in_a_service() {
    both(|who| {
        let dir = Dir::new();
        let depth = if who == Who::Root { "5" } else { "1000" };
        let bomb = format!(
            "ulimit -u 200; trap '' TERM
             bomb() {{ [ $1 -eq 0 ] || {{ bomb $(($1-1)) & bomb $(($1-1)) & }}; wait; \
                      while :; do sleep 1000; done; }}
             bomb {depth} 2>/dev/null & "
        );
        let mut bomb = Service::new(&dir, "scan/bomb", &bomb);
        let mut other = Service::new(&dir, "scan/other", "");
        let container = Plan::new(&dir, who).start("svscan", ["-t", "2", "scan"]);
        bomb.up();
        other.up();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
        dir.nobody_is_left();
    });
}

/// Sets how much memory process 1 may have from now on.
fn limit_memory(container: &Container<'_>, limit: &str) {
    let limit = format!("--as={limit}:");
    let done = container.start("prlimit", ["--pid", "1", &limit]).finish();
    assert_eq!(done.code, 0, "{}", done.err());
}

#[test]
fn no_more_memory() {
    both(|who| {
        let dir = Dir::new();
        let mut first = Service::new(&dir, "scan/first", "");
        let mut container = Plan::new(&dir, who).start("svscan", ["scan"]);
        first.up();
        limit_memory(&container, "1");
        let mut late = Service::new(&dir, "late", "");
        who.owns(&dir.path(""));
        fs::rename(dir.path("late"), dir.path("scan/late")).unwrap();
        late.path = dir.path("scan/late");
        container.process.complains("svscan: warning: unable to ");
        limit_memory(&container, "unlimited");
        // It is tried again.
        late.up();
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}

/// Without any memory it ends all the same.
#[test]
fn no_more_memory_for_the_end() {
    both(|who| {
        let dir = Dir::new();
        let mut first = Service::new(&dir, "scan/first", "");
        dir.script("scan/.svscan/finish", "exit 0");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        first.up();
        limit_memory(&container, "1");
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!(done.code, 0);
        assert!(done.err().contains("unable to fork for .svscan/finish: "), "{}", done.err());
    });
}

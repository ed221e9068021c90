//! The script of System V's init does what it is told.

use super::done;
use super::machine::{Machine, is_possible, plan};
use crate::support::container::{Plan, Who};
use crate::support::{Dir, Service, testing_originals};

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

/// The script is gone by then.
#[test]
fn what_was_removed_can_still_be_ended() {
    if !is_possible() {
        return;
    }
    let dir = Dir::new();
    let plan = plan(&dir, &["/etc/init.d", "/run"]);
    let script = plan.inside("/etc/init.d/svscan");
    let mut machine = Machine::start(&dir, plan, "/bin/sleep", &["1000"]);
    machine.follows("-i", "sysv");
    machine.service.up();
    assert!(script.exists());
    let svscan = machine.held_svscan();
    machine.follows("-r", "sysv");
    assert!(!script.exists());
    machine.ends(&svscan);
}

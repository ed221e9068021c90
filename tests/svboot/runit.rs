//! The service of runit, kept by a real runsvdir.

use super::machine::{Machine, is_possible, plan};
use crate::support::{Dir, runit};

#[test]
fn runsvdir_keeps_it() {
    if !is_possible() || runit().is_none() {
        return;
    }
    let dir = Dir::new();
    let plan = plan(&dir, &["/etc/service"]);
    let services = plan.inside("/etc/sv");
    let mut machine = Machine::start(&dir, plan, "/usr/bin/runsvdir", &["-P", "/etc/service"]);
    machine.follows("-i", "runit");
    machine.is_kept();
    machine.runs("sv -w60 restart /etc/service/svscan");
    machine.goes_down();
    machine.service.up();
    for option in ["stop", "force-stop"] {
        let svscan = machine.held_svscan();
        machine.runs(&format!("sv -w60 {option} /etc/service/svscan"));
        machine.ends(&svscan);
        machine.runs("sv start /etc/service/svscan");
        machine.service.up();
    }
    let svscan = machine.held_svscan();
    machine.follows("-r", "runit");
    machine.ends(&svscan);
    assert!(!services.join("svscan/run").exists());
}

//! The service directory for s6, kept by a real s6-svscan.

use super::machine::{Machine, is_possible, plan};
use crate::support::{Dir, s6};

#[test]
fn s6_svscan_keeps_it() {
    if !is_possible() || s6().is_none() {
        return;
    }
    let dir = Dir::new();
    let plan = plan(&dir, &["/run/service"]);
    let services = plan.inside("/etc/s6/sv");
    let begin = "exec s6-svscan -d 3 /run/service 3>&1";
    let mut machine = Machine::start(&dir, plan, "/bin/sh", &["-c", begin]);
    // It hears.
    machine.container.process.prints("");
    machine.follows("-i", "s6");
    machine.is_kept();
    machine.runs("s6-svc -wr -r /run/service/svscan");
    machine.goes_down();
    machine.service.up();
    let svscan = machine.held_svscan();
    machine.runs("s6-svc -wD -d /run/service/svscan");
    machine.ends(&svscan);
    machine.runs("s6-svc -wu -u /run/service/svscan");
    machine.service.up();
    let svscan = machine.held_svscan();
    machine.follows("-r", "s6");
    machine.ends(&svscan);
    assert!(!services.join("svscan/run").exists());
}

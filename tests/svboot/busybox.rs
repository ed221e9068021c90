//! The lines for busybox's init, which is process 1 with them.

use super::machine::{Machine, installed, is_possible, plan};
use crate::support::{Dir, has_busybox};
use std::fs;

#[test]
fn its_init_keeps_it_and_waits_for_it() {
    if !is_possible() || !has_busybox() {
        return;
    }
    let dir = Dir::new();
    let said = dir.path("scan/s.said");
    let plan = plan(&dir, &["/etc", "/run"]);
    let others = format!("::shutdown:/bin/sh -c 'echo unmount >{}'\n", said.display());
    let inittab = plan.inside("/etc/inittab");
    fs::write(&inittab, &others).unwrap();
    installed(&dir, "busybox");
    let mut machine = Machine::start(&dir, plan, "busybox", &["init"]);
    machine.is_kept();
    let svscan = machine.held_svscan();
    machine.follows("-r", "busybox");
    assert_eq!(fs::read_to_string(&inittab).unwrap(), others);
    machine.ends(&svscan);
    machine.follows("-i", "busybox");
    machine.service.up();
    // Going down, it begins with the services, and everything has its time.
    machine.runs("kill -USR2 1");
    machine.goes_down();
    assert_eq!(machine.service.said.line(), "unmount");
    // What a pid namespace ends with when the machine is switched off.
    assert_eq!(machine.container.process.finish().code, 130);
}

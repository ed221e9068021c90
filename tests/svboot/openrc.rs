//! The service of OpenRC, as far as that goes without being the init: by
//! rc-service, where OpenRC is installed.

use super::machine::{Machine, is_possible, plan};
use crate::support::Dir;
use std::fs;
use std::path::Path;

/// What OpenRC has in /run once it has begun.
const STATES: &str = "started starting stopping exclusive daemons tmp options hotplugged inactive \
                      wasinactive failed scheduled";

#[test]
fn openrc_keeps_it() {
    if !is_possible() {
        return;
    }
    if !Path::new("/sbin/openrc-run").exists() {
        let _ = rustix::io::write(rustix::stdio::stderr(), b"no OpenRC here\n");
        return;
    }
    let dir = Dir::new();
    let plan = plan(&dir, &["/etc/init.d", "/etc/runlevels/default", "/run/openrc", "/var/run"]);
    for state in STATES.split(' ') {
        fs::create_dir(plan.inside("/run/openrc").join(state)).unwrap();
    }
    fs::write(plan.inside("/run/openrc/softlevel"), "default\n").unwrap();
    let script = plan.inside("/etc/init.d/svscan");
    // What the service needs is there, and is nothing.
    let needed = dir.file("needed", "#!/sbin/openrc-run\nstart() { :; }\n");
    dir.copy(needed, "root/etc/init.d/localmount");
    // It has to wait for orphans: a shell does while it waits for anything.
    let mut machine = Machine::start(&dir, plan, "/bin/sh", &["-c", "sleep 1000; :"]);
    machine.follows("-i", "openrc");
    machine.is_kept();
    machine.runs("rc-service svscan status; rc-service svscan reload");
    machine.runs("rc-service svscan restart");
    machine.goes_down();
    machine.service.up();
    let svscan = machine.held_svscan();
    machine.runs("rc-service svscan stop");
    machine.ends(&svscan);
    machine.runs("rc-service svscan start");
    machine.service.up();
    let svscan = machine.held_svscan();
    machine.follows("-r", "openrc");
    machine.ends(&svscan);
    assert!(!script.exists());
}

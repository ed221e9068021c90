//! Which init a machine has, told by its files. Asks nobody.

use super::Root;
use super::kinds::Kind;

/// What tells each: the first that is there.
const SIGNS: [(&str, &str); 14] = [
    // Of the one that runs.
    ("/run/systemd/system", "systemd"),
    ("/run/openrc", "openrc"),
    ("/run/s6", "s6"),
    ("/run/runit", "runit"),
    // Of one that is installed.
    ("/etc/s6-linux-init", "s6"),
    ("/etc/runit/2", "runit"),
    ("/sbin/openrc-run", "openrc"),
    ("/Library/LaunchDaemons", "launchd"),
    ("/etc/inittab", "inittab"),
    ("/lib/systemd/systemd", "systemd"),
    ("/usr/lib/systemd/systemd", "systemd"),
    ("/etc/rc2.d", "sysv"),
    ("/etc/init.d", "sysv"),
    ("/etc/cron.d", "cron"),
];

/// The one for the machine whose files are in `root`, or for a user of it.
#[must_use]
pub fn detect(root: &Root, user: bool, has_crontab: bool) -> Option<&'static Kind> {
    let name = if user {
        match (root.has("/run/systemd/system"), has_crontab) {
            (true, _) => "systemd-user",
            (false, true) => "crontab",
            (false, false) => "profile",
        }
    } else {
        SIGNS.iter().find(|(path, _)| root.has(path))?.1
    };
    let is_busybox = || root.leads_to("/sbin/init").is_some_and(|to| to.ends_with("busybox"));
    Kind::named(if name == "inittab" && is_busybox() { b"busybox" } else { name.as_bytes() })
}

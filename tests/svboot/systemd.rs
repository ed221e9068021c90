//! The unit under a real systemd, which is process 1 of a pid and a cgroup
//! namespace, and has few units else.

use super::machine::{Machine, installed, is_possible, plan};
use crate::support::{Changes, Dir, Process, deadline, seen, systemd, testing_originals};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

const UNITS: &str = "/usr/lib/systemd/system";
const SYSTEMD: &str = "/lib/systemd/systemd";

#[test]
fn systemd_takes_the_units() {
    if testing_originals() || systemd().is_none() {
        return;
    }
    let dir = Dir::new();
    for kind in ["systemd", "systemd-user"] {
        let unit = dir.file("svscan.service", super::done(&dir, &[kind]));
        let mut command = dir.command("systemd-analyze");
        let done = Process::start(command.args(["verify", "--man=no"]).arg(unit)).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{kind}");
    }
}

/// A cgroup for one machine, which goes with it.
struct Cgroup(PathBuf);

impl Cgroup {
    /// One below that of the tests, if the system has them and lets us make one.
    fn new(name: &str) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let path = Path::new(mount.split(' ').nth(4)?).join(own).join(name);
        fs::create_dir(&path).ok()?;
        Some(Self(path))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        let events = self.0.join("cgroup.events");
        let is_empty =
            || fs::read_to_string(&events).is_ok_and(|text| text.contains("populated 0"));
        let until = deadline();
        // A descriptor tells of what has changed since it was read.
        while let Ok(file) = fs::File::open(&events)
            && !is_empty()
            && Instant::now() < until
        {
            let left = rustix::time::Timespec { tv_sec: 1, tv_nsec: 0 };
            let _ = poll(&mut [PollFd::new(&file, PollFlags::PRI)], Some(&left));
        }
        remove(&self.0);
    }
}

/// Removes a cgroup with those in it.
fn remove(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}

/// What a systemd wants to be there, in namespaces of its own.
const MOUNTS: &str = "mount -t sysfs none /sys; mount -t cgroup2 none /sys/fs/cgroup";

/// Whether that can be mounted here.
fn can_mount(dir: &Dir) -> bool {
    let mut command = dir.command("unshare");
    let args = ["--mount", "--pid", "--fork", "--cgroup", "sh", "-ec", MOUNTS];
    Process::start(command.args(args)).finish().code == 0
}

/// A systemd that is process 1, and has started svscan.
fn machine<'a>(dir: &'a Dir, cgroup: &Cgroup) -> Machine<'a> {
    let mut plan = plan(dir, &["/etc", "/run", "/sys", "/tmp"]);
    fs::write(plan.inside("/etc/machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let units = dir.mkdir("units");
    for name in ["sysinit", "basic", "multi-user", "shutdown", "umount", "final", "exit"] {
        let name = format!("{name}.target");
        fs::copy(Path::new(UNITS).join(&name), units.join(&name)).unwrap();
    }
    let exit = "systemd-exit.service";
    fs::copy(Path::new(UNITS).join(exit), units.join(exit)).unwrap();
    let [root, none] = ["root", "none"].map(|name| dir.mkdir(name).display().to_string());
    let (units, cgroup) = (units.display(), cgroup.0.display());
    plan = plan.setup(&format!(
        "mount --bind {units} {root}{UNITS}
         mount --bind {none} {root}{UNITS}-generators
         mount -t tmpfs none {root}/dev
         for name in null zero full random urandom tty; do
             : >{root}/dev/$name; mount --bind /dev/$name {root}/dev/$name
         done
         echo 0 >{cgroup}/cgroup.procs"
    ));
    plan = plan.environment(&["container=lxc", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
    installed(dir, "systemd");
    let begin = format!(
        "{MOUNTS}
         exec {SYSTEMD} --unit=multi-user.target --log-target=null --show-status=no"
    );
    Machine::start(dir, plan, "unshare", &["--cgroup", "sh", "-ec", &begin])
}

#[test]
fn systemd_keeps_it() {
    if !is_possible() || systemd().is_none() {
        return;
    }
    let dir = Dir::new();
    let name = dir.path("");
    let name = name.file_name().unwrap().to_str().unwrap();
    let Some(cgroup) = can_mount(&dir).then(|| Cgroup::new(name)).flatten() else {
        let _ = rustix::io::write(rustix::stdio::stderr(), b"no cgroup for a systemd here\n");
        return;
    };
    let mut init = dir.fifo("init.said");
    let go = dir.fifo("init.go");
    let script =
        format!("echo begins >{}; read go <{}", init.path().display(), go.path().display());
    dir.script("scan/.svscan/init", &script);
    let mut machine = machine(&dir, &cgroup);
    let state = |machine: &Machine| machine.runs("systemctl show -P ActiveState svscan");
    // Ready it is when it says so.
    assert_eq!(init.line(), "begins");
    assert_eq!(state(&machine), "activating\n");
    go.say("on");
    let begins = |machine: &mut Machine| {
        machine.service.up();
        machine.runs("systemctl start svscan");
    };
    begins(&mut machine);
    assert_eq!(state(&machine), "active\n");
    fs::remove_file(dir.path("scan/.svscan/init")).unwrap();
    machine.service.said.say(&format!("up {}", machine.service.seen().unwrap().pid));
    machine.is_kept();
    assert_eq!(machine.runs("systemctl show -P NRestarts svscan"), "1\n");

    // A reload takes down what is gone, and nothing else.
    let new = dir.path("scan/new");
    let gone = dir.path("gone");
    fs::rename(&new, &gone).unwrap();
    machine.runs("systemctl reload svscan");
    let changes = Changes::of(&[&gone.join("supervise")]);
    changes.until("the end of what is gone", || seen(&gone).filter(|seen| seen.pid == 0));
    assert!(machine.service.said.is_silent());

    machine.runs("systemctl restart svscan");
    machine.goes_down();
    begins(&mut machine);
    let svscan = machine.held_svscan();
    machine.runs("systemctl stop svscan");
    machine.ends(&svscan);
    assert_eq!(machine.runs("systemctl show -P Result svscan"), "success\n");
    assert_eq!(state(&machine), "inactive\n");

    // With systemd it ends in order too.
    machine.runs("systemctl start svscan");
    machine.service.up();
    machine.runs("systemctl exit 3");
    machine.goes_down();
    assert_eq!(machine.container.process.finish().code, 3);
}

//! A machine that boots, in software: a Debian kernel, svscan as its init over
//! the services of `examples/init`, and a talk on its serial console. Not one of
//! the tests that always run: `make check-boot` makes what it needs.

use crate::support::{Dir, Finished, Process};
use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};

/// A machine that runs, and who sits at its console.
struct Machine {
    qemu: Process,
    keyboard: ChildStdin,
}

impl Machine {
    /// Switches it on, and waits until all is up.
    fn boot(dir: &Dir, log: &str) -> Self {
        let mut machine = Self::begin(dir, log, "");
        machine.shows("the machine is up after ");
        machine
    }

    /// Switches it on. What its console shows is kept in `log`, and `more` is for
    /// the kernel.
    fn begin(dir: &Dir, log: &str, more: &str) -> Self {
        let variable = |name: &str| std::env::var_os(name).unwrap_or_else(|| panic!("{name}"));
        let place = PathBuf::from(variable("UPKEEP_BOOT"));
        let log = place.join(log);
        let mut command = dir.command("qemu-system-x86_64");
        command.args(["-m", "256", "-display", "none", "-monitor", "none", "-no-reboot"]);
        command.arg("-kernel").arg(variable("UPKEEP_KERNEL"));
        command.arg("-initrd").arg(place.join("initramfs.gz"));
        command.args(["-append", &format!("console=ttyS0 quiet panic=-1 {more}")]);
        command.args(["-nic", "user,model=virtio-net-pci"]);
        let console = format!("stdio,id=console,signal=off,logfile={}", log.display());
        command.args(["-chardev", &console, "-serial", "chardev:console"]);
        let mut qemu = Process::start(command.stdin(Stdio::piped()));
        let keyboard = qemu.stdin();
        Self { qemu, keyboard }
    }

    fn shows(&mut self, text: &str) -> String {
        self.qemu.prints(text)
    }

    fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// What a command prints: what is typed is shown too, so that the mark is
    /// not typed as it is printed.
    fn runs(&mut self, command: &str) -> String {
        self.types(&format!("echo '['$({command})']' | sed 's/^/answ''er: /'"));
        let line = self.shows("answer: [");
        let answer = line.rsplit_once("answer: [").unwrap().1.trim_end();
        answer.strip_suffix(']').unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// Its end.
    fn ends(self) -> Finished {
        let Self { qemu, keyboard } = self;
        let done = qemu.finish();
        drop(keyboard);
        done
    }
}

#[test]
#[ignore = "boots a machine: make check-boot"]
fn a_machine_boots_serves_and_is_switched_off() {
    let dir = Dir::new();
    let mut machine = Machine::boot(&dir, "console.log");
    // svscan is the kernel's first program, and all is up.
    assert_eq!(machine.runs("cat /proc/1/cmdline"), "/init");
    assert_eq!(machine.runs("readlink /proc/1/exe"), "/bin/upkeep");
    let services = machine.runs("cd /etc/service && svstat -o name,state * | tr '\\t\\n' '  '");
    let there = ["hostname", "loopback", "modules", "mounts", "seed", "up"];
    let up = ["getty-ttyS0", "network", "syslog", "web"];
    for name in there {
        assert!(services.contains(&format!("{name} there")), "{services}");
    }
    for name in up {
        assert!(services.contains(&format!("{name} up")), "{services}");
    }
    assert_eq!(services.split_whitespace().count(), 2 * (there.len() + up.len()), "{services}");
    // They do what they are there for.
    assert_eq!(machine.runs("hostname"), "upkeep");
    assert_eq!(machine.runs("wget -q -O - http://127.0.0.1/"), "This is upkeep.");
    assert!(machine.runs("ip -o addr show eth0").contains("inet 10.0.2.15/24"));
    let logged = "logger -t me hello there; \
                  until grep hello /var/log/syslog/current; do usleep 50000; done";
    assert!(machine.runs(logged).ends_with("me: hello there"));
    // What is killed is up again, as on any machine.
    let again = "old=$(svstat -o pid web); kill -KILL $old; \
                 while new=$(svstat -o pid web); [ $new = $old ]; do usleep 50000; done; \
                 svwait -U web && wget -q -O - http://127.0.0.1/";
    assert_eq!(machine.runs(again), "This is upkeep.");
    // Orphans are waited for.
    let orphans = "for n in 1 2 3; do (usleep 50000 &); done; \
                   while pidof usleep >/dev/null; do usleep 50000; done; grep -l '^State:.Z' /proc/*/status";
    assert_eq!(machine.runs(orphans), "");
    machine.types("svscan --poweroff");
    machine.shows("the machine goes down");
    machine.shows("reboot: Power down");
    assert_eq!(machine.ends().code, 0);
}

/// Also by the signal that ctrl-alt-del becomes.
#[test]
#[ignore = "boots a machine: make check-boot"]
fn a_machine_restarts() {
    for (order, log) in [("svscan --reboot", "reboot.log"), ("kill -INT 1", "keys.log")] {
        let dir = Dir::new();
        let mut machine = Machine::boot(&dir, log);
        machine.types(order);
        machine.shows("the machine goes down");
        machine.shows("reboot: Restarting system");
        // It is told not to begin anew.
        assert_eq!(machine.ends().code, 0);
    }
}

/// What cannot begin leaves a shell on the console.
#[test]
#[ignore = "boots a machine: make check-boot"]
fn a_machine_that_cannot_begin_has_a_shell() {
    let dir = Dir::new();
    let mut machine = Machine::begin(&dir, "rescue.log", "rdinit=/bin/svscan -- -m /nothing");
    machine.shows("svscan: fatal: unable to chdir to /nothing: file does not exist");
    machine.shows("svscan: warning: going on as /bin/sh");
    assert_eq!(machine.runs("echo $$"), "1");
    machine.types("poweroff -f");
    machine.shows("reboot: Power down");
    assert_eq!(machine.ends().code, 0);
}

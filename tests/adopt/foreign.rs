//! Records that are not true any more: whose process is somebody else's by
//! now, and such as nobody could write.

use super::{end, next, only_one};
use crate::support::{Dir, Process, Service, program, supervised, testing_originals};
use rustix::process::Signal;
use std::fs;

/// In a name space of its own, the number of the dead service is given to a
/// stranger.
#[test]
fn a_number_that_has_become_a_strangers() {
    if testing_originals() || !may_choose_numbers() {
        return;
    }
    for refused in ["", "pidfs", "pidfd"] {
        let dir = Dir::new();
        let mut service = only_one(&dir, "s", "trap 'echo HUP >$said' HUP");
        let (mut told, go, _hold) = (dir.fifo("told"), dir.fifo("go"), dir.hold("hold"));
        dir.script(
            "stranger.sh",
            "trap 'echo signalled >told' HUP TERM INT CONT
            echo here >told
            exec 3<>hold; while :; do read nothing <&3; done",
        );
        // The start of a process is known in hundredths of a second: the
        // stranger's is another one.
        let script = format!(
            "exec 4<>go
            tick() {{ cut -d' ' -f1 /proc/uptime; }}
            {0} s & first=$!
            read kill <&4
            pid=$(od -An -tu4 -j12 -N4 s/supervise/status | tr -d ' ')
            kill -9 $first $pid
            until ! [ -d /proc/$first ] && ! [ -d /proc/$pid ]; do /bin/true; done
            then=$(tick); while [ $then = $(tick) ]; do :; done
            then=$(tick); while [ $then = $(tick) ]; do :; done
            echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
            ./stranger.sh & echo $((pid - $!)) >told
            read start <&4
            exec {0} s",
            program("supervise").display()
        );
        let mut command = dir.command("unshare");
        command.args(["-p", "-f", "--mount-proc", "sh", "-c", &script]);
        let supervise = Process::start(command.env("UPKEEP_REFUSE", refused));
        let pid = service.up();
        go.say("kill");
        let said = [told.line(), told.line()];
        assert!(said.contains(&"0".to_owned()) && said.contains(&"here".to_owned()), "{said:?}");
        go.say("start");
        assert_ne!(service.up(), pid, "without {refused}");
        supervised(&service.path);
        service.svc(&dir, "-h");
        assert_eq!(service.said.line(), "HUP");
        service.svc(&dir, "-dx");
        assert_eq!(supervise.ends(), 0);
        assert!(told.is_silent(), "a stranger was signalled");
    }
}

/// Whether there can be a name space whose next process has a chosen number.
fn may_choose_numbers() -> bool {
    let dir = Dir::new();
    let try_it = "echo 300 >/proc/sys/kernel/ns_last_pid";
    let args = ["-p", "-f", "--mount-proc", "sh", "-c", try_it];
    rustix::process::geteuid().is_root()
        && Process::start(dir.command("unshare").args(args)).finish().code == 0
}

/// Whatever is in the place of the record, one service is started.
#[test]
fn a_record_that_proves_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "");
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    service.svc(&dir, "-dx");
    assert_eq!(first.finish().code, 0);
    let mut other_boot = record.clone();
    other_boot[24] ^= 1;
    let mut other_layout = record.clone();
    other_layout[23] += 1;
    let records = [
        record.clone(),
        // As daemontools and runit write it, and torn.
        record[..18].to_vec(),
        record[..20].to_vec(),
        record[..100].to_vec(),
        summed(other_boot),
        summed(other_layout),
        vec![0; 128],
        vec![b'u'; 4096],
    ];
    for record in records {
        fs::write(service.path.join("supervise/status"), record).unwrap();
        let supervise = next(&dir, &service);
        assert_ne!(service.up(), pid);
        service.svc(&dir, "-dx");
        assert_eq!(supervise.finish().code, 0);
        assert!(service.said.is_silent());
    }
}

/// The record with the sum that belongs to it.
fn summed(mut record: Vec<u8>) -> Vec<u8> {
    let sum = record[..120].iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    record[120..].copy_from_slice(&sum.to_le_bytes());
    record
}

/// A directory that is copied while its service runs is another service.
#[test]
fn a_record_that_was_copied_with_its_directory() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "");
    let svscan = dir.start("svscan", ["scan"]);
    let pid = service.up();
    supervised(&service.path);
    let args = ["-a", "scan/s", "copy"];
    assert_eq!(Process::start(dir.command("cp").args(args)).finish().code, 0);
    fs::rename(dir.path("copy"), dir.path("scan/copy")).unwrap();
    // It says the same, being the same script.
    service.path = dir.path("scan/copy");
    assert_ne!(service.up(), pid);
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    assert!(fs::metadata(format!("/proc/{pid}")).is_ok(), "the other one was ended");
    svscan.signal(Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
    dir.nobody_is_left();
}

/// A record with another identity under the number of a living process: it is
/// left alone.
#[test]
fn a_living_process_that_is_not_the_one() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "");
    let first = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    end(first);
    // Whoever it is, it was started at another time.
    let mut record = fs::read(service.path.join("supervise/status")).unwrap();
    record[48] ^= 1;
    fs::write(service.path.join("supervise/status"), summed(record)).unwrap();
    let second = next(&dir, &service);
    // It has the lock that the service takes.
    assert_eq!(service.said.line(), "two");
    let other = service.up();
    assert_ne!(other, pid);
    service.svc(&dir, "-dx");
    assert_eq!(second.finish().code, 0);
    assert!(fs::metadata(format!("/proc/{pid}")).is_ok(), "a stranger was signalled");
}

/// What cannot be told from a stranger is waited for: it is not shown, not
/// signalled, and nothing is started beside it.
#[test]
fn a_process_that_cannot_be_identified() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "trap 'echo HUP >$said' HUP");
    let start = || {
        let mut command = dir.tool("supervise", ["s"]);
        // All but the id of the boot.
        Process::start(command.env("UPKEEP_REFUSE", "pidfs,stat"))
    };
    let first = start();
    let pid = service.up();
    supervised(&service.path);
    end(first);
    let mut second = start();
    let words = "supervise: warning: unable to tell whether s still runs, waiting: \
                 its process cannot be identified";
    assert_eq!(second.complains("unable to tell"), words);
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, want up");
    service.svc(&dir, "-h");
    // A third one knows as little.
    end(second);
    let mut third = start();
    assert_eq!(third.complains("unable to tell"), words);
    assert!(service.said.is_silent());
    super::kill(pid);
    assert_ne!(service.up(), pid);
    service.svc(&dir, "-dx");
    assert_eq!(third.finish().code, 0);
}

/// What cannot be put on record holds the directory: there is no next
/// supervise as long as it lives.
#[test]
fn a_service_that_could_not_be_recorded() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = only_one(&dir, "s", "");
    // In the place of the record is something that cannot be replaced.
    dir.mkdir("s/supervise/status/full");
    let mut first = service.supervise(&dir);
    first.complains("unable to rename");
    let line = service.said.line();
    let pid: u32 = line.strip_prefix("up ").unwrap().parse().unwrap();
    end(first);
    fs::remove_dir_all(dir.path("s/supervise/status")).unwrap();
    let refused = dir.run("supervise", ["s"]);
    let words = "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
    assert_eq!((refused.code, refused.err().as_str()), (111, words));
    super::kill(pid);
    let second = next(&dir, &service);
    assert_ne!(service.up(), pid);
    service.svc(&dir, "-dx");
    assert_eq!(second.finish().code, 0);
}

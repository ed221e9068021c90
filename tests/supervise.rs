//! supervise with every letter, and the files it keeps.

use crate::support::{Dir, Process, Service, deadline, readable, supervised, testing_originals};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::{Duration, Instant};

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// The exit code of a child that was not started through the harness.
fn ends(child: &mut std::process::Child) -> Option<i32> {
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).unwrap();
    assert!(readable(&pidfd, deadline()), "it did not end");
    child.wait().unwrap().code()
}

/// The letter that /proc has for the state of a process.
fn proc_state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn it_starts_run_and_starts_it_again() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let first = service.up();
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds");
    kill(first, Signal::KILL);
    assert_ne!(service.up(), first);
}

#[test]
fn its_files_are_daemontools_files() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let mode = |name: &str| fs::metadata(service.path.join(name)).unwrap().mode();
    assert_eq!(mode("supervise") & 0o7777, 0o700);
    assert_eq!(mode("supervise/lock") & 0o7777, 0o600);
    assert_eq!(mode("supervise/control") & 0o7777, 0o600);
    assert_eq!(mode("supervise/ok") & 0o7777, 0o600);
    assert_eq!(mode("supervise/status") & 0o7777, 0o644);
    for fifo in ["control", "ok"] {
        let path = service.path.join("supervise").join(fifo);
        assert!(fs::metadata(path).unwrap().file_type().is_fifo());
    }
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    let seconds = u64::from_be_bytes(record[..8].try_into().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let since = seconds - 4_611_686_018_427_387_914;
    assert!(since <= now && now - since < 300, "{since} {now}");
    assert!(u32::from_be_bytes(record[8..12].try_into().unwrap()) < 1_000_000_000);
    assert_eq!(record[12..16], pid.to_le_bytes());
    assert_eq!(record[16..18], [0, b'u']);
    if !testing_originals() {
        // runit's two: not sent TERM, running.
        assert_eq!(record[18..20], [0, 1]);
    }
}

#[test]
fn a_down_file_keeps_it_down_until_told() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    fs::write(service.path.join("down"), "").unwrap();
    let _supervise = service.supervise(&dir);
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), "down N seconds");
    assert_eq!(service.seen().unwrap().want, b'd');
    assert!(service.said.is_silent());
    service.svc(&dir, "-u");
    service.up();
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds, normally down");
}

#[test]
fn every_signal_letter_sends_its_signal() {
    let dir = Dir::new();
    let traps = ["HUP", "ALRM", "INT", "TERM"].map(|s| format!("trap 'echo {s} >$said' {s}\n"));
    let mut service = Service::new(&dir, "s", &traps.concat());
    let _supervise = service.supervise(&dir);
    service.up();
    for (letter, name) in [("-h", "HUP"), ("-a", "ALRM"), ("-i", "INT"), ("-t", "TERM")] {
        service.svc(&dir, letter);
        assert_eq!(service.said.line(), name);
    }
    service.svc(&dir, "-k");
    service.up();
}

#[test]
fn pause_and_continue() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    service.svc(&dir, "-p");
    service.until("the pause", |seen| seen.paused);
    assert_eq!(service.svstat(&dir), "up (pid N) N seconds, paused");
    service.svc(&dir, "-c");
    service.until("the end of the pause", |seen| !seen.paused);
    // The signal goes out after the status; the next answer is behind it.
    service.svc(&dir, "-o");
    service.until("once", |seen| seen.want == 0);
    assert_ne!(proc_state(pid), 'T');
}

#[test]
fn down_ends_also_what_is_paused() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    service.up();
    service.svc(&dir, "-p");
    service.until("the pause", |seen| seen.paused);
    service.svc(&dir, "-d");
    let seen = service.until("the end", |seen| seen.pid == 0);
    assert_eq!((seen.want, seen.paused), (b'd', false));
    assert_eq!(service.svstat(&dir), "down N seconds, normally up");
}

#[test]
fn once_is_once() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    fs::write(service.path.join("down"), "").unwrap();
    let _supervise = service.supervise(&dir);
    supervised(&service.path);
    service.svc(&dir, "-o");
    let pid = service.up();
    assert_eq!(service.seen().unwrap().want, 0);
    kill(pid, Signal::KILL);
    service.until("the end", |seen| seen.pid == 0);
    // What it does with the next letter shows that it did nothing before.
    service.svc(&dir, "-x");
    service.until("nothing", |seen| seen.pid == 0);
    assert!(service.said.is_silent());
}

#[test]
fn exit_waits_for_the_service() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    service.svc(&dir, "-x");
    service.svc(&dir, "-p");
    service.until("it still answers", |seen| seen.paused);
    kill(pid, Signal::KILL);
    assert_eq!(supervise.finish().code, 0);
    assert_eq!(dir.run("svok", [&service.path]).code, 100);
    assert_eq!(service.seen().unwrap().pid, 0);
}

#[test]
fn letters_work_in_the_order_given() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let first = service.up();
    service.svc(&dir, "-du");
    assert_ne!(service.up(), first);
    service.svc(&dir, "-ud");
    let seen = service.until("the end", |seen| seen.pid == 0);
    assert_eq!(seen.want, b'd');
}

#[test]
fn bytes_nobody_knows_do_nothing() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    let ours: &[u8] = if testing_originals() { b"" } else { b"q12wrlebyngOPCK+=" };
    let known = |b: &u8| b"udoxpchaitk".contains(b) || ours.contains(b);
    let every: Vec<u8> = (0..=255).filter(|b| !known(b)).collect();
    fs::write(service.path.join("supervise/control"), [&every, &b"p"[..]].concat()).unwrap();
    let seen = service.until("the pause behind them", |seen| seen.paused);
    assert_eq!((seen.pid, seen.want), (pid, b'u'));
}

#[test]
fn what_crashes_is_started_once_a_second() {
    let dir = Dir::new();
    let mut service = Service::with_script(&dir, "s", "echo up >$said");
    let _supervise = service.supervise(&dir);
    service.said.line();
    let first = Instant::now();
    for _ in 0..3 {
        service.said.line();
    }
    // Three waits of a second; the first line may have been read late.
    assert!(first.elapsed() > Duration::from_secs(2));
}

#[test]
fn a_second_supervise_is_refused() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    service.up();
    let second = dir.run("supervise", ["s"]);
    let words = "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
    assert_eq!((second.code, second.err().as_str()), (111, words));
}

#[test]
fn a_dangling_link_as_supervise_is_followed() {
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    std::os::unix::fs::symlink(dir.path("elsewhere"), service.path.join("supervise")).unwrap();
    let _supervise = service.supervise(&dir);
    let line = service.said.line();
    assert!(line.starts_with("up "));
    assert!(dir.path("elsewhere/lock").exists());
}

#[test]
fn the_service_starts_clean() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = "{ grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'
        echo leaked $(readlink /proc/$$/fd/* | grep -c passwd)
        set -- $(cat /proc/$$/stat); echo leader $(($6 == $$)); } >$said
        exec sleep 1000";
    let mut service = Service::with_script(&dir, "s", script);
    // Started with all that could leak: ignored signals and an open file.
    let sh = format!(
        "trap '' HUP INT PIPE USR1; exec {} s 7</etc/passwd",
        crate::support::program("supervise").display()
    );
    let _supervise = Process::start(dir.command("sh").args(["-c", &sh]));
    assert_eq!(service.said.line(), "SigBlk:0000000000000000");
    assert_eq!(service.said.line(), "SigIgn:0000000000000000");
    assert_eq!(service.said.line(), "leaked 0");
    assert_eq!(service.said.line(), "leader 1");
}

#[test]
fn signals_to_supervise_are_commands() {
    if testing_originals() {
        return;
    }
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        let supervise = service.supervise(&dir);
        service.up();
        supervise.signal(signal);
        assert_eq!(supervise.finish().code, 0);
        assert_eq!(service.seen().unwrap().pid, 0);
    }
    // HUP is x: it leaves when the service does.
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervise.signal(Signal::HUP);
    service.svc(&dir, "-p");
    service.until("it still answers", |seen| seen.paused);
    kill(pid, Signal::KILL);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn signals_that_were_not_meant_for_it_are_not_heard() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let program = crate::support::program("supervise");
    let sh = format!("trap '' HUP INT QUIT; exec {} s", program.display());
    let supervise = Process::start(dir.command("sh").args(["-c", &sh]));
    service.up();
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT] {
        supervise.signal(signal);
    }
    service.svc(&dir, "-p");
    let seen = service.until("the pause", |seen| seen.paused);
    assert_eq!(seen.want, b'u');
    supervise.signal(Signal::TERM);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn quit_ends_what_does_not_want_to() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap '' TERM");
    let supervise = service.supervise(&dir);
    service.up();
    supervise.signal(Signal::QUIT);
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn a_reader_of_its_complaints_may_go_away() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("s");
    // Without a run it complains once a second into a pipe that nobody reads.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = dir.tool("supervise", ["s"]);
    let mut child = command.stderr(writer).spawn().unwrap();
    let service = dir.path("s");
    supervised(&service);
    // A command that it answers after its first complaint.
    fs::write(service.join("supervise/control"), "dx").unwrap();
    assert_eq!(ends(&mut child), Some(0));
}

#[test]
fn a_reader_of_its_complaints_may_be_stuck() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("s");
    // A pipe without room: every complaint would wait for ever.
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'.'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    let mut child = dir.tool("supervise", ["s"]).stderr(writer).spawn().unwrap();
    let service = dir.path("s");
    supervised(&service);
    fs::write(service.join("supervise/control"), "dx").unwrap();
    assert_eq!(ends(&mut child), Some(0));
    drop(reader);
}

#[test]
fn it_waits_without_waking() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let switches = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let lines = status.lines().filter(|l| l.contains("voluntary_ctxt_switches"));
        lines.map(|l| l.rsplit('\t').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    // Nothing to wait for is the point; a second is what a periodic wake-up
    // would take to show. In the first interval it comes to rest.
    let silence = dir.fifo("silence");
    let mut seen = [0; 3];
    for count in &mut seen {
        assert!(!readable(&silence, Instant::now() + Duration::from_millis(1500)));
        *count = switches(supervise.pid());
    }
    assert_eq!(seen[1], seen[2]);
}

//! The letters that daemontools does not have, and the files that say what a
//! letter sends.

use crate::support::{Dir, Service, supervised, testing_originals};
use std::fs;

#[test]
fn every_letter_sends_its_signal() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let signals = ["QUIT", "USR1", "USR2", "WINCH", "HUP", "ABRT", "WINCH"];
    let traps = signals.map(|s| format!("trap 'echo {s} >$said' {s}\n"));
    let mut service = Service::new(&dir, "s", &traps.concat());
    let supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let letters = ["-q", "-1", "-2", "-w", "-l", "-b", "-y"];
    for (letter, name) in letters.iter().zip(signals) {
        service.svc(&dir, letter);
        assert_eq!(service.said.line(), name);
    }
    service.svc(&dir, "-r");
    assert_ne!(service.up(), pid);
    // Also one that is paused, and that is to be up once only.
    service.svc(&dir, "-op");
    service.until("the pause", |seen| seen.paused && seen.want == 0);
    service.svc(&dir, "-r");
    service.until("the end", |seen| (seen.pid, seen.want) == (0, 0));
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
}

/// Signals for the process, and for its whole group.
#[test]
fn a_signal_can_be_for_the_group() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // The child hears first, so that the order is known.
    let hold = dir.hold("hold");
    let child = format!(
        "(trap 'echo child >$said' HUP; exec 4<>{}; echo child up >$said
        while :; do read nothing <&4; done) & trap 'echo own >$said' HUP",
        hold.path().display()
    );
    let mut service = Service::new(&dir, "s", &child);
    let supervise = service.supervise(&dir);
    let both = [service.said.line(), service.said.line()];
    assert!(both.contains(&"child up".to_owned()), "{both:?}");
    supervised(&service.path);
    service.until("it", |seen| seen.pid != 0);
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "own");
    service.svc(&dir, "-+h=");
    let mut both = [service.said.line(), service.said.line()];
    both.sort();
    assert_eq!(both, ["child", "own"]);
    // Only what is behind it, and only in this call.
    service.svc(&dir, "-h+");
    assert_eq!(service.said.line(), "own");
    service.svc(&dir, "-h");
    assert_eq!(service.said.line(), "own");
    service.svc(&dir, "-P");
    service.until("the pause", |seen| seen.paused);
    service.svc(&dir, "-C");
    service.until("going on", |seen| !seen.paused);
    service.svc(&dir, "-O");
    service.until("no more", |seen| seen.want == 0);
    assert!(service.said.is_silent());
    service.svc(&dir, "-K");
    service.until("the end", |seen| (seen.pid, seen.want) == (0, 0));
    service.svc(&dir, "-Ox");
    assert_eq!(supervise.finish().code, 0);
    // All of the group is dead: nobody has the FIFO open any more.
    dir.nobody_is_left();
}

/// `O` also ends waiting for a start, and starts nothing.
#[test]
fn no_more_starts() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    fs::write(service.path.join("restart-delay"), "1000000").unwrap();
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-k");
    service.until("the end", |seen| (seen.pid, seen.want) == (0, b'u'));
    service.svc(&dir, "-O");
    service.until("no more", |seen| seen.want == 0);
    let record = fs::read(service.path.join("supervise/status")).unwrap();
    assert_eq!(record[68], 0);
    service.svc(&dir, "-O");
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
    assert!(service.said.is_silent());
}

#[test]
fn the_directory_says_which_signals() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let traps = "trap 'echo USR2 >$said' USR2; trap 'echo INT >$said; exit 0' INT
        trap 'echo TERM >$said' TERM";
    let mut service = Service::new(&dir, "s", traps);
    fs::write(service.path.join("down-signal"), "SIGINT\n").unwrap();
    fs::write(service.path.join("reload-signal"), "12").unwrap();
    let mut supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    for (letter, name) in [("-l", "USR2"), ("-t", "TERM"), ("-r", "INT")] {
        service.svc(&dir, letter);
        assert_eq!(service.said.line(), name);
    }
    assert_ne!(service.up(), pid);
    // Read at each start; what names no signal is reported.
    fs::write(service.path.join("down-signal"), "GOODBYE").unwrap();
    service.svc(&dir, "-r");
    assert_eq!(service.said.line(), "INT");
    let words = supervise.complains("down-signal");
    assert!(words.ends_with("/down-signal, using TERM: no such value: GOODBYE"), "{words}");
    service.up();
    fs::write(service.path.join("down-signal"), "INT").unwrap();
    service.svc(&dir, "-d");
    assert_eq!(service.said.line(), "TERM");
    service.svc(&dir, "-kx");
    assert_eq!(supervise.finish().code, 0);
}

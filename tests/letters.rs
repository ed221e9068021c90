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

//! Whoever is killed, no line is lost and none is cut; behind a kill some may
//! be there twice.

use super::{called, end, into_file};
use crate::support::container::{Plan, both};
use crate::support::{Dir, Service, deadline, readable, supervised, testing_originals};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Kills a process and waits for its end.
fn kill(pid: i32) {
    let Ok(process) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else { return };
    let _ = pidfd_send_signal(&process, Signal::KILL);
    assert!(readable(&process, deadline()), "{pid} does not end");
}

/// Lines with rising numbers, from two services.
struct Numbers {
    lines: BufReader<File>,
    next: [u64; 2],
    /// How often a number was there that had been there before.
    doubles: u64,
    /// Whether that may be now.
    killed: [bool; 2],
}

impl Numbers {
    fn new(path: &Path) -> Self {
        let file = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let lines = BufReader::new(file.into());
        Self { lines, next: [0; 2], doubles: 0, killed: [false; 2] }
    }

    /// Reads on until both have come to another `count`.
    fn read(&mut self, count: u64) {
        let goal = self.next.map(|next| next + count);
        while self.next.iter().zip(goal).any(|(next, goal)| *next < goal) {
            let is_there = !self.lines.buffer().is_empty();
            assert!(is_there || readable(self.lines.get_ref(), deadline()), "no more lines");
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            let which = usize::from(line.starts_with("b: "));
            let text = line.strip_prefix(["a: number ", "b: number "][which]);
            let number: u64 = text.unwrap_or_else(|| panic!("{line}")).trim().parse().unwrap();
            if number < self.next[which] && self.killed[which] {
                // All over again, once.
                self.doubles += self.next[which] - number;
                self.next[which] = number;
                self.killed[which] = false;
            }
            assert_eq!(number, self.next[which], "{line}");
            self.next[which] += 1;
        }
    }

    fn kill(&mut self, pid: i32) {
        self.killed = [true; 2];
        kill(pid);
    }
}

/// A service that writes numbers as fast as it can, and in two writes now and
/// then.
fn counting(dir: &Dir, name: &str) -> Service {
    let script = "echo up $$ >$said; exec awk 'BEGIN { for (n = 0; ; n++) {
        printf \"number \"; if (n % 1000 == 0) fflush(); print n } }'";
    Service::with_script(dir, &format!("scan/{name}"), script)
}

#[test]
fn no_line_is_lost() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let out = dir.fifo("out");
    let mut services = [counting(&dir, "a"), counting(&dir, "b")];
    let mut numbers = Numbers::new(out.path());
    let mut svscan = into_file(&dir);
    for service in &mut services {
        service.up();
        supervised(&service.path);
    }
    numbers.read(1000);
    for round in 0..9 {
        match round % 3 {
            0 => called(&dir, "svlines").into_iter().for_each(|pid| numbers.kill(pid)),
            1 => {
                numbers.killed = [true; 2];
                svscan.signal(Signal::KILL);
                assert_eq!(svscan.ends(), 137);
                // svlines goes on alone.
                numbers.read(2000);
                svscan = into_file(&dir);
            }
            _ => called(&dir, "supervise").into_iter().for_each(|pid| numbers.kill(pid)),
        }
        numbers.read(5000);
    }
    // All that hold a pipe but svhold.
    svscan.signal(Signal::KILL);
    for name in ["svlines", "supervise"] {
        called(&dir, name).into_iter().for_each(|pid| numbers.kill(pid));
    }
    assert_eq!(svscan.ends(), 137);
    svscan = into_file(&dir);
    numbers.read(5000);
    // Nobody reads to the end what never ends.
    let rest =
        std::thread::spawn(move || while numbers.lines.read_line(&mut String::new()).is_ok() {});
    for service in &services {
        // It may just be starting.
        supervised(&service.path);
        service.svc(&dir, "-dk");
    }
    let (_, err) = end(&dir, svscan);
    assert_eq!(err, "");
    drop((out, rest));
}

#[test]
fn the_last_words_of_all_are_shown() {
    const COUNT: usize = 30;
    both(|who| {
        let dir = Dir::new();
        let trap = "trap 'echo the last; printf words; exit' TERM";
        let new = |n| Service::new(&dir, &format!("scan/s{n}"), trap);
        let mut services: Vec<_> = (0..COUNT).map(new).collect();
        let container = Plan::new(&dir, who).start("svscan", ["-n", "scan"]);
        for service in &mut services {
            service.said.line();
            supervised(&service.path);
        }
        container.signal(Signal::TERM);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        let out = done.out();
        let mut lines: Vec<_> = out.lines().collect();
        lines.sort_unstable();
        let both = |n| [format!("s{n}: the last"), format!("s{n}: words")];
        let mut all: Vec<_> = (0..COUNT).flat_map(both).collect();
        all.sort_unstable();
        assert_eq!(lines, all);
        dir.nobody_is_left();
    });
}

#[test]
fn one_that_is_left_alone_goes_with_the_last_writer() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "trap 'echo last words; exit' TERM");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    supervised(&service.path);
    let all = called(&dir, "svlines");
    assert_eq!(all.len(), 1);
    let lines = pidfd_open(Pid::from_raw(all[0]).unwrap(), PidfdFlags::empty()).unwrap();
    svscan.signal(Signal::KILL);
    service.svc(&dir, "-dx");
    assert_eq!(svscan.prints("last"), "s: last words");
    assert!(readable(&lines, deadline()), "svlines stays");
    assert_eq!(svscan.ends(), 137);
}

#[test]
fn svscan_anew_has_a_svlines_anew() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "echo one");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    supervised(&service.path);
    assert_eq!(svscan.prints("one"), "s: one");
    let all = called(&dir, "svlines");
    let old = pidfd_open(Pid::from_raw(all[0]).unwrap(), PidfdFlags::empty()).unwrap();
    svscan.signal(Signal::USR1);
    assert!(readable(&old, deadline()), "the old svlines stays");
    service.svc(&dir, "-t");
    assert_eq!(svscan.prints("one"), "s: one");
    service.up();
    assert_eq!(end(&dir, svscan), (String::new(), String::new()));
}

/// Nobody would read what they write.
#[test]
fn a_svscan_that_shows_no_lines_reads_what_is_left() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "scan/s", "echo one");
    let mut svscan = dir.start("svscan", ["-n", "scan"]);
    service.up();
    supervised(&service.path);
    assert_eq!(svscan.prints("one"), "s: one");
    svscan.signal(Signal::KILL);
    called(&dir, "svlines").into_iter().for_each(kill);
    assert_eq!(svscan.ends(), 137);
    let mut svscan = dir.start("svscan", ["scan"]);
    service.svc(&dir, "-t");
    assert_eq!(svscan.prints("one"), "one");
    service.up();
    // Nobody else has a pipe, and in the end it has none either.
    let mut other = Service::new(&dir, "scan/other", "printf half");
    other.up();
    assert!(!other.path.join("supervise/stdout").exists());
    service.svc(&dir, "-dx");
    service.up();
    assert_eq!(end(&dir, svscan), ("halfone\n".into(), String::new()));
    // Pipes without a writer are left alone.
    let svscan = dir.start("svscan", ["scan"]);
    service.up();
    supervised(&service.path);
    svscan.signal(Signal::KILL);
    assert_eq!(svscan.ends(), 137);
    let svscan = dir.start("svscan", ["scan"]);
    // When it has taken up what is new, it has seen what was there.
    let mut third = Service::new(&dir, "scan/third", "");
    third.up();
    assert_eq!(called(&dir, "svlines"), []);
    end(&dir, svscan);
}

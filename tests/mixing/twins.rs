//! One sequence of commands for twin services, one under each supervise. After
//! each command, once both have done with it, everything that anybody can see
//! of the two has to be the same.

use super::{STAYS, both, start, svstat};
use crate::support::{Dir, Process, Service, deadline, is_supervised, readable, supervised};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a service should be doing, to know what to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Up,
    Paused,
    Gone,
}

/// What is expected of both twins.
#[derive(Clone, Debug)]
struct Model {
    state: State,
    restarts: bool,
    exiting: bool,
    /// Signals that the paused process has not got yet.
    pending: Vec<&'static str>,
}

/// One of the two.
struct Twin {
    dir: Dir,
    suite: PathBuf,
    service: Service,
    supervise: Process,
    /// Which of the two. Ours writes its status for `t`, for runit's clients,
    /// which look there whether TERM was sent; theirs writes it a second time
    /// before it listens.
    is_ours: bool,
}

/// All that can be seen from outside.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    record: (bool, Vec<u8>),
    files: Vec<(String, u32, bool)>,
    line: String,
    said: Vec<String>,
    supervised: bool,
}

/// Counts how often a status is put in its place.
struct Announcements(OwnedFd);

impl Announcements {
    fn of(path: &Path) -> Self {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        // The other half of a rename keeps two of them from being told as one.
        let what = WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
        inotify::add_watch(&fd, path.join("supervise"), what).unwrap();
        Self(fd)
    }

    fn wait(&self, count: usize) {
        let until = deadline();
        let mut seen = 0;
        while seen < count {
            assert!(readable(&self.0, until), "{seen} of {count} announcements");
            let mut buffer = [core::mem::MaybeUninit::uninit(); 4096];
            let mut events = inotify::Reader::new(&self.0, &mut buffer);
            while let Ok(event) = events.next() {
                seen += usize::from(event.events().contains(ReadFlags::MOVED_TO));
            }
        }
    }
}

impl Twin {
    fn new(suite: &Path, is_ours: bool, down: bool) -> Self {
        let dir = Dir::new();
        let mut service = Service::with_script(&dir, "s", STAYS);
        // As supervise would make it, so that its writes can be counted.
        let state = dir.mkdir("s/supervise");
        fs::set_permissions(state, fs::Permissions::from_mode(0o700)).unwrap();
        let announcements = Announcements::of(&service.path);
        if down {
            dir.file("s/down", "");
        }
        let supervise = start(&dir, suite, "supervise", ["s"]);
        if down {
            announcements.wait(if is_ours { 1 } else { 2 });
            supervised(&service.path);
        } else {
            service.up();
        }
        let mut twin = Self { dir, suite: suite.to_path_buf(), service, supervise, is_ours };
        if !down {
            twin.answers();
        }
        twin
    }

    /// Waits for an answer that is behind everything said before.
    fn answers(&mut self) {
        self.svc("-h");
        assert_eq!(self.service.said.line(), "HUP");
    }

    fn svc(&self, letters: &str) {
        let done = start(&self.dir, &self.suite, "svc", [letters, "s"]).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    }

    /// Says `letter` and waits until supervise has done with it, which takes
    /// the service from `before` to `after`. Gives what the service said.
    fn tell(&mut self, letter: char, before: &Model, after: &Model) -> Vec<String> {
        let announcements = Announcements::of(&self.service.path);
        self.svc(&format!("-{letter}"));
        let started = after.state == State::Up && (before.state == State::Down || letter == 'k');
        if started {
            self.service.up();
        }
        let mut said = Vec::new();
        match after.state {
            State::Gone => {
                // It is over when nobody holds the FIFO any more.
                let pid = rustix::process::Pid::from_raw(self.supervise.pid().cast_signed());
                let flags = rustix::process::PidfdFlags::empty();
                let pidfd = rustix::process::pidfd_open(pid.unwrap(), flags).unwrap();
                assert!(readable(&pidfd, deadline()), "supervise did not end");
            }
            State::Up => {
                // First what the letter made it say, so that no signal meets
                // one of its kind.
                said = (0..expected(letter, before)).map(|_| self.service.said.line()).collect();
                said.sort();
                self.answers();
            }
            State::Down | State::Paused => {
                if before.state == State::Down || letter != 'k' {
                    let writes = match letter {
                        'u' | 'd' | 'o' | 'p' | 'c' | 'x' => 1,
                        't' if before.state == State::Paused => usize::from(self.is_ours),
                        _ => 0,
                    };
                    // Said again, what holds already is announced once more.
                    self.svc(if after.state == State::Paused { "-p" } else { "-c" });
                    announcements.wait(writes + 1);
                } else {
                    self.service.until("the end", |seen| seen.pid == 0);
                    let announcements = Announcements::of(&self.service.path);
                    self.svc("-c");
                    announcements.wait(1);
                }
            }
        }
        assert!(self.service.said.is_silent(), "{letter}: said more");
        said
    }

    fn see(&self, said: Vec<String>) -> Seen {
        let supervise = self.service.path.join("supervise");
        let record = fs::read(supervise.join("status")).unwrap();
        let mut files: Vec<_> = fs::read_dir(&supervise)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let metadata = entry.metadata().unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, metadata.mode(), metadata.file_type().is_fifo())
            })
            .collect();
        files.sort();
        Seen {
            record: (record[12..16] != [0; 4], record[16..18].to_vec()),
            files,
            line: svstat(&self.dir, &self.suite, &self.service.path),
            said,
            supervised: is_supervised(&self.service.path),
        }
    }
}

/// How many lines a service that is up after `letter` says because of it.
fn expected(letter: char, before: &Model) -> usize {
    let mut signals = before.pending.clone();
    match (letter, before.state) {
        ('d', State::Up | State::Paused) | ('t', State::Up) => signals.push("TERM"),
        ('h' | 'a' | 'i', State::Up) => signals.push("one"),
        ('k', _) => return 0,
        _ => {}
    }
    signals.sort_unstable();
    signals.dedup();
    signals.len()
}

impl Model {
    fn after(&self, letter: char) -> Self {
        let mut next = self.clone();
        let alive = matches!(self.state, State::Up | State::Paused);
        match letter {
            'u' | 'o' => {
                next.restarts = letter == 'u';
                if !alive {
                    next.state = State::Up;
                }
            }
            'd' => {
                next.restarts = false;
                if alive {
                    next.state = State::Up;
                    next.pending.clear();
                }
            }
            'p' if alive => next.state = State::Paused,
            'c' if alive => {
                next.state = State::Up;
                next.pending.clear();
            }
            'k' if alive => {
                next.pending.clear();
                next.state = match (self.exiting, self.restarts) {
                    (true, _) => State::Gone,
                    (false, true) => State::Up,
                    (false, false) => State::Down,
                };
            }
            'x' => {
                next.exiting = true;
                if !alive {
                    next.state = State::Gone;
                }
            }
            'h' | 'a' | 'i' | 't' if self.state == State::Paused => {
                let signals = [('h', "HUP"), ('a', "ALRM"), ('i', "INT"), ('t', "TERM")];
                let signal = signals.into_iter().find(|(l, _)| *l == letter).unwrap().1;
                if !next.pending.contains(&signal) {
                    next.pending.push(signal);
                }
            }
            _ => {}
        }
        next
    }
}

/// Numbers that are the same for the same seed: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Both, and what is expected of them.
struct Twins {
    ours: Twin,
    theirs: Twin,
    model: Model,
    told: String,
}

impl Twins {
    fn new(down: bool) -> Option<Self> {
        let (ours, theirs) = both()?;
        let state = if down { State::Down } else { State::Up };
        Some(Self {
            ours: Twin::new(&ours, true, down),
            theirs: Twin::new(&theirs, false, down),
            model: Model { state, restarts: !down, exiting: false, pending: Vec::new() },
            told: String::new(),
        })
    }

    /// Tells both and compares them.
    fn tell(&mut self, letter: char) {
        let next = self.model.after(letter);
        self.told.push(letter);
        eprintln!("{}: {next:?}", self.told);
        let said = self.ours.tell(letter, &self.model, &next);
        let ours = self.ours.see(said);
        let said = self.theirs.tell(letter, &self.model, &next);
        assert_eq!(ours, self.theirs.see(said), "after {}", self.told);
        self.model = next;
    }

    fn end(self) {
        assert_eq!(self.model.state, State::Gone);
        assert_eq!((self.ours.supervise.ends(), self.theirs.supervise.ends()), (0, 0));
    }
}

/// Tells twins random letters, with as many starts as the original, which
/// sleeps a second after each, has time for.
fn random(seed: u64, length: usize, mut starts: usize) {
    eprintln!("seed {seed}");
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let Some(mut twins) = Twins::new(dice.roll(2) == 1) else { return };
    for n in 0..length {
        let letter = b"uudooppcchhaaiittkx"[dice.roll(19)] as char;
        let next = twins.model.after(letter);
        let starts_one =
            next.state == State::Up && (letter == 'k' || twins.model.state == State::Down);
        if (starts_one && starts == 0) || (letter == 'x' && n < length / 2) {
            continue;
        }
        starts -= usize::from(starts_one);
        twins.tell(letter);
        if twins.model.state == State::Gone {
            return twins.end();
        }
    }
}

#[test]
fn they_look_the_same_after_every_command() {
    // UPKEEP_SEED repeats one that failed, or tries others.
    let first = std::env::var("UPKEEP_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1_u64);
    std::thread::scope(|scope| {
        for seed in first..first + 8 {
            scope.spawn(move || random(seed, 30, 4));
        }
    });
}

/// Every letter that starts nothing in every state, after every other.
#[test]
fn they_look_the_same_in_every_state() {
    std::thread::scope(|scope| {
        for way in ["", "d", "o", "p", "dp", "dk", "ok", "dkp", "x", "xop"] {
            scope.spawn(move || {
                let Some(mut twins) = Twins::new(false) else { return };
                let back = if way.ends_with('p') { "p" } else { "" };
                for letter in way.chars() {
                    twins.tell(letter);
                }
                for letter in "hatippaiththcitahc".chars() {
                    twins.tell(letter);
                    if letter == 'c' {
                        back.chars().for_each(|letter| twins.tell(letter));
                    }
                }
                twins.tell('x');
                if twins.model.state != State::Gone {
                    twins.tell('k');
                }
                twins.end();
            });
        }
    });
}

//! All short words of events, and what must hold after each letter.

use super::*;

#[derive(Clone, Copy, Debug)]
enum Letter {
    Listed(bool),
    Unlisted,
    Leave,
    Hurry,
    Ends(Which, Ending),
    ForkFails,
    Passes(u64),
}

const LETTERS: [Letter; 14] = [
    Letter::Listed(false),
    Letter::Listed(true),
    Letter::Unlisted,
    Letter::Leave,
    Letter::Hurry,
    Letter::Ends(Which::Main, Ending::Told),
    Letter::Ends(Which::Main, Ending::Refused),
    Letter::Ends(Which::Main, Ending::Killed),
    Letter::Ends(Which::Main, Ending::Crashed),
    Letter::Ends(Which::Log, Ending::Told),
    Letter::Ends(Which::Log, Ending::Refused),
    Letter::Ends(Which::Log, Ending::Killed),
    Letter::ForkFails,
    Letter::Passes(SECOND),
];

/// The shell around the machine.
#[derive(Clone, Debug)]
struct World {
    service: Service,
    now: u64,
    main: bool,
    log: bool,
    last: [Option<u64>; 2],
    /// Whether the one before was killed.
    killed: [bool; 2],
    fork_fails: bool,
    write_end: bool,
    told_main: bool,
    forgotten: bool,
}

impl World {
    fn new(log: bool) -> Self {
        let mut world = Self {
            service: Service::new(),
            now: 0,
            main: false,
            log: false,
            last: [None; 2],
            killed: [false; 2],
            fork_fails: false,
            write_end: true,
            told_main: false,
            forgotten: false,
        };
        world.read(Letter::Listed(log));
        world
    }

    fn feed(&mut self, event: Event) {
        let (service, actions) = self.service.step(event, self.now);
        self.service = service;
        for action in actions {
            assert!(!self.forgotten, "{action:?} after the end");
            match action {
                Action::Start(which) => self.start(which),
                Action::EndMain | Action::KillMain => {
                    assert!(self.main);
                    self.told_main = true;
                }
                Action::CloseLog => {
                    assert!(!self.main, "lines are lost: the pipe closes before its writer");
                    assert!(self.log || self.service.deadline().is_some());
                    self.write_end = false;
                }
                Action::EndLog => assert!(self.log && !self.main, "the logger goes last"),
                Action::LookAtPipe => self.feed(Event::Drained(false)),
                Action::Forget => {
                    assert!(!self.main && !self.log, "forgotten alive");
                    self.forgotten = true;
                }
            }
        }
    }

    fn start(&mut self, which: Which) {
        let (runs, index) = match which {
            Which::Main => (&mut self.main, 0),
            Which::Log => (&mut self.log, 1),
        };
        assert!(!*runs, "two of {which:?}");
        assert!(self.write_end || which == Which::Log, "a writer without a pipe");
        if self.fork_fails {
            return self.feed(Event::NotStarted(which));
        }
        *runs = true;
        if which == Which::Main {
            self.told_main = false;
        }
        if let Some(last) = self.last[index] {
            let least = if self.killed[index] { AFTER_KILL } else { BETWEEN_STARTS };
            assert!(self.now - last >= least, "a storm");
        }
        self.last[index] = Some(self.now);
        self.feed(Event::Started(which));
    }

    fn read(&mut self, letter: Letter) {
        if self.forgotten {
            return;
        }
        self.now += 1_000_000;
        match letter {
            Letter::Listed(log) => self.feed(Event::Listed { log }),
            Letter::Unlisted => self.feed(Event::Unlisted),
            Letter::Leave => self.feed(Event::Leave),
            Letter::Hurry => self.feed(Event::Hurry),
            Letter::Ends(which, ending) => {
                let runs = match which {
                    Which::Main => &mut self.main,
                    Which::Log => &mut self.log,
                };
                if core::mem::take(runs) {
                    self.killed[which as usize] = ending == Ending::Killed;
                    self.feed(Event::Ended(which, ending));
                }
            }
            Letter::ForkFails => self.fork_fails = !self.fork_fails,
            Letter::Passes(time) => self.now += time,
        }
        if !self.forgotten {
            self.feed(Event::Tick);
        }
        self.check();
    }

    fn check(&self) {
        let service = &self.service;
        if self.forgotten {
            return;
        }
        assert_eq!(service.runs(Which::Main), self.main);
        assert_eq!(service.runs(Which::Log), self.log);
        // Wanted and not there means that a start is due, and soon.
        if service.listed && !service.leaving && !self.main {
            assert!(service.deadline().is_some_and(|at| at <= self.now + RETRY), "{self:?}");
        }
        // On the way out somebody is still waited for.
        if service.leaving {
            assert!(self.main || self.log || service.deadline().is_some(), "{self:?}");
            assert!(!self.main || self.told_main, "never told");
        }
    }
}

fn walk(world: &World, depth: u32, count: &mut u64) {
    *count += 1;
    if depth == 0 || world.forgotten {
        return;
    }
    for letter in LETTERS {
        let mut next = world.clone();
        next.read(letter);
        walk(&next, depth - 1, count);
    }
}

#[test]
fn every_word_of_events() {
    let mut count = 0;
    for log in [true, false] {
        walk(&World::new(log), 5, &mut count);
    }
    assert!(count > 100_000);
}

#[test]
fn the_logger_leaves_last() {
    let mut world = World::new(true);
    assert!(world.main && world.log);
    world.read(Letter::Leave);
    assert!(world.write_end);
    world.read(Letter::Ends(Which::Main, Ending::Told));
    assert!(!world.write_end && !world.forgotten);
    world.read(Letter::Ends(Which::Log, Ending::Told));
    assert!(world.forgotten);
}

#[test]
fn a_supervise_that_cannot_work_is_tried_again_later() {
    let mut world = World::new(false);
    world.read(Letter::Ends(Which::Main, Ending::Refused));
    world.read(Letter::Passes(2 * SECOND));
    assert!(!world.main);
    world.read(Letter::Passes(3 * SECOND));
    assert!(world.main);
}

#[test]
fn what_has_gone_is_not_started_again() {
    let mut world = World::new(false);
    world.read(Letter::Unlisted);
    assert!(world.main && !world.forgotten);
    world.read(Letter::Ends(Which::Main, Ending::Told));
    assert!(world.forgotten);
}

#[test]
fn a_log_that_appears_later_is_for_the_next_supervise() {
    let mut world = World::new(false);
    world.read(Letter::Listed(true));
    assert!(world.main && !world.log);
    world.read(Letter::Ends(Which::Main, Ending::Told));
    world.read(Letter::Passes(BETWEEN_STARTS));
    assert!(world.main && world.log);
}

#[test]
fn one_that_was_killed_is_back_at_once() {
    let mut world = World::new(false);
    for _ in 0..3 {
        world.read(Letter::Ends(Which::Main, Ending::Killed));
        world.read(Letter::Passes(AFTER_KILL));
        assert!(world.main);
    }
    world.read(Letter::Ends(Which::Main, Ending::Crashed));
    world.read(Letter::Passes(AFTER_KILL));
    assert!(!world.main);
}

#[test]
fn one_that_was_killed_on_the_way_out_is_started_to_be_told() {
    let mut world = World::new(true);
    world.read(Letter::Ends(Which::Main, Ending::Killed));
    // Not started again yet, and its service lives.
    assert!(!world.main);
    world.service.not_before[0] = world.now + SECOND;
    world.service.main = Half::Due(world.now + SECOND);
    world.read(Letter::Leave);
    assert!(!world.forgotten && world.write_end);
    world.read(Letter::Passes(SECOND));
    assert!(world.main && world.told_main);
    // And again.
    world.read(Letter::Ends(Which::Main, Ending::Killed));
    world.read(Letter::Passes(AFTER_KILL));
    assert!(world.main && world.told_main && world.write_end);
    world.read(Letter::Ends(Which::Main, Ending::Told));
    assert!(!world.write_end);
    world.read(Letter::Ends(Which::Log, Ending::Killed));
    world.read(Letter::Passes(AFTER_KILL));
    assert!(world.log);
    world.read(Letter::Ends(Which::Log, Ending::Told));
    assert!(world.forgotten);
}

//! All short words of events, and what must hold after each letter.

use super::*;
use crate::control::COMMANDS;

/// What the world does; time passes between any two of them.
#[derive(Clone, Copy, Debug)]
enum Letter {
    Told(Command),
    Dies,
    ForkFails,
    StatusFails,
    Passes(u64),
}

const LETTERS: [Letter; 11] = [
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Pause),
    Letter::Told(Command::Continue),
    Letter::Told(Command::Kill),
    Letter::Dies,
    Letter::ForkFails,
    Letter::StatusFails,
    Letter::Passes(SECOND),
];

/// The shell around the machine, and what it has seen.
#[derive(Clone)]
struct World {
    machine: Machine,
    now: u64,
    alive: Option<u32>,
    next_pid: u32,
    fork_fails: bool,
    status_fails: bool,
    starts: u32,
    last_start: Option<u64>,
    /// Process, want and paused, as last written.
    written: Option<(u32, Want, bool)>,
    gone: bool,
    /// Told to be down, or that one start was enough, and no `u` or `o` since.
    must_stay_down: bool,
}

impl World {
    fn new(up: bool) -> Self {
        let machine = Machine::new(up, 0);
        let mut world = Self {
            machine,
            now: 0,
            alive: None,
            next_pid: 100,
            fork_fails: false,
            status_fails: false,
            starts: 0,
            last_start: None,
            written: Some((0, machine.want, false)),
            gone: false,
            must_stay_down: !up,
        };
        world.feed(Event::Tick);
        world
    }

    fn feed(&mut self, event: Event) {
        let (machine, actions) = self.machine.step(event, self.now);
        self.machine = machine;
        for action in actions {
            assert!(!self.gone, "{action:?} after the end");
            match action {
                Action::Stamp => {}
                Action::Announce if self.status_fails => self.feed(Event::NotAnnounced),
                Action::Announce => {
                    let machine = &self.machine;
                    let paused = machine.paused && self.alive.is_some();
                    self.written = Some((machine.pid(), machine.want, paused));
                }
                Action::Start => self.start(),
                Action::Send(_) => assert!(self.alive.is_some(), "a signal to nobody"),
                Action::Exit => {
                    assert!(self.alive.is_none(), "left with a process");
                    self.gone = true;
                }
            }
        }
    }

    fn start(&mut self) {
        assert!(self.alive.is_none(), "two at once");
        assert!(!self.must_stay_down, "started though it was to be down");
        assert!(!self.machine.exiting, "started on the way out");
        if self.fork_fails {
            return self.feed(Event::NotStarted);
        }
        if let Some(last) = self.last_start {
            assert!(self.now - last >= BETWEEN_STARTS, "two starts in a second");
        }
        self.last_start = Some(self.now);
        self.starts += 1;
        self.next_pid += 1;
        self.alive = Some(self.next_pid);
        self.feed(Event::Started(self.next_pid));
    }

    fn read(&mut self, letter: Letter) {
        self.now += 1_000_000;
        match letter {
            Letter::Told(command) => {
                if matches!(command, Command::Up | Command::Once) {
                    self.must_stay_down = false;
                } else if command == Command::Down {
                    self.must_stay_down = true;
                }
                self.feed(Event::Told(command));
            }
            Letter::Dies => {
                if self.alive.take().is_some() {
                    if self.machine.want == Want::Once {
                        self.must_stay_down = true;
                    }
                    self.feed(Event::Died);
                }
            }
            Letter::ForkFails => self.fork_fails = !self.fork_fails,
            Letter::StatusFails => self.status_fails = !self.status_fails,
            Letter::Passes(time) => {
                self.now += time;
                self.feed(Event::Tick);
            }
        }
        self.check(letter);
    }

    fn check(&self, letter: Letter) {
        let machine = &self.machine;
        assert_eq!(machine.pid(), self.alive.unwrap_or(0), "after {letter:?}");
        assert_ne!(machine.phase, Phase::Starting, "the answer was given");
        assert_eq!(machine.phase == Phase::Gone, self.gone);
        if self.gone {
            return;
        }
        // Wanted up and not up means that a start is due, and soon.
        if machine.want == Want::Up && self.alive.is_none() {
            let due = machine.deadline().expect("waits for ever");
            assert!(due <= self.now + RETRY);
        }
        // What is written is true, or writing it is due.
        let paused = machine.paused && self.alive.is_some();
        if self.written != Some((machine.pid(), machine.want, paused)) {
            assert!(machine.deadline().is_some_and(|at| at <= self.now + RETRY), "{self:?}");
        }
    }
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?} written {:?}", self.machine, self.written)
    }
}

fn walk(world: &World, depth: u32, count: &mut u64) {
    *count += 1;
    if depth == 0 {
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
    for up in [true, false] {
        walk(&World::new(up), 6, &mut count);
    }
    assert!(count > 1_000_000);
}

/// Every phase with every event, also the impossible ones: none panics, and
/// none conjures up a process.
#[test]
fn every_phase_with_every_event() {
    let phases = [Phase::Down, Phase::Waiting(5), Phase::Starting, Phase::Up(7), Phase::Gone];
    let told = COMMANDS.iter().map(|row| Event::Told(row.1));
    let rest =
        [Event::Started(8), Event::NotStarted, Event::Died, Event::NotAnnounced, Event::Tick];
    for event in told.chain(rest) {
        for phase in phases {
            let before = Machine { phase, ..Machine::new(true, 0) };
            let (after, _) = before.step(event, 3);
            match after.phase {
                Phase::Up(8) => assert_eq!((phase, event), (Phase::Starting, Event::Started(8))),
                Phase::Up(pid) => assert_eq!((phase, pid), (Phase::Up(7), 7)),
                Phase::Down | Phase::Waiting(_) | Phase::Starting | Phase::Gone => {}
            }
        }
    }
}

#[test]
fn a_second_between_starts() {
    let mut world = World::new(true);
    assert_eq!(world.starts, 1);
    world.read(Letter::Dies);
    assert_eq!(world.machine.phase, Phase::Waiting(BETWEEN_STARTS));
    world.read(Letter::Passes(BETWEEN_STARTS));
    assert_eq!(world.starts, 2);
    // Having lived for a second, it is started again at once.
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Dies);
    assert_eq!(world.starts, 3);
}

#[test]
fn down_takes_effect_while_it_waits() {
    let mut world = World::new(true);
    world.read(Letter::Dies);
    world.read(Letter::Told(Command::Down));
    assert_eq!(world.machine.phase, Phase::Down);
    world.read(Letter::Passes(10 * SECOND));
    assert_eq!(world.starts, 1);
}

#[test]
fn a_fork_that_failed_is_tried_again_and_a_command_does_not_wait_for_it() {
    let mut world = World::new(false);
    world.read(Letter::ForkFails);
    world.read(Letter::Told(Command::Up));
    assert_eq!((world.starts, world.machine.phase), (0, Phase::Waiting(world.now + RETRY)));
    world.read(Letter::ForkFails);
    world.read(Letter::Told(Command::Up));
    assert_eq!(world.starts, 1);
}

#[test]
fn an_unwritten_status_is_written_later() {
    let mut world = World::new(true);
    world.read(Letter::StatusFails);
    world.read(Letter::Told(Command::Pause));
    assert_eq!(world.written, Some((101, Want::Up, false)));
    world.read(Letter::StatusFails);
    world.read(Letter::Passes(RETRY));
    assert_eq!(world.written, Some((101, Want::Up, true)));
}

//! All short words of events, and what must hold after each letter.

use super::*;
use crate::control::COMMANDS;
use crate::record::Record;
use crate::status::Status;
use crate::tai::Tai64n;

/// What the world does; time passes between any two of them.
#[derive(Clone, Copy, Debug)]
enum Letter {
    Told(Command),
    Dies,
    /// Nothing is left behind any more, or something is again.
    Leftovers,
    ForkFails,
    StatusFails,
    /// supervise is killed, and the next one begins.
    Killed,
    /// The same, and the service with it.
    KilledBoth,
    Passes(u64),
}

const LETTERS: [Letter; 14] = [
    Letter::Told(Command::Up),
    Letter::Told(Command::Down),
    Letter::Told(Command::Once),
    Letter::Told(Command::Exit),
    Letter::Told(Command::Pause),
    Letter::Told(Command::Continue),
    Letter::Told(Command::Kill),
    Letter::Dies,
    Letter::Leftovers,
    Letter::ForkFails,
    Letter::StatusFails,
    Letter::Killed,
    Letter::KilledBoth,
    Letter::Passes(SECOND),
];

const BOOT: Boot = [7; 16];

/// The shell around the machine, and what it has seen.
#[derive(Clone)]
struct World {
    machine: Machine,
    plan: Plan,
    now: u64,
    alive: Option<u32>,
    leftovers: bool,
    next_pid: u32,
    fork_fails: bool,
    status_fails: bool,
    starts: u32,
    last_start: Option<u64>,
    /// What was written last.
    record: Record,
    /// Process, want and paused, as last written.
    written: Option<(u32, Want, bool)>,
    /// Whether the process holds the lock, because it could not be recorded.
    locked: bool,
    gone: bool,
    /// Told to be down, or that one start was enough, and no `u` or `o` since.
    must_stay_down: bool,
}

impl World {
    fn new(up: bool, plan: Plan) -> Self {
        let machine = Machine { plan, ..Machine::new(up, 0) };
        let mut world = Self {
            machine,
            plan,
            now: 0,
            alive: None,
            leftovers: false,
            next_pid: 100,
            fork_fails: false,
            status_fails: false,
            starts: 0,
            last_start: None,
            record: record(&machine, false),
            written: Some((0, machine.want, false)),
            locked: false,
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
                Action::Stamp | Action::Renew => {}
                Action::Announce | Action::Intend if self.status_fails => {
                    self.feed(Event::NotAnnounced);
                }
                Action::Announce => self.write(false),
                Action::Intend => self.write(true),
                Action::Start => self.start(),
                Action::Send(_) => assert!(self.alive.is_some(), "a signal to nobody"),
                Action::Clear if self.leftovers => self.feed(Event::NotCleared),
                Action::Clear => self.feed(Event::Cleared),
                Action::Exit => {
                    assert!(self.alive.is_none(), "left with a process");
                    assert!(!self.leftovers || !self.plan.clears, "left with leftovers");
                    self.gone = true;
                }
            }
        }
    }

    fn write(&mut self, intent: bool) {
        self.record = record(&self.machine, intent);
        let paused = self.machine.paused && self.alive.is_some();
        self.written = Some((self.machine.pid(), self.machine.want, paused));
    }

    fn start(&mut self) {
        assert!(self.alive.is_none(), "two at once");
        assert!(!self.leftovers || !self.plan.clears, "started beside leftovers");
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
        let pid = self.next_pid;
        // As the child does it: first the record, then the process.
        let (will_be, _) = self.machine.step(Event::Started(pid), self.now);
        if !self.status_fails {
            self.record = record(&will_be, false);
            self.written = Some((pid, will_be.want, false));
        }
        self.locked = self.status_fails;
        self.alive = Some(pid);
        self.feed(Event::Started(pid));
        if self.status_fails {
            self.feed(Event::NotAnnounced);
        }
    }

    /// The next supervise begins with what the record says.
    fn begin(&mut self) {
        // One that cannot be claimed is not begun, and one whose last command
        // could not be written is not what this is about.
        if self.gone || self.locked && self.alive.is_some() || self.status_fails {
            return;
        }
        let bytes = self.record.encode();
        let Record { status, own } = Record::of_this_boot(&bytes, &BOOT).expect("whole");
        let machine =
            Machine::resume(&own, status.want, status.paused, status.terminating, self.now);
        let mut machine = machine.expect("not over");
        machine.plan = self.plan;
        if own.stage == Stage::Up {
            assert_eq!(machine.pid(), own.process.pid);
            assert!(self.alive.is_none_or(|pid| pid == own.process.pid), "a stranger");
        } else {
            assert_eq!(self.alive, None, "a process that nobody knows of");
        }
        self.machine = machine;
        if own.stage == Stage::Up && self.alive.is_none() {
            self.feed(Event::Died(Outcome::Unknown));
        } else if own.intent {
            self.feed(Event::Told(Command::Down));
        }
        self.feed(Event::Tick);
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
                    self.end();
                    self.feed(Event::Died(Outcome::Exited(1)));
                }
            }
            Letter::Leftovers => {
                self.leftovers = !self.leftovers && self.alive.is_some();
                self.feed(Event::Stirred);
            }
            Letter::ForkFails => self.fork_fails = !self.fork_fails,
            Letter::StatusFails => self.status_fails = !self.status_fails,
            Letter::Killed => self.begin(),
            Letter::KilledBoth => {
                // What is not on record yet is another letter's business.
                if !self.status_fails && self.is_written() {
                    self.locked = false;
                    if self.alive.take().is_some() {
                        self.end();
                    }
                    self.begin();
                }
            }
            Letter::Passes(time) => {
                self.now += time;
                self.feed(Event::Tick);
            }
        }
        self.check(letter);
    }

    fn end(&mut self) {
        if self.machine.want == Want::Once {
            self.must_stay_down = true;
        }
    }

    fn is_written(&self) -> bool {
        let paused = self.machine.paused && self.alive.is_some();
        self.written == Some((self.machine.pid(), self.machine.want, paused))
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
        // A service that is told to be down and is not is killed in time.
        if self.plan.kill_after > 0 && machine.terminating && machine.want == Want::Down {
            let since_told = machine.deadline().is_none_or(|at| at <= self.now + RETRY);
            assert!(since_told, "killed too late");
        }
        // What is written is true, or writing it is due.
        if !self.is_written() {
            assert!(machine.deadline().is_some_and(|at| at <= self.now + RETRY), "{self:?}");
        }
    }
}

fn record(machine: &Machine, intent: bool) -> Record {
    let process = Identity { pid: machine.pid(), started: 1, ..Identity::default() };
    Record {
        status: Status {
            since: Tai64n { seconds: 0, nanos: 0 },
            pid: machine.pid(),
            paused: machine.paused,
            want: machine.want,
            terminating: machine.terminating,
        },
        own: machine.own(BOOT, process, intent),
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
    let plain = Plan::default();
    let tree = Plan { clears: true, kill_after: SECOND };
    for (up, plan) in [(true, plain), (false, plain), (true, tree)] {
        walk(&World::new(up, plan), 5, &mut count);
    }
    assert!(count > 1_000_000);
}

/// Every phase with every event, also the impossible ones: none panics, and
/// none conjures up a process.
#[test]
fn every_phase_with_every_event() {
    let phases = [
        Phase::Down,
        Phase::Waiting(5),
        Phase::Starting,
        Phase::Up(7),
        Phase::Clearing(5),
        Phase::Gone,
    ];
    let told = COMMANDS.iter().map(|row| Event::Told(row.1));
    let rest = [
        Event::Started(8),
        Event::NotStarted,
        Event::Died(Outcome::Killed(9)),
        Event::Cleared,
        Event::NotCleared,
        Event::Stirred,
        Event::NotAnnounced,
        Event::Tick,
    ];
    for event in told.chain(rest) {
        for phase in phases {
            let before = Machine { phase, ..Machine::new(true, 0) };
            let (after, _) = before.step(event, 3);
            match after.phase {
                Phase::Up(8) => assert_eq!((phase, event), (Phase::Starting, Event::Started(8))),
                Phase::Up(pid) => assert_eq!((phase, pid), (Phase::Up(7), 7)),
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Starting
                | Phase::Clearing(_)
                | Phase::Gone => {}
            }
        }
    }
}

#[test]
fn a_second_between_starts() {
    let mut world = World::new(true, Plan::default());
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
    let mut world = World::new(true, Plan::default());
    world.read(Letter::Dies);
    world.read(Letter::Told(Command::Down));
    assert_eq!(world.machine.phase, Phase::Down);
    world.read(Letter::Passes(10 * SECOND));
    assert_eq!(world.starts, 1);
}

#[test]
fn a_fork_that_failed_is_tried_again_and_a_command_does_not_wait_for_it() {
    let mut world = World::new(false, Plan::default());
    world.read(Letter::ForkFails);
    world.read(Letter::Told(Command::Up));
    assert_eq!((world.starts, world.machine.phase), (0, Phase::Waiting(world.now + RETRY)));
    world.read(Letter::ForkFails);
    world.read(Letter::Told(Command::Up));
    assert_eq!(world.starts, 1);
}

#[test]
fn an_unwritten_status_is_written_later() {
    let mut world = World::new(true, Plan::default());
    world.read(Letter::StatusFails);
    world.read(Letter::Told(Command::Pause));
    assert_eq!(world.written, Some((101, Want::Up, false)));
    world.read(Letter::StatusFails);
    world.read(Letter::Passes(RETRY));
    assert_eq!(world.written, Some((101, Want::Up, true)));
}

#[test]
fn a_second_between_starts_also_for_the_next_supervise() {
    let mut world = World::new(true, Plan::default());
    world.read(Letter::Dies);
    let due = world.machine.phase;
    world.read(Letter::Killed);
    assert_eq!((world.machine.phase, world.starts), (due, 1));
    world.read(Letter::Passes(BETWEEN_STARTS));
    assert_eq!(world.starts, 2);
}

#[test]
fn a_down_that_was_not_carried_out_is_carried_out_by_the_next_supervise() {
    let mut world = World::new(true, Plan::default());
    // Killed right after the mark was written.
    let (machine, actions) = world.machine.step(Event::Told(Command::Down), world.now);
    assert_eq!(actions.into_iter().next(), Some(Action::Intend));
    world.record = record(&machine, true);
    world.must_stay_down = true;
    world.read(Letter::Killed);
    assert_eq!((world.machine.want, world.machine.terminating), (Want::Down, true));
    assert!(!world.record.own.intent, "carried out");
}

#[test]
fn what_does_not_end_is_killed_in_time() {
    let mut world = World::new(true, Plan { clears: false, kill_after: SECOND });
    world.read(Letter::Told(Command::Down));
    let at = world.machine.deadline().expect("a time to kill");
    // The next supervise keeps the time, and a second `d` does not move it.
    world.read(Letter::Killed);
    world.read(Letter::Told(Command::Down));
    assert_eq!(world.machine.deadline(), Some(at));
    let (_, actions) = world.machine.step(Event::Tick, at);
    assert_eq!(actions.into_iter().next(), Some(Action::Send(Signal::Kill)));
}

#[test]
fn what_is_left_is_cleared_before_the_next_start() {
    let mut world = World::new(true, Plan { clears: true, kill_after: 0 });
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Leftovers);
    world.read(Letter::Dies);
    assert_eq!(world.starts, 1);
    // The next supervise goes on clearing.
    world.read(Letter::Killed);
    world.read(Letter::Passes(CLEAR_AGAIN));
    assert_eq!(world.starts, 1);
    world.read(Letter::Leftovers);
    world.read(Letter::Passes(CLEAR_AGAIN));
    assert_eq!(world.starts, 2);
}

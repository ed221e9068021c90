//! All short words of events, and what must hold after each letter.

use super::world::{LETTERS, Letter, World, record};
use super::*;
use crate::control::{COMMANDS, Command};
use crate::restart::{Ends, Limit, Policy, When};

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

/// Two ends are too many, and before that each start is put off.
const LIMITED: Policy = Policy {
    delay: 1500,
    longest: Some(4000),
    limit: Some(Limit { deaths: 2, seconds: 1_000_000 }),
    ..Policy::ALWAYS
};

#[test]
fn every_word_of_events() {
    let mut count = 0;
    let plain = Plan::default();
    let tree = Plan { clears: true, kill_after: SECOND, ..plain };
    let finish = Plan { finishes: true, finish_within: SECOND, ..plain };
    let both = Plan { finishes: true, says_ready: true, ..tree };
    let limited = Plan { restart: LIMITED, ..both };
    for (up, plan) in [
        (true, plain),
        (false, plain),
        (true, tree),
        (true, finish),
        (true, both),
        (true, Plan { restart: LIMITED, ..plain }),
        (false, limited),
        (true, limited),
    ] {
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
        Phase::Closing,
        Phase::Finishing(7),
        Phase::Clearing(5),
        Phase::Gone,
    ];
    let told = COMMANDS.iter().map(|row| Event::Told(row.1));
    let rest = [
        Event::Started(8),
        Event::NotStarted,
        Event::Ready,
        Event::Died(Outcome::Killed(9)),
        Event::Finishing(8),
        Event::NotFinishing,
        Event::Finished(Outcome::Exited(125)),
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
                Phase::Finishing(8) => {
                    assert_eq!((phase, event), (Phase::Closing, Event::Finishing(8)));
                }
                Phase::Finishing(pid) => assert_eq!((phase, pid), (Phase::Finishing(7), 7)),
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Starting
                | Phase::Closing
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
    assert_eq!((world.machine.want, world.machine.told), (Want::Down, true));
    assert!(!world.record.own.intent, "carried out");
}

#[test]
fn what_does_not_end_is_killed_in_time() {
    let mut world = World::new(true, Plan { kill_after: SECOND, ..Plan::default() });
    world.read(Letter::Told(Command::Down));
    let at = world.machine.deadline().expect("a time to kill");
    // The next supervise keeps the time, and a second `d` does not move it.
    world.read(Letter::Killed);
    world.read(Letter::Told(Command::Down));
    assert_eq!(world.machine.deadline(), Some(at));
    let (_, actions) = world.machine.step(Event::Tick, at);
    assert_eq!(actions.into_iter().next(), Some(Action::KillLate));
}

#[test]
fn what_is_left_is_cleared_before_the_next_start() {
    let mut world = World::new(true, Plan { clears: true, ..Plan::default() });
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

#[test]
fn a_finish_that_says_so_is_the_end() {
    let plan = Plan { finishes: true, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Dies);
    assert!(matches!(world.machine.phase, Phase::Finishing(_)));
    world.finish = None;
    world.feed(Event::Finished(Outcome::Exited(NEVER_AGAIN)));
    assert_eq!((world.machine.phase, world.machine.want), (Phase::Down, Want::Down));
    world.read(Letter::Told(Command::Up));
    assert_eq!(world.starts, 2);
}

#[test]
fn a_finish_that_takes_too_long_is_killed() {
    let plan = Plan { finishes: true, finish_within: SECOND, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Dies);
    let at = world.machine.deadline().expect("a time to kill");
    // Also by the next supervise.
    world.read(Letter::Killed);
    assert_eq!(world.machine.deadline(), Some(at));
    let (_, actions) = world.machine.step(Event::Tick, at);
    assert_eq!(actions.into_iter().next(), Some(Action::Send(Signal::Kill)));
}

#[test]
fn ready_is_what_says_so_once() {
    let plan = Plan { says_ready: true, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Killed);
    assert!(world.machine.awaited);
    let (_, actions) = world.machine.step(Event::Ready, world.now);
    assert!(actions.into_iter().eq([Action::StampReady, Action::Announce]));
    world.read(Letter::Ready);
    let (_, actions) = world.machine.step(Event::Ready, world.now);
    assert_eq!(actions, Actions::default());
    // The next process has to say it again.
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Dies);
    assert!(world.machine.awaited);
}

#[test]
fn a_delay_is_cut_short_by_up_and_kept_by_the_next_supervise() {
    let restart = Policy { limit: None, delay: 60_000, longest: None, ..LIMITED };
    let mut world = World::new(true, Plan { restart, ..Plan::default() });
    world.read(Letter::Passes(5 * SECOND));
    world.read(Letter::Dies);
    let Phase::Waiting(due) = world.machine.phase else { panic!("{world:?}") };
    assert!(due >= world.now + 60 * SECOND && due <= world.now + 67 * SECOND);
    world.read(Letter::Killed);
    assert_eq!(world.machine.phase, Phase::Waiting(due));
    assert_eq!(world.starts, 1);
    world.read(Letter::Told(Command::Up));
    assert_eq!(world.starts, 2);
}

#[test]
fn one_that_gave_up_begins_with_a_fresh_count() {
    let mut world = World::new(true, Plan { restart: LIMITED, ..Plan::default() });
    for round in 1..4 {
        world.read(Letter::Dies);
        world.read(Letter::Killed);
        assert_eq!((world.machine.history.deaths, world.machine.want), (1, Want::Up));
        world.read(Letter::Passes(2 * SECOND));
        world.read(Letter::KilledBoth);
        assert_eq!((world.machine.phase, world.machine.want), (Phase::Down, Want::Down));
        let history = world.machine.history;
        assert_eq!((history.reason, history.failed, history.deaths), (Reason::GaveUp, true, 2));
        world.read(Letter::Killed);
        world.read(Letter::Passes(100 * SECOND));
        assert_eq!((world.machine.history, world.starts), (history, 2 * round));
        world.read(Letter::Told(Command::Up));
    }
}

/// Whoever tells it to end does not mean that it has failed.
#[test]
fn an_end_that_was_told_is_started_again() {
    let never = Ends::parse(b"1").expect("a list");
    let restart = Policy { when: When::Never, never, delay: 60_000, ..Policy::ALWAYS };
    let mut world = World::new(true, Plan { restart, ..Plan::default() });
    for command in [Command::Restart, Command::Terminate] {
        world.read(Letter::Passes(SECOND));
        let starts = world.starts;
        world.read(Letter::Told(command));
        world.read(Letter::Dies);
        assert_eq!(world.starts, starts + 1);
    }
    world.read(Letter::Dies);
    assert_eq!(world.machine.history.reason, Reason::Never);
}

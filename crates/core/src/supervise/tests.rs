//! All short words of events, and what must hold after each letter.

mod follow;
mod order;
mod prepare;

use super::world::{FOLLOWING, LETTERS, Letter, ORDER, SIGNS, World, record};
use super::*;
use crate::control::{COMMANDS, Command};
use crate::restart::{Ends, Fault, Limit, Policy, When};

fn walk(world: &World, letters: &[Letter], depth: u32, count: &mut u64) {
    *count += 1;
    if depth == 0 {
        return;
    }
    for letter in letters {
        let mut next = world.clone();
        next.read(*letter);
        walk(&next, letters, depth - 1, count);
    }
}

/// Two ends are too many, and before that each start is put off.
const LIMITED: Policy = Policy {
    delay: 1500,
    longest: Some(4000),
    limit: Some(Limit { deaths: 2, seconds: 1_000_000 }),
    ..Policy::ALWAYS
};

/// So long is looked for what a process leaves behind.
const FOLLOWED: u64 = 2 * SECOND;

#[test]
fn every_word_of_events() {
    let mut count = 0;
    let plain = Plan::default();
    let tree = Plan { clears: true, kill_after: SECOND, ..plain };
    let finish = Plan { finishes: true, finish_within: SECOND, ..plain };
    let both = Plan { finishes: true, ready: ReadyBy::Descriptor, ..tree };
    let limited = Plan { restart: LIMITED, ..both };
    for (up, plan) in [
        (true, plain),
        (false, plain),
        (true, tree),
        (true, finish),
        (true, both),
        (true, Plan { exit_ends: true, ..both }),
        (true, Plan { restart: LIMITED, ..plain }),
        (false, limited),
        (true, limited),
        (true, Plan { follow_within: FOLLOWED, ..plain }),
        (true, Plan { follow_within: FOLLOWED, ..limited }),
        (true, Plan { follow_within: FOLLOWED, ready_within: SECOND, ..both }),
    ] {
        let follows = plan.follow_within > 0;
        let letters = if follows { &FOLLOWING[..] } else { &LETTERS[..] };
        walk(&World::new(up, plan), letters, 5, &mut count);
    }
    assert!(count > 1_000_000);
}

/// What a service says and what its check finds, with what cuts across it.
#[test]
fn every_word_of_health() {
    let mut count = 0;
    let watched = Plan {
        ready: ReadyBy::Socket,
        ready_within: 2 * SECOND,
        life_every: SECOND,
        ..Plan::default()
    };
    let checked = Plan {
        ready: ReadyBy::Check,
        check_every: SECOND,
        check_within: SECOND,
        check_failures: 2,
        finishes: true,
        ..Plan::default()
    };
    let all = Plan { ready_within: SECOND, life_every: 3 * SECOND, ..checked };
    let limited = Plan { restart: LIMITED, clears: true, kill_after: SECOND, ..all };
    for plan in [watched, checked, all, limited] {
        walk(&World::new(true, plan), &SIGNS, 5, &mut count);
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
        Phase::Needing(Some(5)),
        Phase::There,
        Phase::Starting,
        Phase::Preparing(7),
        Phase::Up(7),
        Phase::Following(5),
        Phase::Closing,
        Phase::Finishing(7),
        Phase::Clearing(5),
        Phase::Gone,
    ];
    let told = COMMANDS.iter().map(|row| Event::Told(row.1));
    let rest = [
        Event::Started(8),
        Event::NotStarted,
        Event::Lacking(None),
        Event::Met,
        Event::Aside,
        Event::Called,
        Event::Free,
        Event::Held(7),
        Event::Preparing(8),
        Event::Prepared(Outcome::Exited(0)),
        Event::NothingToRun,
        Event::Said(Word::Ready),
        Event::Checked(Some(false)),
        Event::Died(Outcome::Killed(9)),
        Event::Died(Outcome::Exited(0)),
        Event::Main(9),
        Event::NotFound,
        Event::Lost,
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
            let mut before = Machine { phase, ..Machine::new(true, 0) };
            before.plan.follow_within = FOLLOWED;
            let (after, _) = before.step(event, 3);
            match after.phase {
                Phase::Up(8) => assert_eq!((phase, event), (Phase::Starting, Event::Started(8))),
                Phase::Up(9) => {
                    assert!(matches!(phase, Phase::Up(7) | Phase::Following(5)));
                    assert_eq!(event, Event::Main(9));
                }
                Phase::Up(pid) => assert_eq!((phase, pid), (Phase::Up(7), 7)),
                Phase::Following(_) => {
                    let died = Event::Died(Outcome::Exited(0));
                    assert!(phase == Phase::Following(5) || (phase, event) == (Phase::Up(7), died));
                }
                Phase::Preparing(8) => {
                    assert_eq!((phase, event), (Phase::Starting, Event::Preparing(8)));
                }
                Phase::Preparing(pid) => assert_eq!((phase, pid), (Phase::Preparing(7), 7)),
                Phase::Finishing(8) => {
                    assert_eq!((phase, event), (Phase::Closing, Event::Finishing(8)));
                }
                Phase::Finishing(pid) => assert_eq!((phase, pid), (Phase::Finishing(7), 7)),
                Phase::There => assert_eq!(phase, Phase::There),
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
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
    assert_eq!(actions.into_iter().next(), Some(Action::KillLate));
}

#[test]
fn ready_is_what_says_so_once() {
    let plan = Plan { ready: ReadyBy::Descriptor, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Killed);
    assert!(world.machine.health.awaited);
    let (_, actions) = world.machine.step(Event::Said(Word::Ready), world.now);
    assert!(actions.into_iter().eq([Action::StampReady, Action::Announce]));
    world.read(Letter::Said(Word::Ready));
    let (_, actions) = world.machine.step(Event::Said(Word::Ready), world.now);
    assert_eq!(actions, Actions::default());
    // The next process has to say it again.
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Dies);
    assert!(world.machine.health.awaited);
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

/// Passes time until `fault` is on record, and sees the process die of it.
fn dies_for(fault: Fault, world: &mut World) {
    for _ in 0..20 {
        if world.machine.health.blamed {
            break;
        }
        world.read(Letter::Passes(SECOND));
        world.read(Letter::CheckEnds(false));
    }
    assert_eq!((world.machine.health.blamed, world.machine.history.fault), (true, fault));
    // Also by the next supervise, which kills it if it does not end.
    world.read(Letter::Killed);
    let at = world.machine.deadline().expect("a time to kill");
    let (_, actions) = world.machine.step(Event::Tick, at);
    assert_eq!(actions.into_iter().next(), Some(Action::KillLate));
    let starts = world.starts;
    world.read(Letter::Dies);
    world.read(Letter::Passes(SECOND));
    assert_eq!((world.starts, world.machine.history.fault), (starts + 1, fault));
    assert!(world.machine.history.failed && !world.machine.health.blamed);
}

#[test]
fn whoever_is_late_silent_or_unhealthy_is_ended_for_it() {
    let plan = Plan { ready: ReadyBy::Socket, ready_within: 2 * SECOND, ..Plan::default() };
    dies_for(Fault::Late, &mut World::new(true, plan));
    let plan = Plan { life_every: 3 * SECOND, ..Plan::default() };
    let mut world = World::new(true, plan);
    for _ in 0..10 {
        world.read(Letter::Passes(2 * SECOND));
        world.read(Letter::Said(Word::Alive));
    }
    dies_for(Fault::Silent, &mut world);
    let plan = Plan { check_every: SECOND, check_failures: 3, ..Plan::default() };
    let mut world = World::new(true, plan);
    for _ in 0..5 {
        for succeeds in [false, false, true] {
            world.read(Letter::Passes(SECOND));
            world.read(Letter::CheckEnds(succeeds));
        }
    }
    dies_for(Fault::Unhealthy, &mut world);
}

/// What it said while no supervise was there is lost, and it is not ended for
/// that.
#[test]
fn a_lost_word_is_taken_as_said() {
    let plan = Plan { ready: ReadyBy::Socket, ready_within: 2 * SECOND, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Killed);
    assert!(world.machine.health.awaited);
    world.read(Letter::Passes(2 * SECOND));
    assert_eq!((world.machine.health.awaited, world.machine.health.blamed), (false, false));
}

#[test]
fn what_is_polled_is_looked_at_less_and_less() {
    let plan = Plan { ready: ReadyBy::Check, ..Plan::default() };
    let mut world = World::new(true, plan);
    let mut last = 0;
    for _ in 0..12 {
        world.tick();
        assert!(world.checking);
        world.read(Letter::CheckEnds(false));
        let delay = world.machine.deadline().expect("the next look") - world.now;
        assert!(delay >= last && delay <= 5 * SECOND);
        last = delay;
        world.now += delay;
    }
    assert_eq!(last, 5 * SECOND);
    world.tick();
    world.read(Letter::CheckEnds(true));
    assert_eq!((world.machine.health.awaited, world.machine.deadline()), (false, None));
}

#[test]
fn who_needs_more_time_says_so() {
    let plan = Plan { ready: ReadyBy::Socket, ready_within: SECOND, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Said(Word::Extend(10 * SECOND)));
    world.read(Letter::Passes(9 * SECOND));
    assert!(!world.machine.health.blamed);
    world.read(Letter::Said(Word::Ready));
    // Nothing is asked of one that is paused, told to end, or ends by itself.
    let plan = Plan { life_every: SECOND, ..Plan::default() };
    for letter in [
        Letter::Told(Command::Pause),
        Letter::Told(Command::Down),
        Letter::Said(Word::Stopping),
        Letter::Said(Word::Every(0)),
        Letter::Said(Word::Every(u64::MAX)),
    ] {
        let mut world = World::new(true, plan);
        world.read(letter);
        if !matches!(letter, Letter::Said(Word::Stopping)) {
            world.read(Letter::Killed);
        }
        world.read(Letter::Passes(9 * SECOND));
        assert!(!world.machine.health.blamed, "{letter:?}");
    }
}

/// One that could not tell is made again, and counts for nothing.
#[test]
fn a_check_that_was_broken_off_has_not_failed() {
    let plan = Plan { check_every: SECOND, check_failures: 1, ..Plan::default() };
    let mut world = World::new(true, plan);
    world.read(Letter::Passes(SECOND));
    assert!(world.checking);
    world.checking = false;
    world.feed(Event::Checked(None));
    assert!(!world.machine.health.blamed);
    world.tick();
    assert!(world.checking);
}

//! What becomes of a service that puts itself into the background.

use super::super::world::{Letter, World};
use super::super::*;
use super::FOLLOWED;
use crate::control::{Command, Signal};

fn followed() -> World {
    World::new(true, Plan { follow_within: FOLLOWED, ..Plan::default() })
}

#[test]
fn what_exits_zero_has_left_the_service_behind() {
    let mut world = followed();
    world.read(Letter::Forks);
    assert_eq!((world.starts, world.written), (1, Some((0, Want::Up, false))));
    assert!(!world.machine.followed);
    // The next supervise looks for it too, and no longer than this one.
    let until = world.machine.follow_until;
    world.read(Letter::Killed);
    assert_eq!(world.machine.follow_until, until);
    world.read(Letter::Shows);
    assert_eq!(world.machine.phase, Phase::Up(1101));
    assert!(world.machine.followed);
    world.read(Letter::Killed);
    assert_eq!((world.machine.phase, world.starts), (Phase::Up(1101), 1));
    // It may do the same, also unseen.
    world.read(Letter::ForksUnseen);
    assert_eq!((world.machine.phase, world.starts), (Phase::Up(2101), 1));
    world.read(Letter::Dies);
    assert!(matches!(world.machine.phase, Phase::Waiting(_)));
}

#[test]
fn what_is_not_there_in_time_has_failed() {
    let mut world = followed();
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.read(Letter::Forks);
    let mut looks = 0;
    while let Phase::Following(at) = world.machine.phase {
        assert!(at > world.now);
        world.now = at;
        world.feed(Event::Tick);
        looks += 1;
    }
    assert!((5..20).contains(&looks), "{looks}");
    assert!(world.machine.history.failed);
    assert_eq!((world.machine.last, world.starts), (Some(Outcome::Unknown), 2));
}

#[test]
fn without_anything_left_the_end_is_known_at_once() {
    let mut world = followed();
    world.read(Letter::Passes(BETWEEN_STARTS));
    world.alive = None;
    // Whatever the one before has done.
    world.machine.last = Some(Outcome::Exited(0));
    world.feed(Event::Died(Outcome::Exited(0)));
    assert_eq!(world.machine.history.failures, 1);
}

/// A service that exits 0 after all that has been left behind has not failed.
#[test]
fn the_last_end_counts() {
    let mut world = followed();
    world.read(Letter::Shows);
    world.read(Letter::Forks);
    world.alive = None;
    world.feed(Event::Died(Outcome::Exited(0)));
    assert!(!world.machine.history.failed);
    assert_eq!(world.machine.last, Some(Outcome::Exited(0)));
}

#[test]
fn what_was_told_to_end_is_told_again_when_it_is_found() {
    for (command, first) in [(Command::Down, Action::Intend), (Command::Restart, Action::Announce)]
    {
        let mut world = followed();
        world.read(Letter::Forks);
        world.read(Letter::Told(command));
        let (_, actions) = world.machine.step(Event::Main(9), world.now);
        let mut all = Actions::of(&[Action::StampSwitch, first, Action::Send(Signal::Down)]);
        all.add(Action::Wake);
        if command == Command::Down {
            all.add(Action::After(command));
        }
        all.add(Action::Announce);
        assert_eq!(actions, all);
    }
}

#[test]
fn what_was_to_be_killed_is_killed_when_it_is_found() {
    let mut world = followed();
    world.read(Letter::Forks);
    world.read(Letter::Told(Command::Kill));
    assert!(matches!(world.machine.phase, Phase::Following(_)));
    world.read(Letter::Shows);
    assert_eq!(world.machine.phase, Phase::Up(1101));
    let (_, actions) = world.machine.step(Event::Tick, world.now + 1);
    assert_eq!(actions.into_iter().next(), Some(Action::KillLate));
}

/// It may say so itself, and it may say what is known.
#[test]
fn another_process_can_become_the_service() {
    let mut world = World::new(true, Plan::default());
    let (same, actions) = world.machine.step(Event::Main(101), world.now);
    assert_eq!((same, actions), (world.machine, Actions::default()));
    let (machine, actions) = world.machine.step(Event::Main(7), world.now);
    assert_eq!((machine.phase, machine.followed), (Phase::Up(7), true));
    assert!(actions.into_iter().eq([Action::StampSwitch, Action::Announce]));
    // Whatever is told, it is the one that is told.
    world.machine = machine;
    world.alive = Some(7);
    world.read(Letter::Told(Command::Down));
    world.read(Letter::Dies);
    assert_eq!(world.machine.phase, Phase::Down);
}

/// Whoever was told to end and does has left nothing behind that counts.
#[test]
fn what_was_found_and_told_to_end_has_ended() {
    for command in [Command::Down, Command::Restart] {
        let mut world = followed();
        world.read(Letter::Forks);
        world.read(Letter::Shows);
        world.read(Letter::Passes(BETWEEN_STARTS));
        world.read(Letter::Told(command));
        world.alive = None;
        world.end();
        world.feed(Event::Died(Outcome::Exited(0)));
        assert!(!matches!(world.machine.phase, Phase::Following(_)), "{world:?}");
    }
}

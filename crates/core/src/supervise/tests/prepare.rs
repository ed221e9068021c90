//! What runs before the process and after the last one.

use super::super::world::PREPARING;
use super::*;

#[test]
fn every_word_of_preparing() {
    let mut count = 0;
    let first = Plan { before: Before::First, stops: true, ..Plan::default() };
    let tree = Plan { clears: true, kill_after: SECOND, ..first };
    let always = Plan { before: Before::Always, stops: false, exit_ends: true, ..first };
    let finish = Plan { finishes: true, ..always };
    let limited = Plan { restart: LIMITED, ..first };
    let only_stop = Plan { before: Before::Nothing, ..first };
    for (up, plan, depth) in [
        (true, first, 6),
        (false, first, 5),
        (true, tree, 5),
        (true, always, 5),
        (true, finish, 5),
        (false, limited, 5),
        (true, only_stop, 5),
    ] {
        walk(&World::new(up, plan), &PREPARING, depth, &mut count);
    }
    for plan in [first, Plan { stops: false, ..first }, tree] {
        walk(&World::without_run(plan), &PREPARING, 5, &mut count);
    }
    assert!(count > 1_000_000);
}

#[test]
fn what_runs_first_decides_whether_it_comes_up() {
    let plan = Plan { before: Before::First, stops: true, ..Plan::default() };
    let mut world = World::new(true, plan);
    assert!(matches!(world.machine.phase, Phase::Preparing(_)));
    // By its record the next supervise goes on with it.
    world.read(Letter::Killed);
    world.read(Letter::Dies);
    assert!(matches!(world.machine.phase, Phase::Up(_)));
    // A second time it is not run, and after the last one `stop` is.
    world.read(Letter::Passes(SECOND));
    world.read(Letter::Dies);
    assert!(matches!(world.machine.phase, Phase::Up(_)));
    world.read(Letter::Told(Command::Down));
    world.read(Letter::Dies);
    assert!(matches!(world.machine.phase, Phase::Finishing(_)));
    world.read(Letter::Told(Command::Up));
    world.read(Letter::Dies);
    world.read(Letter::Passes(SECOND));
    assert!(matches!(world.machine.phase, Phase::Preparing(_)));
    world.read(Letter::Fails);
    assert_eq!((world.machine.phase, world.machine.want), (Phase::Down, Want::Down));
    let history = world.machine.history;
    assert_eq!((history.reason, history.failed), (Reason::Never, true));
    assert_eq!((world.starts, world.stops), (2, 1));
}

#[test]
fn down_and_exit_count_while_it_is_prepared() {
    for before in [Before::First, Before::Always] {
        let plan = Plan { before, stops: before == Before::First, ..Plan::default() };
        for command in [Command::Down, Command::Exit] {
            let mut world = World::new(true, plan);
            world.read(Letter::Told(command));
            world.read(Letter::Dies);
            let stops = matches!(world.machine.phase, Phase::Finishing(_));
            assert_eq!(stops, plan.stops);
            world.read(Letter::Dies);
            let end = if command == Command::Down { Phase::Down } else { Phase::Gone };
            assert_eq!((world.machine.phase, world.starts), (end, 0));
        }
    }
}

#[test]
fn a_service_without_a_process_goes_down_when_it_is_told() {
    let plan = Plan { before: Before::First, stops: true, ..Plan::default() };
    let mut world = World::without_run(plan);
    world.read(Letter::Dies);
    assert_eq!((world.machine.phase, world.machine.want), (Phase::Down, Want::Once));
    world.read(Letter::Killed);
    world.read(Letter::Passes(SECOND));
    world.read(Letter::Told(Command::Up));
    assert_eq!((world.machine.phase, world.stops), (Phase::Down, 0));
    world.read(Letter::Told(Command::Down));
    world.read(Letter::Dies);
    assert_eq!((world.machine.phase, world.machine.want), (Phase::Down, Want::Down));
    assert_eq!((world.starts, world.stops), (0, 1));
}

/// Whoever is told to end by somebody has not failed, and does it again.
#[test]
fn one_that_was_told_to_end_is_due_again() {
    for command in [Command::Terminate, Command::Kill] {
        let plan = Plan { before: Before::First, stops: true, ..Plan::default() };
        let mut world = World::new(true, plan);
        world.read(Letter::Told(command));
        world.read(Letter::Killed);
        world.read(Letter::Fails);
        assert_eq!((world.machine.want, world.machine.history.failed), (Want::Up, false));
        world.read(Letter::Passes(BETWEEN_STARTS));
        assert!(matches!(world.machine.phase, Phase::Preparing(_)), "{world:?}");
    }
}

//! Words of events whose end is known.

use super::Letter::{
    CommandEnds, Empties, Essential, FinishEnds, InitEnds, Passes, Ready, Stop, Stuck, Swept,
};
use super::*;

/// What this word of letters comes to.
fn after(plan: Plan, word: &[Letter]) -> World {
    let mut world = World::new(plan);
    for letter in word {
        assert!(world.can(*letter), "{letter:?} in {:?}", world.whole.phase);
        world.read(*letter);
    }
    world
}

#[test]
fn the_commands_code_is_the_end() {
    let word = [InitEnds(0), Ready, CommandEnds(5), Empties, FinishEnds(0), Swept];
    assert_eq!(after(PLAN, &word).ended, Some(End::Code(5)));
    let stopped = [InitEnds(0), Ready, Stop, CommandEnds(0), Empties, FinishEnds(3), Swept];
    assert_eq!(after(PLAN, &stopped).ended, Some(End::Code(0)));
    let strict = Plan { on_finish: Failure::Stop, ..PLAN };
    assert_eq!(after(strict, &stopped).ended, Some(End::Code(3)));
    // What has gone wrong first counts.
    let both = [InitEnds(0), Ready, CommandEnds(5), Empties, FinishEnds(3), Swept];
    assert_eq!(after(strict, &both).ended, Some(End::Code(5)));
}

#[test]
fn the_essential_services_code_is_the_end() {
    let word = [InitEnds(0), Ready, Essential, CommandEnds(0), Empties, FinishEnds(0), Swept];
    assert_eq!(after(PLAN, &word).ended, Some(End::Code(9)));
    let rising = [InitEnds(0), Essential, Empties, FinishEnds(0), Swept];
    let world = after(PLAN, &rising);
    assert_eq!((world.ended, world.commands), (Some(End::Code(9)), 0));
}

#[test]
fn a_command_that_never_began_is_no_success() {
    let word = [InitEnds(0), Stop, Empties, FinishEnds(0), Swept];
    assert_eq!(after(PLAN, &word).ended, Some(End::Code(143)));
    let alone = Plan { command: false, ..PLAN };
    assert_eq!(after(alone, &word).ended, Some(End::Code(0)));
    let early = [Stop, InitEnds(0), FinishEnds(0), Swept];
    assert_eq!(after(PLAN, &early).ended, Some(End::Code(143)));
}

#[test]
fn one_command_alone_is_left_alone() {
    let plan = Plan { tree: false, grace: None, sweeps: false, ..PLAN };
    let world = after(plan, &[Stop, Stop, Stop]);
    assert_eq!((world.whole.phase, world.whole.due), (Phase::Running, None));
    assert_eq!(after(plan, &[Stop, CommandEnds(5), Empties]).ended, Some(End::Code(5)));
}

#[test]
fn the_command_has_its_part_of_the_time() {
    let world = after(PLAN, &[InitEnds(0), Ready, Stop]);
    assert_eq!(world.whole.due, Some(world.now + GRACE / 2));
    let greedy = after(Plan { command_grace: 2 * GRACE, ..PLAN }, &[InitEnds(0), Ready, Stop]);
    assert_eq!(greedy.whole.due, Some(greedy.now + GRACE));
    let world = after(PLAN, &[InitEnds(0), Ready, Stop, Passes]);
    assert_eq!((world.whole.phase, world.whole.due), (Phase::Leaving, Some(world.now + GRACE / 2)));
}

#[test]
fn what_tidies_up_has_what_is_left_of_the_time() {
    // All of it after an `init` that failed, and something in any case.
    let world = after(PLAN, &[InitEnds(7)]);
    assert_eq!((world.whole.phase, world.whole.due), (Phase::Finishing, Some(world.now + GRACE)));
    let world = after(PLAN, &[InitEnds(0), Ready, Stop, CommandEnds(0), Passes, Passes, Passes]);
    assert_eq!((world.whole.phase, world.whole.due), (Phase::Finishing, Some(world.now + DRAIN)));
}

#[test]
fn a_machine_ends_as_it_was_told() {
    let plan = Plan { machine: true, rescue: true, command: false, ..PLAN };
    let word = [InitEnds(0), Stop, Empties, FinishEnds(0), Swept];
    assert_eq!(after(plan, &word).ended, Some(End::Restart));
    let by_itself = [InitEnds(0), Essential, Empties, FinishEnds(0), Swept];
    assert_eq!(after(plan, &by_itself).ended, Some(End::PowerOff));
    assert_eq!(after(plan, &[InitEnds(7)]).ended, Some(End::Failed(7)));
}

#[test]
fn a_machine_without_a_word_for_its_end_is_switched_off() {
    let plan = Plan { machine: true, command: false, ..PLAN };
    let (mut whole, mut last) = (Whole::new(plan), None);
    let stop = Event::Stop(TERM, End::Code(0));
    for event in
        [Event::Begin, Event::Prepared(0), stop, Event::Empty, Event::Finished(0), Event::Swept]
    {
        let (next, actions) = whole.step(event, 0);
        (whole, last) = (next, actions.into_iter().last());
    }
    assert_eq!(last, Some(Action::End(End::PowerOff)));
}

#[test]
fn what_cannot_come_up_is_not_waited_for() {
    let ends = [CommandEnds(5), Empties, FinishEnds(0), Swept];
    for (on_ready, end, warned) in
        [(Failure::Stop, NOT_READY, 1), (Failure::Warn, 5, 1), (Failure::Ignore, 5, 0)]
    {
        let stops = on_ready == Failure::Stop;
        let world = after(Plan { on_ready, ..PLAN }, &[InitEnds(0), Stuck]);
        assert_eq!((world.commands, world.warned), (u32::from(!stops), warned));
        let word = [&[InitEnds(0), Stuck], &ends[usize::from(stops)..]].concat();
        assert_eq!(after(Plan { on_ready, ..PLAN }, &word).ended, Some(End::Code(end)));
    }
    // Too late, it is nothing.
    let world = after(PLAN, &[InitEnds(0), Ready, Stuck, Stuck]);
    assert_eq!((world.whole.phase, world.warned), (Phase::Running, 0));
}

#[test]
fn a_command_that_does_not_wait() {
    for on_ready in [Failure::Stop, Failure::Warn, Failure::Ignore] {
        let world = after(Plan { ready: 0, on_ready, ..PLAN }, &[InitEnds(0)]);
        assert_eq!((world.whole.phase, world.commands), (Phase::Running, 1));
    }
}

#[test]
fn what_was_executed_anew_does_not_begin_again() {
    let plan = Plan { command: false, ..PLAN };
    let (whole, actions) = Whole::new(plan).step(Event::Resume, 0);
    assert_eq!(whole.phase, Phase::Running);
    assert!(actions.into_iter().eq([Action::StartServices]));
}

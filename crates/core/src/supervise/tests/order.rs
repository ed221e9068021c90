//! What has to be there before the process, who has to be gone before it, and
//! what is up without one.

use super::*;

#[test]
fn every_word_of_order() {
    let mut count = 0;
    let plain = Plan { needed: true, ..Plan::default() };
    let tree = Plan { clears: true, kill_after: SECOND, ..plain };
    let runit = Plan { exit_ends: true, finishes: true, ..plain };
    let policy = Policy { when: When::Never, ..Policy::ALWAYS };
    let oneshot = Plan { kind: Kind::Oneshot, restart: policy, ..plain };
    let undone = Plan { stops: true, ..oneshot };
    let group = Plan { kind: Kind::Group, ..plain };
    for (up, plan) in [
        (true, plain),
        (false, plain),
        (true, tree),
        (true, runit),
        (true, Plan { before: Before::First, stops: true, ..plain }),
        (true, oneshot),
        (false, undone),
        (true, undone),
        (true, Plan { clears: true, ..undone }),
        (true, Plan { exit_ends: true, ..undone }),
        (true, group),
    ] {
        walk(&World::new(up, plan), &ORDER, 5, &mut count);
    }
    assert!(count > 1_000_000);
}

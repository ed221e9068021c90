//! Who depends on whom: each service on some that were made before it, so there
//! is no circle.

use crate::kinds::{Kind, Make};
use crate::random::Random;
use std::collections::BTreeSet;

/// What a service depends on, and who depends on it, by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ties {
    pub(crate) needs: Vec<usize>,
    pub(crate) wants: Vec<usize>,
    pub(crate) after: Vec<usize>,
    /// All that have to be ready for it, directly or not.
    pub(crate) rests_on: Vec<usize>,
    /// All that it starts when it is told to be up, directly or not.
    pub(crate) calls: Vec<usize>,
    /// All that start it so.
    pub(crate) callers: Vec<usize>,
    /// Those that need it, and so go before it. Whoever needs a group stays where
    /// that has lost one of its members already, and is not among them.
    pub(crate) go_first: Vec<usize>,
    /// Whether a group needs it.
    pub(crate) in_group: bool,
    /// Whether one that begins up has it started.
    pub(crate) called: bool,
}

impl Ties {
    /// Whether somebody steps aside when it goes.
    pub(crate) const fn is_needed(&self) -> bool {
        !self.go_first.is_empty() || self.in_group
    }

    /// Those of all services, as `seed` decides.
    pub(crate) fn all(makes: &[Make], seed: u64) -> Vec<Self> {
        let mut random = Random::new(seed, 5);
        let mut all: Vec<Self> = makes
            .iter()
            .enumerate()
            .map(|(n, make)| direct(n, make.kind, makes, &mut random))
            .collect();
        for n in 0..all.len() {
            let (needs, wants) = (all[n].needs.clone(), all[n].wants.clone());
            all[n].rests_on = union(&needs, |m| &all[m].rests_on);
            all[n].calls = union(&[needs, wants].concat(), |m| &all[m].calls);
            for m in all[n].calls.clone() {
                all[m].callers.push(n);
                all[m].called |= !makes[n].kind.begins_down();
            }
        }
        for n in 0..all.len() {
            for m in all[n].needs.clone() {
                if makes[n].kind == Kind::Group {
                    all[m].in_group = true;
                } else {
                    all[m].go_first.push(n);
                }
            }
        }
        all
    }
}

/// These, and what belongs to each.
fn union<'a>(these: &[usize], of: impl Fn(usize) -> &'a Vec<usize>) -> Vec<usize> {
    let all: BTreeSet<usize> =
        these.iter().flat_map(|&m| of(m).iter().copied().chain([m])).collect();
    all.into_iter().collect()
}

fn direct(n: usize, kind: Kind, makes: &[Make], random: &mut Random) -> Ties {
    let callable: Vec<usize> = (0..n).filter(|&m| makes[m].kind.may_be_called()).collect();
    let any: Vec<usize> = (0..n).collect();
    let (mut needs, mut wants, mut after) = (0, 0, 0);
    if kind == Kind::Group {
        needs = 2 + random.below(3);
    } else {
        if kind.may_need() && random.below(5) < 2 {
            needs = 1 + random.below(2);
        }
        wants = u64::from(kind.may_wait() && random.once_in(6));
        after = u64::from(kind.may_wait() && random.once_in(6));
    }
    let mut pick = |count: u64, from: &[usize]| {
        let picked: BTreeSet<usize> =
            (0..count).filter_map(|_| random.one_of(from)).copied().collect();
        picked.into_iter().collect::<Vec<_>>()
    };
    let needs = pick(needs, &callable);
    let wants = pick(wants, &callable);
    Ties { needs, wants, after: pick(after, &any), ..Ties::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_circle_and_both_ways() {
        let mut random = Random::new(1, 1);
        let makes: Vec<Make> = (0..60).map(|n| Make::up(n, false, &mut random)).collect();
        let all = Ties::all(&makes, 1);
        assert!(all.iter().filter(|t| !t.needs.is_empty()).count() > 10);
        for (n, ties) in all.iter().enumerate() {
            let below = [&ties.needs, &ties.wants, &ties.after, &ties.rests_on, &ties.calls];
            assert!(below.into_iter().flatten().all(|&m| m < n));
            assert!(ties.calls.iter().all(|&m| all[m].callers.contains(&n)));
            assert!(ties.go_first.iter().all(|&m| all[m].rests_on.contains(&n)));
            assert!(ties.go_first.iter().all(|&m| makes[m].kind != Kind::Group));
            assert!(ties.needs.is_empty() || ties.needs.iter().all(|m| ties.rests_on.contains(m)));
        }
    }
}

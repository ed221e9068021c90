//! What it costs that services need others: the same number of them without
//! needs, in layers and in chains. Only ours knows `needs`.

use crate::bench::Bench;
use crate::calls::{can_count, counted};
use crate::circles::{self, Seed};
use crate::machine::own;
use crate::report::{Column, Group, Measure, Report};
use crate::service;
use crate::tree::{Needs, Tree};
use crate::trees::{SETTLED, services};
use crate::wait::{milliseconds, until};
use crate::{idle, memory};
use rustix::process::Pid;
use std::collections::HashMap;
use std::fs::read_link;
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::{Process, children};
use upkeep_outside::wait::SECOND;

/// Layers in a tree; each service needs some of the layer below its own.
const LAYERS: usize = 10;
/// How many it needs where it does not need all.
const NEEDS: usize = 3;

/// Who needs whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Nobody needs anybody.
    Flat,
    /// Each needs some of the layer below.
    Layers,
    /// Each needs all of the layer below.
    Dense,
    /// Each needs the one before it.
    Chain,
}

/// A tree of services.
#[derive(Clone, Copy, Debug)]
struct Plan {
    shape: Shape,
    count: usize,
}

impl Plan {
    fn what(self) -> String {
        let each = self.count / LAYERS;
        match self.shape {
            Shape::Flat => format!("{} without needs", services(self.count)),
            Shape::Layers => format!("{LAYERS} layers of {each}, each needs {NEEDS} below"),
            Shape::Dense => format!("{LAYERS} layers of {each}, each needs all below"),
            Shape::Chain => format!("a chain of {}", self.count),
        }
    }

    fn needs(self) -> Vec<Vec<usize>> {
        let each = self.count / LAYERS;
        let mut seed = Seed::new();
        let mut below = |one: usize, many| {
            let layer = one / each;
            let some = if layer == 0 { Vec::new() } else { seed.some(many, each) };
            some.into_iter().map(|other| (layer - 1) * each + other).collect()
        };
        let of = |one: usize| match self.shape {
            Shape::Flat => Vec::new(),
            Shape::Layers => below(one, NEEDS),
            Shape::Dense => below(one, each),
            Shape::Chain => one.checked_sub(1).into_iter().collect(),
        };
        (0..self.count).map(of).collect()
    }
}

/// All of it.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let ours = bench.suite(Column::Ours)?;
    if own(&ours.dir).is_none() {
        report.note(format!("{}: not upkeep's, without needs", ours.dir.display()));
        return Ok(());
    }
    let count = if bench.quick { 100 } else { 1000 };
    let (flat, layers) = (Plan { shape: Shape::Flat, count }, Plan { shape: Shape::Layers, count });
    let chains = [4, 2, 1].map(|part| Plan { shape: Shape::Chain, count: count / part });
    let dense = Plan { shape: Shape::Dense, count };
    let only = &[Column::Ours];
    bench.take_turns("order", only, bench.rounds(7, 3), report, |_, round, report| {
        // Side by side, and each of them first as often.
        let mut pair = [flat, layers];
        pair.rotate_left(round % 2);
        let [a, b] = [start(bench, pair[0], report)?, start(bench, pair[1], report)?];
        let (flat, layers) = if round % 2 == 0 { (a, b) } else { (b, a) };
        add(report, "layers over none".to_owned(), "times", layers / flat);
        chains.into_iter().try_for_each(|chain| start(bench, chain, report).map(drop))
    })?;
    bench.take_turns("order: many needs", only, 3, report, |_, _, report| {
        start(bench, dense, report).map(drop)
    })?;
    bench.take_turns("order: at rest", only, 1, report, |_, _, report| {
        [flat, layers].into_iter().try_for_each(|plan| rest(bench, plan, report))
    })?;
    if can_count(report) {
        bench.take_turns("order: system calls", only, 1, report, |_, _, report| {
            [flat, layers].into_iter().try_for_each(|plan| calls(bench, plan, report))
        })?;
    }
    bench.take_turns("order: faults", only, 1, report, |_, _, report| {
        circles::measure(bench, report)
    })
}

fn add(report: &mut Report, what: String, unit: &'static str, sample: f64) {
    let measure = Measure::less(Group::Order, format!("order: {what}"), unit);
    report.add(&measure, Column::Ours, sample);
}

fn tree<'a>(
    bench: &'a Bench,
    plan: Plan,
    needs: &Needs,
    counts: Option<&Path>,
) -> Result<Tree<'a>, Failure> {
    let suite = bench.suite(Column::Ours)?;
    Tree::start(suite, bench.work.join("tree"), &bench.exe, plan.count, &[], needs, counts)
}

/// Until the last service runs, in milliseconds.
fn start(bench: &Bench, plan: Plan, report: &mut Report) -> Result<f64, Failure> {
    let needs = plan.needs();
    let mut tree = tree(bench, plan, &needs, None)?;
    let starts = tree.all_started()?;
    let last = starts.iter().map(|s| s.when).max().unwrap_or(tree.began);
    check(&tree, &needs, &starts)?;
    let time = milliseconds(last.saturating_sub(tree.began));
    add(report, format!("start of {}", plan.what()), "ms", time);
    if plan.shape == Shape::Chain {
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        let each = time / plan.count as f64;
        add(report, format!("start of {}, for each", plan.what()), "ms", each);
    }
    Ok(time)
}

/// No service was started before one that it needs. The services' own clocks do
/// not tell that: one that is up may read its own late.
fn check(tree: &Tree<'_>, needs: &Needs, starts: &[service::Report]) -> Result<(), Failure> {
    let when = |start: &service::Report| {
        let pid = start.pid.as_raw_pid();
        let path = read_link(format!("/proc/{pid}/cwd")).unable("find where a service runs")?;
        let process = Process::find(pid).ok_or("it is gone").unable("look at a service")?;
        Ok::<_, Failure>((path, process.started))
    };
    let all = starts.iter().map(when).collect::<Result<HashMap<_, _>, _>>()?;
    let times: Vec<Option<&u64>> = tree.dirs.iter().map(|dir| all.get(dir)).collect();
    let early = |one: usize| needs[one].iter().any(|&other| times[other] > times[one]);
    match (0..times.len()).find(|&one| times[one].is_none() || early(one)) {
        None => Ok(()),
        Some(one) => {
            let name = tree.dirs[one].display();
            Err(Failure::Failed(format!("{name} was started before what it needs")))
        }
    }
}

/// Memory, and what is done while nothing happens.
fn rest(bench: &Bench, plan: Plan, report: &mut Report) -> Result<(), Failure> {
    let mut tree = tree(bench, plan, &plan.needs(), None)?;
    let starts = tree.all_started()?;
    until(starts.iter().map(|s| s.when).max().unwrap_or(tree.began) + SETTLED)?;
    tree.quiet()?;
    memory::measure(&tree, Group::Order, &plan.what(), report)?;
    tree.quiet()?;
    let length = bench.rounds(15, 5) as u64 * SECOND;
    idle::measure(&tree, Group::Order, &plan.what(), length, report)
}

/// System calls of all together, those of the services among them.
fn calls(bench: &Bench, plan: Plan, report: &mut Report) -> Result<(), Failure> {
    let counts = bench.work.join("calls");
    let mut tree = tree(bench, plan, &plan.needs(), Some(&counts))?;
    tree.all_started()?;
    // The scanner is below strace.
    let found = children(tree.pid)?.first().and_then(|one| Pid::from_raw(one.pid));
    tree.pid = found.ok_or("it is gone").unable("find the scanner")?;
    tree.quiet()?;
    tree.let_go()?;
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let each = counted(&counts)? / plan.count as f64;
    add(report, format!("system calls, {}", plan.what()), "calls each", each);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_needs_whom() {
        let needs = |shape| Plan { shape, count: 100 }.needs();
        let many = |shape| needs(shape).iter().map(Vec::len).sum::<usize>();
        assert_eq!(many(Shape::Flat), 0);
        assert_eq!(many(Shape::Layers), 90 * NEEDS);
        assert_eq!(many(Shape::Dense), 90 * 10);
        assert_eq!(many(Shape::Chain), 99);
        for shape in [Shape::Layers, Shape::Dense] {
            for (one, needs) in needs(shape).iter().enumerate() {
                assert!(needs.iter().all(|other| other / 10 + 1 == one / 10), "{one}: {needs:?}");
            }
        }
        assert_eq!(needs(Shape::Chain)[7], [6]);
    }
}

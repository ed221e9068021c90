//! The metrics of a whole tree: how long until it is up, and then memory,
//! status and idling, on the same tree as far as they are wanted.

use crate::bench::Bench;
use crate::options::Options;
use crate::report::{Column, Group, Measure, Report};
use crate::wait::{milliseconds, until};
use crate::{idle, memory, status};
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::{MILLISECOND, SECOND};

/// A supervisor may wait up to a second after a start; by now that is over.
pub(crate) const SETTLED: u64 = 1500 * MILLISECOND;
/// Rounds in which memory is looked at: it does not change much.
const MEMORY_ROUNDS: usize = 2;

/// Measures what is wanted.
pub(crate) fn measure(
    bench: &Bench,
    options: &Options,
    report: &mut Report,
) -> Result<(), Failure> {
    let (sizes, idlers) =
        if bench.quick { (&[1, 100][..], 100) } else { (&[1, 100, 1000][..], 1000) };
    let wanted = |group, count| options.wants(group) && (group != Group::Idle || count == idlers);
    for &count in sizes {
        let groups: Vec<Group> = [Group::Memory, Group::Start, Group::Idle, Group::Status]
            .into_iter()
            .filter(|&g| wanted(g, count))
            .collect();
        if groups.is_empty() {
            continue;
        }
        // Only starting and asking need all the rounds.
        let often = groups.iter().any(|g| matches!(g, Group::Start | Group::Status));
        let rounds = if often { bench.rounds(5, 3) } else { bench.rounds(MEMORY_ROUNDS, 1) };
        let what = format!("trees of {}", services(count));
        bench.take_turns(&what, &bench.columns(), rounds, report, |column, round, report| {
            one(bench, &groups, column, count, round, report)
        })?;
    }
    Ok(())
}

fn one(
    bench: &Bench,
    groups: &[Group],
    column: Column,
    count: usize,
    round: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut tree = bench.tree(column, count, &[])?;
    let starts = tree.all_started()?;
    let last = starts.iter().map(|s| s.when).max().unwrap_or(tree.began);
    if groups.contains(&Group::Start) {
        let measure =
            Measure::less(Group::Start, format!("start until {} run", services(count)), "ms");
        report.add(&measure, column, milliseconds(last.saturating_sub(tree.began)));
    }
    let first = round < bench.rounds(MEMORY_ROUNDS, 1);
    if first && groups.iter().any(|g| matches!(g, Group::Memory | Group::Idle)) {
        until(last + SETTLED)?;
    }
    tree.quiet()?;
    if first && groups.contains(&Group::Memory) {
        memory::measure(&tree, Group::Memory, &services(count), report)?;
    }
    if groups.contains(&Group::Status) {
        status::measure(&tree, report)?;
    }
    if first && groups.contains(&Group::Idle) {
        tree.quiet()?;
        let length = bench.rounds(15, 5) as u64 * SECOND;
        idle::measure(&tree, Group::Idle, &services(count), length, report)?;
    }
    Ok(())
}

/// `1 service`, `100 services`.
pub(crate) fn services(count: usize) -> String {
    format!("{count} service{}", if count == 1 { "" } else { "s" })
}

//! Who is left of a service's descendants when it has been taken down.

use crate::bench::{Bench, finish};
use crate::descendants::{KINDS, name};
use crate::report::{Column, Group, Measure, Report};
use crate::service::{DESCENDANTS, What};
use crate::tree::Extra;
use crate::wait::{deadline, readable};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{PidfdFlags, pidfd_open};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{SECOND, first, now};

/// In the directory of a service that is to be ended with all its descendants.
const TREE: Extra = ("kill-mode", "tree\n");
/// How long they may take to end when the service itself has.
const SETTLE: u64 = SECOND;

/// Twice: in a plain directory, and in one that asks for the whole tree.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let plain = format!("descendants left after svc -d, of {KINDS}");
    let all = "the same, kill-mode says tree".to_owned();
    for (name, extra) in [(plain, &[DESCENDANTS][..]), (all, &[DESCENDANTS, TREE][..])] {
        let measure = Measure::less(Group::Survivors, name.clone(), "processes");
        let rounds = bench.rounds(3, 1);
        bench.take_turns(&name, &bench.columns(), rounds, report, |column, _, report| {
            one(bench, &measure, column, extra, report)
        })?;
    }
    Ok(())
}

fn one(
    bench: &Bench,
    measure: &Measure,
    column: Column,
    extra: &[Extra],
    report: &mut Report,
) -> Result<(), Failure> {
    let mut tree = bench.tree(column, 1, extra)?;
    let watch = |pid| pidfd_open(pid, PidfdFlags::empty()).unable("watch a process");
    let service = watch(tree.next_start()?.pid)?;
    let mut descendants: Vec<(u8, OwnedFd)> = Vec::new();
    let limit = deadline();
    while descendants.len() < KINDS {
        let heard = tree.hear(limit)?.ok_or(descendants.len());
        let heard = heard.unable(format_args!("hear of {KINDS} descendants"))?;
        if let What::Descends(number) = heard.what {
            descendants.push((number, watch(heard.pid)?));
        }
    }
    finish(&mut tree.suite.down(&tree.dirs[0]))?;
    readable(&service, "the end of a service that was told to go down")?;
    let limit = now() + SETTLE;
    let mut left = Vec::new();
    for (number, pidfd) in &descendants {
        if first(&[pidfd.as_fd()], limit)?.is_none() {
            left.push(name(*number));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    report.add(measure, column, left.len() as f64);
    if (1..KINDS).contains(&left.len()) {
        report.note(format!("{}: {}: {}", column.name(), measure.name, left.join(", ")));
    }
    Ok(())
}

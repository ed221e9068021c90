//! How long a service that was killed is gone.

use crate::bench::Bench;
use crate::report::{Column, Group, Measure, Report};
use crate::service::READY;
use crate::wait::{milliseconds, until};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, now};

/// Longer than the second after a start in which the suites hold back.
const UP: u64 = 1250 * MILLISECOND;
/// Services in a tree, each killed once.
const SERVICES: usize = 6;

/// Twice: for services that say nothing, and for those that say they are
/// ready where the suite listens to that.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    for (ready, name) in
        [(false, "death to next start"), (true, "the same, service says it is ready")]
    {
        let measure = Measure::less(Group::Restart, name, "ms");
        bench.take_turns(
            name,
            &bench.columns(),
            bench.rounds(4, 2),
            report,
            |column, _, report| one(bench, &measure, column, ready, report),
        )?;
    }
    Ok(())
}

fn one(
    bench: &Bench,
    measure: &Measure,
    column: Column,
    ready: bool,
    report: &mut Report,
) -> Result<(), Failure> {
    let ready = ready && bench.suite(column)?.knows_readiness();
    let extra = if ready { &[READY][..] } else { &[] };
    let mut tree = bench.tree(column, SERVICES, extra)?;
    let starts = tree.all_started()?;
    let last = starts.iter().map(|s| s.when).max().unwrap_or(0);
    until(last + UP)?;
    for start in starts {
        let service = pidfd_open(start.pid, PidfdFlags::empty()).unable("watch a service")?;
        let killed = now();
        pidfd_send_signal(&service, Signal::KILL).unable("kill a service")?;
        let again = tree.next_start()?;
        report.add(measure, column, milliseconds(again.when.saturating_sub(killed)));
    }
    Ok(())
}

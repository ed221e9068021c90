//! What becomes of a running service whose supervise is killed: whether it is
//! started a second time, and how long it is out of control.

use crate::bench::Bench;
use crate::instances::{Instances, Outcome, count, keeper};
use crate::report::{Column, Group, Measure, Report};
use crate::service::SIGNALS;
use crate::stats::{NEVER, Summary};
use crate::wait::{milliseconds, until};
use rustix::process::{Signal, pidfd_send_signal};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// How long the services have been up by then: longer than the second after a
/// start in which some suites hold back.
const UP: u64 = 1250 * MILLISECOND;
/// How long a service is watched. daemontools looks every 5 s for what died.
const WATCH: u64 = 6 * SECOND;
/// From one kill to the next: in ten of them, every moment between two of
/// those looks has its turn.
const APART: u64 = 650 * MILLISECOND;

/// One tree for each suite, in which every supervise is killed once.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let services = bench.rounds(10, 4);
    bench.take_turns("takeover", &bench.columns(), 1, report, |column, _, report| {
        one(bench, column, services, report)
    })
}

fn one(bench: &Bench, column: Column, services: usize, report: &mut Report) -> Result<(), Failure> {
    let mut tree = bench.tree(column, services, &[SIGNALS])?;
    let mut tree = Instances::new(&mut tree)?;
    until(tree.last() + UP)?;
    let killed = kill_all(&mut tree, services)?;
    let twice = count(services, |service| Ok(tree.copied(service)?.is_some()))?;
    let others = count(services, |service| Ok(!tree.as_before(service)?))?;
    for (what, sample) in [("that run twice", twice), ("not as before", others)] {
        let name = format!("supervise killed: services {what}, of {services}");
        report.add(&Measure::less(Group::Takeover, name, "services"), column, sample);
    }
    let time = Measure::less(Group::Takeover, "supervise killed: until under control", "ms");
    let mut after = Vec::new();
    for Killed { when, outcome } in killed {
        let since = |moment: u64| milliseconds(moment.saturating_sub(when));
        let sample = match outcome {
            Some(Outcome::Reached(moment)) => since(moment),
            Some(Outcome::Copied(moment)) => {
                after.push(since(moment) / 1000.0);
                NEVER
            }
            None => NEVER,
        };
        report.add(&time, column, sample);
    }
    if let Some(Summary { median, min, max, count }) = Summary::of(&after) {
        report.note(format!(
            "{}: a service whose supervise was killed ran a second time after {median:.3} s \
             ({min:.3}..{max:.3}, {count} services)",
            column.name()
        ));
    }
    Ok(())
}

/// A service whose supervise was killed.
struct Killed {
    when: u64,
    /// What became of it while it was watched.
    outcome: Option<Outcome>,
}

/// Kills one supervise after the other, in the order of the services, and
/// watches until nothing more can come of it.
fn kill_all(tree: &mut Instances<'_, '_>, services: usize) -> Result<Vec<Killed>, Failure> {
    let mut killed: Vec<Killed> = Vec::new();
    let mut next = now();
    loop {
        let over = killed.last().is_some_and(|k| now() >= k.when + WATCH)
            || killed.iter().all(|k| matches!(k.outcome, Some(Outcome::Copied(_))));
        if killed.len() == services && over {
            return Ok(killed);
        }
        if killed.len() < services && now() >= next {
            let supervise = keeper(tree.pid(killed.len()), tree.tree.suite.keeper())?;
            killed.push(Killed { when: now(), outcome: None });
            pidfd_send_signal(&supervise, Signal::KILL).unable("kill a supervise")?;
            next = now() + APART;
        }
        for (service, Killed { when, outcome }) in killed.iter_mut().enumerate() {
            if outcome.is_none() && now() < *when + WATCH {
                *outcome = tree.look(service)?;
            }
        }
        tree.step()?;
    }
}

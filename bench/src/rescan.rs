//! What a new scanner makes of the services of one that was killed.

use crate::bench::Bench;
use crate::instances::{Instances, Outcome, count};
use crate::report::{Column, Group, Measure, Report};
use crate::service::SIGNALS;
use crate::stats::NEVER;
use crate::wait::{milliseconds, until};
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// How long the services have been up by then.
const UP: u64 = 1250 * MILLISECOND;
/// How long the new scanner is watched.
const WATCH: u64 = 6 * SECOND;
/// Services in the tree.
const SERVICES: usize = 10;

/// The scanner of a tree is killed and started again.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let rounds = bench.rounds(3, 1);
    bench.take_turns("svscan", &bench.columns(), rounds, report, |column, _, report| {
        one(bench, column, report)
    })
}

fn one(bench: &Bench, column: Column, report: &mut Report) -> Result<(), Failure> {
    let mut tree = bench.tree(column, SERVICES, &[SIGNALS])?;
    let mut tree = Instances::new(&mut tree)?;
    until(tree.last() + UP)?;
    tree.tree.replace_scanner()?;
    let began = tree.tree.began;
    let under_control = reach_all(&mut tree, began + WATCH)?;
    tree.watch(began + WATCH)?;
    let twice = count(SERVICES, |service| Ok(tree.copied(service)?.is_some()))?;
    let others = count(SERVICES, |service| Ok(!tree.as_before(service)?))?;
    #[expect(clippy::cast_precision_loss, reason = "lines of some seconds")]
    let messages = tree.tree.said().lines().count() as f64;
    let of = format!("of {SERVICES}");
    let samples = [
        (format!("services that run twice, {of}"), "services", twice),
        (format!("services not as before, {of}"), "services", others),
        ("until all are under control".to_owned(), "ms", under_control),
        (format!("messages in {} s", WATCH / SECOND), "lines", messages),
    ];
    for (what, unit, sample) in samples {
        let name = format!("svscan killed, another one: {what}");
        report.add(&Measure::less(Group::Svscan, name, unit), column, sample);
    }
    Ok(())
}

/// Until a command reached every service, in milliseconds.
fn reach_all(tree: &mut Instances<'_, '_>, limit: u64) -> Result<f64, Failure> {
    let mut last = 0;
    for service in 0..SERVICES {
        loop {
            match tree.look(service)? {
                Some(Outcome::Reached(when)) => break last = last.max(when),
                Some(Outcome::Copied(_)) => return Ok(NEVER),
                None if now() >= limit => return Ok(NEVER),
                None => tree.step()?,
            }
        }
    }
    Ok(milliseconds(last.saturating_sub(tree.tree.began)))
}

//! What a tree costs while nothing happens: processor time and context
//! switches of the scanner and all that keep services.

use crate::processes::{cpu, switches};
use crate::report::{Group, Measure, Report};
use crate::tree::Tree;
use crate::wait::{milliseconds, until};
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::{SECOND, now};

/// One sample: `length` of doing nothing, of a tree that is `of`.
pub(crate) fn measure(
    tree: &Tree<'_>,
    group: Group,
    of: &str,
    length: u64,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut pids: Vec<i32> = tree.keepers()?.iter().map(|k| k.pid).collect();
    pids.push(tree.pid.as_raw_pid());
    let before = spent(&pids)?;
    until(now() + length)?;
    let after = spent(&pids)?;
    let over = format!("{of} in {} s", length / SECOND);
    let time = Measure::less(group, format!("processor time, idle {over}"), "ms");
    let count = Measure::less(group, format!("context switches, idle {over}"), "switches");
    report.add(&time, tree.suite.column, milliseconds(after.0.saturating_sub(before.0)));
    #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
    report.add(&count, tree.suite.column, after.1.saturating_sub(before.1) as f64);
    Ok(())
}

/// Nanoseconds and context switches of all together until now.
fn spent(pids: &[i32]) -> Result<(u64, u64), Failure> {
    pids.iter().try_fold((0, 0), |(time, count), &pid| {
        let switches = switches(pid)?;
        Ok((time + cpu(pid)?, count + switches.voluntary + switches.forced))
    })
}

//! How long it takes to take a service down that has just been started.

use crate::bench::{Bench, end, finish};
use crate::report::{Column, Group, Measure, Report};
use crate::wait::{milliseconds, readable, until};
use rustix::process::{PidfdFlags, pidfd_open};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, now};

/// How long the service has been up by then.
const UP: u64 = 50 * MILLISECOND;
/// How often in a tree.
const TIMES: usize = 5;

/// From running the command to the end of the service.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let name = "svc -d after 50 ms to death";
    bench.take_turns(name, &bench.columns(), bench.rounds(4, 2), report, |column, _, report| {
        one(bench, &Measure::less(Group::Stop, name, "ms"), column, report)
    })
}

fn one(
    bench: &Bench,
    measure: &Measure,
    column: Column,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut tree = bench.tree(column, 1, &[])?;
    for time in 0..TIMES {
        if time > 0 {
            finish(&mut tree.suite.up(&tree.dirs[0]))?;
        }
        let start = tree.next_start()?;
        let service = pidfd_open(start.pid, PidfdFlags::empty()).unable("watch a service")?;
        until(start.when + UP)?;
        let mut command = tree.suite.down(&tree.dirs[0]);
        let began = now();
        let child = command.spawn().unable(format_args!("run {command:?}"))?;
        readable(&service, "the end of a service that was told to go down")?;
        report.add(measure, column, milliseconds(now() - began));
        end(child)?;
    }
    Ok(())
}

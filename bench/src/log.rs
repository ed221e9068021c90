//! How much a logger takes in a second, and what it costs.

use crate::bench::Bench;
use crate::input::Input;
use crate::logger::{KEPT, Work, command, run};
use crate::report::{Better, Column, Group, Measure, Report};
use crate::wait::{deadline, milliseconds};
use std::fs;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::end_all;

/// Lengths of lines.
const LINES: [usize; 3] = [80, 200, 1000];
/// The length for which the cost is shown too.
const SHOWN: usize = 200;
/// Bytes that are prepared.
const BLOCK: usize = 4_000_000;
/// Rounds of each.
const ROUNDS: usize = 3;

/// All lengths and all kinds of work; `cat` does only the plain one.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    for line in LINES {
        let input = Input::new(line, BLOCK, bench.rounds(200_000_000, 40_000_000));
        for work in Work::ALL {
            let mut columns = bench.columns();
            columns.extend((work == Work::Plain).then_some(Column::Floor));
            let what = format!("log {}, lines of {line}", work.name());
            bench.take_turns(&what, &columns, ROUNDS, report, |column, _, report| {
                one(bench, &what, (line, work), &input, column, report)
            })?;
        }
    }
    Ok(())
}

fn one(
    bench: &Bench,
    what: &str,
    (line, work): (usize, Work),
    input: &Input,
    column: Column,
    report: &mut Report,
) -> Result<(), Failure> {
    let dir = Dir::new(&bench.work)?;
    let suite = if column == Column::Floor { None } else { Some(bench.suite(column)?) };
    let cost = run(command(suite, work, KEPT, &dir.0)?, column, work, input, &dir.0)?;
    let rate = Measure { better: Better::Higher, ..Measure::less(Group::Log, what, "MB/s") };
    let megabytes = megabytes(input);
    report.add(&rate, column, megabytes * 1000.0 / milliseconds(cost.time));
    if line == SHOWN {
        let less = |name, unit| Measure::less(Group::Log, format!("{what}: {name}"), unit);
        let time = milliseconds(cost.cpu) / megabytes;
        report.add(&less("processor time", "ms/MB"), column, time);
        #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
        let switches = cost.switches.voluntary as f64 / megabytes;
        report.add(&less("waits", "switches/MB"), column, switches);
    }
    Ok(())
}

/// Millions of bytes.
#[expect(clippy::cast_precision_loss, reason = "some hundred millions")]
pub(crate) fn megabytes(input: &Input) -> f64 {
    input.total() as f64 / 1e6
}

/// A log directory that is removed again.
pub(crate) struct Dir(pub(crate) PathBuf);

impl Dir {
    /// In the directory for work.
    pub(crate) fn new(work: &Path) -> Result<Self, Failure> {
        let path = work.join("log");
        fs::create_dir(&path).unable("make a log directory")?;
        Ok(Self(path))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = end_all(deadline());
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! How much a logger takes in a second, and what it costs.

use crate::bench::Bench;
use crate::input::Input;
use crate::logger::{Cost, KEPT, command, run};
use crate::machine::own;
use crate::report::{Better, Column, Group, Measure, Report};
use crate::wait::{deadline, milliseconds};
use crate::work::Work;
use std::fs;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::end_all;

/// Lengths of lines.
const LINES: [usize; 3] = [80, 200, 1000];
/// The length of which waits are shown too.
const SHOWN: usize = 200;
/// The length where one is enough: the most work for each byte.
const SHORT: usize = 80;
/// Bytes that are prepared.
const BLOCK: usize = 4_000_000;
/// Rounds of each.
const ROUNDS: usize = 3;
/// Bytes in a GiB.
const GIB: f64 = 1_073_741_824.0;

/// All lengths and all kinds of work; `cat` does only the plain one.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    for line in LINES {
        let input = Input::new(line, BLOCK, bench.rounds(100_000_000, 40_000_000));
        for work in Work::ALL {
            each(bench, work, line, &input, report)?;
        }
    }
    beside_cat(bench, report)?;
    for work in Work::MORE {
        // A new file for each few lines takes its time.
        let total = if work == Work::Rotate { 10_000_000 } else { 100_000_000 };
        each(
            bench,
            work,
            SHORT,
            &Input::new(SHORT, BLOCK, bench.rounds(total, total / 4)),
            report,
        )?;
    }
    on_disk(bench, report)
}

/// One kind of work by all who can do it.
fn each(
    bench: &Bench,
    work: Work,
    line: usize,
    input: &Input,
    report: &mut Report,
) -> Result<(), Failure> {
    let what = format!("log {}, lines of {line}", work.name());
    let mut columns = who(bench, work);
    columns.extend((work == Work::Plain).then_some(Column::Floor));
    bench.take_turns(&what, &columns, ROUNDS, report, |column, _, report| {
        let cost = one(bench, &bench.work, work, input, column)?;
        add(&what, input, &cost, column, report);
        if work == Work::Rotate {
            let often = less(&format!("{what}: rotations"), "1/s");
            let often = Measure { better: Better::Higher, ..often };
            let count = megabytes(input) * 1e6 / cost.size;
            report.add(&often, column, count * 1000.0 / milliseconds(cost.time));
        }
        if line == SHOWN {
            let waits = less(&format!("{what}: waits"), "switches/MB");
            #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
            let switches = cost.switches.voluntary as f64 / megabytes(input);
            report.add(&waits, column, switches);
        }
        Ok(())
    })
}

/// The columns whose logger can do it. What the original has not, it takes for
/// nothing, so that it must not be asked.
fn who(bench: &Bench, work: Work) -> Vec<Column> {
    let original = |column| {
        column == Column::Ours
            && !Work::ALL.contains(&work)
            && work != Work::Rotate
            && bench.suite(column).is_ok_and(|s| own(&s.dir).is_none())
    };
    let able = bench.suites.iter().filter(|s| work.known_to(s)).map(|s| s.column);
    able.filter(|&column| !original(column)).collect()
}

/// How near ours comes to `cat`: both right after each other, and each first
/// in every other round.
fn beside_cat(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let input = Input::new(SHORT, BLOCK, bench.rounds(200_000_000, 40_000_000));
    let rounds = bench.rounds(11, 3);
    bench.take_turns("log beside cat", &[Column::Ours], rounds, report, |ours, round, report| {
        for work in [Work::Plain, Work::Stamp] {
            let cost = |work, column| one(bench, &bench.work, work, &input, column);
            let (cat, own) = if round % 2 == 0 {
                let cat = cost(Work::Plain, Column::Floor)?;
                (cat, cost(work, ours)?)
            } else {
                let own = cost(work, ours)?;
                (cost(Work::Plain, Column::Floor)?, own)
            };
            let mut add = |of, theirs, own| {
                let what = format!("log {}, lines of {SHORT}: {of}", work.name());
                let measure = Measure { better: Better::Higher, ..less(&what, "times") };
                report.add(&measure, ours, milliseconds(theirs) / milliseconds(own));
            };
            add("of cat", cat.time, own.time);
            add("of cat by processor time", cat.cpu, own.cpu);
        }
        Ok(())
    })
}

/// What it costs to have lines on a disk early. Waiting for the disk is most
/// of it, so little is written where that is often.
fn on_disk(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let Some(disk) = &bench.disk else {
        report.note("fsync= is not measured: there is no directory on a disk".to_owned());
        return Ok(());
    };
    report.note(format!("log on a disk: in {}", disk.display()));
    for work in Work::SYNC {
        let total = if work == Work::Sync("line") { 2_000_000 } else { 20_000_000 };
        let input = Input::new(SHORT, total.min(BLOCK), total);
        let what = format!("log on a disk, {}, lines of {SHORT}", work.name());
        let columns: Vec<Column> =
            who(bench, work).into_iter().filter(|&c| c == Column::Ours).collect();
        bench.take_turns(&what, &columns, ROUNDS, report, |column, _, report| {
            let cost = one(bench, disk, work, &input, column)?;
            add(&what, &input, &cost, column, report);
            Ok(())
        })?;
    }
    Ok(())
}

fn one(
    bench: &Bench,
    within: &Path,
    work: Work,
    input: &Input,
    column: Column,
) -> Result<Cost, Failure> {
    let dir = Dir::new(within)?;
    let suite = if column == Column::Floor { None } else { Some(bench.suite(column)?) };
    run(command(suite, work, KEPT, &dir.0)?, suite, work, input, &dir.0)
}

/// What every run has: speed and processor time.
fn add(what: &str, input: &Input, cost: &Cost, column: Column, report: &mut Report) {
    let rate = Measure { better: Better::Higher, ..less(what, "MB/s") };
    report.add(&rate, column, megabytes(input) * 1000.0 / milliseconds(cost.time));
    let spent = milliseconds(cost.cpu) / 1000.0 / (megabytes(input) * 1e6 / GIB);
    report.add(&less(&format!("{what}: processor time"), "s/GiB"), column, spent);
}

fn less(what: &str, unit: &'static str) -> Measure {
    Measure::less(Group::Log, what, unit)
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

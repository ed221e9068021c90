//! What a container costs that is begun and ended by a supervisor as its
//! process 1, or by an init for one command. Measures what each is made for,
//! and asks nobody for more.

mod alone;
mod image;
mod keepers;
mod space;

use crate::bench::Bench;
use crate::machine::own;
use crate::processes::memory;
use crate::report::{Column, Group, Measure, Report};
use crate::service::{ENDS, What};
use crate::tree::{Files, directories};
use crate::trees::{SETTLED, services};
use crate::wait::{milliseconds, until};
use keepers::Keeper;
use rustix::fs::sync;
use space::Space;
use upkeep_outside::container;
use upkeep_outside::failure::Failure;

/// Rounds in which memory is looked at: it does not change much.
const MEMORY_ROUNDS: usize = 2;
/// In a tree of so many.
const MEMORY_OF: usize = 100;

/// All of it.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let ours = bench.suite(Column::Ours)?;
    if own(&ours.dir).is_none() {
        report.note(format!("{}: not upkeep's, without containers", ours.dir.display()));
        return Ok(());
    }
    let keepers = keepers::all(bench, report);
    image::measure(bench, &keepers, report)?;
    if let Err(why) = container::is_possible() {
        report.note(format!("no pid namespace to be had, without containers: {why}"));
        return Ok(());
    }
    for (count, rounds) in [(1, 11), (10, 11), (100, 7)] {
        let columns: Vec<Column> = keepers.iter().map(Keeper::column).collect();
        let what = format!("container: {}", services(count));
        bench.take_turns(
            &what,
            &columns,
            bench.rounds(rounds, 3),
            report,
            |column, round, r| {
                let keeper = keepers.iter().find(|k| k.column() == column);
                keeper.map_or(Ok(()), |keeper| tree(bench, keeper, count, round, r))
            },
        )?;
    }
    alone::measure(bench, report)
}

/// A row of this metric.
fn row(what: impl std::fmt::Display, unit: &'static str) -> Measure {
    Measure::less(Group::Container, format!("container: {what}"), unit)
}

/// A tree from its beginning to its end.
fn tree(
    bench: &Bench,
    keeper: &Keeper<'_>,
    count: usize,
    round: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let files = Files(bench.work.join("tree"));
    let dirs = directories(&files.0, &bench.exe, count, &[ENDS])?;
    let command = keeper.command(&files.0, &dirs)?;
    let mut space = Space::start(&files.0, &bench.exe, &files.0, &command)?;
    let mut last = space.began;
    for _ in 0..count {
        last = last.max(space.next(What::Started)?.when);
    }
    let (column, of) = (keeper.column(), services(count));
    let time = milliseconds(last - space.began);
    report.add(&row(format_args!("start until {of} run"), "ms"), column, time);
    until(last + SETTLED)?;
    if count == MEMORY_OF && round < MEMORY_ROUNDS {
        weigh(&space, column, &of, report)?;
    }
    let (time, status) = space.end(keeper.end())?;
    let name = format_args!("told to end until nothing is left, {of}");
    report.add(&row(name, "ms"), column, milliseconds(time));
    let told = space.rest()?.iter().filter(|r| r.what == What::Ended).count();
    let missed = f64::from(u32::try_from(count - told.min(count)).unwrap_or(u32::MAX));
    report.add(&row(format_args!("killed and never told, {of}"), "services"), column, missed);
    if column == Column::Ours && !status.success() {
        return Err(Failure::Failed(format!("it ended with {status}")));
    }
    Ok(())
}

/// Memory of process 1, and of all but the services.
fn weigh(space: &Space, column: Column, of: &str, report: &mut Report) -> Result<(), Failure> {
    // A program file that was just written counts as private dirty wherever it
    // is mapped until it is on the disk.
    sync();
    let first = memory(space.first()?.as_raw_pid())?;
    let mut whole = 0;
    for process in space.all()?.iter().filter(|p| p.name != "run") {
        whole += memory(process.pid)?.proportional;
    }
    let rows = [
        ("private dirty of process 1", first.private_dirty),
        ("proportional of all but the services", whole),
    ];
    for (what, sample) in rows {
        report.add(&row(format_args!("{what}, {of}"), "kB"), column, kilobytes(sample));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes of some processes")]
fn kilobytes(kb: u64) -> f64 {
    kb as f64
}

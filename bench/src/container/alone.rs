//! A container of one command, below an init that reaps and forwards signals,
//! and without one.

use super::keepers::here;
use super::space::Space;
use super::{kilobytes, row};
use crate::bench::Bench;
use crate::processes::memory;
use crate::report::{Column, Report};
use crate::service::{CODE, ENDS, ONCE, What};
use crate::suites::program;
use crate::tree::{Extra, Files, directories};
use crate::wait::milliseconds;
use rustix::fs::sync;
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::now;

/// The others: their programs, the one that needs no library first, and
/// packages.
const OTHERS: [(Column, &[&str], &str); 3] = [
    (Column::Tini, &["tini-static", "tini"], "tini"),
    (Column::DumbInit, &["dumb-init"], "dumb-init"),
    (Column::Catatonit, &["catatonit"], "catatonit"),
];
/// Rounds in which memory is looked at.
const MEMORY_ROUNDS: usize = 2;

/// An init that is here.
struct Init {
    column: Column,
    /// None: the command is process 1 itself.
    path: Option<PathBuf>,
}

impl Init {
    /// Run the command that is in the current directory.
    fn command(&self, place: &Path) -> Command {
        let Some(path) = &self.path else { return program(place, "run") };
        let dir = path.parent().unwrap_or_else(|| Path::new("/"));
        let mut command = program(dir, &path.file_name().unwrap_or_default().to_string_lossy());
        command.arg("--").arg(place.join("run"));
        command
    }
}

/// All of it.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let ours = bench.suite(Column::Ours)?.dir.join("svscan");
    let mut all = vec![
        Init { column: Column::Ours, path: Some(ours) },
        Init { column: Column::Bare, path: None },
    ];
    for (column, programs, package) in OTHERS {
        let path = here(column, programs, package, report);
        all.extend(path.map(|path| Init { column, path: Some(path) }));
    }
    super::image::inits(all.iter().filter_map(|i| Some((i.column, i.path.as_deref()?))), report)?;
    let columns: Vec<Column> = all.iter().map(|i| i.column).collect();
    let rounds = bench.rounds(41, 11);
    bench.take_turns("container: one command", &columns, rounds, report, |column, round, r| {
        let init = all.iter().find(|i| i.column == column);
        init.map_or(Ok(()), |init| one(bench, init, round, r))
    })
}

/// A command that ends at once, and one that is told to.
fn one(bench: &Bench, init: &Init, round: usize, report: &mut Report) -> Result<(), Failure> {
    let column = init.column;
    let (files, mut space) = begin(bench, init, ONCE)?;
    let started = space.next(What::Started)?.when;
    let status = space.over()?;
    let time = milliseconds(now() - space.began);
    if status.code() != Some(i32::from(CODE)) {
        return Err(Failure::Failed(format!("a command ended with {CODE}, and it with {status}")));
    }
    let runs = milliseconds(started - space.began);
    report.add(&row("one command, until it runs", "ms"), column, runs);
    report.add(&row("one command that ends at once, until nothing is left", "ms"), column, time);
    drop(files);

    let (files, mut space) = begin(bench, init, ENDS)?;
    space.next(What::Started)?;
    if round < MEMORY_ROUNDS && column != Column::Bare {
        sync();
        let found = memory(space.first()?.as_raw_pid())?;
        let rows = [
            ("private dirty of process 1, one command", found.private_dirty),
            ("private of process 1, one command", found.private),
        ];
        for (what, sample) in rows {
            report.add(&row(what, "kB"), column, kilobytes(sample));
        }
    }
    let (time, status) = space.end(Signal::TERM)?;
    let told = space.rest()?.iter().any(|r| r.what == What::Ended);
    if !told || !status.success() {
        let told = if told { "was" } else { "was not" };
        return Err(Failure::Failed(format!("the command {told} told to end, {status}")));
    }
    report.add(&row("one command, TERM until nothing is left", "ms"), column, milliseconds(time));
    drop(files);
    Ok(())
}

fn begin(bench: &Bench, init: &Init, extra: Extra) -> Result<(Files, Space), Failure> {
    let files = Files(bench.work.join("tree"));
    let dirs = directories(&files.0, &bench.exe, 1, &[extra])?;
    let space = Space::start(&files.0, &bench.exe, &dirs[0], &init.command(&dirs[0]))?;
    Ok((files, space))
}

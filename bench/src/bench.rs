//! What all measurements share: the suites, the place to work in, and taking
//! turns.

use crate::report::{Column, Report};
use crate::suites::Suite;
use crate::tree::{Extra, Tree};
use crate::wait::readable;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use upkeep_outside::failure::{Context, Failure};

/// The means to measure.
pub(crate) struct Bench {
    pub(crate) suites: Vec<Suite>,
    /// A directory of its own, on a memory file system where there is one.
    pub(crate) work: PathBuf,
    /// Another one on a disk, if there is one.
    pub(crate) disk: Option<PathBuf>,
    /// This program, which is the service too.
    pub(crate) exe: PathBuf,
    pub(crate) quick: bool,
    /// Whether there may be 10 GiB of old logs.
    pub(crate) large: bool,
}

impl Bench {
    /// `full`, or less when there is little time.
    pub(crate) const fn rounds(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// A tree of `count` services that `column`'s suite keeps up, each with
    /// `extra` files in its directory.
    pub(crate) fn tree(
        &self,
        column: Column,
        count: usize,
        extra: &[Extra],
    ) -> Result<Tree<'_>, Failure> {
        let suite = self.suite(column)?;
        Tree::start(suite, self.work.join("tree"), &self.exe, count, extra, &[], None)
    }

    /// The suite of that column.
    pub(crate) fn suite(&self, column: Column) -> Result<&Suite, Failure> {
        let found = self.suites.iter().find(|s| s.column == column);
        found.ok_or_else(|| Failure::Failed("not here".to_owned()))
    }

    /// The columns that have a suite.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.suites.iter().map(|s| s.column).collect()
    }

    /// Has every column do `one` in each round, beginning with another one
    /// each time. Who fails is noted and left out from then on.
    pub(crate) fn take_turns(
        &self,
        what: &str,
        columns: &[Column],
        rounds: usize,
        report: &mut Report,
        mut one: impl FnMut(Column, usize, &mut Report) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut left = columns.to_vec();
        for round in 0..rounds {
            progress(&format!("{what}: round {} of {rounds}", round + 1));
            for column in left.clone() {
                match one(column, round, report) {
                    Ok(()) => {}
                    Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                    Err(why @ (Failure::Late(_) | Failure::Failed(_))) => {
                        report.note(format!("{}: {what}: {why}", column.name()));
                        left.retain(|&c| c != column);
                    }
                }
            }
            if !left.is_empty() {
                left.rotate_left(1);
            }
        }
        Ok(())
    }
}

/// Tells somebody who waits how far it is.
pub(crate) fn progress(what: &str) {
    // Nobody listening is no reason to stop.
    let _ = writeln!(std::io::stderr(), "upkeep-bench: {what}");
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Result<ExitStatus, Failure> {
    end(command.spawn().unable(format_args!("run {command:?}"))?)
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn answer(mut command: Command) -> Result<String, Failure> {
    let (mut out, end) = std::io::pipe().unable("make a pipe")?;
    command.stdout(end);
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    finish(&mut command)?;
    // The pipe ends when the last holder of its other end is gone.
    drop(command);
    let text = reader.join().map_err(|_| "it panicked").unable("read an answer")?;
    text.unable("read an answer")
}

/// Waits for the end of a command.
pub(crate) fn end(mut child: Child) -> Result<ExitStatus, Failure> {
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
    readable(pidfd.unable("watch a command")?, "the end of a command")?;
    child.wait().unable("wait for a command")
}

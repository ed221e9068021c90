//! What is in the log of a logger that is ended again and again while it
//! writes, by SIGKILL or by SIGTERM. The pipe to it is held by this process, so
//! the pipe itself loses nothing.

use crate::bench::Bench;
use crate::log::Dir;
use crate::logfiles::files;
use crate::logger::command;
use crate::numbered::{LINE, Tally, write};
use crate::report::{Column, Group, Measure, Report};
use crate::suites::{Family, Suite};
use crate::wait::{deadline, readable};
use crate::work::Work;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::first;

/// Lines that are written at once.
const PIECE: usize = 800;
/// Pieces from one kill to the next, at least and at most: half a megabyte.
const APART: std::ops::Range<usize> = 4..13;
/// Archives to keep: one for each kill, and more.
const KEPT: usize = 2000;

/// All loggers, plain work, and svlogd of ours.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let kills = bench.rounds(1000, 20);
    for signal in [Signal::KILL, Signal::TERM] {
        let what = format!("killlog, {}", name(signal));
        bench.take_turns(&what, &bench.columns(), 1, report, |column, _, report| {
            one(bench.suite(column)?, &bench.work, signal, &plan(kills), report)
        })?;
        let ours = bench.suite(Column::Ours)?;
        if let Some(second) = ours.second_logger() {
            let what = format!("killlog, svlogd, {}", name(signal));
            bench.take_turns(&what, &[Column::Ours], 1, report, |_, _, report| {
                one(&second, &bench.work, signal, &plan(kills), report)
            })?;
        }
    }
    Ok(())
}

fn name(signal: Signal) -> &'static str {
    if signal == Signal::KILL { "SIGKILL" } else { "SIGTERM" }
}

/// How many pieces come before each kill: the same for all, and not regular.
fn plan(kills: usize) -> Vec<usize> {
    let mut state: u32 = 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        APART.start + (state >> 16) as usize % APART.len()
    };
    (0..kills).map(|_| next()).collect()
}

fn one(
    suite: &Suite,
    work: &Path,
    signal: Signal,
    plan: &[usize],
    report: &mut Report,
) -> Result<(), Failure> {
    let dir = Dir::new(work)?;
    let (pipe, into) = io::pipe().unable("make a pipe")?;
    let (due, when_due) = io::pipe().unable("make a pipe")?;
    let unended = into.try_clone().unable("share the pipe")?;
    let (fed, ended) = std::thread::scope(|scope| {
        let feeder = scope.spawn(move || feed(into, when_due, plan));
        // Whatever fails in there, the pipe's last reader is gone afterwards,
        // and so the feeder ends.
        let again = || command(Some(suite), Work::Plain, KEPT, &dir.0);
        let ended = end_often(again, signal, (pipe, unended), due, plan.len());
        (feeder.join(), ended)
    });
    let status = ended?;
    if !status.success() {
        return Err(Failure::Failed(format!("the logger: {status}")));
    }
    let lines = fed.map_err(|_| "it panicked").unable("feed the logger")?;
    let mut tally = Tally::new(lines.unable("feed the logger")?);
    for file in files(&dir.0)? {
        tally.file(&fs::read(file).unable("read the log")?);
    }
    let damage = tally.end();
    let counts = [("lost", damage.lost), ("doubled", damage.doubled), ("torn", damage.torn)];
    for (what, count) in counts {
        // Ours has two, and the second stands alone.
        let logger = match (suite.column, suite.family) {
            (Column::Ours, Family::Runit) => "svlogd",
            _ => "logger",
        };
        let name = format!("{logger}, {} {}: lines {what}", plan.len(), name(signal));
        #[expect(clippy::cast_precision_loss, reason = "some million lines")]
        report.add(&Measure::less(Group::Killlog, name, "lines"), suite.column, count as f64);
    }
    Ok(())
}

/// Writes lines as fast as they are taken and says when a kill is due. Gives
/// the number of lines.
fn feed(mut into: PipeWriter, mut when_due: PipeWriter, plan: &[usize]) -> io::Result<usize> {
    let mut lines = 0;
    let mut piece = Vec::with_capacity(PIECE * LINE);
    // What comes after the last kill, for the one that is not killed.
    for &pieces in plan.iter().chain([&APART.end]) {
        for _ in 0..pieces {
            piece.clear();
            (lines..lines + PIECE).for_each(|number| write(number, &mut piece));
            into.write_all(&piece)?;
            lines += PIECE;
        }
        when_due.write_all(&[0])?;
    }
    Ok(lines)
}

/// Runs one logger after the other on the same pipe; all but the last are
/// sent the signal when it is due. Gives how that one ended. The other end of
/// the pipe is held until then, so that none of them is at the end before.
fn end_often(
    command: impl Fn() -> Result<Command, Failure>,
    signal: Signal,
    (pipe, unended): (PipeReader, PipeWriter),
    mut due: PipeReader,
    kills: usize,
) -> Result<ExitStatus, Failure> {
    for _ in 0..kills {
        let logger = Logger::start(command()?, &pipe)?;
        match first(&[logger.pidfd.as_fd(), due.as_fd()], deadline())? {
            Some(0) => return Err(Failure::Failed("the logger ended by itself".to_owned())),
            Some(_) => due.read_exact(&mut [0]).unable("feed the logger")?,
            None => return Err(Failure::Late("feeding the logger".to_owned())),
        }
        pidfd_send_signal(&logger.pidfd, signal).unable("signal the logger")?;
        // Its end is waited for, so that its lock is free.
        readable(&logger.pidfd, "the end of the logger")?;
    }
    drop(unended);
    let mut logger = Logger::start(command()?, &pipe)?;
    drop(pipe);
    readable(&logger.pidfd, "the end of the logger")?;
    logger.child.wait().unable("wait for the logger")
}

/// A logger that is killed when it is dropped, if it has not ended.
struct Logger {
    child: Child,
    pidfd: OwnedFd,
}

impl Logger {
    fn start(mut command: Command, pipe: &PipeReader) -> Result<Self, Failure> {
        command.stdin(pipe.try_clone().unable("share the pipe")?);
        let child = command.spawn().unable(format_args!("run {command:?}"))?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        Ok(Self { child, pidfd: pidfd.unable("watch the logger")? })
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        // Nothing happens to one that was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_not_regular_and_always_the_same() {
        let planned = plan(200);
        assert_eq!(planned, plan(200));
        assert!(planned.iter().all(|p| APART.contains(p)));
        assert!(APART.into_iter().all(|distance| planned.contains(&distance)));
    }

    #[test]
    fn as_many_lines_as_it_says() {
        let (mut out, into) = io::pipe().unwrap();
        let (mut due, when_due) = io::pipe().unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            out.read_to_end(&mut all).map(|_| all)
        });
        let lines = feed(into, when_due, &[2, 1]).unwrap();
        let mut kills = Vec::new();
        due.read_to_end(&mut kills).unwrap();
        let mut tally = Tally::new(lines);
        tally.file(&reader.join().unwrap().unwrap());
        assert_eq!(tally.end(), crate::numbered::Damage::default());
        assert_eq!((lines, kills.len()), ((3 + APART.end) * PIECE, 3));
    }
}

//! Memory of a logger: when nothing came yet, some time after much did, and
//! the most that it has while it is fed. Does not count what a processor has.

use crate::bench::Bench;
use crate::input::Input;
use crate::log::Dir;
use crate::logfiles::files;
use crate::logger::{KEPT, command};
use crate::processes::{Memory, memory};
use crate::report::{Column, Group, Measure, Report};
use crate::suites::Suite;
use crate::wait::{readable, until};
use crate::work::Work;
use rustix::fd::OwnedFd;
use rustix::fs::sync;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io::{self, PipeWriter, Write};
use std::path::Path;
use std::process::Child;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// What a logger is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Food {
    /// Lines of 200 bytes, as many bytes as this.
    Lines(usize),
    /// One line of so many bytes that does not end.
    Endless(usize),
    /// So many lines of two bytes.
    Short(usize),
}

/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;
/// A line's length.
const LINE: usize = 200;

impl Food {
    fn name(self) -> String {
        match self {
            Self::Lines(total) => format!("{} MB in lines of {LINE}", total / 1_000_000),
            Self::Endless(total) => format!("{} MB without a newline", total / 1_000_000),
            Self::Short(count) => format!("{count} lines of 2"),
        }
    }

    fn write(self, pipe: &mut PipeWriter) -> io::Result<()> {
        let total = match self {
            Self::Lines(total) => {
                let input = Input::new(LINE, 1_000_000, total);
                return input.pieces().try_for_each(|piece| pipe.write_all(piece));
            }
            Self::Endless(total) => total,
            Self::Short(count) => 2 * count,
        };
        let unit: &[u8] = if matches!(self, Self::Short(_)) { b"a\n" } else { b"aa" };
        let piece = unit.repeat(PIECE / unit.len());
        let mut left = total;
        while left > 0 {
            let now = left.min(piece.len());
            pipe.write_all(&piece[..now])?;
            left -= now;
        }
        Ok(())
    }
}

/// All loggers, each fed one thing after the other, with stamps.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let meals = [
        (Food::Lines(bench.rounds(200_000_000, 40_000_000)), bench.rounds(3, 1)),
        (Food::Endless(bench.rounds(1_000_000_000, 100_000_000)), 1),
        (Food::Short(1_000_000), bench.rounds(3, 1)),
    ];
    for (food, rounds) in meals {
        let what = format!("logmem, {}", food.name());
        bench.take_turns(&what, &bench.columns(), rounds, report, |column, _, report| {
            one(bench, column, food, report)
        })?;
    }
    Ok(())
}

fn one(bench: &Bench, column: Column, food: Food, report: &mut Report) -> Result<(), Failure> {
    let dir = Dir::new(&bench.work)?;
    let suite = bench.suite(column)?;
    // With a second one the program file is nobody's own, as it is where there
    // is more than one service.
    let other = Logger::start(suite, &dir.0.join("other"))?;
    let log = dir.0.join("log");
    let mut logger = Logger::start(suite, &log)?;
    let lines = matches!(food, Food::Lines(_));
    let mut add = |what: String, kb: u64| {
        let measure = Measure::less(Group::Logmem, format!("logger, {what}"), "kB");
        #[expect(clippy::cast_precision_loss, reason = "kilobytes of one process")]
        report.add(&measure, column, kb as f64);
    };
    if lines {
        until(now() + SECOND)?;
        add("idle after its start: private dirty".to_owned(), logger.memory()?.private_dirty);
    }
    let most = logger.feed(food)?;
    add(format!("fed {}: most that is private", food.name()), most);
    if lines {
        until(now() + 2 * SECOND)?;
        let what = format!("2 s after {}: private dirty", food.name());
        add(what, logger.memory()?.private_dirty);
    }
    logger.end()?;
    other.end()?;
    if files(&log)?.is_empty() {
        return Err(Failure::Failed("there is no log".to_owned()));
    }
    Ok(())
}

/// A logger with a pipe to it, which is killed when it is dropped.
struct Logger {
    child: Child,
    pidfd: OwnedFd,
    pipe: Option<PipeWriter>,
}

impl Logger {
    fn start(suite: &Suite, dir: &Path) -> Result<Self, Failure> {
        fs::create_dir(dir).unable("make a log directory")?;
        let mut command = command(Some(suite), Work::Stamp, KEPT, dir)?;
        let (out, pipe) = io::pipe().unable("make a pipe")?;
        let child = command.stdin(out).spawn().unable(format_args!("run {command:?}"))?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        Ok(Self { child, pidfd: pidfd.unable("watch the logger")?, pipe: Some(pipe) })
    }

    fn memory(&self) -> Result<Memory, Failure> {
        // A program file that was just written is not clean before.
        sync();
        memory(Pid::from_child(&self.child).as_raw_pid())
    }

    /// The most that is private to it until all is written, and some time
    /// later.
    fn feed(&mut self, food: Food) -> Result<u64, Failure> {
        let pid = Pid::from_child(&self.child).as_raw_pid();
        let mut pipe = self.pipe.take().ok_or("it has ended").unable("feed the logger")?;
        let feeder = std::thread::spawn(move || food.write(&mut pipe).map(|()| pipe));
        let mut most = 0;
        while !feeder.is_finished() {
            most = most.max(memory(pid)?.private);
            until(now() + MILLISECOND / 2)?;
        }
        most = most.max(memory(pid)?.private);
        let fed = feeder.join().map_err(|_| "it panicked").unable("feed the logger")?;
        self.pipe = Some(fed.unable("feed the logger")?);
        Ok(most)
    }

    fn end(mut self) -> Result<(), Failure> {
        drop(self.pipe.take());
        readable(&self.pidfd, "the end of the logger")?;
        let status = self.child.wait().unable("wait for the logger")?;
        let good = status.success();
        if good { Ok(()) } else { Err(Failure::Failed(format!("the logger: {status}"))) }
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
    use std::io::Read;

    #[test]
    fn as_much_as_it_says() {
        let fed = |food: Food| {
            let (mut out, mut pipe) = io::pipe().unwrap();
            let feeder = std::thread::spawn(move || food.write(&mut pipe).unwrap());
            let mut all = Vec::new();
            out.read_to_end(&mut all).unwrap();
            feeder.join().unwrap();
            (all.len(), all.iter().filter(|&&b| b == b'\n').count())
        };
        assert_eq!(fed(Food::Endless(100_001)), (100_001, 0));
        assert_eq!(fed(Food::Short(100_000)), (200_000, 100_000));
        assert_eq!(fed(Food::Lines(2_000_000)), (2_000_000, 10_000));
    }
}

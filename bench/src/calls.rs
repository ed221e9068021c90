//! System calls of a logger for each megabyte, counted by strace.

use crate::bench::{Bench, finish};
use crate::input::Input;
use crate::log::{Dir, megabytes};
use crate::logger::{KEPT, command, run};
use crate::report::{Column, Group, Measure, Report};
use crate::work::Work;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use upkeep_outside::failure::{Context, Failure};

/// Lengths of lines.
const LINES: [usize; 2] = [80, 200];

/// What all loggers can do. One round: it is a count.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    if !can_count(report) {
        return Ok(());
    }
    for line in LINES {
        let input = Input::new(line, 4_000_000, 10_000_000);
        for work in Work::ALL {
            let what = format!("system calls, {}, lines of {line}", work.name());
            bench.take_turns(&what, &bench.columns(), 1, report, |column, _, report| {
                one(bench, &what, work, &input, column, report)
            })?;
        }
    }
    Ok(())
}

/// Whether strace is here; a note says if not.
pub(crate) fn can_count(report: &mut Report) -> bool {
    let mut version = Command::new("strace");
    version.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let can = version.status().is_ok_and(|s| s.success());
    if !can {
        report.note("system calls are not counted: apt-get install strace".to_owned());
    }
    can
}

fn one(
    bench: &Bench,
    what: &str,
    work: Work,
    input: &Input,
    column: Column,
    report: &mut Report,
) -> Result<(), Failure> {
    let counts = bench.work.join("calls");
    let suite = Some(bench.suite(column)?);
    let idle = {
        let dir = Dir::new(&bench.work)?;
        finish(&mut traced(&command(suite, work, KEPT, &dir.0)?, &counts))?;
        counted(&counts)?
    };
    let dir = Dir::new(&bench.work)?;
    run(traced(&command(suite, work, KEPT, &dir.0)?, &counts), suite, work, input, &dir.0)?;
    // Without those of the start and the end.
    let calls = counted(&counts)? - idle;
    report.add(&Measure::less(Group::Calls, what, "calls/MB"), column, calls / megabytes(input));
    Ok(())
}

/// What strace has counted into that file.
pub(crate) fn counted(counts: &Path) -> Result<f64, Failure> {
    let text = fs::read_to_string(counts).unable("read what strace counted")?;
    total(&text).ok_or("no total").unable("understand strace")
}

/// The same command below strace, in the same environment.
pub(crate) fn traced(command: &Command, counts: &Path) -> Command {
    let mut traced = Command::new("strace");
    // A signal to strace itself ends it.
    traced.args(["-I", "2", "-c", "-f", "-o"]).arg(counts).arg("--");
    traced.arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    traced
}

/// The number of calls in the last line of the table:
/// `100.00 seconds usecs/call calls [errors] total`.
fn total(text: &str) -> Option<f64> {
    let line = text.lines().rfind(|l| l.ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_with_and_without_errors() {
        let head = "% time seconds usecs/call calls errors syscall\n";
        let with = "100.00    0.004214           2      1753         4 total\n";
        let without = "100.00    0.004214           2      1753           total\n";
        assert_eq!(total(&format!("{head}{with}")), Some(1753.0));
        assert_eq!(total(&format!("{head}{without}")), Some(1753.0));
        assert_eq!(total(head), None);
    }
}

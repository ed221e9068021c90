//! System calls of a logger for each megabyte, counted by strace.

use crate::bench::Bench;
use crate::input::Input;
use crate::log::{Dir, megabytes};
use crate::logger::{KEPT, Work, command, run};
use crate::report::{Column, Group, Measure, Report};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use upkeep_outside::failure::{Context, Failure};

/// All kinds of work, with lines of 200 bytes. One round: it is a count.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut version = Command::new("strace");
    version.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|s| s.success()) {
        report.note("system calls are not counted: apt-get install strace".to_owned());
        return Ok(());
    }
    let input = Input::new(200, 4_000_000, 10_000_000);
    for work in Work::ALL {
        let what = format!("system calls, {}", work.name());
        bench.take_turns(&what, &bench.columns(), 1, report, |column, _, report| {
            one(bench, work, &input, column, report)
        })?;
    }
    Ok(())
}

fn one(
    bench: &Bench,
    work: Work,
    input: &Input,
    column: Column,
    report: &mut Report,
) -> Result<(), Failure> {
    let dir = Dir::new(&bench.work)?;
    let counts = bench.work.join("calls");
    let traced = traced(&command(Some(bench.suite(column)?), work, KEPT, &dir.0)?, &counts);
    run(traced, column, work, input, &dir.0)?;
    let text = fs::read_to_string(&counts).unable("read what strace counted")?;
    let calls = total(&text).ok_or("no total").unable("understand strace")?;
    let name = format!("system calls, {}", work.name());
    report.add(&Measure::less(Group::Calls, name, "calls/MB"), column, calls / megabytes(input));
    Ok(())
}

/// The same command below strace.
fn traced(command: &Command, counts: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-c", "-f", "-o"]).arg(counts).arg("--");
    traced.arg(command.get_program()).args(command.get_args());
    traced.stdout(Stdio::null()).stderr(Stdio::null());
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

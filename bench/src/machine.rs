//! The head of the report: what was run where. Only reads.

use crate::bench::Bench;
use crate::install::{missing, version};
use crate::memory::never_clean;
use crate::report::{Column, Report};
use std::fs;
use std::process::Command;
use upkeep_outside::failure::Failure;

/// Everything that is known before the first measurement.
pub(crate) fn describe(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().collect();
    report.head("command", words.join(" "));
    report.head("kernel", line("/proc/sys/kernel/osrelease"));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    report.head("cores", format!("{cores}, {}", model()));
    report.head("load before", load());
    report.head("work in", bench.work.display().to_string());
    for suite in &bench.suites {
        let dir = suite.dir.display();
        let known = match suite.column {
            Column::Ours => own(&suite.dir),
            Column::Daemontools
            | Column::Runit
            | Column::S6
            | Column::Floor
            | Column::Pipeline
            | Column::Supervisord
            | Column::Tini
            | Column::DumbInit
            | Column::Catatonit
            | Column::Bare => version(suite.column.name()),
        };
        let known = known.unwrap_or_else(|| "version unknown".to_owned());
        report.head(suite.column.name(), format!("{known}, in {dir}"));
        if never_clean(&suite.dir)? {
            report.note(format!(
                "{}: {dir} is a memory file system; program files there are never clean and \
                 count as private dirty: put the programs on a disk",
                suite.column.name()
            ));
        }
    }
    for name in missing() {
        report.note(format!("{name} is not here: apt-get install -y daemontools runit s6"));
    }
    Ok(())
}

/// The load average.
pub(crate) fn load() -> String {
    line("/proc/loadavg")
}

fn line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "model unknown".to_owned(), |(_, name)| name.to_owned())
}

/// What upkeep's programs say of themselves; other people's in their place
/// only complain.
pub(crate) fn own(dir: &std::path::Path) -> Option<String> {
    let output = Command::new(dir.join("svstat")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().filter(|l| l.contains("upkeep")).map(str::to_owned)
}

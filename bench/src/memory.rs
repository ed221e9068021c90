//! Memory of the processes that keep services, idle. Does not count the
//! services themselves.

use crate::processes::memory;
use crate::report::{Group, Measure, Report};
use crate::stats::Summary;
use crate::tree::Tree;
use rustix::fs::{fstatfs, sync};
use std::fs::File;
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};

/// What statfs says of a memory file system.
const TMPFS: u64 = 0x0102_1994;

/// One sample for each suite and round: the median over its processes, which
/// keep `of`.
pub(crate) fn measure(
    tree: &Tree<'_>,
    group: Group,
    of: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    // A program file that was just written counts as private dirty wherever it
    // is mapped until it is on the disk.
    sync();
    let column = tree.suite.column;
    let found = tree.keepers()?.iter().map(|k| memory(k.pid)).collect::<Result<Vec<_>, _>>()?;
    let scanner = memory(tree.pid.as_raw_pid())?;
    let middle = |of: Vec<f64>| Summary::of(&of).map_or(f64::NAN, |s| s.median);
    let dirty = middle(found.iter().map(|m| kilobytes(m.private_dirty)).collect());
    let share = middle(found.iter().map(|m| kilobytes(m.proportional)).collect());
    let samples = [
        ("private dirty of a supervise", dirty),
        ("proportional of a supervise", share),
        ("private dirty of the svscan", kilobytes(scanner.private_dirty)),
    ];
    for (what, sample) in samples {
        report.add(&Measure::less(group, format!("{what}, {of}"), "kB"), column, sample);
    }
    Ok(())
}

/// Whether programs in `dir` can never be clean, so that their memory cannot
/// be compared.
pub(crate) fn never_clean(dir: &Path) -> Result<bool, Failure> {
    let opened = File::open(dir).unable(format_args!("open {}", dir.display()))?;
    let kind = fstatfs(&opened).unable(format_args!("look at {}", dir.display()))?.f_type;
    Ok(u64::try_from(kind).is_ok_and(|k| k == TMPFS))
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes of one process")]
fn kilobytes(kb: u64) -> f64 {
    kb as f64
}

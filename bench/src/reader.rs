//! svlog against the pipelines that people use, over the same files: what was
//! written lately, the last lines, and what a pattern is in.

use crate::answer::{Answer, Wanted};
use crate::archive::{Archive, wall};
use crate::bench::{Bench, progress};
use crate::report::{Column, Group, Measure, Report};
use crate::wait::milliseconds;
use rustix::fs::statvfs;
use std::path::{Path, PathBuf};
use std::process::Command;
use upkeep_outside::failure::Failure;

/// Compressed files.
const PACKED: usize = 10;
/// Where there are programs for a pipeline.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// Something to ask for, and how.
struct Question {
    what: &'static str,
    /// svlog's arguments before the directory.
    ours: &'static [&'static str],
    /// For a shell; the directory is `$0`.
    theirs: &'static str,
    /// What it needs.
    needs: &'static str,
    wanted: Wanted,
    /// Whether the pipeline reads so slowly that once is enough.
    slow: bool,
}

const PLAIN: &[Question] = &[
    Question {
        what: "--since '5 minutes ago', against tai64nlocal and awk",
        ours: &["--since", "5 minutes ago"],
        theirs: "from=$(date -d '5 minutes ago' '+%F %T'); cat \"$0\"/@* \"$0\"/current | \
                 tai64nlocal | awk -v from=\"$from\" '$0 >= from'",
        needs: "tai64nlocal",
        wanted: Wanted::Lately,
        slow: true,
    },
    Question {
        what: "-n 100, against tail and tai64nlocal",
        ours: &["-n", "100"],
        theirs: "tail -n 100 \"$0\"/current | tai64nlocal",
        needs: "tai64nlocal",
        wanted: Wanted::Last,
        slow: false,
    },
    Question {
        what: "-Fg text, against grep -F",
        ours: &["-t", "raw", "-Fg", "eedle"],
        theirs: "grep -hF eedle \"$0\"/@* \"$0\"/current",
        needs: "grep",
        wanted: Wanted::With(&["eedle"]),
        slow: false,
    },
    Question {
        what: "-Fg text, against ripgrep",
        ours: &["-t", "raw", "-Fg", "eedle"],
        theirs: "rg -IN -F eedle \"$0\"/@* \"$0\"/current",
        needs: "rg",
        wanted: Wanted::With(&["eedle"]),
        slow: false,
    },
    Question {
        what: "-g expression, against grep -E",
        ours: &["-t", "raw", "-g", "(ee|oo)dle"],
        theirs: "grep -hE '(ee|oo)dle' \"$0\"/@* \"$0\"/current",
        needs: "grep",
        wanted: Wanted::With(&["eedle", "oodle"]),
        slow: false,
    },
    Question {
        what: "-g expression, against ripgrep",
        ours: &["-t", "raw", "-g", "(ee|oo)dle"],
        theirs: "rg -IN '(ee|oo)dle' \"$0\"/@* \"$0\"/current",
        needs: "rg",
        wanted: Wanted::With(&["eedle", "oodle"]),
        slow: false,
    },
];

const COMPRESSED: &[Question] = &[Question {
    what: "-Fg text, against zgrep",
    ours: &["-t", "raw", "-Fg", "eedle"],
    theirs: "zgrep -hF eedle \"$0\"/@*",
    needs: "zgrep",
    wanted: Wanted::With(&["eedle"]),
    slow: false,
}];

/// All questions.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let svlog = bench.suite(Column::Ours)?.dir.join("svlog");
    if !svlog.is_file() {
        report.note(format!("{} is not there, svlog is not measured", svlog.display()));
        return Ok(());
    }
    let files = if bench.large { 1000 } else { bench.rounds(100, 10) };
    let packed = PACKED.min(files - 1);
    let Some(within) = place(bench, Archive::bytes(files + packed)) else {
        report.note("there is no room for the log, svlog is not measured".to_owned());
        return Ok(());
    };
    progress(&format!("svlog: writing {files} files"));
    report.note(format!("svlog: the files are in {}", within.display()));
    let archive = Archive::new(within.join("archive"), files)?;
    let size = match files {
        1000 => "10",
        100 => "1",
        _ => "0.1",
    };
    let of = format!("{size} GiB in {files} files");
    PLAIN.iter().try_for_each(|one| ask(bench, &svlog, one, &archive, &of, report))?;
    let archive = archive.packed(within.join("packed"), packed)?;
    let of = format!("{packed} files by gzip");
    COMPRESSED.iter().try_for_each(|one| ask(bench, &svlog, one, &archive, &of, report))
}

/// Where there is room for so much, in memory if that stays free for the most
/// part.
fn place(bench: &Bench, bytes: usize) -> Option<PathBuf> {
    let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(3);
    let free = |dir: &Path| statvfs(dir).map_or(0, |s| s.f_bavail.saturating_mul(s.f_frsize));
    let mut places = std::iter::once(&bench.work).chain(&bench.disk);
    places.find(|dir| free(dir) >= wanted).cloned()
}

fn ask(
    bench: &Bench,
    svlog: &Path,
    question: &Question,
    archive: &Archive,
    of: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut columns = vec![Column::Ours];
    if has(question.needs) {
        columns.push(Column::Pipeline);
    } else {
        report.note(format!("{} is not here, svlog is not compared with it", question.needs));
    }
    let what = format!("svlog {}, {of}", question.what);
    bench.take_turns(&what, &columns, bench.rounds(5, 3), report, |column, round, report| {
        if column == Column::Pipeline && question.slow && round > 0 {
            return Ok(());
        }
        let mut command = if column == Column::Ours {
            let mut command = Command::new(svlog);
            command.args(question.ours);
            command
        } else {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", question.theirs]);
            command
        };
        command.arg(&archive.dir).env_clear().env("PATH", SYSTEM);
        let began = wall();
        let answer = Answer::of(command)?;
        question.wanted.check(&answer, archive, (began, wall()))?;
        let mut add = |what: String, time| {
            report.add(&Measure::less(Group::Svlog, what, "ms"), column, milliseconds(time));
        };
        // Others keep what they find until there is enough for one write.
        if !matches!(question.wanted, Wanted::With(_)) {
            add(format!("{what}: first byte"), answer.first);
        }
        add(format!("{what}: all"), answer.all);
        Ok(())
    })
}

/// Whether the system has this program.
fn has(program: &str) -> bool {
    SYSTEM.split(':').any(|dir| Path::new(dir).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found() {
        assert!(has("sh") && !has("no-such-program"));
    }
}

//! svlog against the pipelines that people use, over the same files: what was
//! written lately, the last lines, and what a pattern is in.

use crate::archive::{Archive, LINE, wall};
use crate::bench::{Bench, progress};
use crate::report::{Column, Group, Measure, Report};
use crate::wait::{deadline, milliseconds};
use rustix::fd::AsFd;
use rustix::fs::statvfs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::end_all;
use upkeep_outside::wait::{SECOND, first, now};

/// How much is asked for by time, and how much later an answer may begin that
/// counts in whole seconds.
const LATELY: u64 = 300 * SECOND;
/// Lines at the end.
const LAST: usize = 100;
/// Compressed files.
const PACKED: usize = 10;
/// Where there are programs for a pipeline.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a pipeline may take.
const PATIENCE: u64 = 900 * SECOND;

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

/// What has to be in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Lately,
    Last,
    With(&'static [&'static str]),
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

impl Wanted {
    fn check(
        self,
        answer: &Answer,
        archive: &Archive,
        (began, ended): (u64, u64),
    ) -> Result<(), Failure> {
        let range = match self {
            // A pipeline counts in whole seconds.
            Self::Lately => archive.since(ended - LATELY)..=archive.since(began - LATELY - SECOND),
            Self::Last => LAST..=LAST,
            Self::With(words) => {
                let count = archive.with(words);
                if answer.bytes != count * LINE {
                    return Err(Failure::Failed(format!(
                        "{} bytes in {count} lines",
                        answer.bytes
                    )));
                }
                count..=count
            }
        };
        if range.contains(&answer.lines) {
            return Ok(());
        }
        Err(Failure::Failed(format!("{} lines, not {range:?}", answer.lines)))
    }
}

/// What a command printed, and when.
#[derive(Debug)]
struct Answer {
    first: u64,
    all: u64,
    lines: usize,
    bytes: usize,
}

impl Answer {
    fn of(mut command: Command) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let began = now();
        let mut child = command.spawn().unable(format_args!("run {command:?}"))?;
        let heard = Self::hear(&mut child, began);
        if heard.is_err() {
            // All of a pipeline.
            end_all(deadline())?;
        }
        let answer = heard?;
        let status = child.wait().unable("wait for a command")?;
        let good = status.success().then_some(answer);
        good.ok_or_else(|| Failure::Failed(format!("{command:?}: {status}")))
    }

    fn hear(child: &mut Child, began: u64) -> Result<Self, Failure> {
        let mut pipe = child.stdout.take().ok_or("no pipe").unable("hear a command")?;
        let mut answer = Self { first: 0, all: 0, lines: 0, bytes: 0 };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if first(&[pipe.as_fd()], began + PATIENCE)?.is_none() {
                return Err(Failure::Late("the answer".to_owned()));
            }
            let count = pipe.read(&mut buffer).unable("hear a command")?;
            answer.all = now() - began;
            if count == 0 {
                return Ok(answer);
            }
            if answer.bytes == 0 {
                answer.first = answer.all;
            }
            answer.bytes += count;
            answer.lines += buffer[..count].iter().filter(|&&b| b == b'\n').count();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_was_printed_is_counted() {
        let answer = Answer::of(shell("echo a; echo bc; printf d")).unwrap();
        assert_eq!((answer.lines, answer.bytes), (2, 6));
        assert!(0 < answer.first && answer.first <= answer.all);
        assert!(Answer::of(shell("echo a; exit 1")).is_err());
    }

    #[test]
    fn a_wrong_answer_is_none() {
        let dir = std::env::temp_dir().join(format!("upkeep-bench-reader-{}", std::process::id()));
        let archive = Archive::new(dir, 1).unwrap();
        let good = |wanted: Wanted, lines, bytes| {
            let answer = Answer { first: 1, all: 1, lines, bytes };
            wanted.check(&answer, &archive, (wall(), wall())).is_ok()
        };
        assert!(good(Wanted::Last, 100, 1) && !good(Wanted::Last, 99, 1));
        // Half a second for 25 of them.
        let lately = archive.since(wall() - LATELY) + 25;
        assert!(good(Wanted::Lately, lately, 1));
        assert!(!good(Wanted::Lately, lately - 100, 1) && !good(Wanted::Lately, lately + 100, 1));
        let (words, count) = (&["needle"], archive.with(&["needle"]));
        assert!(good(Wanted::With(words), count, count * LINE));
        assert!(!good(Wanted::With(words), count, count * LINE - 1));
        assert!(!good(Wanted::With(words), count + 1, count * LINE));
    }

    #[test]
    fn programs_are_found() {
        assert!(has("sh") && !has("no-such-program"));
    }
}

//! The loggers, told to do the same thing, and one run of one of them.

use crate::input::{Input, NEEDLE};
use crate::processes::{Switches, cpu, switches};
use crate::report::Column;
use crate::suites::{Family, Suite};
use crate::wait::readable;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::now;

/// What a logger does besides writing and rotating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Plain,
    /// A TAI64N stamp before each line.
    Stamp,
    /// All lines but those with the needle.
    Select,
}

impl Work {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Stamp, Self::Select];

    /// As the table says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stamp => "stamped",
            Self::Select => "one pattern",
        }
    }

    /// How many bytes are in the log afterwards.
    fn written(self, input: &Input) -> usize {
        // A stamp is @, 24 digits and a space.
        match self {
            Self::Plain => input.total(),
            Self::Stamp => input.total() + 26 * input.lines(),
            Self::Select => input.plain(),
        }
    }
}

/// What one run took.
pub(crate) struct Cost {
    /// From the first byte written to the end of the logger.
    pub(crate) time: u64,
    /// The logger's own.
    pub(crate) cpu: u64,
    pub(crate) switches: Switches,
}

/// How many archives a logger keeps.
pub(crate) const KEPT: usize = 20;

/// The logger of a suite, for the log directory `dir`; `cat` without one. It
/// keeps `kept` archives.
pub(crate) fn command(
    suite: Option<&Suite>,
    work: Work,
    kept: usize,
    dir: &Path,
) -> Result<Command, Failure> {
    const SIZE: &str = "s16777215";
    let count = format!("n{kept}");
    let Some(suite) = suite else {
        let file = File::create(dir.join("current")).unable("make the file for cat")?;
        let mut command = Command::new("cat");
        command.stdout(file);
        return Ok(command);
    };
    // A star stands for everything in the first two languages; in the third
    // a pattern is found anywhere in a line.
    let pattern = match suite.family {
        Family::Daemontools | Family::Runit => format!("-*{NEEDLE}*"),
        Family::S6 => format!("-{NEEDLE}"),
    };
    let pattern = (work == Work::Select).then_some(pattern.as_str());
    let mut command = suite.program(suite.logger());
    match suite.family {
        Family::Daemontools => {
            command.args((work == Work::Stamp).then_some("t"));
            command.args(pattern).args([SIZE, &count]);
        }
        Family::Runit => {
            let config = format!("{SIZE}\n{count}\n{}\n", pattern.unwrap_or_default());
            fs::write(dir.join("config"), config).unable("configure svlogd")?;
            command.args((work == Work::Stamp).then_some("-t"));
        }
        Family::S6 => {
            command.args(["--", SIZE, &count]).args(pattern);
            command.args((work == Work::Stamp).then_some("t"));
        }
    }
    command.arg(dir);
    Ok(command)
}

/// Feeds `input` to the logger, waits for its end, and sees whether all that
/// should be in the log is there.
pub(crate) fn run(
    mut command: Command,
    column: Column,
    work: Work,
    input: &Input,
    dir: &Path,
) -> Result<Cost, Failure> {
    let mut child =
        command.stdin(Stdio::piped()).spawn().unable(format_args!("run {command:?}"))?;
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unable("watch the logger")?;
    let mut pipe = child.stdin.take().ok_or("no pipe").unable("feed the logger")?;
    let began = now();
    let cost = std::thread::scope(|scope| {
        // Ends early with the reader, so a logger that is killed ends it too.
        scope.spawn(move || {
            let _ = input.pieces().try_for_each(|piece| pipe.write_all(piece));
        });
        let ended = readable(&pidfd, "the end of the logger");
        let time = now() - began;
        if ended.is_err() {
            let _ = child.kill();
        }
        ended?;
        // What was spent stays readable until somebody waits for the process.
        let pid = pid.as_raw_pid();
        Ok::<_, Failure>(Cost { time, cpu: cpu(pid)?, switches: switches(pid)? })
    });
    let status = child.wait().unable("wait for the logger")?;
    let cost = cost?;
    if !status.success() {
        return Err(Failure::Failed(format!("{} logger: {status}", column.name())));
    }
    let (found, wanted) = (written(dir)?, work.written(input));
    if found == wanted {
        return Ok(cost);
    }
    Err(Failure::Failed(format!("{found} bytes in the log, not {wanted}")))
}

/// Bytes in `current` and the archives.
fn written(dir: &Path) -> Result<usize, Failure> {
    files(dir)?.iter().try_fold(0, |sum, path| {
        let length = fs::metadata(path).unable("look at a log file")?.len();
        Ok(sum + usize::try_from(length).unwrap_or(usize::MAX))
    })
}

/// The archives in the order in which they were written, and then `current`.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unable("read the log directory")?.flatten() {
        let name = entry.file_name();
        let archive = name.as_encoded_bytes().first() == Some(&b'@');
        if archive || name == "current" {
            // An archive is named by the moment in which it was finished.
            found.push((!archive, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

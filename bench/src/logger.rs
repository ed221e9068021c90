//! The loggers, told to do the same thing, and one run of one of them.

use crate::input::Input;
use crate::logfiles::average;
use crate::processes::{Switches, cpu, switches};
use crate::suites::{Family, Suite};
use crate::wait::readable;
use crate::work::{Directives, Work};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::now;

/// What one run took.
pub(crate) struct Cost {
    /// From the first byte written to the end of the logger.
    pub(crate) time: u64,
    /// The logger's own.
    pub(crate) cpu: u64,
    pub(crate) switches: Switches,
    /// Bytes of a log file, on the average.
    pub(crate) size: f64,
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
    let Some(suite) = suite else {
        let file = File::create(dir.join("current")).unable("make the file for cat")?;
        let mut command = Command::new("cat");
        command.stdout(file);
        return Ok(command);
    };
    let (size, kept) = work.sizes(kept);
    let count = format!("n{kept}");
    let Directives { stamp, then } = work.directives(suite.family);
    let mut command = suite.program(suite.logger());
    match suite.family {
        Family::Daemontools => {
            // Stamps come first, and before the directory all that is done.
            command.args(stamp).args([size, &count]).args(then);
        }
        Family::Runit => {
            let config = format!("{size}\n{count}\n{}\n", then.join("\n"));
            fs::write(dir.join("config"), config).unable("configure svlogd")?;
            command.args(stamp);
        }
        Family::S6 => {
            // Here a stamp is of the action behind it.
            command.args(["--", size, &count]).args(then).args(stamp);
        }
    }
    command.arg(dir);
    Ok(command)
}

/// Feeds `input` to the logger of `suite`, or to `cat`, waits for its end, and
/// sees whether all that should be in the log is there.
pub(crate) fn run(
    mut command: Command,
    suite: Option<&Suite>,
    work: Work,
    input: &Input,
    dir: &Path,
) -> Result<Cost, Failure> {
    if work == Work::Output {
        command.stdout(Stdio::piped());
    }
    let mut child =
        command.stdin(Stdio::piped()).spawn().unable(format_args!("run {command:?}"))?;
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unable("watch the logger")?;
    let mut pipe = child.stdin.take().ok_or("no pipe").unable("feed the logger")?;
    let copy = child.stdout.take();
    let began = now();
    let (cost, copied) = std::thread::scope(|scope| {
        // Both end early with the logger, so one that is killed ends them too.
        scope.spawn(move || {
            let _ = input.pieces().try_for_each(|piece| pipe.write_all(piece));
        });
        let copied = copy.map(|copy| scope.spawn(move || amount(copy)));
        let ended = readable(&pidfd, "the end of the logger");
        let time = now() - began;
        if ended.is_err() {
            let _ = child.kill();
        }
        // What was spent stays readable until somebody waits for the process.
        let pid = pid.as_raw_pid();
        let cost = ended.and_then(|()| {
            Ok::<_, Failure>(Cost { time, cpu: cpu(pid)?, switches: switches(pid)?, size: 0.0 })
        });
        (cost, copied.and_then(|thread| thread.join().ok()))
    });
    let status = child.wait().unable("wait for the logger")?;
    let cost = cost?;
    if !status.success() {
        return Err(Failure::Failed(format!("the logger: {status}")));
    }
    if work == Work::Output && copied != Some(input.total()) {
        return Err(Failure::Failed("not everything was copied".to_owned()));
    }
    work.check(suite.map_or(Family::Daemontools, |s| s.family), input, dir)?;
    Ok(Cost { size: average(dir)?, ..cost })
}

/// How many bytes come through a pipe until it ends.
fn amount(mut pipe: impl Read) -> usize {
    let (mut sum, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return sum,
            Ok(count) => sum += count,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            // Too little, then.
            Err(_) => return sum,
        }
    }
}

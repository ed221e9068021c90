//! What a command prints: when it comes, and whether it is right.

use crate::archive::{Archive, LINE};
use crate::wait::deadline;
use rustix::fd::AsFd;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::end_all;
use upkeep_outside::wait::{SECOND, first, now};

/// How long ago what is asked for by time may have been written.
const LATELY: u64 = 300 * SECOND;
/// Lines at the end.
const LAST: usize = 100;
/// How long a pipeline may take.
const PATIENCE: u64 = 900 * SECOND;

/// What has to be in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What was written in the last five minutes.
    Lately,
    /// The last hundred lines.
    Last,
    /// All lines that have one of these in them.
    With(&'static [&'static str]),
}

impl Wanted {
    /// Sees whether it is there; it was asked between these two moments of
    /// Unix time.
    pub(crate) fn check(
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
pub(crate) struct Answer {
    /// Nanoseconds until the first byte, and until the end.
    pub(crate) first: u64,
    pub(crate) all: u64,
    lines: usize,
    bytes: usize,
}

impl Answer {
    /// Runs it to its end.
    pub(crate) fn of(mut command: Command) -> Result<Self, Failure> {
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
    use crate::archive::wall;

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
}

//! The command line of the benchmark. Refuses what it does not know.

use crate::report::Group;
use std::ffi::OsString;
use std::path::PathBuf;
use upkeep_outside::arguments::{self, Asked};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
usage: upkeep-bench --programs DIR [--quick] [--large] [--json FILE]
                    [--only METRIC,...]

Does the same work with upkeep's programs in DIR, with daemontools, with runit
and with s6, in turn, and prints the medians side by side.

  --programs DIR   where upkeep's svscan, supervise, svc, svstat, multilog are
  --quick          fewer rounds, at most 100 services, 40 MB of log: minutes
  --large          10 GiB of old logs for svlog, not 1
  --json FILE      write the figures there as well
  --only METRIC,.. some of: takeover svscan killlog survivors memory start
                   restart stop idle status log logmem calls svlog
                   order container
  -h, --help       this text

    upkeep-bench --programs target/release --quick --only memory,start

exit: 0 measured, 100 usage, 111 system
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) programs: PathBuf,
    pub(crate) quick: bool,
    pub(crate) large: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) only: Vec<Group>,
}

impl Options {
    /// Whether this metric is to be measured.
    pub(crate) fn wants(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }
}

/// Reads the arguments, without the program's own name.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Asked<Options> {
    let mut options = Options {
        programs: PathBuf::new(),
        quick: false,
        large: false,
        json: None,
        only: Vec::new(),
    };
    let asked = arguments::parse(args, |argument| {
        match argument.name() {
            Some("--quick") => options.quick = true,
            Some("--large") => options.large = true,
            Some("--json") => options.json = Some(argument.value("a file")?.into()),
            Some("--only") => {
                let metrics = argument.value("metrics")?;
                options.only.extend(arguments::list(&metrics, "metric", Group::named)?);
            }
            Some(_) | None => return Err(argument.unknown()),
        }
        Ok(())
    });
    asked.map(|programs| Options { programs, ..options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked<Options> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_at_once() {
        let Asked::Run(options) = asked(
            "--quick --large --programs /p --json /j --only memory,calls --only log,takeover",
        ) else {
            panic!("not understood");
        };
        assert_eq!(options.programs, PathBuf::from("/p"));
        assert_eq!(options.json, Some(PathBuf::from("/j")));
        assert!(options.quick && options.large);
        assert!(options.wants(Group::Calls) && options.wants(Group::Log));
        assert!(options.wants(Group::Takeover) && !options.wants(Group::Survivors));
        assert!(!options.wants(Group::Start));
    }

    #[test]
    fn all_metrics_unless_told() {
        let Asked::Run(options) = asked("--programs /p") else { panic!("not understood") };
        assert!(Group::ALL.iter().all(|&g| options.wants(g)));
    }

    #[test]
    fn refusals() {
        for line in
            ["", "--quick", "--programs", "--programs /p --only speed", "--programs /p extra"]
        {
            assert!(matches!(asked(line), Asked::Wrong(_)), "{line}");
        }
        assert_eq!(asked("--programs /p -h"), Asked::Help);
    }
}

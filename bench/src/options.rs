//! The command line of the benchmark. Refuses what it does not know.

use crate::report::Group;
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
usage: upkeep-bench --programs DIR [--quick] [--json FILE] [--only METRIC,...]

Does the same work with upkeep's programs in DIR, with daemontools, with runit
and with s6, in turn, and prints the medians side by side.

  --programs DIR   where upkeep's svscan, supervise, svc, svstat, multilog are
  --quick          fewer rounds, at most 100 services, 40 MB of log: minutes
  --json FILE      write the figures there as well
  --only METRIC,.. some of: takeover svscan killlog survivors memory start
                   restart stop idle status log calls
  -h, --help       this text

    upkeep-bench --programs target/release --quick --only memory,start

exit: 0 measured, 100 usage, 111 system
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) programs: PathBuf,
    pub(crate) quick: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) only: Vec<Group>,
}

impl Options {
    /// Whether this metric is to be measured.
    pub(crate) fn wants(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }
}

/// What the arguments amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Help,
    Run(Options),
    Wrong(String),
}

/// Reads the arguments, without the program's own name.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Asked {
    let mut args = args.into_iter();
    let mut programs = None;
    let mut options =
        Options { programs: PathBuf::new(), quick: false, json: None, only: Vec::new() };
    while let Some(arg) = args.next() {
        let mut value = |what: &str| {
            args.next().ok_or_else(|| Asked::Wrong(format!("{} needs {what}", arg.display())))
        };
        let read = match arg.to_str() {
            Some("-h" | "--help") => return Asked::Help,
            Some("--quick") => {
                options.quick = true;
                Ok(())
            }
            Some("--programs") => value("a directory").map(|v| programs = Some(v.into())),
            Some("--json") => value("a file").map(|v| options.json = Some(v.into())),
            Some("--only") => {
                value("metrics").and_then(|v| groups(&v)).map(|v| options.only.extend(v))
            }
            Some(_) | None => Err(Asked::Wrong(format!("unknown argument {}", arg.display()))),
        };
        if let Err(wrong) = read {
            return wrong;
        }
    }
    let Some(programs) = programs else {
        return Asked::Wrong("--programs DIR is missing".to_owned());
    };
    Asked::Run(Options { programs, ..options })
}

fn groups(list: &OsString) -> Result<Vec<Group>, Asked> {
    let list = list.to_string_lossy();
    let one = |word| {
        Group::named(word).ok_or_else(|| Asked::Wrong(format!("there is no metric {word:?}")))
    };
    list.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_at_once() {
        let Asked::Run(options) =
            asked("--quick --programs /p --json /j --only memory,calls --only log,takeover")
        else {
            panic!("not understood");
        };
        assert_eq!(options.programs, PathBuf::from("/p"));
        assert_eq!(options.json, Some(PathBuf::from("/j")));
        assert!(options.quick);
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

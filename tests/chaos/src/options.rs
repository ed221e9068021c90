//! The command line. Refuses what it does not know.

use crate::moves::Role;
use std::ffi::OsString;
use std::path::PathBuf;
use upkeep_outside::arguments::{self, Argument, Asked};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
usage: upkeep-chaos --programs DIR [--seconds N] [--seed N] [--services N]
                    [--kills-per-second N] [--victims NAME,...] [--dir DIR]
                    [--until-violation] [--expect-violation] [--container]

Runs services of many kinds with the programs in DIR, kills svscan, supervise
and multilog with SIGKILL while they work, and judges whether a service or a
line of a log was lost, or anything else was that should not be.

  --programs DIR         where svscan, supervise, svc and multilog are
  --seconds N            how long to kill (10)
  --seed N               what decides the services and the victims (the clock)
  --services N           how many services (60)
  --kills-per-second N   how often to strike (10)
  --victims NAME,...     kill only these: svscan svhold supervise log-supervise
                         multilog service finish svlines log-of-all (all but
                         svhold, svlines and log-of-all)
  --container            svscan is process 1 of a pid namespace, with a main
                         command: svscan is not killed, but svhold is, and so
                         are svlines and the multilog that logs what services
                         without a logger write; the end of the command or a
                         TERM is the end of everything
  --dir DIR              work in DIR, and leave the tree there if a statement
                         is violated
  --until-violation      end at the first violation
  --expect-violation     the same, and exit 0 only if there was one
  -h, --help             this text

    upkeep-chaos --programs target/debug --seconds 60

UPKEEP_PATIENCE multiplies every deadline, for slow machines.
exit: 0 all statements hold, 1 one is violated, 100 usage, 111 system
";

/// Which outcome is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Nothing,
    Violation,
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) programs: PathBuf,
    pub(crate) seconds: u64,
    pub(crate) seed: Option<u64>,
    pub(crate) services: usize,
    pub(crate) kills_per_second: u64,
    pub(crate) victims: Vec<Role>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) until_violation: bool,
    pub(crate) expect: Expect,
    pub(crate) container: bool,
}

/// Reads the arguments, without the program's own name.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Asked<Options> {
    let mut options = Options {
        programs: PathBuf::new(),
        seconds: 10,
        seed: None,
        services: 60,
        kills_per_second: 10,
        victims: Vec::new(),
        dir: None,
        until_violation: false,
        expect: Expect::Nothing,
        container: false,
    };
    let asked = arguments::parse(args, |argument| {
        match argument.name() {
            Some("--dir") => options.dir = Some(argument.value("a value")?.into()),
            Some("--seconds") => options.seconds = number(argument, 1, 1_000_000)?,
            Some("--seed") => options.seed = Some(number(argument, 0, u64::MAX)?),
            Some("--services") => {
                options.services = usize::try_from(number(argument, 1, 5000)?).unwrap_or(1);
            }
            Some("--kills-per-second") => options.kills_per_second = number(argument, 1, 1000)?,
            Some("--victims") => {
                let named = |word: &str| Role::ALL.into_iter().find(|r| r.name() == word);
                options.victims = arguments::list(&argument.value("a value")?, "victim", named)?;
            }
            Some("--container") => options.container = true,
            Some("--until-violation") => options.until_violation = true,
            Some("--expect-violation") => {
                options.until_violation = true;
                options.expect = Expect::Violation;
            }
            Some(_) | None => return Err(argument.unknown()),
        }
        Ok(())
    });
    if let Some(role) = options.victims.iter().find(|role| !role.is_there(options.container)) {
        let place = if options.container { "in" } else { "but in" };
        return Asked::Wrong(format!("{} cannot be killed {place} a container", role.name()));
    }
    if options.victims.is_empty() {
        options.victims = Role::usual(options.container);
    }
    asked.map(|programs| Options { programs, ..options })
}

fn number(argument: &mut Argument<'_>, least: u64, most: u64) -> Result<u64, String> {
    let value = argument.value("a value")?;
    let number = value.to_str().and_then(|v| v.parse().ok());
    number.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        format!("{} cannot be {}", argument.name().unwrap_or_default(), value.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked<Options> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_at_once() {
        let line = "--programs /p --seconds 6 --seed 7 --services 24 --kills-per-second 3 \
                    --victims svscan,multilog --dir /d --expect-violation";
        let expected = Options {
            programs: "/p".into(),
            seconds: 6,
            seed: Some(7),
            services: 24,
            kills_per_second: 3,
            victims: vec![Role::Scanner, Role::Logger],
            dir: Some("/d".into()),
            until_violation: true,
            expect: Expect::Violation,
            container: false,
        };
        assert_eq!(asked(line), Asked::Run(expected));
    }

    #[test]
    fn who_is_killed_where() {
        let victims = |line: &str| match asked(line) {
            Asked::Run(options) => options.victims,
            Asked::Help | Asked::Wrong(_) => panic!("not understood"),
        };
        let alone = victims("--programs /p");
        assert!(alone.contains(&Role::Scanner) && !alone.contains(&Role::Holder));
        let container = victims("--programs /p --container");
        assert!(!container.contains(&Role::Scanner) && container.contains(&Role::Holder));
        assert!(!alone.contains(&Role::Lines) && container.contains(&Role::Lines));
        let asked = victims("--container --victims svhold --programs /p");
        assert_eq!(asked, [Role::Holder]);
    }

    #[test]
    fn refusals() {
        for line in [
            "",
            "--programs",
            "--programs /p extra",
            "--programs /p --seconds 0",
            "--programs /p --services x",
            "--programs /p --seed -1",
            "--programs /p --victims init",
            "--programs /p --container --victims svscan",
            "--programs /p --victims svlines",
        ] {
            assert!(matches!(asked(line), Asked::Wrong(_)), "{line}");
        }
        assert_eq!(asked("--programs /p -h"), Asked::Help);
    }
}

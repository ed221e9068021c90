//! Service directories as they are written for runit, s6 and daemontools, run
//! by those and by supervise: what is started when, with what arguments,
//! environment and descriptors, and what comes of it.

mod daemontools;
mod runit;
mod s6;

use crate::support::{Changes, Dir, Process, Service, originals, program, testing_originals};
use rustix::fs::{Mode, OFlags};
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A service directory, and what happens to it.
struct Directory {
    name: &'static str,
    /// Each file with what is in it; `-> ` makes it a link, and `@report` is
    /// the program that reports what it is given.
    files: &'static [(&'static str, &'static str)],
    /// What is said to supervise, how many lines are reported then, and where
    /// the service is after that.
    steps: &'static [(&'static str, usize, &'static str)],
}

/// Says what a process can see of how it was started, and then what comes to
/// it: signals as `run`, lines as `log`.
const REPORT: &str = r#"who=$1
shift
args="$# $*"
fds=
# Not by a pipe, which would be one of them.
(exec ls -l /proc/$$/fd >"$top/fds/$$")
while read -r line; do
	case $line in *' -> '*) ;; *) continue ;; esac
	fd=${line%% -> *}
	fd=${fd##* }
	to=${line#* -> }
	case $to in pipe:* | */supervise/output) to=pipe ;; esac
	[ "$fd" -gt 9 ] || fds="$fds $fd=${to#$top}"
done <"$top/fds/$$"
read -r stat </proc/$$/stat
set -- ${stat##*) }
leads=
[ "$3" = $$ ] && leads=group
[ "$4" = $$ ] && leads=session
while read -r key value; do
	case $key in SigIgn: | SigBlk:) signals="$signals $value" ;; esac
done </proc/$$/status
env=$(env | grep -v '^\(UPKEEP_TEST_MARK\|PWD\|OLDPWD\|_\|SHLVL\)=' | sort | cksum)
at=$(pwd -P)
# Whoever hears of it may signal it.
case $who in
run)
	for signal in HUP ALRM INT QUIT USR1 USR2 CONT; do
		trap "echo $signal >$said" $signal
	done
	;;
esac
echo "$who: $args at ${at#$top} fds$fds leads <$leads> signals$signals \
umask $(umask) FOO <$FOO> BAR <$BAR> env $env" >$said
case $who in
log) while read -r line; do echo "logged $line" >$said; done ;;
run)
	exec 3<>$top/s.hold
	while :; do read nothing <&3; done
	;;
esac"#;

/// Which program keeps the directory: that of the suite that it was written
/// for, which for one with a logger may be another, or ours.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keeper {
    Theirs(&'static str, &'static str),
    Ours,
}

const fn directory(
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    steps: &'static [(&'static str, usize, &'static str)],
) -> Directory {
    Directory { name, files, steps }
}

impl Directory {
    fn is_logged(&self) -> bool {
        self.files.iter().any(|(name, _)| name.starts_with("log/"))
    }

    /// Whether there are two that do not wait for each other.
    fn is_in_disorder(&self) -> bool {
        self.is_logged() || self.files.iter().any(|(name, _)| *name == "control/d")
    }

    /// Makes it, and whatever is needed to hear it.
    fn make(&self, dir: &Dir) -> Service {
        let said = dir.fifo("s.said");
        dir.hold("s.hold");
        dir.mkdir("fds");
        for path in [said.path(), &dir.path("s.hold"), &dir.path("fds")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let top = dir.path("");
        let top = top.to_str().unwrap().trim_end_matches('/');
        let report = dir.script("report", &format!("top={top}\nsaid=$top/s.said\n{REPORT}"));
        for (name, content) in self.files {
            let content = content
                .replace("@report", report.to_str().unwrap())
                .replace("@said", said.path().to_str().unwrap());
            let path = format!("scan/s/{name}");
            let last = name.rsplit('/').next().unwrap();
            if let Some(target) = content.strip_prefix("-> ") {
                std::os::unix::fs::symlink(target, dir.path(path)).unwrap();
            } else if name.starts_with("control/") || last.starts_with("run") || last == "finish" {
                dir.script(path, &content);
            } else {
                dir.file(path, content);
            }
        }
        Service { path: dir.path("scan/s"), said }
    }

    /// Runs it, and tells what was reported.
    fn history(&self, keeper: Keeper, state: fn(&Path) -> Option<String>) -> Vec<String> {
        let dir = Dir::new();
        let mut service = self.make(&dir);
        let keeps = match keeper {
            Keeper::Theirs(_, both) if self.is_logged() => both.into(),
            Keeper::Theirs(supervise, _) => supervise.into(),
            Keeper::Ours if self.is_logged() => program("svscan"),
            Keeper::Ours => program("supervise"),
        };
        let argument = if keeps.ends_with("svscan") { "." } else { "s" };
        let mut command = dir.command(keeps);
        let process = Process::start(command.arg(argument).current_dir(dir.path("scan")));
        let mut all = Vec::new();
        for (letters, lines, then) in self.steps {
            if !letters.is_empty() {
                hears(&service.path);
                fs::write(service.path.join("supervise/control"), letters).unwrap();
            }
            let mut said: Vec<_> = (0..*lines).map(|_| service.said.line()).collect();
            if self.is_in_disorder() {
                said.sort();
            }
            all.extend(said.into_iter().map(|line| format!("{} {letters}: {line}", self.name)));
            if !then.is_empty() {
                hears(&service.path);
                let changes = Changes::of(&[&service.path.join("supervise")]);
                let what = format!("{keeper:?} {} {letters}: {then}", self.name);
                changes.until(&what, || state(&service.path).filter(|now| now == then));
            }
        }
        let mut more = String::new();
        if !service.said.is_silent() {
            write!(more, "{} more: {}", self.name, service.said.line()).unwrap();
        }
        all.push(more);
        drop(process);
        all
    }
}

/// Waits until somebody reads commands: not every suite has `supervise/ok`.
fn hears(service: &Path) {
    let control = service.join("supervise/control");
    let parent = Changes::of(&[service]);
    parent.until("supervise/ to appear", || control.parent().filter(|path| path.is_dir()));
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || rustix::fs::open(&control, flags, Mode::empty()).ok();
    Changes::openings(control.parent().unwrap()).until("somebody who hears", open);
}

/// Runs all of them under both, and compares line by line. `alike` takes out
/// what is different on purpose.
fn compare(
    directories: &[Directory],
    theirs: (&'static str, &'static str),
    state: fn(&Path) -> Option<String>,
    alike: fn(&str) -> String,
) {
    if testing_originals() || originals().is_none() || !Path::new(theirs.0).exists() {
        return;
    }
    std::thread::scope(|scope| {
        let mut pairs = Vec::new();
        for directory in directories {
            let run = |keeper| scope.spawn(move || directory.history(keeper, state));
            pairs.push((run(Keeper::Ours), run(Keeper::Theirs(theirs.0, theirs.1))));
        }
        for (ours, theirs) in pairs {
            let (ours, theirs) = (ours.join().unwrap(), theirs.join().unwrap());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(alike(ours), alike(theirs), "left is ours");
            }
        }
    });
}

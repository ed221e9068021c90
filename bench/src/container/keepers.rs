//! Who can keep services as the process 1 of a container, and how each is told
//! to, and to end. daemontools' svscan is not among them: nothing ends it there.

use crate::bench::Bench;
use crate::install::version;
use crate::report::{Column, Report};
use crate::suites::{Suite, program, system_program};
use crate::tree::SCAN;
use rustix::process::Signal;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use upkeep_outside::failure::{Context, Failure};

/// One of them.
pub(crate) enum Keeper<'a> {
    /// A scanner with a process for each service.
    Suite(&'a Suite),
    /// The program, wherever it is.
    Supervisord(PathBuf),
}

/// Those that are here; who is not is named.
pub(crate) fn all<'a>(bench: &'a Bench, report: &mut Report) -> Vec<Keeper<'a>> {
    let suites = bench.suites.iter().filter(|s| s.column != Column::Daemontools);
    let mut all: Vec<Keeper<'_>> = suites.map(Keeper::Suite).collect();
    match here(Column::Supervisord, &["supervisord"], "supervisor", report) {
        None => {}
        Some(program) => all.push(Keeper::Supervisord(program)),
    }
    all
}

/// The first of these programs that is here; a note says how to get one.
pub(crate) fn here(
    column: Column,
    programs: &[&str],
    package: &str,
    report: &mut Report,
) -> Option<PathBuf> {
    let found = programs.iter().find_map(|program| system_program(program));
    let Some(path) = &found else {
        let get = "apt-get install -y --no-install-recommends";
        report.note(format!("{} is not here: {get} {package}", column.name()));
        return None;
    };
    let known = version(package).unwrap_or_else(|| "version unknown".to_owned());
    report.head(column.name(), format!("{known}, {}", path.display()));
    found
}

impl Keeper<'_> {
    pub(crate) const fn column(&self) -> Column {
        match self {
            Self::Suite(suite) => suite.column,
            Self::Supervisord(_) => Column::Supervisord,
        }
    }

    /// Keep the services in `dirs`, which are in `root`.
    pub(crate) fn command(&self, root: &Path, dirs: &[PathBuf]) -> Result<Command, Failure> {
        let path = match self {
            Self::Suite(suite) => return Ok(suite.scan(&root.join(SCAN))),
            Self::Supervisord(path) => path,
        };
        let file = root.join("supervisord.conf");
        let user = rustix::process::geteuid().is_root().then_some("root");
        fs::write(&file, configuration(root, dirs, user))
            .unable(format_args!("write {}", file.display()))?;
        let dir = path.parent().unwrap_or_else(|| Path::new("/"));
        let mut command = program(dir, "supervisord");
        command.arg("-n").arg("-c").arg(file);
        Ok(command)
    }

    /// What tells it to end everything. runsvdir does nothing about its
    /// services when it gets TERM.
    pub(crate) const fn end(&self) -> Signal {
        match self {
            Self::Suite(Suite { column: Column::Runit, .. }) => Signal::HUP,
            Self::Suite(_) | Self::Supervisord(_) => Signal::TERM,
        }
    }
}

/// What supervisord is told. It keeps no log and listens to nobody, as the
/// others do.
fn configuration(root: &Path, dirs: &[PathBuf], user: Option<&str>) -> String {
    let mut text = format!(
        "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={}\n",
        root.join("supervisord.pid").display()
    );
    if let Some(user) = user {
        let _ = writeln!(text, "user={user}");
    }
    for (n, dir) in dirs.iter().enumerate() {
        let dir = dir.display();
        let _ = write!(
            text,
            "[program:service-{n:04}]\ncommand={dir}/run\ndirectory={dir}\nautorestart=true\n\
             stdout_logfile=NONE\nstderr_logfile=NONE\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_for_each_service() {
        let dirs = ["/r/scan/a".into(), "/r/scan/b".into()];
        let text = configuration(Path::new("/r"), &dirs, Some("root"));
        assert!(text.starts_with("[supervisord]\nnodaemon=true\n"));
        assert!(text.contains("pidfile=/r/supervisord.pid\nuser=root\n[program:service-0000]\n"));
        assert_eq!(text.matches("[program:").count(), 2);
        assert!(text.contains("command=/r/scan/b/run\ndirectory=/r/scan/b\n"));
        assert!(!configuration(Path::new("/r"), &dirs, None).contains("user="));
    }
}

//! The comparison with the C suites: the same work for each, in turn.

mod answer;
mod archive;
mod bench;
mod calls;
mod circles;
mod container;
mod descendants;
mod disk;
mod idle;
mod input;
mod install;
mod instances;
mod json;
mod killlog;
mod log;
mod logfiles;
mod logger;
mod logmem;
mod machine;
mod memory;
mod numbered;
mod options;
mod order;
mod processes;
mod reader;
mod report;
mod rescan;
mod restart;
mod service;
mod stats;
mod status;
mod stop;
mod suites;
mod survivors;
mod table;
mod takeover;
mod tree;
mod trees;
mod wait;
mod work;

use bench::{Bench, progress};
use disk::Disk;
use options::Options;
use report::{Column, Group, Report};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use suites::{Family, Suite};
use upkeep_outside::arguments::Asked;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::guard::{self, Inner};
use upkeep_outside::processes::end_all;
use wait::deadline;

/// What logs and trees need at most.
const ROOM: u64 = 1_500_000_000;

/// A metric that needs nothing of the others.
type Metric = fn(&Bench, &mut Report) -> Result<(), Failure>;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let called = std::path::Path::new(&name).file_name();
    if called == Some("run".as_ref()) {
        return service::run();
    }
    if called == Some(upkeep_outside::container::NAME.as_ref()) {
        return upkeep_outside::container::begin(args);
    }
    if name == descendants::NAME {
        return descendants::run(args.next());
    }
    run(args.collect()).unwrap_or_else(|why| {
        progress(&format!("fatal: {why}"));
        ExitCode::from(111)
    })
}

fn run(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = match options::parse(args.iter().cloned()) {
        Asked::Help => return print(options::HELP).map(|()| ExitCode::SUCCESS),
        Asked::Wrong(why) => {
            progress(&format!("fatal: {why}, see --help"));
            return Ok(ExitCode::from(100));
        }
        Asked::Run(options) => options,
    };
    if let Some(work) = guard::inner()? {
        let disk = Disk::given();
        let measured = measure(&options, work.clone(), disk.as_ref());
        // The outer one does this too, but may be gone.
        let cleared = end_all(deadline());
        let _ = std::fs::remove_dir_all(work);
        drop(disk);
        return measured.and(cleared).map(|()| ExitCode::SUCCESS);
    }
    install::complete();
    // In memory if there is room, so that no disk has a part in it.
    let within = guard::in_memory(ROOM, |_| true);
    let inner = Inner {
        args: &args,
        within: &within,
        name: "upkeep-bench",
        kept_after: &[],
        limit: deadline,
    };
    let disk = Disk::new()?;
    let code = inner.run();
    drop(disk);
    code.map(ExitCode::from)
}

fn measure(options: &Options, work: PathBuf, disk: Option<&Disk>) -> Result<(), Failure> {
    let programs = options.programs.canonicalize();
    let programs = programs.unable(format_args!("find {}", options.programs.display()))?;
    let ours = Suite::at(Column::Ours, Family::Daemontools, &programs);
    let ours = ours.ok_or("not all of svscan, supervise, svc, svstat and multilog are there");
    let ours = ours.unable(format_args!("use {}", programs.display()))?;
    let suites = std::iter::once(ours).chain(install::here()).collect();
    let exe = std::env::current_exe().unable("find myself")?;
    let disk = disk.map(|disk| disk.0.clone());
    let bench = Bench { suites, work, disk, exe, quick: options.quick, large: options.large };
    let mut report = Report::default();
    machine::describe(&bench, &mut report)?;
    let in_turn = |metrics: &[(Group, Metric)], report: &mut Report| {
        let mut wanted = metrics.iter().filter(|m| options.wants(m.0));
        wanted.try_for_each(|m| m.1(&bench, report))
    };
    in_turn(
        &[
            (Group::Takeover, takeover::measure),
            (Group::Svscan, rescan::measure),
            (Group::Killlog, killlog::measure),
            (Group::Survivors, survivors::measure),
        ],
        &mut report,
    )?;
    trees::measure(&bench, options, &mut report)?;
    in_turn(
        &[
            (Group::Restart, restart::measure),
            (Group::Stop, stop::measure),
            (Group::Log, log::measure),
            (Group::Logmem, logmem::measure),
            (Group::Calls, calls::measure),
            (Group::Svlog, reader::measure),
            (Group::Order, order::measure),
            (Group::Container, container::measure),
        ],
        &mut report,
    )?;
    report.head("load after", machine::load());
    print(&table::text(&report))?;
    if let Some(path) = &options.json {
        std::fs::write(path, json::document(&report))
            .unable(format_args!("write {}", path.display()))?;
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).unable("print")
}

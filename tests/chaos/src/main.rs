//! Whether anything that is killed loses a service or a log line: this program
//! runs a tree of services, kills what keeps them, and judges what it sees.

mod beside;
mod command;
mod control;
mod delays;
mod drive;
mod events;
mod files;
mod finishes;
mod habits;
mod health;
mod judges;
mod killer;
mod kinds;
mod limits;
mod lines;
mod logs;
mod moves;
mod oneshots;
mod options;
mod order;
mod owners;
mod processes;
mod random;
mod reaper;
mod report;
mod scanner;
mod service;
mod shown;
mod spell;
mod states;
mod status;
mod story;
mod summary;
mod takeover;
mod terms;
mod ties;
mod tree;
mod wait;
mod watch;
mod world;

use options::{Expect, Options};
use rustix::fs::{StatVfs, StatVfsMountFlags};
use std::ffi::OsString;
use std::process::ExitCode;
use upkeep_outside::arguments::Asked;
use upkeep_outside::container;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::guard::{self, Inner};
use upkeep_outside::processes::end_all;

/// What the logs need at most.
const ROOM: u64 = 1_000_000_000;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    match std::path::Path::new(&name).file_name().and_then(|n| n.to_str()) {
        Some("run" | "service") => return service::run(),
        Some(files::COMMAND) => return command::run(),
        Some(container::NAME) => return container::begin(args),
        Some("helper") => return beside::help(),
        Some("check") => return beside::check(),
        Some("up") => return beside::bring_about(),
        Some("down") => return beside::undo(),
        Some("finish") => {
            let args: Vec<_> = args.filter_map(|a| a.into_string().ok()).collect();
            return beside::finish(&args);
        }
        Some(_) | None => {}
    }
    run(args.collect()).unwrap_or_else(|why| {
        report::say(&format!("upkeep-chaos: fatal: {why}"));
        ExitCode::from(111)
    })
}

fn run(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = match options::parse(args.iter().cloned()) {
        Asked::Help => {
            report::say(options::HELP.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        Asked::Wrong(why) => {
            report::say(&format!("upkeep-chaos: fatal: {why}, see --help"));
            return Ok(ExitCode::from(100));
        }
        Asked::Run(options) => options,
    };
    let Some(work) = guard::inner()? else {
        return guarded(&args, &options).map(ExitCode::from);
    };
    let judged = drive::run(&options, &work);
    // The outer one does this too, but may be gone.
    let cleared = end_all(wait::gone());
    let violated = matches!(judged, Ok(true));
    if !(violated && options.dir.is_some()) {
        let _ = std::fs::remove_dir_all(work);
    }
    judged.and_then(|violated| cleared.map(|()| code(&options, violated)))
}

/// Runs this program again, guarded, and says how it ended.
fn guarded(args: &[OsString], options: &Options) -> Result<u8, Failure> {
    // In memory if there is room and programs may be run there.
    let memory = |s: &StatVfs| !s.f_flag.contains(StatVfsMountFlags::NOEXEC);
    let within = options.dir.clone().unwrap_or_else(|| guard::in_memory(ROOM, memory));
    let within = within.canonicalize().unable(format_args!("find {}", within.display()))?;
    let kept_after: &[u8] = if options.dir.is_some() { &[0, 1] } else { &[] };
    let (within, name) = (within.as_path(), "upkeep-chaos");
    Inner { args, within, name, kept_after, limit: wait::gone }.run()
}

fn code(options: &Options, violated: bool) -> ExitCode {
    let as_expected = match options.expect {
        Expect::Nothing => !violated,
        Expect::Violation => violated,
    };
    ExitCode::from(u8::from(!as_expected))
}

//! Whether anything that is killed loses a service or a log line: this program
//! runs a tree of services, kills what keeps them, and judges what it sees.

mod control;
mod drive;
mod events;
mod failure;
mod files;
mod guard;
mod killer;
mod kinds;
mod lines;
mod logs;
mod moves;
mod options;
mod owners;
mod processes;
mod random;
mod reaper;
mod report;
mod scanner;
mod service;
mod states;
mod status;
mod story;
mod summary;
mod takeover;
mod tree;
mod wait;
mod watch;
mod world;

use failure::Failure;
use options::{Asked, Expect, Options};
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    match std::path::Path::new(&name).file_name().and_then(|n| n.to_str()) {
        Some("run" | "service") => return service::run(),
        Some("helper") => return service::help(),
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
        return guard::run_inside(&args, &options).map(ExitCode::from);
    };
    let judged = drive::run(&options, &work);
    // The outer one does this too, but may be gone.
    let cleared = processes::end_all();
    let violated = matches!(judged, Ok(true));
    if !(violated && options.dir.is_some()) {
        let _ = std::fs::remove_dir_all(work);
    }
    judged.and_then(|violated| cleared.map(|()| code(&options, violated)))
}

fn code(options: &Options, violated: bool) -> ExitCode {
    let as_expected = match options.expect {
        Expect::Nothing => !violated,
        Expect::Violation => violated,
    };
    ExitCode::from(u8::from(!as_expected))
}

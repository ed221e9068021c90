//! The program: its options, then the logs, then what is shown of them.

use crate::face::Face;
use crate::files::{Log, Where};
use crate::options::{self, Asked, TOOL};
use crate::read::{Outcome, read};
use core::ffi::CStr;
use rustix::fs::FileType;
use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    options::read(args).and_then(|asked| show(&asked)).unwrap_or_else(|exit| exit)
}

fn show(asked: &Asked) -> Result<Exit, Exit> {
    let logs: Vec<_> = asked.names.iter().filter_map(|name| find(name)).collect();
    let names = logs.iter().map(|log| log.name.clone()).collect();
    let mut face = Face::open(asked, names)?;
    let done = read(&logs, &asked.wanted, &asked.stamps(), &mut face);
    let unread = matches!(done, Ok(Outcome::Unread)) || logs.len() < asked.names.len();
    let exit = face.finish(done.map(drop));
    Ok(if unread { Exit::System } else { exit })
}

/// The log at a path; a warning says why there is none.
fn find(name: &CStr) -> Option<Log> {
    let place = match name.to_bytes() {
        b"-" => Where::Input,
        _ => match rustix::fs::stat(name) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => {
                Where::Directory(name.to_owned())
            }
            Ok(_) => Where::File(name.to_owned()),
            Err(why) => {
                TOOL.warn_os(&[b"unable to find log ", name.to_bytes(), b": "], why);
                return None;
            }
        },
    };
    Some(Log { name: name.to_bytes().to_vec(), place })
}

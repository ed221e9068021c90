//! The program: its options, then the logs, then what is shown of them.

use crate::face::Face;
use crate::find::find;
use crate::options;
use crate::read::read;
use crate::trouble;
use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    attempt(args).unwrap_or_else(|exit| exit)
}

fn attempt(args: Args) -> Result<Exit, Exit> {
    let asked = options::read(args)?;
    let logs = find(&asked.names, asked.wanted.follow)?;
    let names = logs.iter().map(|log| log.name.clone()).collect();
    // A pager begins only when there is something to show.
    let mut face = Face::open(&asked, names)?;
    let done = read(&logs, &asked.wanted, &asked.stamps(), &mut face);
    let exit = face.finish(done);
    Ok(if trouble::any() { Exit::System } else { exit })
}

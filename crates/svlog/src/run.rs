//! The program: its options, then the logs, then what is shown of them.

use crate::face::Face;
use crate::find::find;
use crate::options;
use crate::read::{Outcome, read};
use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    attempt(args).unwrap_or_else(|exit| exit)
}

fn attempt(args: Args) -> Result<Exit, Exit> {
    let asked = options::read(args)?;
    let found = find(&asked.names, asked.wanted.follow)?;
    let names = found.logs.iter().map(|log| log.name.clone()).collect();
    // A pager begins only when there is something to show.
    let mut face = Face::open(&asked, names)?;
    let done = read(&found.logs, &asked.wanted, &asked.stamps(), &mut face);
    let all = found.all && !matches!(done, Ok(Outcome::Unread));
    let exit = face.finish(done.map(|_| ()));
    Ok(if all { exit } else { Exit::System })
}

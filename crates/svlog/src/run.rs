//! The program: its options, then the logs, then what is shown of them.

use crate::face::Face;
use crate::files::{Where, input_is_file};
use crate::find::find;
use crate::options;
use crate::read::read;
use crate::trouble;
use upkeep_cli::Exit;
use upkeep_logdir::limit;
use upkeep_sys::Args;

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    attempt(args).unwrap_or_else(|exit| exit)
}

fn attempt(args: Args) -> Result<Exit, Exit> {
    let asked = options::read(args)?;
    // Each log takes a few descriptors, and a pattern may stand for hundreds.
    limit::raise();
    let logs = find(&asked.names, asked.wanted.follow)?;
    let is_stream = || logs.iter().any(|log| log.place == Where::Input) && !input_is_file();
    if asked.wanted.follow && asked.counted && asked.wanted.last > Some(0) && is_stream() {
        let why = b"the last lines of standard input are not known before it ends";
        let _ = trouble::fatal(&[why]);
        return Err(Exit::Usage);
    }
    let names = logs.iter().map(|log| log.name.clone()).collect();
    // A pager begins only when there is something to show.
    let mut face = Face::open(&asked, names)?;
    let done = read(&logs, &asked.wanted, &asked.stamps(), &mut face);
    let exit = face.finish(done);
    Ok(if trouble::any() { Exit::System } else { exit })
}

//! The program: its options, then the logs, then what is shown of them.

use crate::face::Face;
use crate::files::{Log, Where};
use crate::options;
use crate::read::{Outcome, read};
use upkeep_cli::Exit;
use upkeep_sys::Args;

/// Runs the program.
#[must_use]
pub fn run(args: Args) -> Exit {
    let asked = match options::read(args) {
        Ok(a) => a,
        Err(e) => return e,
    };
    let logs: Vec<Log> = asked
        .names
        .iter()
        .map(|n| {
            let p = std::path::Path::new(std::str::from_utf8(n.to_bytes()).unwrap());
            let name = p.file_name().map(|n| n.as_encoded_bytes().to_vec()).unwrap_or_default();
            Log {
                name,
                place: if p.is_dir() {
                    Where::Directory((*n).to_owned())
                } else {
                    Where::File((*n).to_owned())
                },
            }
        })
        .collect();
    let mut face = match Face::open(&asked, logs.iter().map(|l| l.name.clone()).collect()) {
        Ok(f) => f,
        Err(e) => return e,
    };
    let done = read(&logs, &asked.wanted, &asked.stamps(), &mut face);
    let bad = matches!(done, Ok(Outcome::Unread));
    let exit = face.finish(done.map(|_| ()));
    if bad { Exit::System } else { exit }
}

//! setlock: runs a program that holds a lock on a file for as long as it
//! lives. Nothing else happens to the file.

use crate::lock::{NoLock, lock};
use upkeep_cli::{Exit, Options, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "setlock",
    help: "\
usage: setlock [-nNxX] file program [argument ...]

Locks file, which is made if it is not there, and runs program with the lock.
The lock is open for as long as program, or anything that inherited the
descriptor from it, lives. Of two letters that contradict each other the last
one counts.

  -n             if somebody else holds the lock, do not wait but give up
  -N             wait until the lock is free (default)
  -x             if there is no lock to be had, exit 0 without a word
  -X             if there is no lock to be had, say so and exit 111 (default)
  -h, --help     print this
      --version  print the version

    setlock -nx /run/backup.lock ./backup

exit: 100 usage, 111 no lock or program could not be run, 0 no lock with -x,
otherwise program's own.
",
};

const SYNOPSIS: &str = "setlock [ -nNxX ] file program [ arg ... ]";

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (mut wait, mut silent) = (true, false);
    let mut options = Options::new(args, "nNxX");
    for option in &mut options {
        match option {
            Err(bad) => return TOOL.bad_option(bad, SYNOPSIS),
            Ok(option) => match option.letter {
                b'n' => wait = false,
                b'N' => wait = true,
                b'x' => silent = true,
                _ => silent = false,
            },
        }
    }
    let rest = options.rest();
    let (Some(file), Some(program)) = (rest.get(0), rest.get(1)) else {
        return TOOL.usage(SYNOPSIS);
    };
    match lock(file, wait) {
        Ok(()) => {}
        Err(_) if silent => return Exit::Success,
        Err(NoLock::Open(why)) => {
            return TOOL.fatal_os(&[b"unable to open ", file.to_bytes(), b": "], why);
        }
        Err(NoLock::Lock(why)) => {
            return TOOL.fatal_os(&[b"unable to lock ", file.to_bytes(), b": "], why);
        }
    }
    let why = exec::run(rest.skip(1));
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

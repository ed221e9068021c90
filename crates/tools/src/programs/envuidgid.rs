//! envuidgid: runs a program with an account's ids in UID and GID. Changes no
//! id itself.

use crate::accounts::asked;
use crate::environment::Environment;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "envuidgid",
    help: "\
usage: envuidgid account[:group] program [argument ...]

Runs program with the environment variables UID and GID set to account's user
id and group id. With :group, GID is that group's id instead. The program still
runs as who it was: it is meant to change its ids itself once it is ready to.

  -h, --help     print this
      --version  print the version

    envuidgid dnscache softlimit -d250000 ./dnscache

exit: 100 usage, 111 no such account or program could not be run, otherwise
program's own.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    let (account, program) = match asked(&TOOL, args, "envuidgid account child") {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let mut environment = Environment::inherited();
    for (name, id) in [("GID", account.gid), ("UID", account.uid)] {
        environment.set(name, id);
    }
    let why = exec::run_with(args.skip(2), environment.variables());
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

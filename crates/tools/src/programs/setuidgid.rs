//! setuidgid: runs a program as an account, with that account's group alone.

use crate::accounts::asked;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, exec, ids};

const TOOL: Tool = Tool {
    name: "setuidgid",
    help: "\
usage: setuidgid account[:group] program [argument ...]

Runs program with account's user id and group id, and with no other group.
With :group it gets that group's id instead. Both are looked up in /etc/passwd
and /etc/group.

  -h, --help     print this
      --version  print the version

    setuidgid www ./server -v
    setuidgid www:ssl-cert ./server -v

exit: 100 usage, 111 no such account or program could not be run, otherwise
program's own.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    let (account, program) = match asked(&TOOL, args, "setuidgid account child") {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    // The group first: the user may no longer be allowed to.
    if let Err(why) = ids::become_group(account.gid) {
        return TOOL.fatal_os(&[b"unable to setgid: "], why);
    }
    if let Err(why) = ids::become_user(account.uid) {
        return TOOL.fatal_os(&[b"unable to setuid: "], why);
    }
    let why = exec::run(args.skip(2));
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

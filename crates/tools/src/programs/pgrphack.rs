//! pgrphack: runs a program in a session of its own.

use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "pgrphack",
    help: "\
usage: pgrphack program [argument ...]

Runs program in a new session and process group, so that a signal to the
group or from the terminal does not reach it.

  -h, --help     print this
      --version  print the version

    pgrphack ./server -v

exit: 100 usage, 111 program could not be run, otherwise program's own.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let Some(program) = args.get(1) else {
        return TOOL.usage("pgrphack child");
    };
    // Refused only to a group leader, which is then where it wants to be.
    let _ = rustix::process::setsid();
    let why = exec::run(args.skip(1));
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

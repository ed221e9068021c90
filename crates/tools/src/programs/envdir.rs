//! envdir: runs a program with an environment changed by the files of a
//! directory.

use crate::environment::{Environment, Trouble};
use core::ffi::CStr;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "envdir",
    help: "\
usage: envdir directory program [argument ...]

Runs program with one environment variable set for each file in directory: its
name is the file's, its value the file's first line, without the spaces and
tabs at its end and with newlines for NUL bytes. An empty file removes the
variable. Files whose names begin with a dot do not count.

  -h, --help     print this
      --version  print the version

    echo 8080 >env/PORT
    envdir env ./server

exit: 111 usage, directory could not be read or program could not be run,
otherwise program's own.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (Some(directory), Some(program)) = (args.get(1), args.get(2)) else {
        // Not 100: this one has always said 111.
        let _ = TOOL.usage("envdir dir child");
        return Exit::System;
    };
    let mut environment = Environment::inherited();
    if let Err(trouble) = environment.read(directory, None) {
        return cannot(directory, &trouble);
    }
    let why = exec::run_with(args.skip(2), environment.variables());
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

/// Says why not, in the words of the original.
fn cannot(directory: &CStr, trouble: &Trouble) -> Exit {
    let name = directory.to_bytes();
    match trouble {
        Trouble::Here(why) => TOOL.fatal_os(&[b"unable to switch to current directory: "], *why),
        Trouble::Enter(why) => {
            TOOL.fatal_os(&[b"unable to switch to directory ", name, b": "], *why)
        }
        Trouble::Open(why) | Trouble::List(why) => {
            TOOL.fatal_os(&[b"unable to read directory ", name, b": "], *why)
        }
        Trouble::File(variable, why) => {
            TOOL.fatal_os(&[b"unable to read ", name, b"/", variable.to_bytes(), b": "], *why)
        }
        Trouble::Back(why) => TOOL.fatal_os(&[b"unable to switch to starting directory: "], *why),
    }
}

//! softlimit: runs a program with other resource limits. Raises no limit
//! above the hard one and leaves the hard ones alone. Allocates nothing: it
//! may just have forbidden it to itself.

use crate::limits::resources;
use crate::number;
use core::ffi::CStr;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use upkeep_cli::{Exit, Options, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "softlimit",
    help: "\
usage: softlimit [options] program [argument ...]

Runs program with other soft limits. A limit is a number, or = for the hard
limit, above which it cannot be. Options are applied in their order.

  -a bytes    all memory together
  -c bytes    a core file; 0 for none
  -d bytes    the data segment
  -f bytes    a file that is written
  -l bytes    memory that is locked
  -m bytes    the same as -d, -s, -l and -a
  -o number   open files
  -p number   processes of this user
  -r bytes    resident memory; Linux does not enforce it
  -s bytes    the stack
  -t seconds  processor time

  -h, --help     print this
      --version  print the version

    softlimit -m 50000000 -o 100 ./server

exit: 100 usage, 111 program could not be run, otherwise program's own.
",
};

const SYNOPSIS: &str = "softlimit [-a allbytes] [-c corebytes] [-d databytes] \
[-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] [-p processes] \
[-r residentbytes] [-s stackbytes] [-t cpusecs] child";

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let mut options = Options::new(args, "a:c:d:f:l:m:o:p:r:s:t:");
    for option in &mut options {
        let option = match option {
            Ok(option) => option,
            Err(bad) => return TOOL.bad_option(bad, SYNOPSIS),
        };
        for resource in resources(option.letter) {
            if let Err(exit) = limit(*resource, option.value.unwrap_or(c"")) {
                return exit;
            }
        }
    }
    let rest = options.rest();
    let Some(program) = rest.get(0) else {
        return TOOL.usage(SYNOPSIS);
    };
    let why = exec::run(rest);
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

fn limit(resource: Resource, value: &CStr) -> Result<(), Exit> {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let current = match value.to_bytes() {
        b"=" => maximum,
        digits => {
            // The kernel's own "unlimited" is the greatest number.
            let wanted = number::whole(digits).ok_or_else(|| TOOL.usage(SYNOPSIS))?;
            Some(wanted.min(maximum.unwrap_or(u64::MAX))).filter(|&limit| limit != u64::MAX)
        }
    };
    setrlimit(resource, Rlimit { current, maximum })
        .map_err(|why| TOOL.fatal_os(&[b"setrlimit failed: "], why))
}

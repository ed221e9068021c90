//! svlogd: runit's logger. Stamps, selects and keeps lines in rotated logs, and
//! is told by a file in each log's directory what to do there.

mod config;
mod options;

use options::Options;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "svlogd",
    help: "\
usage: svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...

Reads lines from standard input and appends them to the log in each dir, which
must be there. The file config in it says what to do, a line for each thing:

  sSIZE[k|m]   let current grow to SIZE bytes (1000000); 0: without end
  nNUM         keep NUM old logs (10); 0: all
  NMIN         keep fewer when the disk is full, but at least MIN
  tAGE[m|h]    end current when it is AGE seconds old
  !command     put each old log through this shell command, in the background
  -pattern     leave out the lines that match
  +pattern     take them after all; the last pattern that matches decides
  epattern     print the lines that match on standard error as well
  Epattern     do not print them after all
  pPREFIX      put this before each line
  uADDR[:PORT] send each line there by UDP as well (port 514)
  UADDR[:PORT] send it there and do not write it

In a pattern a star stands for everything up to the byte that follows it, and a
plus for the byte that follows it, once or more often.

  -t           put a TAI64N time stamp before each line
  -tt          put 2026-11-26_10:26:17.12345 before it, in UTC; -ttt: with a T
  -r c         write c for each byte that cannot be printed
  -R abc       write c (_) for each of these bytes as well
  -l len       look at the first len bytes of a line (1000)
  -b buflen    more than len (1024); nothing else depends on it
  -v           tell what is done
  -V           print the version and the usage
  -h, --help   print this
      --version  print the version

    exec chpst -u log svlogd -tt ./main

TERM ends svlogd at the next end of a line, HUP makes it read each config anew
and open its logs anew, ALRM makes it begin new logs.

exit: 0 at the end of the input or after TERM, 111 a mistake in the options, or
no directory that can be used.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match Options::read(args) {
        Ok(options) => {
            let mut known = config::Known::default();
            upkeep_logger::run(&TOOL, |voice| known.script(&options, voice))
        }
        Err(exit) => exit,
    }
}

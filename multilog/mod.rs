//! multilog: selects, stamps and keeps lines in rotated logs.

mod script;

use upkeep_cli::{Exit, Tool};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "multilog",
    help: "\
usage: multilog directive ...

Reads lines from standard input and does with each what the directives say,
from left to right. At first every line is selected.

  t           as the first directive: put a TAI64N time stamp before each line
  utc[3], local[3], T
              instead: a date with so many decimals, or seconds since 1970
  -pattern    deselect the line if it matches
  +pattern    select it if it matches; a star in a pattern stands for
              everything up to the byte that follows it
  E, F, S     patterns that follow are extended regular expressions, a shell's,
              or these
  pPREFIX     put this before the line in what follows
  rate=N/TIME deselect what is more than N lines in TIME: 1000/10, 100/1m
  1           print a selected line on standard output
  uADDR[:PORT], UADDR[:PORT]
              send it to a log host; with U, only there
  e           print the first 200 bytes of a selected line on standard error
  =file       keep the first 1000 bytes of the last selected line in file
  sSIZE       let the logs that follow grow to SIZE bytes (99999)
  nNUM        keep at most NUM files in the logs that follow (10)
  !command    put each full log that follows through this shell command
  RTIME       end the logs that follow at this age: 90, 5m, 12h, 7d
  hourly, daily, weekly, monthly
              end them where one of these ends, in local time
  STOTAL      let their old logs have at most TOTAL bytes together: 500m, 2g
  keep=AGE    remove their old logs when they are older
  free=ROOM   remove the oldest before less is free on the disk: 1g, 5%
  NLEAST      on a full disk, remove the oldest while more than LEAST are left
  gzip[=9], zstd[=19]
              compress their old logs in the background
  fsync=WHEN  have what is written to them on the disk: line, 64k, 100ms
  ./dir /dir  append a selected line to the log in this directory
  -h, --help  print this, if it is the only argument
  --version   print the version, if it is the only argument

    ./server 2>&1 | multilog t s1000000 n20 ./main '-*' '+*: fatal: *' ./fatal

TERM ends multilog at the next end of a line; ALRM makes it begin new logs, and
HUP go on in what has the names of its directories and of current now.

exit: 0 at the end of the input or after TERM, 100 a directive that is wrong,
111 trouble at the start.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    // With anything behind it, `-h` is a pattern and no question.
    if args.len() == 2
        && let Some(exit) = TOOL.answer(args)
    {
        return exit;
    }
    upkeep_logger::run(&TOOL, |voice| script::read(args.skip(1), voice))
}

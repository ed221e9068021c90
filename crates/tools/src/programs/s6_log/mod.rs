//! s6-log: s6's logger. Selects, stamps and keeps lines in rotated logs, as a
//! script of arguments says.

mod options;
mod script;

use options::Options;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "s6-log",
    help: "\
usage: s6-log [-d fd] [-q | -v] [-b] [-p] [-l linelimit] [-t ms] directive ...

Reads lines from standard input and does with each what the directives say,
from left to right. At first every line is selected.

  +regexp     select the line if it matches, anywhere in it
  -regexp     deselect it if it matches
  f           select it if nothing was done with it yet, and else deselect it
  nNUM        keep NUM old logs in the directories that follow (10)
  sSIZE       let their logs grow to SIZE bytes (99999)
  lBYTES      end them so many bytes earlier, where a line ends (2000)
  STOTAL      let their old logs take TOTAL bytes together
  ?command    put each of their old logs through this shell command
  !command    put it through this line of execlineb
  ESIZE       show so much of a line with the 2s that follow (200)
  ^SIZE       size of the status files that follow (1001)
  rMS         read, and of no effect: what fails is tried again soon
  pPREFIX     put this and a space before lines of the actions that follow
  t           put a TAI64N time stamp before those of the next action
  T           put the local time before them
  1           print a selected line on standard output
  2           print its beginning on standard error
  =file       keep its beginning in file
  ./dir /dir  append it to the log in this directory

  -d fd       write a newline to descriptor fd when ready
  -q          do not warn
  -v          warn, as without it
  -b          read, and of no effect: lines are written before more are read
  -p          do not end at TERM
  -l linelimit
              read, and of no effect: a line may have any length
  -t ms       at the end, wait so long for the rest of a line
  -h, --help  print this
      --version
              print the version

    exec s6-setuidgid log s6-log -b n20 s1000000 T ./main

TERM and HUP end s6-log at the next end of a line; ALRM makes it begin new logs.

exit: 0 at the end of the input or after a signal, 100 a mistake in the options
or the script, 111 trouble at the start.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match Options::read(args) {
        Ok(mut options) => upkeep_logger::run(&TOOL, |voice| script::read(&mut options, voice)),
        Err(exit) => exit,
    }
}

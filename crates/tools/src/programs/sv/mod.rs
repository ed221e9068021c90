//! sv: runit's way to tell a service what to do, to wait until it has come
//! about, and to show it.

mod available;
mod errand;
mod show;

use crate::number;
use crate::sv::Command;
use core::ffi::CStr;
use errand::Errand;
use upkeep_cli::{Exit, Options, Tool, put, words};
use upkeep_sys::{Args, Errno, exec};

const TOOL: Tool = Tool {
    name: "sv",
    help: "\
usage: sv [-v] [-w seconds] command service ...
       /etc/init.d/service [-w seconds] command

Tells the supervise of each service what to do, and shows the service. A name
that begins with neither a dot nor a slash and does not end with a slash is
looked up in $SVDIR or, without it, in /etc/service. Under another name than sv
it is an init script for the service of that name.

These are sent, and the first letter is enough:

  up down once             start it; stop it; start it once
  pause cont               STOP, CONT
  hup alarm interrupt quit 1 2 term kill
                           HUP, ALRM, INT, QUIT, USR1, USR2, TERM, KILL
  exit                     stop it, and its supervise with it
  status                   show it, and its logger

These wait until it has come about, for 7 seconds, and show the service then:

  start stop restart       up, down, or ended and up again; where there is a
                           program check, it has to exit 0 first
  try-restart              the same where it runs
  reload                   HUP
  shutdown                 exit
  check                    whether the service is what it was told to be
  force-stop force-restart force-reload force-shutdown
                           the same, and KILL when the time is over

  -v             wait for the short commands too
  -w seconds     wait for so long, not for $SVWAIT or 7 seconds; means -v
  -V             print the version and the usage
  -h, --help     print this
      --version  print the version

    sv restart nginx
    sv -w 30 force-stop postgresql
    sv status /etc/service/*

exit: the number of services with which something went wrong, 99 at most; 100
usage, or the current directory is lost. An init script: 1 it went wrong, 2
usage, 3 the service is down, 4 its status is not known, 151 the directory is
lost.
",
};

const SYNOPSIS: &[u8] = b" [-v] [-w sec] command service ...\n\n";
const SYNOPSIS_OF_SCRIPT: &[u8] = b" [-w sec] command\n\n";

/// How long it is waited for what was asked.
const SECONDS: u64 = 7;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    let path = args.get(0).unwrap_or(c"sv").to_bytes_with_nul();
    let base = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let name = CStr::from_bytes_with_nul(base).unwrap_or(c"sv");
    let is_script = name != c"sv";
    if !is_script && let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let usage = || usage(name.to_bytes(), is_script);
    let mut seconds = exec::variable(b"SVWAIT").map_or(SECONDS, number::leading);
    let mut waits = false;
    let mut options = Options::new(args, "w:vV");
    for option in &mut options {
        match option {
            Err(bad) => {
                bad.report_as(name.to_bytes());
                return usage();
            }
            Ok(option) => match (option.letter, option.value) {
                (b'v', _) => waits = true,
                (b'w', value) => {
                    seconds = number::leading(value.unwrap_or_default().to_bytes());
                    waits = true;
                }
                _ => {
                    complain(&[b"sv (upkeep) ", env!("CARGO_PKG_VERSION").as_bytes(), b"\n"]);
                    return usage();
                }
            },
        }
    }
    let rest = options.rest();
    let command = rest.get(0).and_then(|word| Command::parse(word.to_bytes(), is_script));
    let Some(command) = command else { return usage() };
    let services: Vec<_> = if is_script { vec![name] } else { rest.skip(1).iter().collect() };
    if services.is_empty() {
        return usage();
    }
    Errand::new(command, is_script)
        .and_then(|mut errand| errand.run(services, waits || command.waits, seconds))
        .unwrap_or_else(|exit| exit)
}

fn usage(name: &[u8], is_script: bool) -> Exit {
    complain(&[b"usage: ", name, if is_script { SYNOPSIS_OF_SCRIPT } else { SYNOPSIS }]);
    if is_script { Exit::Of(2) } else { Exit::Usage }
}

pub(crate) fn complain(parts: &[&[u8]]) {
    // Nobody can be told that standard error does not work.
    let _ = put(rustix::stdio::stderr(), parts);
}

/// The directory is lost to which there is to be a way back.
pub(crate) fn fatal(what: &[u8], why: Errno, is_script: bool) -> Exit {
    complain(&[b"fatal: ", what, words(why).as_bytes(), b"\n"]);
    if is_script { Exit::Of(151) } else { Exit::Usage }
}

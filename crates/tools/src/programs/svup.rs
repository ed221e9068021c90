//! svup: is a service up, and its logger?

use upkeep_cli::{Exit, Options, Tool};
use upkeep_core::standing::Standing;
use upkeep_servicedir::{StatusTrouble, enter, go_on_to_logger, read_status};
use upkeep_sys::{Args, Errno};

const TOOL: Tool = Tool {
    name: "svup",
    help: "\
usage: svup [-lL] service

Says with its exit code whether the service runs, and its logger too if that is
a file log, and prints nothing. A logger that has a directory is a service like
any other. A name without a slash that is no directory here is looked up in
$SVDIR, /etc/service and /service.

  -l             only the service
  -L             only its logger
  -h, --help     print this
      --version  print the version

    svup -l myapp || svc -u myapp

exit: 0 up, 100 not up, or not supervised, or usage, 111 the directory cannot be
entered or the status not read.
",
};

const SYNOPSIS: &str = "svup [-lL] service";

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (mut service, mut logger) = (true, true);
    let mut options = Options::strict(args, "lL");
    for option in &mut options {
        match option {
            Ok(option) => (service, logger) = (option.letter == b'l', option.letter == b'L'),
            Err(bad) => return TOOL.bad_option(bad, SYNOPSIS),
        }
    }
    let Some(name) = options.rest().get(0) else {
        return TOOL.usage(SYNOPSIS);
    };
    if let Err(why) = enter(name) {
        return TOOL.fatal_os(&[b"unable to chdir to ", name.to_bytes(), b": "], why);
    }
    match is_up(service, logger) {
        Ok(true) => Exit::Success,
        Ok(false) => Exit::Usage,
        Err((what, Some(why))) => TOOL.fatal_os(&[what, b": "], why),
        Err((what, None)) => TOOL.fatal(&[what]),
    }
}

type Trouble = (&'static [u8], Option<Errno>);

/// Whether what is asked for is up. A logger that is not there is up only if
/// the service is asked for too.
fn is_up(service: bool, logger: bool) -> Result<bool, Trouble> {
    if service && !runs()? {
        return Ok(false);
    }
    let cannot = |why| (&b"unable to find log"[..], Some(why));
    if logger && go_on_to_logger().map_err(cannot)? { runs() } else { Ok(service) }
}

/// Whether the service runs whose directory is the current one.
fn runs() -> Result<bool, Trouble> {
    match read_status() {
        Ok((status, own)) => Ok(Standing::of(&status, own.as_ref()).up),
        Err(StatusTrouble::NotRunning) => Ok(false),
        Err(StatusTrouble::Ok(Errno::NOENT) | StatusTrouble::Open(Errno::NOENT)) => Ok(false),
        Err(StatusTrouble::Ok(why)) => Err((b"unable to open supervise/ok", Some(why))),
        Err(StatusTrouble::Open(why)) => Err((b"unable to open supervise/status", Some(why))),
        Err(StatusTrouble::Read(why)) => Err((b"unable to read supervise/status", Some(why))),
        Err(StatusTrouble::BadFormat) => {
            Err((b"bad data in supervise/status: truncated file", None))
        }
    }
}

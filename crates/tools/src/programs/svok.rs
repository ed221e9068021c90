//! svok: is a service directory supervised?

use rustix::io::Errno;
use upkeep_cli::{Exit, Tool};
use upkeep_servicedir::{enter, is_supervised};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "svok",
    help: "\
usage: svok service

Says with its exit code whether a supervise is running in the service
directory, and prints nothing. A name without a slash that is no directory
here is looked up in $SVDIR, /etc/service and /service.

  -h, --help     print this
      --version  print the version

    until svok myapp; do sleep 1; done

exit: 0 supervised, 100 not supervised or usage, 111 the directory cannot be
entered.
",
};

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let Some(service) = args.get(1) else {
        return TOOL.usage("svok dir");
    };
    if let Err(why) = enter(service) {
        return TOOL.fatal_os(&[b"unable to chdir to ", service.to_bytes(), b": "], why);
    }
    match is_supervised() {
        Ok(true) => Exit::Success,
        Ok(false) | Err(Errno::NOENT) => Exit::Usage,
        Err(why) => {
            TOOL.fatal_os(&[b"unable to open ", service.to_bytes(), b"/supervise/ok: "], why)
        }
    }
}

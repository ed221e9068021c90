//! Letters in, control bytes out, to one service after the other.

use core::ffi::CStr;
use upkeep_cli::{Exit, Options, Tool};
use upkeep_servicedir::{ControlTrouble, Finder, enter, send};
use upkeep_sys::{Args, signals};

const TOOL: Tool = Tool {
    name: "svc",
    help: "\
usage: svc -udopchaitkxq12wrle service ...

Tells the supervise of each service what to do, in the order of the letters.
A name without a slash that is no directory here is looked up in $SVDIR,
/etc/service and /service.

  -u             up: start it, and again whenever it ends
  -d             down: TERM, or what the directory says in down-signal, and
                 CONT; do not start it again
  -o             once: start it if it is down, do not start it again
  -x             exit: supervise leaves as soon as the service is down
  -p             pause: STOP
  -c             continue: CONT
  -h             HUP
  -a             ALRM
  -i             INT
  -t             TERM
  -k             KILL
  -q             QUIT
  -1             USR1
  -2             USR2
  -w             WINCH
  -r             restart: what -d sends; if it is to be up, it is started again
  -l             reload: HUP, or what the directory says in reload-signal
  -e             execute anew: supervise becomes its own program as it is now,
                 after an upgrade; the service does not notice
      --help     print this
      --version  print the version

    svc -du myapp            restart it
    svc -dx /service/old     take it down for good, with its supervise

exit: 0 said what could be said, each failure with a warning; 100 unknown
option; 111 the current directory cannot be opened.
",
};

/// What the original says, for whoever matches it; `--help` says it all.
const LETTERS: &str = "svc options: u up, d down, o once, x exit, p pause, c continue, \
h hup, a alarm, i interrupt, t term, k kill\n";

/// As many letters as are sent; there are eighteen.
const MOST: usize = 20;

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer_long(args) {
        return exit;
    }
    // A supervise that ends between the open and the write is a warning.
    signals::ignore_broken_pipes();
    let mut letters = [0; MOST];
    let mut count = 0;
    let mut options = Options::new(args, "udopchaitkxq12wrle");
    for option in &mut options {
        match option {
            Ok(option) => {
                if count < MOST && !letters[..count].contains(&option.letter) {
                    letters[count] = option.letter;
                    count += 1;
                }
            }
            Err(bad) => {
                bad.report(&TOOL);
                let _ = upkeep_cli::put_all(rustix::stdio::stderr(), LETTERS.as_bytes());
                return Exit::Usage;
            }
        }
    }
    let finder = match Finder::new() {
        Ok(finder) => finder,
        Err(why) => return TOOL.fatal_os(&[b"unable to open current directory: "], why),
    };
    for service in options.rest().iter() {
        tell(service, &letters[..count]);
        if let Err(why) = finder.back() {
            return TOOL.fatal_os(&[b"unable to set directory: "], why);
        }
    }
    Exit::Success
}

fn tell(service: &CStr, letters: &[u8]) {
    let name = service.to_bytes();
    if let Err(why) = enter(service) {
        return TOOL.warn_os(&[b"unable to chdir to ", name, b": "], why);
    }
    match send(letters) {
        Ok(()) => {}
        Err(ControlTrouble::NotRunning) => {
            TOOL.warn(&[b"unable to control ", name, b": supervise not running"]);
        }
        Err(ControlTrouble::NotAFifo) => {
            TOOL.warn(&[b"unable to control ", name, b": supervise/control is not a fifo"]);
        }
        Err(ControlTrouble::Open(why)) => {
            TOOL.warn_os(&[b"unable to control ", name, b": "], why);
        }
        Err(ControlTrouble::Write(why)) => {
            TOOL.warn_os(&[b"error writing commands to ", name, b": "], why);
        }
    }
}

//! Letters in, control bytes out, to one service after the other.

use crate::svc::asked::Asked;
use core::ffi::CStr;
use std::ffi::CString;
use upkeep_cli::{Exit, Tool};
use upkeep_core::wait::{Goal, Told};
use upkeep_servicedir::{
    ControlTrouble, DownTrouble, End, Finder, WaitTrouble, Waiting, enter, send, services,
    set_normally_up,
};
use upkeep_sys::{Args, clock, signals};

pub(crate) const TOOL: Tool = Tool {
    name: "svc",
    help: "\
usage: svc -udopchaitkxq12wrlebyDUQOPCK [-s signal] [-w[uUdDrR]] [-T milliseconds]
           service ...

Tells the supervise of each service what to do, in the order of the letters,
and waits for what comes of it only if it is asked to. A name without a slash
that is no directory here is looked up in $SVDIR, /etc/service and /service,
and can be a pattern: 'web-*'.

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
  -w             WINCH, where no letter follows that says what to wait for
  -y             WINCH
  -b             ABRT
  -s signal      one of these signals by its name or number
  -P, -C, -K     STOP, CONT, KILL for its whole process group
  -O             do not start it any more; one that runs goes on
  -r             restart: what -d sends; if it is to be up, it is started again
  -l             reload: HUP, or what the directory says in reload-signal
  -e             execute anew: supervise becomes its own program as it is now,
                 after an upgrade; the service does not notice
  -U             -u, and remove the file down: it starts out up from now on
  -D             -d, and make the file down: it starts out down from now on
  -Q             -o, and make the file down
  -wu, -wU       wait until it is up, ready
  -wd, -wD       wait until it is down, down and its finish is done
  -wr, -wR       wait until it is up, ready again
  -T milliseconds  wait so long; 0 for ever, the default
      --help     print this
      --version  print the version

Letters behind a + are for the whole process group, behind a = for the process
again: svc -+t= myapp

    svc -du myapp                    restart it
    svc -wR -T 10000 -r myapp        restart it, and wait until it is ready
    svc -wD -d 'web-*'               take them all down, and wait for that
    svc -dx /service/old             take it down for good, with its supervise

exit: 0 said what could be said, each failure with a warning; 100 unknown
option; 111 the current directory cannot be opened. With -wu to -wR also 1 to
98 it does not come by itself for so many of them; 99 timed out; 102 a supervise
is not running, or has ended meanwhile; 111 a service could not be told or
watched.
",
};

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer_long(args) {
        return exit;
    }
    // A supervise that ends between the open and the write is a warning.
    signals::ignore_broken_pipes();
    match Asked::read(args) {
        Ok((asked, services)) => tell_all(&asked, services),
        Err(exit) => exit,
    }
}

fn tell_all(asked: &Asked, args: Args) -> Exit {
    let deadline = Some(clock::monotonic().saturating_add(asked.patience));
    let deadline = deadline.filter(|_| asked.patience > 0);
    let finder = match Finder::new() {
        Ok(finder) => finder,
        Err(why) => return TOOL.fatal_os(&[b"unable to open current directory: "], why),
    };
    let mut wait = Wait { waiting: None, names: Vec::new(), trouble: Exit::Success };
    for service in args.iter().flat_map(services) {
        tell(service, asked, &mut wait);
        if let Err(why) = finder.back() {
            return TOOL.fatal_os(&[b"unable to set directory: "], why);
        }
    }
    if asked.goal.is_some() { wait.end(deadline) } else { Exit::Success }
}

/// Says it to one service. What goes wrong is a warning, and changes how svc
/// ends only where it was to wait.
fn tell(service: CString, asked: &Asked, wait: &mut Wait) {
    let name = service.to_bytes();
    if let Err(why) = enter(&service) {
        wait.fail(Exit::System);
        return TOOL.warn_os(&[b"unable to chdir to ", name, b": "], why);
    }
    let waits = asked.goal.is_some_and(|goal| wait.add(&service, goal, Told::of(asked.letters())));
    if let Some(up) = asked.normally_up
        && let Err(trouble) = set_normally_up(up)
    {
        let verb = if up { b"unable to remove ".as_slice() } else { b"unable to create " };
        wait.fail(Exit::System);
        match trouble {
            DownTrouble::Task => TOOL.warn(&[name, b"/down is what undoes it: left alone"]),
            DownTrouble::Os(why) => TOOL.warn_os(&[verb, name, b"/down: "], why),
        }
    }
    let Err(trouble) = send(asked.letters()) else { return };
    if waits {
        wait.take_back();
    }
    match trouble {
        ControlTrouble::NotRunning => {
            wait.fail(NOT_RUNNING);
            TOOL.warn(&[b"unable to control ", name, b": supervise not running"]);
        }
        ControlTrouble::NotAFifo => {
            wait.fail(Exit::System);
            TOOL.warn(&[b"unable to control ", name, b": supervise/control is not a fifo"]);
        }
        ControlTrouble::Open(why) => {
            wait.fail(Exit::System);
            TOOL.warn_os(&[b"unable to control ", name, b": "], why);
        }
        ControlTrouble::Write(why) => {
            wait.fail(Exit::System);
            TOOL.warn_os(&[b"error writing commands to ", name, b": "], why);
        }
    }
}

/// Nobody is there who could be told.
const NOT_RUNNING: Exit = Exit::Of(WaitTrouble::NotRunning.code());

/// What is waited for when everybody has been told.
struct Wait {
    waiting: Option<Waiting>,
    names: Vec<CString>,
    /// Why some are not waited for, or have not heard.
    trouble: Exit,
}

impl Wait {
    /// The service is waited for, if it can be: it is listened to before it is
    /// told anything.
    fn add(&mut self, service: &CStr, goal: Goal, told: Told) -> bool {
        let waiting = match self.waiting.take() {
            Some(waiting) => Ok(waiting),
            None => Waiting::new(goal, told),
        };
        match waiting.and_then(|waiting| self.waiting.insert(waiting).add()) {
            Ok(()) => {
                self.names.push(service.to_owned());
                return true;
            }
            // Saying something to nobody will be a warning.
            Err(WaitTrouble::NotRunning) => self.fail(NOT_RUNNING),
            Err(trouble) => self.fail(in_vain(service, trouble)),
        }
        false
    }

    /// It is not, after all.
    fn take_back(&mut self) {
        self.names.pop();
        if let Some(waiting) = &mut self.waiting {
            waiting.take_back();
        }
    }

    /// One is not waited for, or has not heard; the first such trouble counts.
    fn fail(&mut self, trouble: Exit) {
        if self.trouble == Exit::Success {
            self.trouble = trouble;
        }
    }

    fn end(self, deadline: Option<u64>) -> Exit {
        let Some(mut waiting) = self.waiting else { return self.trouble };
        match waiting.wait(false, deadline) {
            Ok(End::Satisfied) => self.trouble,
            Ok(end) => {
                if let Some((number, words)) = end.words() {
                    let name = self.names[number].to_bytes();
                    TOOL.warn(&[b"unable to wait for ", name, b": ", words.as_bytes()]);
                }
                Exit::Of(end.code())
            }
            Err((number, trouble)) => in_vain(&self.names[number], trouble),
        }
    }
}

fn in_vain(name: &CStr, trouble: WaitTrouble) -> Exit {
    let (words, why) = trouble.words();
    let parts = [b"unable to wait for ", name.to_bytes(), b": ", words.as_bytes()];
    match why {
        Some(why) => TOOL.warn_os(&parts, why),
        None => TOOL.warn(&parts),
    }
    Exit::Of(trouble.code())
}

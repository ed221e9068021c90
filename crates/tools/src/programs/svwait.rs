//! svwait: waits until services are what they are to be.

use core::ffi::CStr;
use std::ffi::CString;
use upkeep_cli::{Exit, Options, Tool};
use upkeep_core::wait::{Goal, Told};
use upkeep_servicedir::{Finder, WaitTrouble, Waiting, enter, services};
use upkeep_sys::{Args, clock};

const TOOL: Tool = Tool {
    name: "svwait",
    help: "\
usage: svwait [-u|-U|-d|-D|-r|-R|-f] [-a|-o] [-t milliseconds] service ...

Waits until the services are up, or what else is asked for. It does not poll,
and misses nothing that happens after it has begun. A name without a slash that
is no directory here is looked up in $SVDIR, /etc/service and /service, and can
be a pattern: 'web-*'.

  -u             up, or started since; the default
  -U             ready
  -d             down, or has been since
  -D             down, and its finish is done
  -r             down and up again
  -R             down and ready again
  -f             failed, and not started again by itself
  -a             all of them; the default
  -o             one of them
  -t milliseconds  wait so long; 0 for ever, the default
  -h, --help     print this
      --version  print the version

    svwait -U database && myapp-migrate
    svwait -D -t 5000 'web-*' || svc -k 'web-*'

exit: 0 it has come; 1 to 98 it does not come by itself for so many of them,
which have failed or ended for good; 99 timed out; 100 usage; 102 a supervise is
not running, or has ended meanwhile; 111 a directory cannot be entered, read or
watched.
",
};

const USAGE: &str = "svwait [-u|-U|-d|-D|-r|-R|-f] [-a|-o] [-t milliseconds] service ...";

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (mut goal, mut any, mut patience) = (Goal::Up, false, 0);
    let mut options = Options::strict(args, "uUdDrRfaot:");
    for option in &mut options {
        match option {
            Err(bad) => return TOOL.bad_option(bad, USAGE),
            Ok(option) => match option.letter {
                b'a' => any = false,
                b'o' => any = true,
                b't' => match option.milliseconds() {
                    Some(time) => patience = time,
                    None => {
                        let value = option.value.unwrap_or_default().to_bytes();
                        let _ = TOOL.fatal(&[b"not a number of milliseconds: ", value]);
                        return TOOL.usage(USAGE);
                    }
                },
                letter => goal = Goal::from_letter(letter).unwrap_or(goal),
            },
        }
    }
    if options.rest().iter().next().is_none() {
        return TOOL.usage(USAGE);
    }
    let deadline = Some(clock::monotonic().saturating_add(patience)).filter(|_| patience > 0);
    let names: Vec<_> = options.rest().iter().flat_map(services).collect();
    wait(goal, any, deadline, &names)
}

fn wait(goal: Goal, any: bool, deadline: Option<u64>, names: &[CString]) -> Exit {
    let mut waiting = match Waiting::new(goal, Told::Nothing) {
        Ok(waiting) => waiting,
        Err(trouble) => return in_vain(&names[0], trouble),
    };
    let finder = match Finder::new() {
        Ok(finder) => finder,
        Err(why) => return TOOL.fatal_os(&[b"unable to open current directory: "], why),
    };
    for name in names {
        if let Err(why) = enter(name) {
            return TOOL.fatal_os(&[b"unable to chdir to ", name.to_bytes(), b": "], why);
        }
        if let Err(trouble) = waiting.add() {
            return in_vain(name, trouble);
        }
        if let Err(why) = finder.back() {
            return TOOL.fatal_os(&[b"unable to set directory: "], why);
        }
    }
    match waiting.wait(any, deadline) {
        Ok(end) => {
            if let Some((number, words)) = end.words() {
                let name = names[number].to_bytes();
                let _ = TOOL.fatal(&[b"unable to wait for ", name, b": ", words.as_bytes()]);
            }
            Exit::Of(end.code())
        }
        Err((number, trouble)) => in_vain(&names[number], trouble),
    }
}

fn in_vain(name: &CStr, trouble: WaitTrouble) -> Exit {
    let (words, why) = trouble.words();
    let parts = [b"unable to wait for ", name.to_bytes(), b": ", words.as_bytes()];
    let _ = match why {
        Some(why) => TOOL.fatal_os(&parts, why),
        None => TOOL.fatal(&parts),
    };
    Exit::Of(trouble.code())
}

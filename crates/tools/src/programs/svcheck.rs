//! svcheck: what is wrong with a service directory, before it runs?

use crate::check::Check;
use crate::check::kinds::{ALL, Severity};
use crate::check::report::{Finding, Wanted};
use std::ffi::CStr;
use upkeep_cli::{Exit, Options, Out, Tool};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "svcheck",
    help: "\
usage: svcheck [-ejln] [-x id,...] dir ...

Reads service directories, or directories of them as svscan has, and says what
is wrong, before anything runs. It starts nothing and needs no rights but to
read. A name without a slash that is no directory here is looked up in $SVDIR,
/etc/service and /service. A finding is a line:

    web/run:4: warning: what is wrong; what to do [no-exec]

  -e         only errors, and no warnings
  -j         each finding as an object of JSON in a line
  -l         list all that can be found, and exit
  -n         notes too: what may well be meant
  -x id,...  not these, by the word in brackets
  -h, --help     print this
      --version  print the version

A line in a script that says which findings are meant there:

    # svcheck: off no-exec cd

    svcheck -e /etc/service && echo nothing that would not work

exit: 0 nothing was found or only notes, 1 warnings, 2 errors, 100 usage, 111
a directory cannot be read.
",
};
const USAGE: &str = "svcheck [-ejln] [-x id,...] dir ...";

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (mut wanted, mut json, mut list) = (Wanted::default(), false, false);
    let mut options = Options::strict(args, "ejlnx:");
    for option in options.by_ref() {
        match option {
            Ok(option) => match (option.letter, option.value) {
                (b'e', _) => wanted.errors = true,
                (b'j', _) => json = true,
                (b'l', _) => list = true,
                (b'n', _) => wanted.notes = true,
                (_, ids) => {
                    if let Err(exit) = leave_out(&mut wanted, ids.unwrap_or(c"")) {
                        return exit;
                    }
                }
            },
            Err(bad) => return TOOL.bad_option(bad, USAGE),
        }
    }
    if list {
        return say(ALL.iter().map(|kind| {
            format!("{:14}  {:7}  {}\n", kind.id, kind.severity.word(), kind.meaning)
        }));
    }
    let dirs = options.rest();
    if dirs.is_empty() {
        return TOOL.usage(USAGE);
    }
    let mut check = match Check::new(wanted) {
        Ok(check) => check,
        Err(why) => return TOOL.fatal_os(&[b"unable to open current directory: "], why),
    };
    let mut unread = false;
    for dir in dirs.iter() {
        if let Err(why) = check.look(dir) {
            TOOL.warn_os(&[b"unable to read ", dir.to_bytes(), b": "], why);
            unread = true;
        }
    }
    check.report.close();
    let form = if json { Finding::json } else { Finding::text };
    let said = say(check.report.findings.iter().map(form));
    match check.report.worst() {
        _ if said != Exit::Success || unread => Exit::System,
        Some(Severity::Error) => Exit::Of(2),
        Some(Severity::Warning) => Exit::Of(1),
        Some(Severity::Note) | None => Exit::Success,
    }
}

/// Notes which findings are not wanted.
fn leave_out(wanted: &mut Wanted, ids: &CStr) -> Result<(), Exit> {
    for id in ids.to_bytes().split(|&byte| byte == b',').filter(|id| !id.is_empty()) {
        let Some(kind) = ALL.iter().find(|kind| kind.id.as_bytes() == id) else {
            let _ = TOOL.fatal(&[b"there is no finding called ", id, b": see svcheck -l"]);
            return Err(Exit::Usage);
        };
        wanted.not.push(kind.id);
    }
    Ok(())
}

fn say(lines: impl Iterator<Item = String>) -> Exit {
    let mut out = Out::to(rustix::stdio::stdout());
    let mut lines = lines;
    let pushed = lines.try_for_each(|line| out.push(line.as_bytes()));
    match pushed.and_then(|()| out.flush()) {
        Ok(()) => Exit::Success,
        Err(why) => TOOL.unwritable(why),
    }
}

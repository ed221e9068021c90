//! chpst: runit's way to change what a program finds, and to run it then. Under
//! the name of one of daemontools' programs it does what that does.

mod change;
mod emulated;
mod limits;

use crate::number;
use change::Change;
use core::ffi::CStr;
use upkeep_cli::{Exit, Options, Tool, put};
use upkeep_sys::Args;

const TOOL: Tool = Tool {
    name: "chpst",
    help: "\
usage: chpst [options] program [argument ...]

Changes what program finds, and runs it.

  -u user        become user, with that user's group alone; user:group:group
                 has these groups, and :uid:gid is by number
  -U user        the same ids in the variables UID and GID, and nothing else
  -b name        give program another name as its own first argument
  -e dir         set a variable for each file in dir, to its first line; an
                 empty file removes it
  -/ root        root directory
  -n number      make it so much nicer, or less nice with a minus
  -l file        hold a lock on file while program lives
  -L file        the same, but fail if somebody else holds it
  -m bytes       the data segment, the stack, locked memory and all of memory
  -d bytes       the data segment
  -o number      open files
  -p number      processes of this user
  -f bytes       a file that is written
  -c bytes       a core file
  -r bytes       resident memory; Linux does not enforce it
  -t seconds     processor time
  -P             a session and process group of its own
  -0 -1 -2       close standard input, output, error
  -v             warn of what is passed over in dir
  -V             print the version and the usage
  -h, --help     print this
      --version  print the version

They take effect in this order: -P -e -/ -n -U -u -l -0 -1 -2, then the limits.
A link to chpst that is called envdir, envuidgid, pgrphack, setlock, setuidgid
or softlimit does what that does.

    chpst -u www:ssl-cert -e env -o 1024 ./server

exit: 100 usage, 111 something could not be changed or program could not be
run, otherwise program's own.
",
};

const SYNOPSIS: &[u8] = b" [-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] \
[-/ root] [-n nice] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n] prog";

/// The name that this program goes by.
#[derive(Clone, Copy)]
struct Name {
    /// As it is.
    whole: &'static [u8],
    /// Without the d that some put before the names of daemontools' programs.
    plain: &'static [u8],
}

impl Name {
    fn of(path: &'static CStr) -> Self {
        let whole = path.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        Self { whole, plain: whole.strip_prefix(b"d").unwrap_or(whole) }
    }

    fn usage(self, synopsis: &[u8]) -> Exit {
        // Nobody can be told that standard error does not work.
        let _ = put(rustix::stdio::stderr(), &[b"usage: ", self.plain, synopsis, b"\n\n"]);
        Exit::Usage
    }
}

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    begin(args).unwrap_or_else(|exit| exit)
}

fn begin(args: Args) -> Result<Exit, Exit> {
    let name = Name::of(args.get(0).unwrap_or(c"chpst"));
    if let Some(emulated) = emulated::find(name.plain) {
        return emulated(args, name);
    }
    if let Some(exit) = TOOL.answer(args) {
        return Ok(exit);
    }
    let usage = || name.usage(SYNOPSIS);
    let mut change = Change::default();
    let mut options = Options::new(args, "u:U:b:e:m:d:o:p:f:c:r:t:/:n:l:L:vP012V");
    for option in &mut options {
        let option = option.map_err(|bad| {
            bad.report_as(name.whole);
            usage()
        })?;
        let value = option.value.unwrap_or_default();
        match option.letter {
            b'u' => change.user = Some(value),
            b'U' => change.shown_user = Some(value),
            b'b' => change.name = Some(value),
            b'e' => change.variables = Some(value),
            b'/' => change.root = Some(value),
            b'n' => change.nicer = nicer(value.to_bytes()).ok_or_else(usage)?,
            b'l' | b'L' => {
                if change.lock.replace((value, option.letter == b'l')).is_some() {
                    return Err(usage());
                }
            }
            b'v' => change.is_verbose = true,
            b'P' => change.own_session = true,
            b'0' => change.closed[0] = true,
            b'1' => change.closed[1] = true,
            b'2' => change.closed[2] = true,
            b'V' => {
                let version = env!("CARGO_PKG_VERSION").as_bytes();
                let line: [&[u8]; 3] = [b"chpst (upkeep) ", version, b"\n"];
                let _ = put(rustix::stdio::stderr(), &line);
                return Err(usage());
            }
            letter => {
                let limit = number::whole(value.to_bytes()).ok_or_else(usage)?;
                change.limits.set(letter, limit.cast_signed());
            }
        }
    }
    let rest = options.rest();
    if rest.is_empty() { Err(usage()) } else { change.run(rest) }
}

/// A number with or without a sign. One that is too big wraps around.
fn nicer(value: &[u8]) -> Option<i32> {
    let (digits, less) = match value {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    let number = number::whole(digits)? as i32;
    Some(if less { number.wrapping_neg() } else { number })
}

//! What svscan can be asked on its command line. It only reads; what is wrong
//! is one line and exit 100.

use crate::svscan::heed;
use crate::svscan::help::TOOL;
use core::ffi::CStr;
use upkeep_cli::{Exit, Opt, Options as Walk};
use upkeep_core::amount;
use upkeep_core::signals::{self, HIGHEST};
use upkeep_core::whole::{End, Failure};
use upkeep_sys::Args;

const SYNOPSIS: &str = "svscan [options] [dir] [-- command [argument ...]]";
/// The letters, those with a value followed by a colon.
const LETTERS: &str = "d:e:EFgk:lL:mnp:Pr:R:sS:t:T:vwx:y:";
/// The words, and the letter that each is; some are words only.
const WORDS: &[(&str, u8)] = &[
    ("clean-env", b'E'),
    ("command-grace", b'T'),
    ("env", b'd'),
    ("expect", b'e'),
    ("failure", b'x'),
    ("grace", b't'),
    ("group", b'g'),
    ("halt", HALT),
    ("lines", b'l'),
    ("log", b'L'),
    ("machine", b'm'),
    ("names", b'n'),
    ("parent-death", b'p'),
    ("pause", b'P'),
    ("poweroff", POWER_OFF),
    ("ready", b'y'),
    ("reboot", REBOOT),
    ("rescue", b'R'),
    ("rewrite", b'r'),
    ("secrets", b'F'),
    ("state", b'S'),
    ("stop", b'k'),
    ("verbose", b'v'),
    ("warn", b'w'),
];
const HALT: u8 = 1;
const POWER_OFF: u8 = 2;
const REBOOT: u8 = 3;

const TERM: u8 = 15;

/// All of it.
pub(crate) struct Options {
    /// The scan directory, if it is not the current one.
    pub(crate) dir: Option<&'static CStr>,
    /// Whether what services without a logger write is shown as whole lines.
    pub(crate) lines: bool,
    /// The same with their names.
    pub(crate) names: bool,
    /// A directory for it to be logged to.
    pub(crate) log: Option<&'static CStr>,
    /// Whether there is one at all.
    pub(crate) tree: bool,
    /// Whether there is nothing to do but to reap.
    pause: bool,
    /// The main command, if there is one.
    pub(crate) command: Option<Args>,
    /// Whether its signals are for its whole process group.
    pub(crate) group: bool,
    /// What becomes of each signal on the way to it; 0 for nothing.
    pub(crate) rewritten: [u8; HIGHEST as usize + 1],
    /// Its exit codes that count as 0, a bit each.
    pub(crate) expected: [u64; 4],
    /// What this process gets when its parent ends.
    pub(crate) parent_death: Option<u8>,
    /// Whether to say what is reaped, and what is forwarded.
    pub(crate) tells: [bool; 2],
    /// The signal that begins the stop.
    pub(crate) stop: u8,
    /// Times, in nanoseconds.
    pub(crate) grace: Option<u64>,
    pub(crate) command_grace: Option<u64>,
    pub(crate) ready: Option<u64>,
    /// What follows from a failure.
    pub(crate) failure: Option<Failure>,
    /// What is executed where nothing can go on.
    pub(crate) rescue: Option<&'static CStr>,
    /// Whether this is a machine's process 1.
    pub(crate) machine: bool,
    /// What process 1 is to be told instead of all that.
    pub(crate) order: Option<End>,
    /// Where the state of all services is kept.
    pub(crate) state: Option<&'static CStr>,
    /// Whether services get an environment of their own.
    pub(crate) clean_env: bool,
    /// Directories of variables for them and the command.
    pub(crate) env: Vec<&'static CStr>,
    /// Whether `NAME_FILE` is the name of a file with the value of `NAME`.
    pub(crate) secrets: bool,
}

impl Options {
    const fn new() -> Self {
        let mut rewritten = [0; HIGHEST as usize + 1];
        let mut number = 0;
        while number <= HIGHEST {
            rewritten[number as usize] = number;
            number += 1;
        }
        Self {
            dir: None,
            tree: true,
            pause: false,
            command: None,
            group: false,
            rewritten,
            expected: [0; 4],
            parent_death: None,
            tells: [false; 2],
            stop: TERM,
            grace: None,
            command_grace: None,
            ready: None,
            failure: None,
            rescue: None,
            machine: false,
            order: None,
            state: None,
            clean_env: false,
            env: Vec::new(),
            secrets: false,
            lines: false,
            names: false,
            log: None,
        }
    }

    /// Reads `args`, the program's own name first.
    pub(crate) fn read(args: Args) -> Result<Self, Exit> {
        let mut options = Self::new();
        if is_init(args) {
            // What else is there is the kernel's own.
            options.machine = true;
            options.dir = Some(c"/etc/service");
            return Ok(options);
        }
        let mut walk = walk(args);
        for option in walk.by_ref() {
            let option = option.map_err(|bad| TOOL.bad_option(bad, SYNOPSIS))?;
            options.take(&option)?;
        }
        options.take_rest(walk.rest(), walk.have_ended())?;
        Ok(options)
    }

    fn take(&mut self, option: &Opt) -> Result<(), Exit> {
        let value = option.value.map_or(b"".as_slice(), CStr::to_bytes);
        match option.letter {
            b'g' => self.group = true,
            b'r' => self.rewrite(value)?,
            b'e' => {
                let code = amount::number(value).and_then(|code| u8::try_from(code).ok());
                let code = code.ok_or_else(|| wrong(b"exit code", value))?;
                self.expected[usize::from(code / 64)] |= 1 << (code % 64);
            }
            b'p' => self.parent_death = Some(signal(value)?),
            b'v' => self.tells = [true; 2],
            b'w' => self.tells[0] = true,
            b'k' => self.stop = heeded(value)?,
            b't' => self.grace = Some(seconds(value)?),
            b'T' => self.command_grace = Some(seconds(value)?),
            b'y' => self.ready = Some(seconds(value)?),
            b'x' => {
                self.failure = Some(match value {
                    b"stop" => Failure::Stop,
                    b"warn" => Failure::Warn,
                    b"ignore" => Failure::Ignore,
                    other => return Err(wrong(b"word", other)),
                });
            }
            b'R' => self.rescue = option.value,
            b'm' => self.machine = true,
            HALT => self.order = Some(End::Halt),
            POWER_OFF => self.order = Some(End::PowerOff),
            REBOOT => self.order = Some(End::Restart),
            b'P' => self.pause = true,
            b'S' | b'd' | b'L' if value.is_empty() => return Err(wrong(b"directory", value)),
            b'S' => self.state = option.value,
            b'd' => self.env.extend(option.value),
            b'E' => self.clean_env = true,
            b'F' => self.secrets = true,
            b'l' => self.lines = true,
            b'n' => self.names = true,
            b'L' => self.log = option.value,
            // -s asks for what it always does.
            _ => {}
        }
        Ok(())
    }

    /// `FROM=TO` or `FROM:TO`.
    fn rewrite(&mut self, value: &[u8]) -> Result<(), Exit> {
        let mut parts = value.splitn(2, |&b| b == b'=' || b == b':');
        let (from, to) = (parts.next().unwrap_or(b""), parts.next());
        let to = to.ok_or_else(|| wrong(b"pair of signals", value))?;
        let to = if to == b"0" { 0 } else { signal(to)? };
        self.rewritten[usize::from(heeded(from)?)] = to;
        Ok(())
    }

    /// What is behind the options: a directory and a command, each of which
    /// may be missing.
    fn take_rest(&mut self, rest: Args, ended: bool) -> Result<(), Exit> {
        let pause = self.pause;
        let is_mark = |at: usize| rest.get(at).is_some_and(|word| word.to_bytes() == b"--");
        let command = if ended {
            self.tree = false;
            Some(rest)
        } else {
            self.dir = rest.get(0).filter(|_| !is_mark(0));
            let at = usize::from(self.dir.is_some());
            if rest.len() > at && !is_mark(at) {
                return Err(TOOL.usage(SYNOPSIS));
            }
            self.tree = self.dir.is_some() || !pause;
            is_mark(at).then(|| rest.skip(at + 1))
        };
        // An image has a place for a command, and may have none in it.
        self.command = command.filter(|command| !command.is_empty());
        let nothing = !self.tree && self.command.is_none() && !pause;
        let both = pause && self.command.is_some();
        let order = self.order.is_some() && (!rest.is_empty() || pause || self.machine);
        if nothing || both || order { Err(TOOL.usage(SYNOPSIS)) } else { Ok(()) }
    }
}

/// Each option in turn.
pub(crate) fn walk(args: Args) -> Walk {
    Walk::with_words(args, LETTERS, WORDS)
}

/// Whether the program is called as a machine's process 1 is.
pub(crate) fn is_init(args: Args) -> bool {
    let name = args.get(0).map_or(b"".as_slice(), CStr::to_bytes);
    name.rsplit(|&b| b == b'/').next() == Some(b"init")
}

fn signal(word: &[u8]) -> Result<u8, Exit> {
    signals::any(word).ok_or_else(|| wrong(b"signal", word))
}

/// One that can be asked to do something here.
fn heeded(word: &[u8]) -> Result<u8, Exit> {
    let number = signal(word)?;
    if heed::is_anybodys(number) {
        return Ok(number);
    }
    let _ = TOOL.fatal(&[b"unable to heed signal ", word]);
    Err(Exit::Usage)
}

fn seconds(word: &[u8]) -> Result<u64, Exit> {
    amount::decimal_seconds(word).ok_or_else(|| wrong(b"number of seconds", word))
}

fn wrong(what: &[u8], word: &[u8]) -> Exit {
    let _ = TOOL.fatal(&[b"there is no such ", what, b": ", word]);
    Exit::Usage
}

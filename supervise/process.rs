//! The service's processes: how they are started, and who they are.

use crate::supervise::keep::TOOL;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Result;
use rustix::process::{Pid, getpid};
use upkeep_cli::decimal;
use upkeep_core::record::{Identity, Outcome};
use upkeep_family::MARKER;
use upkeep_servicedir::{Keeper, Task, is_logger, names, program as program_here};
use upkeep_sys::process::{Held, started};
use upkeep_sys::spawn::{Apart, Inherit, Last, Spawn, Variable};

/// What is started.
pub(crate) enum Program {
    /// `./run`, without arguments, or in a directory for s6 with the name of
    /// the service.
    Run {
        /// Whether it gets that.
        named: bool,
        /// Whether it is process 1 of a pid name space of its own.
        first: bool,
    },
    /// What a oneshot does, without arguments.
    Task(Task),
    /// What undoes it, without arguments.
    Undo(Task),
    /// What runs before it, without arguments.
    Prepare(&'static CStr),
    /// `./stop`, without arguments.
    Stop,
    /// `./finish`.
    Finish {
        /// How the service's process ended.
        outcome: Outcome,
        /// Which it was.
        pid: u32,
        /// Whether that is told in s6's words.
        s6: bool,
    },
}

/// Finds execlineb, for what is not executable itself.
const ENV: &CStr = c"/usr/bin/env";

/// What becomes which descriptor.
pub(crate) type Descriptors<'a> = [Option<(BorrowedFd<'a>, i32)>; 2];

/// What a program has, beside what supervise has.
pub(crate) struct Around<'a> {
    /// Descriptors.
    pub(crate) fds: Descriptors<'a>,
    /// What tells that it is one of the family.
    pub(crate) marker: Option<&'a CStr>,
    /// How far it is from supervise.
    pub(crate) apart: Apart,
    /// Other variables.
    pub(crate) own: [Option<Variable<'a>>; 3],
}

/// Starts a program. The child calls `record` with its own number before it
/// runs; if that fails, the program keeps the directory claimed for as long as
/// it lives.
pub(crate) fn start(
    program: &Program,
    dir: &CStr,
    keeper: &Keeper,
    around: &Around<'_>,
    record: &dyn Fn(Pid) -> bool,
) -> Result<Pid> {
    let words;
    let mut by_execlineb = [c"execlineb", c"-P", c""];
    let (path, args): (&CStr, &[&CStr]) = match program {
        Program::Task(task) | Program::Undo(task) if task.executable => (task.path, &[]),
        Program::Task(task) | Program::Undo(task) => {
            by_execlineb[2] = task.path;
            (ENV, &by_execlineb)
        }
        Program::Run { named: true, .. } => (program_here(), &[name_of(dir)]),
        Program::Run { named: false, .. } => (program_here(), &[]),
        Program::Prepare(path) => (path, &[]),
        Program::Stop => (names::STOP, &[]),
        Program::Finish { outcome, pid, s6 } => {
            words = Words::of(*outcome, *pid, *s6);
            (names::FINISH, &[words.code(), words.signal(), name_of(dir), words.group()])
        }
    };
    let mut all = [path; 5];
    all[1..=args.len()].copy_from_slice(args);
    let mut places = [(keeper.claim_itself(), 0); 2];
    let mut count = 0;
    for fd in around.fds.into_iter().flatten() {
        places[count] = fd;
        count += 1;
    }
    let mut variables = [Variable { name: MARKER, entry: around.marker }; 4];
    let mut set = 1;
    for variable in around.own.into_iter().flatten() {
        variables[set] = variable;
        set += 1;
    }
    let spawn = Spawn {
        candidates: &[path],
        args: &all[..=args.len()],
        fds: &places[..count],
        directory: None,
        inherit: Inherit::Nothing(around.apart),
        open_files: None,
        environment: None,
        variables: &variables[..set],
        bound: false,
        lets_go: None,
        last: Some(Last {
            record,
            otherwise: keeper.claim_itself(),
            // What tidies up does so, whoever has died meanwhile.
            alone: matches!(program, Program::Finish { .. } | Program::Stop | Program::Undo(_)),
        }),
        first: matches!(program, Program::Run { first: true, .. }),
    };
    spawn.start(&|_, why| {
        // A logger that is a file is called as what it runs.
        let file = if is_logger() { b"" } else { &path.to_bytes()[1..] };
        let _ = TOOL.fatal_os(&[b"unable to start ", dir.to_bytes(), file, b": "], why);
    })
}

/// Starts a program of the directory's beside everything, in a process group of
/// its own.
pub(crate) fn aside(args: &[&CStr], dir: &CStr) -> Result<Pid> {
    start_aside(args, dir, &[], false)
}

/// Starts a check the same way, which ends with this supervise. It says nothing
/// to the logger.
pub(crate) fn start_check(program: &CStr, dir: &CStr) -> Result<Pid> {
    let nothing = fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok();
    let fds = nothing.as_ref().map(|fd| [(fd.as_fd(), 0), (fd.as_fd(), 1)]);
    start_aside(&[program], dir, fds.as_ref().map_or(&[], |fds| &fds[..]), true)
}

fn start_aside(
    args: &[&CStr],
    dir: &CStr,
    fds: &[(BorrowedFd<'_>, i32)],
    bound: bool,
) -> Result<Pid> {
    let path = args.first().copied().unwrap_or_default();
    let spawn = Spawn {
        candidates: &[path],
        args,
        fds,
        directory: None,
        inherit: Inherit::Nothing(Apart::Group),
        open_files: None,
        environment: None,
        variables: &[Variable { name: MARKER, entry: None }],
        bound,
        lets_go: None,
        last: None,
        first: false,
    };
    spawn.start(&|_, why| {
        let file = path.to_bytes();
        let [dir, file] = [dir.to_bytes(), file.strip_prefix(b"./").unwrap_or(file)];
        let _ = TOOL.fatal_os(&[b"unable to start ", dir, b"/", file, b": "], why);
    })
}

/// The last part of the directory's name, which is the service's.
pub(crate) fn name_of(dir: &CStr) -> &CStr {
    let bytes = dir.to_bytes_with_nul();
    let start = bytes.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
    CStr::from_bytes_with_nul(&bytes[start..]).unwrap_or_default()
}

/// The numbers that `finish` gets, as words.
struct Words([[u8; 12]; 3]);

impl Words {
    fn of(outcome: Outcome, pid: u32, s6: bool) -> Self {
        // s6 says 256 where runit says -1.
        let killed = if s6 { 256 } else { -1 };
        let (code, signal) = match outcome {
            Outcome::Exited(code) => (i64::from(code), 0),
            Outcome::Killed(signal) => (killed, i64::from(signal)),
            Outcome::Unknown => (killed, 0),
        };
        Self([word(code), word(signal), word(i64::from(pid))])
    }

    fn code(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0[0]).unwrap_or_default()
    }

    fn signal(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0[1]).unwrap_or_default()
    }

    fn group(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0[2]).unwrap_or_default()
    }
}

/// The number in decimal, with the zero that ends a C string.
pub(crate) fn word(number: i64) -> [u8; 12] {
    let mut digits = [0; 20];
    let digits = decimal(number.unsigned_abs(), &mut digits);
    let mut out = [0; 12];
    let at = usize::from(number < 0);
    out[0] = b'-';
    let len = digits.len().min(out.len() - 1 - at);
    out[at..at + len].copy_from_slice(&digits[..len]);
    out
}

/// What tells a process, as far as it is there, from any other.
pub(crate) fn identify(pid: Pid, namespace: u64) -> Identity {
    let unique = Held::open(pid).map_or(0, |held| held.unique());
    Identity { unique, ..known(pid, namespace) }
}

/// What tells this process, which has the number `pid` for its supervise, from
/// any other. In a pid name space of its own it has another number there.
pub(crate) fn identify_itself(pid: Pid, namespace: u64) -> Identity {
    let unique = Held::open(getpid()).map_or(0, |held| held.unique());
    Identity { unique, ..known(pid, namespace) }
}

fn known(pid: Pid, namespace: u64) -> Identity {
    let started = started(pid).map_or(0, |started| started.0);
    Identity { pid: crate::supervise::watch::number(pid), started, unique: 0, namespace }
}

//! How a child is started. The child makes system calls only: it
//! allocates nothing, takes no lock and never returns.

use crate::Args;
use crate::exec::Variables;
use crate::inherited::close_above_on_exec;
use crate::refuse::refused;
use crate::signals::{self, Mask};
use core::ffi::{CStr, c_char, c_void};
use core::sync::atomic::{AtomicI32, Ordering};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, waitpid};

/// Which signals the new program finds blocked and ignored.
#[derive(Clone, Copy, Debug)]
pub enum Inherit {
    /// Nothing blocked, nothing ignored, no descriptor above 2 but those in
    /// `fds`, and so far out of reach of the terminal's signals.
    Nothing(Apart),
    /// What this process had, with this mask if it changed its own.
    Everything(Option<Mask>),
}

/// How far a child is from this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// In its process group and its session.
    Not,
    /// In a process group of its own.
    Group,
    /// In a session of its own, which where the kernel schedules by session
    /// takes a tenth of the time that a start takes.
    Session,
}

/// A program to start.
#[derive(Debug)]
pub struct Spawn<'a> {
    /// Where the program may be; the next is tried when one is not there.
    pub candidates: &'a [&'a CStr],
    /// Its arguments, its own name first; `MAX_ARGS` at most.
    pub args: &'a [&'a CStr],
    /// What becomes which descriptor of the child.
    pub fds: &'a [(BorrowedFd<'a>, i32)],
    /// Where the child goes before it starts.
    pub directory: Option<Directory<'a>>,
    /// Signals, session and descriptors.
    pub inherit: Inherit,
    /// A limit on descriptors to put back, if this process raised its own.
    pub open_files: Option<Rlimit>,
    /// The environment of the program, if it is another one than this process's;
    /// `variables` change nothing in it.
    pub environment: Option<&'a Variables>,
    /// Variables that the program has, or has not.
    pub variables: &'a [Variable<'a>],
    /// Whether it is killed when this process ends.
    pub bound: bool,
    /// What the child does last before it becomes the program.
    pub last: Option<Last<'a>>,
    /// Whether the child is the first process of a pid name space of its own.
    pub first: bool,
    /// What the child closes before it becomes the program: a lock that others
    /// may want as soon as this process has ended.
    pub lets_go: Option<BorrowedFd<'a>>,
}

/// A variable of the environment that is set or taken out; the others are
/// this process's.
#[derive(Clone, Copy, Debug)]
pub struct Variable<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// `NAME=value`, if it is set.
    pub entry: Option<&'a CStr>,
}

/// As many variables as are passed on together with one that is set.
const VARIABLES: usize = 2000;

/// Until the program runs, the child has a copy of every descriptor of this
/// process, so that what this process has locked stays locked even if it dies
/// meanwhile. A child whose parent has died does not become the program,
/// unless it is told to.
#[derive(Clone, Copy)]
pub struct Last<'a> {
    /// Writes down who the child is, by the number that it has for this
    /// process; says whether that worked. It runs in borrowed memory: it may
    /// set cells and make system calls.
    pub record: &'a dyn Fn(Pid) -> bool,
    /// What the program keeps open if it did not, out of its way.
    pub otherwise: BorrowedFd<'a>,
    /// Whether it goes on without its parent.
    pub alone: bool,
}

impl core::fmt::Debug for Last<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Last")
    }
}

/// A directory by name or by descriptor.
#[derive(Clone, Copy, Debug)]
pub enum Directory<'a> {
    /// By name, from where this process is.
    Path(&'a CStr),
    /// By descriptor.
    Open(BorrowedFd<'a>),
}

/// What a child could not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put its descriptors in place.
    Descriptors,
    /// Go to its directory.
    Directory,
    /// Become the new program.
    Exec,
}

/// As many arguments as a `Spawn` may have.
pub const MAX_ARGS: usize = 7;

impl Spawn<'_> {
    /// Starts the program and returns when the child has become it, or has
    /// failed. When it cannot, it calls `failed` (which must only write) and
    /// exits 111.
    pub fn start(&self, failed: &dyn Fn(Step, Errno)) -> Result<Pid> {
        let parent = if self.first { Parent::by_pipe()? } else { Parent::by_number() };
        let child = |me| {
            if let Some((step, why)) = self.become_it(&parent, me) {
                failed(step, why);
            }
        };
        lend(&child, self.first)
    }

    /// Returns what could not be done, or nothing when it should not be done any
    /// more.
    fn become_it(&self, parent: &Parent, me: Pid) -> Option<(Step, Errno)> {
        match self.inherit {
            Inherit::Nothing(apart) => {
                signals::default_dispositions();
                signals::set_mask(None);
                // Both fail only for a session's leader, which a new child
                // is not.
                let _ = match apart {
                    Apart::Not => Ok(()),
                    Apart::Group => rustix::process::setpgid(None, None),
                    Apart::Session => rustix::process::setsid().map(|_| ()),
                };
            }
            Inherit::Everything(Some(mask)) => signals::set_mask(Some(mask)),
            Inherit::Everything(None) => {}
        }
        if self.bound {
            let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
            // It may have ended before that was said.
            if !parent.lives() {
                return None;
            }
        }
        if let Some(limit) = self.open_files {
            // Lowering a soft limit is always allowed.
            let _ = rustix::process::setrlimit(Resource::Nofile, limit);
        }
        // Before the descriptors: one of those may be put where the directory's
        // is now.
        let moved = match self.directory {
            None => Ok(()),
            Some(Directory::Path(path)) => rustix::process::chdir(path),
            Some(Directory::Open(fd)) => rustix::process::fchdir(fd),
        };
        if let Err(why) = moved {
            return Some((Step::Directory, why));
        }
        if matches!(self.inherit, Inherit::Nothing(_)) {
            close_above_on_exec(2);
        }
        if let Some(last) = self.last {
            crate::point!("start: child");
            let recorded = (last.record)(me);
            crate::point!("start: recorded");
            if !last.alone && !parent.lives() {
                return None;
            }
            if !recorded {
                leave_open(last.otherwise);
            }
        }
        // Last, because they may be put where something stands that was needed
        // until now.
        if let Err(why) = self.place_descriptors() {
            return Some((Step::Descriptors, why));
        }
        if let Some(fd) = self.lets_go.map(|fd| fd.as_raw_fd())
            && self.fds.iter().all(|(_, target)| *target != fd)
        {
            // SAFETY: the child's copy of the descriptor, which nobody uses
            // after this; nothing was put in its place.
            unsafe { libc::close(fd) };
        }
        Some((Step::Exec, self.exec()))
    }

    fn place_descriptors(&self) -> Result<()> {
        let mut held = [-1; 4];
        let above = self.fds.iter().map(|f| f.1).fold(2, i32::max) + 1;
        for (slot, (fd, _)) in held.iter_mut().zip(self.fds) {
            // A source that stands where a target will be is moved away.
            *slot = fd.as_raw_fd();
            if *slot < above {
                // SAFETY: plain descriptor numbers, checked below.
                *slot = unsafe { libc::fcntl(*slot, libc::F_DUPFD_CLOEXEC, above) };
            }
            if *slot == -1 {
                return Err(crate::exec::last_errno());
            }
        }
        if let Some(last) = self.last
            && self.fds.iter().any(|f| f.1 == last.otherwise.as_raw_fd())
        {
            // What it holds is held until the program runs.
            // SAFETY: a plain descriptor number; nothing is replaced.
            unsafe { libc::fcntl(last.otherwise.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above) };
        }
        for (slot, (_, target)) in held.iter().zip(self.fds) {
            // SAFETY: plain descriptor numbers; what stood at the target is
            // meant to be replaced.
            if unsafe { libc::dup2(*slot, *target) } == -1 {
                return Err(crate::exec::last_errno());
            }
        }
        Ok(())
    }

    /// The environment of the program; `changed` is where it is put together
    /// if it is another one than this process's. One that was put together
    /// before is as it is to be.
    fn environment(&self, changed: &mut [*const c_char; VARIABLES]) -> *const *const c_char {
        if let Some(whole) = self.environment {
            return whole.as_ptr();
        }
        let own = crate::exec::environment();
        let is_one = |it: &&CStr| {
            let named = |name: &[u8]| {
                it.to_bytes().strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="))
            };
            self.variables.iter().any(|variable| named(variable.name))
        };
        let mut set = self.variables.iter().filter_map(|variable| variable.entry).peekable();
        if set.peek().is_none() && !crate::exec::variables().any(|it| is_one(&it)) {
            return own;
        }
        let kept = crate::exec::variables().filter(|it| !is_one(it));
        // The last place stays the null pointer that closes it.
        let all = set.map(CStr::as_ptr).chain(kept.map(CStr::as_ptr));
        for (slot, it) in changed[..VARIABLES - 1].iter_mut().zip(all) {
            *slot = it;
        }
        changed.as_ptr()
    }

    fn exec(&self) -> Errno {
        let mut argv: [*const c_char; MAX_ARGS + 1] = [core::ptr::null(); MAX_ARGS + 1];
        for (slot, arg) in argv.iter_mut().take(MAX_ARGS).zip(self.args) {
            *slot = arg.as_ptr();
        }
        let mut changed = [core::ptr::null(); VARIABLES];
        let variables = self.environment(&mut changed);
        let mut why = Errno::NOENT;
        for path in self.candidates {
            let this = crate::exec::execve(path, argv.as_ptr(), variables);
            if this == Errno::NOENT {
                continue;
            }
            why = this;
            if ![Errno::ACCESS, Errno::PERM, Errno::ISDIR, Errno::NOTDIR].contains(&why) {
                break;
            }
        }
        why
    }
}

/// Starts `args` beside this process, with all that this process has, as
/// `exec::run` would start it in its place. `prepare` runs in the child first.
/// When the program cannot be run, the child calls `failed` (which must only
/// write) and exits 111.
pub fn beside(args: Args, prepare: impl FnOnce(), failed: impl FnOnce(Errno)) -> Result<Pid> {
    if let Some(pid) = fork()? {
        return Ok(pid);
    }
    prepare();
    failed(crate::exec::run(args));
    // SAFETY: ends the child without running the parent's exit handlers.
    unsafe { libc::_exit(111) }
}

/// Has a copy of this process run `body`, and says whether that answered yes.
/// Nothing of this process is changed by it, and it may allocate where this
/// process may not.
pub fn rehearse(body: impl FnOnce() -> bool) -> Result<bool> {
    if refused(b"rehearsal") {
        return Ok(true);
    }
    let Some(copy) = fork()? else {
        crate::sealed::open();
        let code = i32::from(!body());
        // SAFETY: ends the copy without running this process's exit handlers.
        unsafe { libc::_exit(code) }
    };
    loop {
        match waitpid(Some(copy), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            answer => return Ok(answer?.is_some_and(|(_, end)| end.exit_status() == Some(0))),
        }
    }
}

/// The child's stack: memory of its own, so that what the child touches is
/// given back when it has gone.
struct Stack(*mut c_void);

impl Stack {
    const SIZE: usize = 64 * 1024;

    fn new() -> Result<Self> {
        // SAFETY: a new private mapping.
        let start = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                Self::SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED { Err(crate::exec::last_errno()) } else { Ok(Self(start)) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this stack's own, and its user has gone.
        unsafe { libc::munmap(self.0, Self::SIZE) };
    }
}

/// How a child tells whether its parent lives.
pub(crate) enum Parent {
    /// By its number.
    Number(Pid),
    /// In another pid name space its parent has none: by a pipe that nobody
    /// else writes to.
    Pipe(OwnedFd, OwnedFd),
}

impl Parent {
    pub(crate) fn by_number() -> Self {
        Self::Number(rustix::process::getpid())
    }

    fn by_pipe() -> Result<Self> {
        pipe_with(PipeFlags::CLOEXEC).map(|(reader, writer)| Self::Pipe(reader, writer))
    }

    /// Asked by the child, once.
    pub(crate) fn lives(&self) -> bool {
        match self {
            Self::Number(parent) => rustix::process::getppid() == Some(*parent),
            Self::Pipe(reader, writer) => {
                // SAFETY: the child's copy of the descriptor, which nobody uses
                // after this: the memory is shared, descriptors are not.
                unsafe { libc::close(writer.as_raw_fd()) };
                let mut fds = [PollFd::new(reader, PollFlags::empty())];
                poll(&mut fds, Some(&Timespec::default())) == Ok(0)
            }
        }
    }
}

/// What the child finds in the memory that it borrows.
struct Loan<'a> {
    child: &'a dyn Fn(Pid),
    /// The child's number, which the kernel puts there before it runs.
    number: AtomicI32,
}

/// Runs `child` in a new process that borrows this one's memory, while this
/// one waits. Nothing has to be copied, and the child runs at once.
#[doc(alias = "vfork")]
#[doc(alias = "clone")]
pub(crate) fn lend(child: &dyn Fn(Pid), first: bool) -> Result<Pid> {
    extern "C" fn begin(loan: *mut c_void) -> libc::c_int {
        // SAFETY: points at the loan below, whose owner waits.
        let loan: &Loan<'_> = unsafe { &*loan.cast_const().cast() };
        if let Some(me) = Pid::from_raw(loan.number.load(Ordering::Relaxed)) {
            (loan.child)(me);
        }
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(111) }
    }

    if first && refused(b"newpid") {
        return Err(Errno::PERM);
    }
    let stack = Stack::new()?;
    let loan = Loan { child, number: AtomicI32::new(0) };
    let apart = if first { libc::CLONE_NEWPID } else { 0 };
    let lent = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID;
    // SAFETY: the stack is the child's alone and large enough, and lives until
    // the child has left this memory, which is what CLONE_VFORK waits for. One
    // thread runs, no signal has a handler but those of faults, which end the
    // child, and the child reads what it
    // borrows and makes system calls: it changes nothing here but its stack,
    // errno and the cells of `Last::record`. Its number is put into the loan.
    let pid = unsafe {
        libc::clone(
            begin,
            stack.0.byte_add(Stack::SIZE),
            lent | apart | libc::SIGCHLD,
            (&raw const loan).cast_mut().cast(),
            loan.number.as_ptr(),
        )
    };
    if pid == -1 {
        return Err(crate::exec::last_errno());
    }
    Pid::from_raw(pid).ok_or(Errno::CHILD)
}

/// Splits this process in two; the child gets no pid.
fn fork() -> Result<Option<Pid>> {
    // SAFETY: one thread runs, and the child makes system calls only.
    match unsafe { libc::fork() } {
        -1 => Err(crate::exec::last_errno()),
        0 => Ok(None),
        pid => Pid::from_raw(pid).map(Some).ok_or(Errno::CHILD),
    }
}

/// Leaves a copy of a descriptor open where hardly anybody puts one, or itself
/// where there is no room.
fn leave_open(fd: BorrowedFd<'_>) {
    const APART: i32 = 100;
    // SAFETY: plain descriptor numbers; nothing in the child is replaced.
    unsafe {
        if libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD, APART) == -1 {
            libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0);
        }
    }
}

//! How a child is started. The child makes system calls only: it
//! allocates nothing, takes no lock and never returns.

use crate::Args;
use crate::signals::{self, Mask};
use core::ffi::{CStr, c_char};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Resource, Rlimit};

/// Which signals the new program finds blocked and ignored.
#[derive(Clone, Copy, Debug)]
pub enum Inherit {
    /// Nothing blocked, nothing ignored, no descriptor above 2 but those in
    /// `fds`, and out of reach of the terminal's signals.
    Nothing(Apart),
    /// What this process had, with this mask if it changed its own.
    Everything(Option<Mask>),
}

/// How far a child is from this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
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
    /// Starts the program. When the child cannot, it calls `failed` (which
    /// must only write) and exits 111.
    #[doc(alias = "fork")]
    pub fn start(&self, failed: &dyn Fn(Step, Errno)) -> Result<Pid> {
        if let Some(pid) = fork()? {
            return Ok(pid);
        }
        let (step, why) = self.become_it();
        failed(step, why);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(111) }
    }

    fn become_it(&self) -> (Step, Errno) {
        match self.inherit {
            Inherit::Nothing(apart) => {
                signals::default_dispositions();
                signals::set_mask(None);
                // Both fail only for a session's leader, which a new child
                // is not.
                let _ = match apart {
                    Apart::Group => rustix::process::setpgid(None, None),
                    Apart::Session => rustix::process::setsid().map(|_| ()),
                };
            }
            Inherit::Everything(Some(mask)) => signals::set_mask(Some(mask)),
            Inherit::Everything(None) => {}
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
            return (Step::Directory, why);
        }
        if let Err(why) = self.place_descriptors() {
            return (Step::Descriptors, why);
        }
        if matches!(self.inherit, Inherit::Nothing(_)) {
            close_above(self.fds.iter().map(|f| f.1).fold(2, i32::max));
        }
        (Step::Exec, self.exec())
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
        for (slot, (_, target)) in held.iter().zip(self.fds) {
            // SAFETY: plain descriptor numbers; what stood at the target is
            // meant to be replaced.
            if unsafe { libc::dup2(*slot, *target) } == -1 {
                return Err(crate::exec::last_errno());
            }
        }
        Ok(())
    }

    fn exec(&self) -> Errno {
        let mut argv: [*const c_char; MAX_ARGS + 1] = [core::ptr::null(); MAX_ARGS + 1];
        for (slot, arg) in argv.iter_mut().take(MAX_ARGS).zip(self.args) {
            *slot = arg.as_ptr();
        }
        let mut why = Errno::NOENT;
        for path in self.candidates {
            let this = crate::exec::execve(path, argv.as_ptr(), crate::exec::environment());
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

/// Splits this process in two; the child gets no pid.
fn fork() -> Result<Option<Pid>> {
    // SAFETY: one thread runs, and the child makes system calls only.
    match unsafe { libc::fork() } {
        -1 => Err(crate::exec::last_errno()),
        0 => Ok(None),
        pid => Pid::from_raw(pid).map(Some).ok_or(Errno::CHILD),
    }
}

/// Closes every descriptor above `last`.
#[doc(alias = "close_range")]
fn close_above(last: i32) {
    let from = last.unsigned_abs() + 1;
    // SAFETY: nothing in the child uses these descriptors any more.
    if unsafe { libc::syscall(libc::SYS_close_range, from, u32::MAX, 0) } == 0 {
        return;
    }
    // Before 5.9: as far as the limit on descriptors reaches.
    let limit = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(1024);
    for fd in last + 1..i32::try_from(limit.min(65536)).unwrap_or(1024) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}

//! Signals as a descriptor: blocked, so that nothing is interrupted, and read
//! when poll says so, so that none is missed.

use core::mem::{MaybeUninit, size_of};
use core::sync::atomic::{AtomicU64, Ordering};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::{Errno, Result};
pub use rustix::process::Signal;

/// The signals a program asked for, waiting to be read.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
    before: Mask,
}

/// A set of blocked signals, as it was when it was taken.
#[derive(Clone, Copy)]
pub struct Mask(libc::sigset_t);

impl core::fmt::Debug for Mask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Mask")
    }
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the whole set and cannot fail on a valid
    // pointer.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

impl Signals {
    /// Blocks these signals and opens the descriptor that delivers them:
    /// `always`, and of `unless_ignored` those that this process was not
    /// started with as ignored, which is how a shell and nohup say that they
    /// are not meant for it.
    #[doc(alias = "signalfd")]
    pub fn take(always: &[Signal], unless_ignored: &[Signal]) -> Result<Self> {
        let ignored = note_ignored();
        let heeded = |signal: &&Signal| ignored & (1 << (signal.as_raw() - 1)) == 0;
        let mut set = empty();
        for signal in always.iter().chain(unless_ignored.iter().filter(heeded)) {
            // SAFETY: the set is initialised and the number is a signal's.
            unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) };
            // The children of whoever ignores CHILD vanish without a word.
            rt_sigaction(signal.as_raw(), Some(&[0; 8]), None);
        }
        let mut before = empty();
        // SAFETY: both sets are valid for the call.
        if unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut before) } == -1 {
            return Err(crate::exec::last_errno());
        }
        // SAFETY: the set is valid; -1 asks for a new descriptor.
        let fd =
            unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd == -1 {
            return Err(crate::exec::last_errno());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, before: Mask(before) })
    }

    /// The next signal that came, if one did.
    pub fn next(&self) -> Option<Signal> {
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
        // SAFETY: the kernel writes at most one record into its own size.
        let buffer = unsafe {
            core::slice::from_raw_parts_mut(
                info.as_mut_ptr().cast::<MaybeUninit<u8>>(),
                size_of::<libc::signalfd_siginfo>(),
            )
        };
        loop {
            match rustix::io::read(&self.fd, &mut *buffer) {
                Err(Errno::INTR) => {}
                Err(_) => return None,
                Ok((filled, _)) if filled.len() < size_of::<libc::signalfd_siginfo>() => {
                    return None;
                }
                Ok(_) => break,
            }
        }
        // SAFETY: the read filled the whole record.
        let number = unsafe { info.assume_init() }.ssi_signo;
        Signal::from_named_raw(number.cast_signed())
    }

    /// What was blocked before: what a child that inherits should get.
    #[must_use]
    pub fn before(&self) -> Mask {
        self.before
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Blocks nothing, or what `mask` says.
pub(crate) fn set_mask(mask: Option<Mask>) {
    let set = mask.map_or_else(empty, |m| m.0);
    // SAFETY: the set is valid for the call; the old one is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, core::ptr::null_mut()) };
}

/// The signals that this process ignores, a bit each; all of them as long as
/// nobody has looked.
static IGNORED: AtomicU64 = AtomicU64::new(u64::MAX);

/// The kernel's own record of a disposition, whose first word is the handler.
/// The C library's calls are not used because they hide signals 32 and 33,
/// which can be ignored like any other.
type Disposition = [usize; 8];

fn rt_sigaction(number: i32, new: Option<&Disposition>, old: Option<&mut Disposition>) -> bool {
    const SET_SIZE: usize = 8;
    let new = new.map_or(core::ptr::null(), |new| new.as_ptr());
    let old = old.map_or(core::ptr::null_mut(), |old| old.as_mut_ptr());
    // SAFETY: both records are larger than the kernel's and valid for the
    // call; the only one ever installed is all zeros, SIG_DFL, with no code.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, number, new, old, SET_SIZE) == 0 }
}

/// Looks which signals this process was started with as ignored: a shell
/// starts background jobs like that, and so does nohup.
fn note_ignored() -> u64 {
    let mut ignored = 0;
    for number in 1..=64 {
        let mut old = [0; 8];
        let is_ignored = rt_sigaction(number, None, Some(&mut old)) && old[0] == libc::SIG_IGN;
        ignored |= u64::from(is_ignored) << (number - 1);
    }
    IGNORED.store(ignored, Ordering::Relaxed);
    ignored
}

/// Gives every signal that is ignored its default disposition back.
pub(crate) fn default_dispositions() {
    let ignored = IGNORED.load(Ordering::Relaxed);
    for number in (1..=64).filter(|n| ignored & (1 << (n - 1)) != 0) {
        rt_sigaction(number, Some(&[0; 8]), None);
    }
}

/// Makes a write to a closed pipe an error instead of a death.
pub fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN installs no code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    IGNORED.fetch_or(1 << (libc::SIGPIPE - 1), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_is_read_once() {
        let signals = Signals::take(&[Signal::USR1], &[]).unwrap();
        assert_eq!(signals.next(), None);
        // SAFETY: USR1 is blocked in this thread, so raise only queues it.
        unsafe { libc::raise(libc::SIGUSR1) };
        assert_eq!(signals.next(), Some(Signal::USR1));
        assert_eq!(signals.next(), None);
    }
}

//! Signals as a descriptor: blocked, so that nothing is interrupted, and read
//! when poll says so, so that none is missed.

use core::mem::{MaybeUninit, size_of};
use core::sync::atomic::{AtomicU64, Ordering};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::Pid;
pub use rustix::process::Signal;

/// The signals a program asked for, waiting to be read.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
    before: Mask,
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// Its number.
    pub number: u8,
    /// Whether it is the kernel's answer to what this process did: to a write
    /// that went nowhere, or to the time that it took. Nobody sent it then.
    pub by_itself: bool,
}

/// What the kernel answers with.
const OWN: [i32; 3] = [libc::SIGPIPE, libc::SIGXFSZ, libc::SIGXCPU];

/// A set of blocked signals, as it was when it was taken.
#[derive(Clone, Copy, Debug)]
pub struct Mask(u64);

/// The bit of a signal in a set of 64.
#[must_use]
pub const fn bit(number: u32) -> u64 {
    1 << (number - 1)
}

/// The size of the kernel's own sets.
const SET_SIZE: usize = size_of::<u64>();

/// Changes what is blocked, and answers with what was. The C library's call
/// leaves out signals 32 and 33, which can be sent like any other.
fn rt_sigprocmask(how: i32, set: u64) -> Result<u64> {
    let mut before = 0_u64;
    let (new, old) = (&raw const set, &raw mut before);
    // SAFETY: both sets are the kernel's size and valid for the call.
    if unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, new, old, SET_SIZE) } == -1 {
        return Err(crate::exec::last_errno());
    }
    Ok(before)
}

impl Signals {
    /// Blocks these signals and opens the descriptor that delivers them:
    /// `always`, and of `unless_ignored` those that this process was not
    /// started with as ignored, which is how a shell and nohup say that they
    /// are not meant for it.
    #[doc(alias = "signalfd")]
    pub fn take(always: &[Signal], unless_ignored: &[Signal]) -> Result<Self> {
        let bits = |all: &[Signal]| {
            all.iter().fold(0, |bits, signal| bits | bit(signal.as_raw().unsigned_abs()))
        };
        Self::take_all(bits(always), bits(unless_ignored))
    }

    /// The same for signals that need not have a name, a bit each, the lowest
    /// for the first.
    pub fn take_all(always: u64, unless_ignored: u64) -> Result<Self> {
        let wanted = always | unless_ignored & !note_ignored();
        for number in (1..=64).filter(|number| wanted & bit(*number) != 0) {
            // The children of whoever ignores CHILD vanish without a word.
            rt_sigaction(number.cast_signed(), Some(&[0; 8]), None);
        }
        let before = rt_sigprocmask(libc::SIG_BLOCK, wanted)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the set is valid and of that size; -1 asks for a new
        // descriptor.
        let fd = unsafe {
            libc::syscall(libc::SYS_signalfd4, -1, &raw const wanted, SET_SIZE, flags) as i32
        };
        if fd == -1 {
            return Err(crate::exec::last_errno());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, before: Mask(before) })
    }

    /// The next signal that came, if one did.
    pub fn next(&self) -> Option<Signal> {
        self.next_number().and_then(|number| Signal::from_named_raw(number.into()))
    }

    /// The same by its number, also if it has no name.
    pub fn next_number(&self) -> Option<u8> {
        self.next_came().map(|came| came.number)
    }

    /// The same, and where it came from.
    pub fn next_came(&self) -> Option<Came> {
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
        let info = unsafe { info.assume_init() };
        let own = info.ssi_pid == std::process::id() || info.ssi_code == libc::SI_KERNEL;
        let number = u8::try_from(info.ssi_signo).ok()?;
        Some(Came { number, by_itself: own && OWN.contains(&i32::from(number)) })
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
    let _ = rt_sigprocmask(libc::SIG_SETMASK, mask.map_or(0, |mask| mask.0));
}

/// The signals that this process ignores, a bit each; all of them as long as
/// nobody has looked.
static IGNORED: AtomicU64 = AtomicU64::new(u64::MAX);

/// The kernel's own record of a disposition, whose first word is the handler.
/// The C library's calls are not used because they hide signals 32 and 33,
/// which can be ignored like any other.
type Disposition = [usize; 8];

fn rt_sigaction(number: i32, new: Option<&Disposition>, old: Option<&mut Disposition>) -> bool {
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

/// Keeps to this process which signals it ignores: it still takes no notice of
/// them, and what it executes has their default dispositions.
pub fn ignore_without_passing_on() {
    extern "C" fn take_no_notice(_: libc::c_int) {}
    let handler = take_no_notice as extern "C" fn(libc::c_int);
    let ignored = note_ignored();
    for number in (1..=64).filter(|n| ignored & (1 << (n - 1)) != 0) {
        // SAFETY: the handler does nothing. The C library refuses the two
        // signals that are its own.
        unsafe { libc::signal(number, handler as libc::sighandler_t) };
    }
}

/// Makes a write to a closed pipe an error instead of a death.
pub fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN installs no code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    IGNORED.fetch_or(1 << (libc::SIGPIPE - 1), Ordering::Relaxed);
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// This process.
    One(Pid),
    /// All in the process group that this process leads.
    Group(Pid),
    /// Every process that may be signalled, except this one, and process 1.
    Everybody,
}

/// Sends a signal, which need not have a name.
#[doc(alias = "kill")]
pub fn send(whom: Whom, number: u8) -> Result<()> {
    let pid = match whom {
        Whom::One(pid) => pid.as_raw_pid(),
        Whom::Group(pid) => -pid.as_raw_pid(),
        Whom::Everybody => -1,
    };
    // SAFETY: takes two numbers; the kernel judges both.
    if unsafe { libc::kill(pid, number.into()) } == 0 {
        Ok(())
    } else {
        Err(crate::exec::last_errno())
    }
}

/// Has the kernel send this process a signal when its parent ends.
#[doc(alias = "prctl")]
pub fn set_parent_death(number: u8) -> Result<()> {
    // SAFETY: takes a number.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(number)) } == 0 {
        Ok(())
    } else {
        Err(crate::exec::last_errno())
    }
}

/// Runs `what` while this process cannot be stopped by the terminal's signals,
/// or by any other that can be blocked.
pub(crate) fn undisturbed<T>(what: impl FnOnce() -> T) -> T {
    let before = rt_sigprocmask(libc::SIG_SETMASK, u64::MAX);
    let answer = what();
    set_mask(before.ok().map(Mask));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn an_answer_to_a_write_is_told_from_what_was_sent() {
        let signals = Signals::take(&[Signal::PIPE, Signal::USR2], &[]).unwrap();
        let (read, write) = rustix::pipe::pipe().unwrap();
        drop(read);
        assert_eq!(rustix::io::write(&write, b"x"), Err(Errno::PIPE));
        let came = |number, by_itself| Some(Came { number, by_itself });
        assert_eq!(signals.next_came(), came(13, true));
        // SAFETY: USR2 is blocked in this thread, so raise only queues it.
        unsafe { libc::raise(libc::SIGUSR2) };
        assert_eq!(signals.next_came(), came(12, false));
    }

    #[test]
    fn what_is_ignored_is_not_passed_on() {
        let sigign = || {
            let status = Command::new("cat").arg("/proc/self/status").output().unwrap().stdout;
            let status = String::from_utf8(status).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        // SAFETY: SIG_IGN installs no code.
        unsafe { libc::signal(libc::SIGTTIN, libc::SIG_IGN) };
        let bit = bit(libc::SIGTTIN.cast_unsigned());
        assert_ne!(sigign() & bit, 0);
        ignore_without_passing_on();
        assert_eq!(sigign() & bit, 0);
        // SAFETY: it is caught, or this process would stop.
        unsafe { libc::raise(libc::SIGTTIN) };
    }

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

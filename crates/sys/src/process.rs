//! Which process is which: the boot, what tells a process from the next one
//! with its number, and how one ended that is not a child of this one.

use crate::decimal;
use crate::refuse::refused;
use core::ffi::CStr;
use core::mem::size_of;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, PidfdFlags, Signal};

/// The id of this boot; zeros if the kernel does not say.
#[must_use]
#[inline(never)]
pub fn boot() -> [u8; 16] {
    let mut text = [0; 64];
    let text = read_file(c"/proc/sys/kernel/random/boot_id", &mut text).unwrap_or(b"");
    let mut id = [0; 16];
    let digits = text.iter().filter_map(|b| char::from(*b).to_digit(16));
    for (place, digit) in digits.take(32).enumerate() {
        id[place / 2] = id[place / 2] << 4 | u8::try_from(digit).unwrap_or(0);
    }
    id
}

/// The name space that this process's number belongs to; 0 if that is not
/// known.
#[must_use]
pub fn namespace() -> u64 {
    rustix::fs::stat(c"/proc/self/ns/pid").map_or(0, |stat| stat.st_ino)
}

/// The path of the current directory, from the root.
#[doc(alias = "getcwd")]
pub fn current_directory(buffer: &mut [u8]) -> Result<&CStr> {
    // SAFETY: writes as much as fits, and the zero that ends it.
    if unsafe { libc::getcwd(buffer.as_mut_ptr().cast(), buffer.len()) }.is_null() {
        return Err(crate::exec::last_errno());
    }
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno::RANGE)
}

/// When a process was started, in ticks since the boot, and the letter of its
/// state; nothing if /proc does not show it.
#[must_use]
#[inline(never)]
pub fn started(pid: Pid) -> Option<(u64, u8)> {
    if refused(b"stat") {
        return None;
    }
    let mut path = [0; 32];
    let mut at = 0;
    let number = pid.as_raw_pid().unsigned_abs();
    let mut digits = [0; 20];
    for part in [b"/proc/", decimal(number.into(), &mut digits), b"/stat"] {
        path[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    let mut text = [0; 512];
    let text = read_file(CStr::from_bytes_until_nul(&path).ok()?, &mut text)?;
    // The name may hold anything, a bracket too: its end is the last one.
    let end = text.iter().rposition(|&b| b == b')')?;
    let mut fields = text[end + 1..].split(|&b| b == b' ').skip(1);
    let state = *fields.next()?.first()?;
    let ticks = fields.nth(18)?;
    let ticks = ticks.iter().try_fold(0_u64, |sum, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })?;
    Some((ticks, state))
}

fn read_file<'a>(path: &CStr, into: &'a mut [u8]) -> Option<&'a [u8]> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?;
    let count = rustix::io::read(&file, &mut *into).ok()?;
    Some(&into[..count])
}

/// A child that is dead and not waited for, and its wait status. It stays as
/// it is: `rustix::process::waitpid` is what lets it go.
#[doc(alias = "waitid")]
#[must_use]
pub fn dead_child() -> Option<(Pid, i32)> {
    let mut info = core::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the record is the kernel's to fill and lives through the call;
    // zeros are a valid record too.
    let info = unsafe {
        if libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) != 0 {
            return None;
        }
        info.assume_init()
    };
    // SAFETY: after waitid these two are what the record holds.
    let (pid, value) = unsafe { (info.si_pid(), info.si_status()) };
    let status = if info.si_code == libc::CLD_EXITED { (value & 0xff) << 8 } else { value & 0x7f };
    Pid::from_raw(pid).map(|pid| (pid, status))
}

/// Whether this child has been stopped since that was last asked.
#[must_use]
pub fn has_stopped(pid: Pid) -> bool {
    let mut info = core::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WSTOPPED | libc::WNOHANG;
    let number = pid.as_raw_pid().unsigned_abs();
    // SAFETY: the record is the kernel's to fill and lives through the call;
    // zeros are a valid record too, and then the two are there.
    unsafe {
        libc::waitid(libc::P_PID, number, info.as_mut_ptr(), options) == 0
            && info.assume_init().si_pid() == pid.as_raw_pid()
    }
}

/// A process held by a descriptor: its number cannot become another's without
/// being noticed.
#[derive(Debug)]
pub struct Held(OwnedFd);

impl Held {
    /// Takes hold of the process that has this number now.
    #[doc(alias = "pidfd_open")]
    pub fn open(pid: Pid) -> Result<Self> {
        if refused(b"pidfd") {
            return Err(Errno::NOSYS);
        }
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).map(Self)
    }

    /// A number that no other process has had or will have; 0 where the
    /// kernel has none.
    #[must_use]
    pub fn unique(&self) -> u64 {
        const PIDFS: u64 = 0x5049_4446;
        let is_pidfs =
            rustix::fs::fstatfs(&self.0).is_ok_and(|fs| fs.f_type == PIDFS.cast_signed());
        if !is_pidfs || refused(b"pidfs") {
            return 0;
        }
        rustix::fs::fstat(&self.0).map_or(0, |stat| stat.st_ino)
    }

    /// Sends a signal.
    #[doc(alias = "pidfd_send_signal")]
    pub fn signal(&self, signal: Signal) -> Result<()> {
        rustix::process::pidfd_send_signal(&self.0, signal)
    }

    /// The wait status of a process that is dead and was waited for; nothing
    /// if the kernel does not tell (before 6.15) or not yet.
    #[doc(alias = "PIDFD_GET_INFO")]
    #[must_use]
    pub fn outcome(&self) -> Option<i32> {
        /// The kernel's `struct pidfd_info`, as it was at first.
        #[repr(C)]
        #[derive(Default)]
        struct Info {
            mask: u64,
            cgroup: u64,
            ids: [u32; 11],
            exit_code: i32,
        }
        const EXIT: u64 = 1 << 3;
        const GET_INFO: libc::c_ulong =
            3 << 30 | (size_of::<Info>() as libc::c_ulong) << 16 | 0xff << 8 | 11;
        if refused(b"pidfd-info") {
            return None;
        }
        let mut info = Info { mask: EXIT, ..Info::default() };
        // SAFETY: the record is the size that the request names, and lives
        // through the call.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), GET_INFO, &raw mut info) };
        (done == 0 && info.mask & EXIT != 0).then_some(info.exit_code)
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_was_started_once() {
        let me = rustix::process::getpid();
        let (ticks, state) = started(me).unwrap();
        assert!(ticks > 0 && state.is_ascii_uppercase());
        assert_eq!(started(me).unwrap().0, ticks);
        assert_ne!(boot(), [0; 16]);
        assert_ne!(namespace(), 0);
    }

    #[test]
    fn a_dead_child_is_held() {
        let mut child = std::process::Command::new("false").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let held = Held::open(pid).unwrap();
        assert_eq!(held.unique(), Held::open(pid).unwrap().unique());
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(held.signal(Signal::TERM), Err(Errno::SRCH));
        // Older kernels do not tell.
        assert!(matches!(held.outcome(), None | Some(0x100)));
    }
}

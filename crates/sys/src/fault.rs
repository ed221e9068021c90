//! What happens on a fault of this process's own: nothing can go on then, but
//! something else can take its place.

use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use rustix::io::Result;

/// The process that is meant, and what it does.
static PROCESS: AtomicI32 = AtomicI32::new(0);
static RUN: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Signals that a program gets for its own faults.
const FAULTS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// Calls `run` when this process commits a fault. It must make system calls
/// only, on borrowed stack, and should not return. A child that shares this
/// process's memory is ended by its fault.
#[doc(alias = "sigaltstack")]
pub fn on_fault(run: fn(u8)) -> Result<()> {
    const STACK: usize = 64 * 1024;
    PROCESS.store(rustix::process::getpid().as_raw_pid(), Ordering::Relaxed);
    RUN.store(run as *mut (), Ordering::Relaxed);
    // SAFETY: a new private mapping, which is never given back.
    let stack = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK,
            -1,
            0,
        )
    };
    if stack == libc::MAP_FAILED {
        return Err(crate::exec::last_errno());
    }
    let stack = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: STACK };
    // SAFETY: the stack is that mapping, and the handler makes system calls
    // only.
    unsafe {
        if libc::sigaltstack(&raw const stack, core::ptr::null_mut()) == -1 {
            return Err(crate::exec::last_errno());
        }
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = fault as extern "C" fn(i32) as usize;
        // A fault in there ends the process.
        action.sa_flags = libc::SA_ONSTACK | libc::SA_NODEFER | libc::SA_RESETHAND;
        for number in FAULTS {
            if libc::sigaction(number, &raw const action, core::ptr::null_mut()) == -1 {
                return Err(crate::exec::last_errno());
            }
        }
    }
    Ok(())
}

extern "C" fn fault(number: i32) {
    let run = RUN.load(Ordering::Relaxed);
    let ours = rustix::process::getpid().as_raw_pid() == PROCESS.load(Ordering::Relaxed);
    if ours && !run.is_null() {
        // SAFETY: it was stored from a function of this very type.
        let run: fn(u8) = unsafe { core::mem::transmute(run) };
        run(number as u8);
    }
    // SAFETY: ends the process without running exit handlers.
    unsafe { libc::_exit(111) }
}

//! An allocator that can be closed. svscan and supervise promise to allocate
//! nothing once they run; in debug builds, which are what the tests run, they
//! install `Sealable` and call `seal`, and an allocation after that aborts.

use core::sync::atomic::{AtomicBool, Ordering};
use std::alloc::{GlobalAlloc, Layout, System};

static SEALED: AtomicBool = AtomicBool::new(false);

/// The system's allocator until `seal` is called.
pub struct Sealable;

// SAFETY: everything is handed to the system's allocator unchanged, or the
// process ends.
unsafe impl GlobalAlloc for Sealable {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if SEALED.load(Ordering::Relaxed) {
            const WORDS: &[u8] = b"fatal: memory allocated after the seal\n";
            // SAFETY: the pointer and length are those of a live slice.
            unsafe { libc::write(2, WORDS.as_ptr().cast(), WORDS.len()) };
            std::process::abort();
        }
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise, and the block came from System.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The start is over: gives back the stack that it used, and from now on an
/// allocation through `Sealable` ends the process.
pub fn seal() {
    crate::stack::give_back();
    SEALED.store(true, Ordering::Relaxed);
}

/// A copy of a process that sealed itself may allocate: nothing of it stays.
pub(crate) fn open() {
    SEALED.store(false, Ordering::Relaxed);
}

/// Installs `Sealable` in a debug build of the program that says so.
#[macro_export]
macro_rules! sealable {
    () => {
        #[cfg(debug_assertions)]
        #[global_allocator]
        static ALLOCATOR: $crate::sealed::Sealable = $crate::sealed::Sealable;
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test binary of its own kind: the allocator here is std's, so the
    /// sealed one is called by hand, in a child that is expected to abort.
    #[test]
    fn an_allocation_after_the_seal_aborts() {
        // SAFETY: the child calls only the allocator and _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            seal();
            // SAFETY: the layout has a size, and the block is not used.
            let block = unsafe { Sealable.alloc(Layout::new::<u64>()) };
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(!block.is_null())) };
        }
        let mut status = 0;
        // SAFETY: waits for this very child.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT);
    }
}

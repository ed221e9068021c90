//! The stack below what is being called: what a start has used and nothing
//! will need for long.

use core::ffi::c_void;

/// A start goes no deeper, and the kernel maps more than that from the first.
const DEEP: usize = 64 * 1024;

/// Gives the memory of the stack back that is not in use. What comes next gets
/// new pages where it goes deep.
#[doc(alias = "madvise")]
#[inline(never)]
pub fn give_back() {
    let page = crate::pages::size();
    let here = 0_u8;
    // The page of this call stays, and one more, which the next calls need.
    let end = ((&raw const here).addr() & !(page - 1)).saturating_sub(page);
    let start = core::ptr::without_provenance_mut::<c_void>(end.saturating_sub(DEEP));
    // SAFETY: the stack grows down, and less than a page below this frame is
    // used by this call; what is further down is nobody's. Where the mapping
    // ends before `start`, that is said and nothing happens.
    unsafe { libc::madvise(start, end - start.addr(), libc::MADV_DONTNEED) };
}

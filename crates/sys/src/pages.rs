//! A buffer outside the allocator, whose memory can be given back without
//! giving up the buffer: what was never written to, or was given back, costs
//! nothing.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use rustix::io::{Errno, Result};

/// The size of a page, as the kernel has told this process. rustix would ask
/// /proc for it on a kernel before 6.4, and a machine's first program begins
/// before that is there.
#[must_use]
pub(crate) fn size() -> usize {
    // SAFETY: looks into this process's own memory.
    unsafe { libc::getauxval(libc::AT_PAGESZ) as usize }
}

/// A buffer of a fixed size, zero at first.
#[derive(Debug)]
pub struct Pages {
    start: NonNull<u8>,
    len: usize,
}

impl Pages {
    /// Room for `len` bytes, at least one.
    #[doc(alias = "mmap")]
    pub fn new(len: usize) -> Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new private mapping, in the place of no other.
        let memory = unsafe { libc::mmap(core::ptr::null_mut(), len, access, kind, -1, 0) };
        if memory == libc::MAP_FAILED {
            return Err(crate::exec::last_errno());
        }
        Ok(Self { start: NonNull::new(memory.cast()).ok_or(Errno::NOMEM)?, len })
    }

    /// Gives the memory behind the first `kept` bytes back, as far as it is
    /// whole pages. What was there is zero, or as it was.
    #[doc(alias = "madvise")]
    pub fn give_back(&mut self, kept: usize) {
        let page = size();
        let from = kept.next_multiple_of(page).min(self.len);
        // SAFETY: the range is a part of this value's own mapping, which is
        // borrowed by nobody, and any bytes are valid in it.
        unsafe {
            let start = self.start.add(from).as_ptr().cast();
            libc::madvise(start, self.len - from, libc::MADV_DONTNEED);
        }
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is `len` bytes long, readable, and goes only
        // with `self`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and writable, and `self` is borrowed for it.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and it is going.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays() {
        let mut pages = Pages::new(100_000).unwrap();
        assert!(pages.len() == 100_000 && pages.iter().all(|byte| *byte == 0));
        pages.fill(7);
        pages.give_back(5000);
        assert!(pages[..5000].iter().all(|byte| *byte == 7));
        assert!(pages[8192..].iter().all(|byte| *byte == 0));
        pages.give_back(200_000);
        pages[99_999] = 1;
        pages.give_back(0);
        assert!(pages.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn too_much_is_refused() {
        assert_eq!(Pages::new(usize::MAX / 2).err(), Some(Errno::NOMEM));
    }
}

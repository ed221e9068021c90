//! A list that grows outside the allocator: growing can be refused, and then
//! the list is as it was. Memory is asked of the kernel by the page and kept
//! until the list goes.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use rustix::io::{Errno, Result};

/// A growing list.
#[derive(Debug)]
pub struct Table<T> {
    start: NonNull<T>,
    bytes: usize,
    len: usize,
}

const STEP: usize = 64 * 1024;

impl<T> Table<T> {
    /// An empty list, which holds no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { start: NonNull::dangling(), bytes: 0, len: 0 }
    }

    /// Adds a value at the end.
    #[doc(alias = "mmap")]
    #[doc(alias = "mremap")]
    pub fn push(&mut self, value: T) -> Result<()> {
        self.reserve(self.len + 1)?;
        // SAFETY: `reserve` made room for one more value, and the place is not
        // part of the list yet.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Takes out the value at `index`; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) -> T {
        let last = self.len - 1;
        self.swap(index, last);
        self.len = last;
        // SAFETY: the value at `last` was written, and the list, now shorter,
        // will not look at it again.
        unsafe { self.start.add(last).read() }
    }

    /// Makes room for `count` values in all.
    pub fn reserve(&mut self, count: usize) -> Result<()> {
        while count * size_of::<T>() > self.bytes {
            self.grow()?;
        }
        Ok(())
    }

    /// Takes out everything from `len` on.
    pub fn truncate(&mut self, len: usize) {
        while self.len > len {
            self.swap_remove(self.len - 1);
        }
    }

    fn grow(&mut self) -> Result<()> {
        let more = self.bytes.checked_mul(2).ok_or(Errno::NOMEM)?.max(STEP);
        // SAFETY: a new private mapping, or one that this table owns whole
        // and hands over to its new place.
        let memory = unsafe {
            if self.bytes == 0 {
                libc::mmap(
                    core::ptr::null_mut(),
                    more,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            } else {
                libc::mremap(self.start.as_ptr().cast(), self.bytes, more, libc::MREMAP_MAYMOVE)
            }
        };
        if memory == libc::MAP_FAILED {
            return Err(crate::exec::last_errno());
        }
        self.start = NonNull::new(memory.cast()).ok_or(Errno::NOMEM)?;
        self.bytes = more;
        Ok(())
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        self.truncate(0);
        if self.bytes > 0 {
            // SAFETY: the mapping is this table's own, and it is going.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        }
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` values were written there; with none the pointer is
        // dangling but aligned, which an empty slice allows.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed whole.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_keeps_and_removes() {
        let mut table = Table::new();
        for n in 0..100_000_u64 {
            table.push(n).unwrap();
        }
        assert!(table.iter().copied().eq(0..100_000));
        assert_eq!(table.swap_remove(3), 3);
        assert_eq!((table.len(), table[3], table[4]), (99_999, 99_999, 4));
    }

    #[test]
    fn its_values_are_dropped_once() {
        let shared = std::rc::Rc::new(());
        let mut table = Table::new();
        for _ in 0..10 {
            table.push(shared.clone()).unwrap();
        }
        drop(table.swap_remove(2));
        assert_eq!(std::rc::Rc::strong_count(&shared), 10);
        drop(table);
        assert_eq!(std::rc::Rc::strong_count(&shared), 1);
    }
}

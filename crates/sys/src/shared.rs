//! A file as memory that outlives the process: what was stored is in the
//! kernel's copy of the file from then on, however the process ends. Only
//! whole words are stored, so none is ever half there.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering, fence};
use rustix::fd::{AsFd, AsRawFd};
use rustix::io::{Errno, Result};

/// The beginning of a file, as words.
#[derive(Debug)]
pub struct Shared {
    start: NonNull<AtomicU64>,
    count: usize,
}

impl Shared {
    /// Maps the first `count` words of a file that is open for reading and
    /// writing and has them. There must be room for them on the disk.
    #[doc(alias = "mmap")]
    pub fn map(file: impl AsFd, count: usize) -> Result<Self> {
        let bytes = count.checked_mul(size_of::<u64>()).ok_or(Errno::INVAL)?;
        // SAFETY: a new mapping at a place that the kernel chooses.
        let memory = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_fd().as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(crate::exec::last_errno());
        }
        Ok(Self { start: NonNull::new(memory.cast()).ok_or(Errno::NOMEM)?, count })
    }

    /// The word at `index`, as it is now.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        self.words()[index].load(Ordering::Acquire)
    }

    /// Stores words from `index` on, one after the other.
    pub fn put(&self, index: usize, values: &[u64]) {
        for (word, value) in self.words()[index..].iter().zip(values) {
            word.store(*value, Ordering::Relaxed);
        }
    }

    /// Stores a word that says something about words stored before: whoever
    /// finds it finds these too.
    pub fn publish(&self, index: usize, value: u64) {
        fence(Ordering::Release);
        self.words()[index].store(value, Ordering::Release);
    }

    /// Reads `count` bytes from `from`, the last of them into the first byte
    /// of the word at `index` and those before it into `buffer`: a read that
    /// leaves its mark even if the process does not survive it.
    #[doc(alias = "readv")]
    pub fn read_marked(&self, from: impl AsFd, buffer: &mut [u8], index: usize) -> Result<usize> {
        let word: *const AtomicU64 = &raw const self.words()[index];
        let parts = [
            libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() },
            libc::iovec { iov_base: word.cast_mut().cast(), iov_len: 1 },
        ];
        // SAFETY: both places are valid for writing for the call: the buffer
        // is borrowed, and the word is an atomic, which others may change.
        let count = unsafe { libc::readv(from.as_fd().as_raw_fd(), parts.as_ptr(), 2) };
        usize::try_from(count).map_err(|_| crate::exec::last_errno())
    }

    /// What `read_marked` left in the word at `index`.
    #[must_use]
    pub fn mark(&self, index: usize) -> u8 {
        self.get(index).to_ne_bytes()[0]
    }

    /// Puts such a mark.
    pub fn set_mark(&self, index: usize, mark: u8) {
        self.publish(index, u64::from_ne_bytes([mark, 0, 0, 0, 0, 0, 0, 0]));
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is `count` words long, aligned to a page, and
        // goes only with `self`; any bits are a word, and all access to it
        // from here is atomic.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and it is going.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.count * size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::pipe::pipe;

    #[test]
    fn what_is_stored_is_in_the_file() {
        let file = memfd_create(c"shared", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let shared = Shared::map(&file, 512).unwrap();
        shared.put(3, &[7, 8]);
        shared.publish(511, u64::MAX);
        let again = Shared::map(&file, 512).unwrap();
        assert_eq!([2, 3, 4, 5, 511].map(|i| again.get(i)), [0, 7, 8, 0, u64::MAX]);
        let mut bytes = [0; 8];
        rustix::io::pread(&file, &mut bytes, 24).unwrap();
        assert_eq!(u64::from_ne_bytes(bytes), 7);
    }

    #[test]
    fn a_read_leaves_its_mark() {
        let file = memfd_create(c"shared", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let shared = Shared::map(&file, 512).unwrap();
        let (from, into) = pipe().unwrap();
        rustix::io::write(&into, b"abcdefg").unwrap();
        let mut buffer = [0; 5];
        shared.set_mark(2, b'x');
        assert_eq!(shared.read_marked(&from, &mut buffer[..2], 2), Ok(3));
        assert_eq!((&buffer[..2], shared.mark(2)), (&b"ab"[..], b'c'));
        // One that brings less leaves none.
        assert_eq!(shared.read_marked(&from, &mut buffer, 3), Ok(4));
        assert_eq!((&buffer[..4], shared.mark(3)), (&b"defg"[..], 0));
    }
}

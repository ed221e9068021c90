//! A file as memory that outlives the process: what was stored is in the
//! kernel's copy of the file from then on, however the process ends. Only
//! whole words are stored, so none is ever half there.
//!
//! When the disk fails under it, or somebody cuts the file, a store is a
//! fault (SIGBUS). Then the file is emptied, so that nobody takes what it
//! said before for the truth, and the process goes on with memory of its own.

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering, fence};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::{Errno, Result};

/// The beginning of a file, as words.
#[derive(Debug)]
pub struct Shared {
    start: NonNull<AtomicU64>,
    count: usize,
    place: &'static Place,
    /// Open for the handler.
    _file: OwnedFd,
}

/// What the handler of SIGBUS knows of one mapping; 0 for none.
#[derive(Debug)]
struct Place {
    start: AtomicUsize,
    bytes: AtomicUsize,
    file: AtomicI32,
}

const PART: usize = 4096;
const PARTS: usize = 128;
/// What can be read with a mark.
pub const MOST: usize = PART * PARTS;

static PLACES: [Place; 1024] = [const {
    Place { start: AtomicUsize::new(0), bytes: AtomicUsize::new(0), file: AtomicI32::new(-1) }
}; 1024];

impl Shared {
    /// Maps the first `count` words of a file that is open for reading and
    /// writing and has them. There must be room for them on the disk.
    #[doc(alias = "mmap")]
    pub fn map(file: OwnedFd, count: usize) -> Result<Self> {
        let bytes = count.checked_mul(size_of::<u64>()).ok_or(Errno::INVAL)?;
        let free = |place: &&Place| {
            place.bytes.compare_exchange(0, bytes, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let place = PLACES.iter().find(free).ok_or(Errno::NFILE)?;
        let mapped = handle_faults().and_then(|()| map(bytes, &file));
        match mapped {
            Ok(start) => {
                place.file.store(file.as_raw_fd(), Ordering::Relaxed);
                place.start.store(start.as_ptr() as usize, Ordering::Release);
                Ok(Self { start: start.cast(), count, place, _file: file })
            }
            Err(why) => {
                place.bytes.store(0, Ordering::Relaxed);
                Err(why)
            }
        }
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

    /// Reads `count` bytes from `from`, at most `MOST`, the last of them into
    /// the first byte of the word at `index`, and drops those before it: a
    /// read that leaves its mark even if the process does not survive it.
    #[doc(alias = "readv")]
    pub fn read_marked(&self, from: impl AsFd, count: usize, index: usize) -> Result<usize> {
        let word: *const AtomicU64 = &raw const self.words()[index];
        // All of it goes to one page, one part on top of the other.
        let mut page = MaybeUninit::<[u8; PART]>::uninit();
        let empty = libc::iovec { iov_base: core::ptr::null_mut(), iov_len: 0 };
        let mut parts = [empty; PARTS + 1];
        let mut rest = count.checked_sub(1).filter(|rest| *rest < MOST).ok_or(Errno::INVAL)?;
        let mut used = 0;
        while rest > 0 {
            let len = rest.min(PART);
            parts[used] = libc::iovec { iov_base: page.as_mut_ptr().cast(), iov_len: len };
            rest -= len;
            used += 1;
        }
        parts[used] = libc::iovec { iov_base: word.cast_mut().cast(), iov_len: 1 };
        let used = i32::try_from(used + 1).unwrap_or(0);
        // SAFETY: both places are valid for writing for the call: the page is
        // borrowed, and the word is an atomic, which others may change.
        let count = unsafe { libc::readv(from.as_fd().as_raw_fd(), parts.as_ptr(), used) };
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
        self.place.start.store(0, Ordering::Release);
        self.place.bytes.store(0, Ordering::Release);
        // SAFETY: the mapping is this value's own, and it is going.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.count * size_of::<u64>()) };
    }
}

/// Maps a file, at a place that the kernel chooses.
fn map(bytes: usize, file: &OwnedFd) -> Result<NonNull<c_void>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, in the place of no other.
    let memory = unsafe {
        libc::mmap(core::ptr::null_mut(), bytes, access, libc::MAP_SHARED, file.as_raw_fd(), 0)
    };
    if memory == libc::MAP_FAILED {
        return Err(crate::exec::last_errno());
    }
    NonNull::new(memory).ok_or(Errno::NOMEM)
}

/// From now on a fault in one of the places is survived. A program that is
/// run has the default again.
#[doc(alias = "sigaction")]
fn handle_faults() -> Result<()> {
    // SAFETY: all zero is a valid sigaction: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_fault;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the action is valid, and its handler does only what a handler
    // may.
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(crate::exec::last_errno()),
    }
}

/// The store that faulted is done again when this returns.
extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel hands over a valid siginfo with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    for place in &PLACES {
        let start = place.start.load(Ordering::Acquire);
        let bytes = place.bytes.load(Ordering::Acquire);
        if start == 0 || !(start..start + bytes).contains(&address) {
            continue;
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: both are plain system calls. The mapping that is replaced
        // is this place's, and what is in its stead may be used the same way.
        let memory = unsafe {
            libc::ftruncate(place.file.load(Ordering::Relaxed), 0);
            libc::mmap(start as *mut c_void, bytes, access, kind, -1, 0)
        };
        if memory != libc::MAP_FAILED {
            return;
        }
    }
    // SAFETY: back to the default, which ends the process when the store is
    // done again.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
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
        let shared = Shared::map(file.try_clone().unwrap(), 512).unwrap();
        shared.put(3, &[7, 8]);
        shared.publish(511, u64::MAX);
        let again = Shared::map(file.try_clone().unwrap(), 512).unwrap();
        assert_eq!([2, 3, 4, 5, 511].map(|i| again.get(i)), [0, 7, 8, 0, u64::MAX]);
        let mut bytes = [0; 8];
        rustix::io::pread(&file, &mut bytes, 24).unwrap();
        assert_eq!(u64::from_ne_bytes(bytes), 7);
    }

    #[test]
    fn a_read_leaves_its_mark() {
        let file = memfd_create(c"shared", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let shared = Shared::map(file, 512).unwrap();
        let (from, into) = pipe().unwrap();
        rustix::io::write(&into, b"abcdefg").unwrap();
        shared.set_mark(2, b'x');
        assert_eq!(shared.read_marked(&from, 3, 2), Ok(3));
        assert_eq!(shared.mark(2), b'c');
        // One that brings less leaves none.
        assert_eq!(shared.read_marked(&from, 6, 3), Ok(4));
        assert_eq!(shared.mark(3), 0);
        for count in [0, MOST + 1] {
            assert_eq!(shared.read_marked(&from, count, 3), Err(Errno::INVAL));
        }
    }

    #[test]
    fn a_large_read_leaves_its_mark() {
        let file = memfd_create(c"shared", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let shared = Shared::map(file, 512).unwrap();
        let (from, into) = pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&into, MOST + 4096).unwrap();
        for count in [1, 2, 4096, 4097, 4098, MOST] {
            let mut text = vec![b'x'; count];
            text[count - 1] = b'!';
            assert_eq!(rustix::io::write(&into, &text), Ok(count));
            assert_eq!(rustix::io::write(&into, b"?"), Ok(1));
            shared.set_mark(9, 0);
            assert_eq!(shared.read_marked(&from, count, 9), Ok(count));
            assert_eq!(shared.mark(9), b'!');
            assert_eq!(shared.read_marked(&from, 1, 9), Ok(1));
        }
    }

    #[test]
    fn a_file_that_is_cut_is_survived() {
        let file = memfd_create(c"shared", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let shared = Shared::map(file.try_clone().unwrap(), 512).unwrap();
        shared.publish(1, 5);
        rustix::fs::ftruncate(&file, 0).unwrap();
        let (from, into) = pipe().unwrap();
        rustix::io::write(&into, b"ab").unwrap();
        assert_eq!(shared.read_marked(&from, 1, 3), Err(Errno::FAULT));
        shared.publish(2, 6);
        assert_eq!([1, 2].map(|i| shared.get(i)), [0, 6]);
        // Nothing was taken, and now there is memory for it.
        assert_eq!(shared.read_marked(&from, 1, 3), Ok(1));
        assert_eq!((shared.mark(3), rustix::fs::fstat(&file).unwrap().st_size), (b'a', 0));
    }
}

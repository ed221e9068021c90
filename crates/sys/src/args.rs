//! The argument vector as the kernel laid it out: bytes, not text, and not
//! copied, so that reading it needs no allocator.

use core::ffi::{CStr, c_char};

/// The arguments of this process, the program's own name first.
#[derive(Clone, Copy)]
pub struct Args {
    argv: *const *const c_char,
    from: usize,
    count: usize,
}

impl Args {
    /// Wraps the vector that the C runtime hands to `main`.
    ///
    /// # Safety
    /// `argv` must point at `argc` pointers to C strings followed by a null
    /// pointer, all of them valid and unchanged until the process ends.
    #[must_use]
    pub unsafe fn new(argc: i32, argv: *const *const c_char) -> Self {
        Self { argv, from: 0, count: usize::try_from(argc).unwrap_or(0) }
    }

    /// How many arguments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count - self.from
    }

    /// Whether there is none left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The argument at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        if index >= self.len() {
            return None;
        }
        // SAFETY: `from + index` is below `count`, so `new`'s caller promised
        // a valid C string there that lives as long as the process.
        Some(unsafe { CStr::from_ptr(*self.argv.add(self.from + index)) })
    }

    /// The same vector without its first `n` arguments.
    #[must_use]
    pub fn skip(&self, n: usize) -> Self {
        Self { from: (self.from + n).min(self.count), ..*self }
    }

    /// Every argument in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        let all = *self;
        (0..all.len()).filter_map(move |i| all.get(i))
    }

    /// The vector as `execve` wants it, closed by a null pointer.
    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        // SAFETY: `from` is at most `count`, and the null pointer after the
        // last argument belongs to the vector.
        unsafe { self.argv.add(self.from) }
    }

    /// The memory of the last argument, for programs that show text in `ps`,
    /// and the arguments before it. A program's own name stays where it is.
    ///
    /// # Safety
    /// `self` must be the only `Args` there is, and no argument read so far.
    #[must_use]
    pub(crate) unsafe fn split_last(self) -> (Self, Option<&'static mut [u8]>) {
        if self.len() < 2 {
            return (self, None);
        }
        let last = self.get(self.len() - 1).unwrap_or(c"");
        // SAFETY: the kernel placed the arguments in this process's own
        // writable stack; the caller promises that nobody else looks, and the
        // `Args` that is given back does not reach so far.
        let memory = unsafe {
            core::slice::from_raw_parts_mut(last.as_ptr().cast_mut().cast(), last.count_bytes())
        };
        (Self { count: self.count - 1, ..self }, Some(memory))
    }
}

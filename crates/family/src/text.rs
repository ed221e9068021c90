//! Short text and lines of files without the allocator.

use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::{Errno, Result};

/// Text of at most `N - 1` bytes. What does not fit spoils it.
#[derive(Clone, Copy)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    pub(crate) fn push(mut self, piece: &[u8]) -> Self {
        let end = self.len.saturating_add(piece.len());
        // One byte is kept for the NUL that makes a C string of it.
        if end < N {
            self.bytes[self.len..end].copy_from_slice(piece);
            self.len = end;
        } else {
            self.len = N;
        }
        self
    }

    pub(crate) fn push_number(self, mut number: u64, base: u64) -> Self {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[usize::try_from(number % base).unwrap_or(0)];
            number /= base;
            if number == 0 {
                return self.push(&digits[at..]);
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// As a path; nothing if it did not fit.
    pub(crate) fn path(&self) -> Option<&CStr> {
        CStr::from_bytes_with_nul(self.bytes.get(..=self.len)?).ok()
    }
}

/// The lines of a file, one after the other. A line that is longer than the
/// buffer is left out.
pub(crate) struct Lines {
    file: OwnedFd,
    buffer: [u8; 4096],
    start: usize,
    end: usize,
    skipping: bool,
}

impl Lines {
    pub(crate) fn of(path: &CStr) -> Result<Self> {
        let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { file, buffer: [0; 4096], start: 0, end: 0, skipping: false })
    }

    /// The next line, without its end.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        loop {
            let held = &self.buffer[self.start..self.end];
            if let Some(length) = held.iter().position(|&b| b == b'\n') {
                let line = self.start..self.start + length;
                self.start += length + 1;
                if core::mem::take(&mut self.skipping) {
                    continue;
                }
                return Some(&self.buffer[line]);
            }
            if self.start == 0 && self.end == self.buffer.len() {
                self.skipping = true;
                self.end = 0;
            }
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            match rustix::io::read(&self.file, &mut self.buffer[self.end..]) {
                Ok(0) => return None,
                Ok(n) => self.end += n,
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_a_path() {
        let text = Text::<8>::new().push(b"a").push_number(0, 10).push_number(0xbeef, 16);
        assert_eq!((text.bytes(), text.path()), (&b"a0beef"[..], Some(c"a0beef")));
        assert_eq!(text.push(b"1").path(), Some(c"a0beef1"));
        assert_eq!(text.push(b"12").path(), None);
        assert_eq!(text.push(b"12").push(b"").path(), None);
        let largest = Text::<24>::new().push_number(u64::MAX, 10);
        assert_eq!(largest.bytes(), u64::MAX.to_string().as_bytes());
    }

    #[test]
    fn lines_that_are_too_long_are_left_out() {
        let long = "x".repeat(10_000);
        let fits = "y".repeat(4095);
        let content = format!("one\n{long}\n\n{fits}\n{long}\nlast\nunfinished");
        let path = std::env::temp_dir().join(format!("upkeep-lines-{}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let mut lines = Lines::of(&name).unwrap();
        std::fs::remove_file(&path).unwrap();
        for expected in ["one", "", &fits, "last"] {
            assert_eq!(lines.next(), Some(expected.as_bytes()));
        }
        assert_eq!(lines.next(), None);
    }
}

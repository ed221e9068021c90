//! Output that is collected and written in few calls.

use crate::put_all;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use upkeep_sys::decimal;

/// Collects what is for one descriptor. It has to be flushed at the end.
pub struct Out<'fd> {
    fd: BorrowedFd<'fd>,
    held: [u8; 8192],
    len: usize,
}

impl<'fd> Out<'fd> {
    /// Nothing collected yet.
    #[must_use]
    pub const fn to(fd: BorrowedFd<'fd>) -> Self {
        Self { fd, held: [0; 8192], len: 0 }
    }

    /// Adds `bytes`; writes what is held when they do not fit.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > self.held.len() - self.len {
            self.flush()?;
            if bytes.len() > self.held.len() {
                return put_all(self.fd, bytes);
            }
        }
        self.held[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    /// Adds a number in decimal.
    pub fn number(&mut self, number: u64) -> Result<(), Errno> {
        self.push(decimal(number, &mut [0; 20]))
    }

    /// Writes what is held. What cannot be written is dropped.
    pub fn flush(&mut self) -> Result<(), Errno> {
        let len = core::mem::take(&mut self.len);
        put_all(self.fd, &self.held[..len])
    }
}

//! Standard input to standard output, changed on the way. What has been read
//! is written before the next read, which may have to wait: nothing is held
//! back but what the change itself keeps.

use rustix::stdio::{stdin, stdout};
use upkeep_cli::{Exit, put_all};
use upkeep_sys::Errno;

/// As much as is read at once, and written at once: what a pipe holds.
const SIZE: usize = 65536;

/// Standard output, gathered into few writes.
#[derive(Debug)]
pub struct Output {
    held: Vec<u8>,
}

impl Output {
    /// Writes `bytes` now or with the bytes that follow.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > SIZE - self.held.len() {
            self.flush()?;
            if bytes.len() > SIZE {
                return put_all(stdout(), bytes);
            }
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Errno> {
        if self.held.is_empty() {
            return Ok(());
        }
        let answer = put_all(stdout(), &self.held);
        self.held.clear();
        answer
    }
}

/// Gives `change` everything that is read, in pieces that end anywhere, until
/// the input ends or something fails. Says nothing about what failed: that is
/// how these programs have always been.
pub fn filter(mut change: impl FnMut(&[u8], &mut Output) -> Result<(), Errno>) -> Exit {
    let mut input = vec![0; SIZE];
    let mut output = Output { held: Vec::with_capacity(SIZE) };
    loop {
        let read = match rustix::io::read(stdin(), &mut input[..]) {
            Ok(0) => return Exit::Success,
            Ok(read) => read,
            Err(Errno::INTR) => continue,
            Err(_) => return Exit::System,
        };
        if change(&input[..read], &mut output).and_then(|()| output.flush()).is_err() {
            return Exit::System;
        }
    }
}

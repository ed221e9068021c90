//! Standard input to standard output, changed on the way. What has been read
//! is written before the next read, which may have to wait: nothing is held
//! back but what the change itself keeps.

use rustix::stdio::{stdin, stdout};
use upkeep_cli::{Exit, Out};
use upkeep_sys::Errno;

/// As much as is read at once: what a pipe holds.
const SIZE: usize = 65536;

/// Gives `change` everything that is read, in pieces that end anywhere, until
/// the input ends or something fails. Says nothing about what failed: that is
/// how these programs have always been.
pub fn filter(mut change: impl FnMut(&[u8], &mut Out<'_>) -> Result<(), Errno>) -> Exit {
    let mut input = vec![0; SIZE];
    let mut output = Out::to(stdout());
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

//! The scripts in `control`, which runit executes instead of sending a signal:
//! each is called by the letter that asks for it.

use crate::names;
use core::ffi::CStr;
use rustix::fs::{self, Access};

/// The script for one letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script([u8; 10]);

impl Script {
    /// The one for `letter`, if there is one to be executed.
    #[must_use]
    pub fn find(letter: u8) -> Option<Self> {
        let directory = names::SCRIPTS.to_bytes();
        let mut path = [0; 10];
        path[..directory.len()].copy_from_slice(directory);
        path[directory.len()] = b'/';
        path[directory.len() + 1] = letter;
        let script = Self(path);
        fs::access(script.path(), Access::EXEC_OK).is_ok().then_some(script)
    }

    /// Its name, from the service directory.
    #[must_use]
    pub fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

//! What a logger is to do, in no particular language. What it names is there
//! as long as the process.

use core::ffi::CStr;
use upkeep_logdir::Settings;

/// A script.
#[derive(Debug, Default)]
pub struct Script {
    /// Whether each line gets a stamp.
    pub stamped: bool,
    /// What is done with each line, in this order.
    pub items: Vec<Item>,
    /// The same for scripts that do the same.
    pub identity: u64,
}

/// One thing to do with a line. Every line is selected at first.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// Select the lines that match.
    Select(&'static [u8]),
    /// Deselect the lines that match.
    Deselect(&'static [u8]),
    /// The beginning of a selected line to standard error.
    Alert,
    /// The beginning of the last selected line in this file.
    Status(&'static CStr),
    /// A selected line into this log directory.
    Directory(Settings),
}

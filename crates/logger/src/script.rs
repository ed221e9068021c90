//! What a logger is to do, in no particular language. What it names is there
//! as long as the process.

use crate::fronts::Stamps;
use core::ffi::CStr;
use core::net::SocketAddr;
use rustix::fd::OwnedFd;
use upkeep_core::rate::Limit;
use upkeep_core::stamp::Form;
use upkeep_logdir::Settings;

/// Selection sees this much of a line at most.
pub const LINE: usize = 1000;

/// A script.
#[derive(Debug, Default)]
pub struct Script {
    /// The stamp that each line gets, if any.
    pub stamp: Option<Form>,
    /// What is done with each line, in this order.
    pub items: Vec<Item>,
    /// The same for scripts that do the same.
    pub identity: u64,
    /// How a line is looked at.
    pub view: View,
    /// A directory that cannot be opened is left out, with what leads to it,
    /// and this is said if none is left. Without it the first is one too many.
    pub none_left: Option<&'static str>,
    /// What a hang-up means.
    pub hangup: Hangup,
    /// Whether it is not to be ended by TERM.
    pub stubborn: bool,
    /// How long the end of a line is waited for once it is to leave, in
    /// nanoseconds.
    pub patience: Option<u64>,
    /// Who is told when it is ready, by a newline.
    pub ready: Option<OwnedFd>,
}

/// What a hang-up means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hangup {
    /// To write to what has the names of the logs now.
    #[default]
    Reopen,
    /// To ask for the script again, and to follow that from the next end of a
    /// line on.
    Reread,
    /// To end, as with TERM.
    Leave,
}

/// How a line is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Selection sees this much of it, at most `LINE`.
    pub window: usize,
    /// Whether the stamp is a part of that.
    pub with_stamp: bool,
    /// What is put in the place of each byte that selection sees, before it
    /// sees it.
    pub replace: Option<&'static [u8; 256]>,
}

impl Default for View {
    fn default() -> Self {
        Self { window: LINE, with_stamp: true, replace: None }
    }
}

/// A pattern, in one of the languages.
#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    /// multilog's.
    Star(&'static [u8]),
    /// svlogd's.
    Plus(&'static [u8]),
    /// A shell's, for file names.
    Shell(&'static [u8]),
    /// An extended regular expression, which matches anywhere in a line.
    Extended(&'static [u8]),
    /// The same as the C library has it: a backslash before a letter to which
    /// it gives no meaning is taken for nothing.
    Library(&'static [u8]),
}

/// One thing to do with a line. Every line is selected at first.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// Select the lines that match.
    Select(Pattern),
    /// Deselect the lines that match.
    Deselect(Pattern),
    /// Select every line again.
    Afresh,
    /// Select the lines that nothing was done with yet, and no others.
    Rest,
    /// Lines that match are to be shown, selected or not.
    Mention(Pattern),
    /// Lines that match are not.
    Pass(Pattern),
    /// What selection sees of the lines that are to be shown to standard
    /// error, with a sign where that is not all.
    Show,
    /// In what follows this stands before each line, behind the stamps.
    Prefix(&'static [u8]),
    /// In what follows these stand before each line, in the place of the
    /// script's.
    Stamps(Stamps),
    /// Deselect the lines that are over the limit. One of a script at most.
    Limit(Limit),
    /// A selected line to standard output. One of a script at most.
    Output,
    /// The beginning of a selected line to a log host.
    Send {
        /// To there.
        to: SocketAddr,
        /// Whether it is deselected then.
        only: bool,
        /// Whether it has its stamp, and an end as `Show` gives it one.
        ended: bool,
    },
    /// The beginning of a selected line to standard error.
    Alert,
    /// The beginning of a selected line to standard error, so much of it, with
    /// a word that it is one; 0 is all that selection sees.
    Warn(usize),
    /// The beginning of the last selected line in this file.
    Status(&'static CStr),
    /// The same in a file of this size, which is replaced as a whole; 0 is
    /// that of what selection sees of the line.
    Note(&'static CStr, usize),
    /// A selected line into this log directory.
    Directory(Settings),
}

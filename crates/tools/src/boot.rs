//! What starts svscan on a machine that has another init: as text, and in its
//! place. Writes files; starts no service and speaks to no init.

pub mod block;
mod crontab;
mod deeds;
mod detect;
pub mod kinds;
mod lines;
mod place;
pub mod scripts;
mod units;

pub use detect::detect;
pub use place::Root;

use block::Side;
use rustix::io::Errno;

/// What every file that is written here says of itself.
const MARK: &str = "Written by svboot, which replaces and removes only what says so.";

/// How long svscan gives its services to go down, in seconds, and how long
/// whoever has told it to end waits for it. The first has to come first: svscan
/// leaves nothing behind then.
const GRACE: u32 = 80;
const PATIENCE: u32 = 90;

/// What is started, and where.
pub struct Setting {
    /// The directory with the programs, or the one program that is all of them.
    pub programs: Programs,
    /// The scan directory.
    pub dir: String,
    /// The user's home.
    pub home: String,
    /// Where runit has its services.
    pub runsvdir: &'static str,
}

/// Where the programs are.
pub enum Programs {
    /// Each in a file of its own, in this directory.
    In(String),
    /// All in this file.
    Whole(String),
}

impl Setting {
    /// The words that call a program.
    fn words(&self, name: &str) -> Vec<String> {
        match &self.programs {
            Programs::In(dir) => vec![format!("{}/{name}", dir.trim_end_matches('/'))],
            Programs::Whole(file) => vec![file.clone(), name.to_owned()],
        }
    }

    /// The same as a command.
    fn command(&self, name: &str) -> String {
        self.words(name).join(" ")
    }

    /// The file that is svscan.
    #[must_use]
    pub fn program(&self) -> String {
        self.words("svscan").swap_remove(0)
    }
}

/// One of the things that are put on the machine.
pub struct Piece {
    /// Its path.
    pub path: String,
    /// How many of the directories above it are there for it alone.
    own: usize,
    /// What it is.
    pub what: What,
}

/// What a piece is.
pub enum What {
    /// A file of its own.
    File {
        /// All of it.
        content: String,
        /// Its mode.
        mode: u32,
    },
    /// Lines in a file that is somebody else's, and where in it.
    Lines(String, Side),
    /// Lines in the user's crontab, which has no path.
    Crontab(String),
    /// A link, and where it leads to.
    Link(String),
}

impl Piece {
    fn file(path: impl Into<String>, mode: u32, content: String) -> Self {
        Self { path: path.into(), own: 0, what: What::File { content, mode } }
    }

    fn lines(path: impl Into<String>, lines: String) -> Self {
        Self { path: path.into(), own: 0, what: What::Lines(lines, Side::Last) }
    }

    /// Lines that come before all others.
    fn first_lines(path: impl Into<String>, lines: String) -> Self {
        Self { path: path.into(), own: 0, what: What::Lines(lines, Side::First) }
    }

    fn link(path: impl Into<String>, to: impl Into<String>) -> Self {
        Self { path: path.into(), own: 0, what: What::Link(to.into()) }
    }

    /// So many directories above it are for it alone.
    fn owning(self, own: usize) -> Self {
        Self { own, ..self }
    }

    /// What is to be read of it, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::File { content, .. } => Some(content),
            What::Lines(lines, _) | What::Crontab(lines) => Some(lines),
            What::Link(_) => None,
        }
    }
}

/// Why something could not be done: nothing of the rest was.
#[derive(Debug)]
pub struct Trouble {
    /// What could not be done: `write`.
    pub verb: &'static str,
    /// To what.
    pub path: String,
    /// Why.
    pub why: Why,
}

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The system's.
    System(Errno),
    /// Somebody else wrote it.
    Foreign,
    /// Only one end of the lines is there.
    Torn,
    /// crontab(1) says no.
    Refused,
}

impl Trouble {
    fn new(verb: &'static str, path: &str, why: Errno) -> Self {
        Self { verb, path: path.to_owned(), why: Why::System(why) }
    }
}

//! Why something could not be measured or judged.

use std::fmt::{self, Display};

/// The reasons.
#[derive(Debug)]
pub enum Failure {
    /// The program that guards this one is gone, with ^C for instance.
    Interrupted,
    /// Something did not happen in time.
    Late(String),
    /// Something went wrong.
    Failed(String),
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Late(what) => write!(f, "{what}: not in time"),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

/// To say what was tried when the system refuses.
pub trait Context<T> {
    /// `unable to <what>: <why>`
    fn unable(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn unable(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|why| Failure::Failed(format!("unable to {what}: {why}")))
    }
}

//! The exit codes, all of them.

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what it was asked.
    Success,
    /// 100: it was asked wrongly; asking again will not help. svok also says
    /// it of a directory that nobody supervises, and svup of a service that is
    /// not up.
    Usage,
    /// 111: the system refused something; asking later may help.
    System,
    /// The code of the program that was run on somebody's behalf; for sv, what
    /// runit's says.
    Of(u8),
}

impl Exit {
    /// The number that the caller sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Usage => 100,
            Self::System => 111,
            Self::Of(code) => code,
        }
    }
}

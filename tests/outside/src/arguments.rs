//! Reading a command line. Refuses what it does not know.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What the arguments amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked<T> {
    /// To say how it is used.
    Help,
    /// To do this.
    Run(T),
    /// Nothing that can be understood; why not.
    Wrong(String),
}

impl<T> Asked<T> {
    /// The same, with what to do turned into something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Help => Asked::Help,
            Self::Run(what) => Asked::Run(f(what)),
            Self::Wrong(why) => Asked::Wrong(why),
        }
    }
}

/// An argument, and those behind it.
pub struct Argument<'a> {
    name: OsString,
    behind: &'a mut dyn Iterator<Item = OsString>,
}

impl Argument<'_> {
    /// The argument itself, if it is text.
    pub fn name(&self) -> Option<&str> {
        self.name.to_str()
    }

    /// The next argument, which is this one's value; `what` it has to be.
    pub fn value(&mut self, what: &str) -> Result<OsString, String> {
        self.behind.next().ok_or_else(|| format!("{} needs {what}", self.name.display()))
    }

    /// To refuse this one, which is not known.
    pub fn unknown(&self) -> String {
        format!("unknown argument {}", self.name.display())
    }
}

/// The words of a list with commas; `what` each has to be, and the one that a
/// word `names`.
pub fn list<T>(
    list: &OsStr,
    what: &str,
    names: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let list = list.to_string_lossy();
    let one = |word| names(word).ok_or_else(|| format!("there is no {what} {word:?}"));
    list.split(',').map(one).collect()
}

/// Reads the arguments, without the program's own name, and gives the
/// directory of programs that they must name. `take` is given each other one.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    mut take: impl FnMut(&mut Argument<'_>) -> Result<(), String>,
) -> Asked<PathBuf> {
    let mut args = args.into_iter();
    let mut programs = None;
    while let Some(name) = args.next() {
        let mut argument = Argument { name, behind: &mut args };
        let read = match argument.name() {
            Some("-h" | "--help") => return Asked::Help,
            Some("--programs") => argument.value("a directory").map(|v| programs = Some(v.into())),
            Some(_) | None => take(&mut argument),
        };
        if let Err(wrong) = read {
            return Asked::Wrong(wrong);
        }
    }
    programs.map_or_else(|| Asked::Wrong("--programs DIR is missing".to_owned()), Asked::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked<PathBuf> {
        parse(line.split_whitespace().map(OsString::from), |argument| match argument.name() {
            Some("--colours") => {
                let known = |word: &str| (word == "red").then_some(());
                list(&argument.value("colours")?, "colour", known).map(drop)
            }
            Some(_) | None => Err(argument.unknown()),
        })
    }

    #[test]
    fn the_programs_wherever_they_are_named() {
        for line in ["--programs /p", "--colours red,red --programs /p"] {
            assert_eq!(asked(line), Asked::Run("/p".into()));
        }
    }

    #[test]
    fn refusals() {
        for (line, why) in [
            ("", "--programs DIR is missing"),
            ("--programs", "--programs needs a directory"),
            ("--programs /p extra", "unknown argument extra"),
            ("--colours", "--colours needs colours"),
            ("--colours red,blue", "there is no colour \"blue\""),
        ] {
            assert_eq!(asked(line), Asked::Wrong(why.to_owned()), "{line}");
        }
    }

    #[test]
    fn help_before_what_follows_it() {
        assert_eq!(asked("--programs /p -h extra"), Asked::Help);
        assert_eq!(asked("extra --help"), Asked::Wrong("unknown argument extra".to_owned()));
    }
}

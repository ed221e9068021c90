//! What the loggers are told to do, who of them can, and what has to be in
//! the log then. Runs nothing.

use crate::input::{Input, NEEDLE};
use crate::logfiles::{files, plain_length};
use crate::report::Column;
use crate::suites::{Family, Suite};
use std::fs;
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};

/// What a logger does besides writing and rotating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Plain,
    /// A TAI64N stamp before each line.
    Stamp,
    /// All lines but those with the needle.
    Select,
    /// A date and a time before each line, in UTC.
    Date,
    /// As `Select`, by an extended regular expression that is no plain text.
    Extended,
    /// Every line to standard output as well.
    Output,
    /// Old logs are compressed in the background.
    Gzip,
    /// A new file every few lines, and old ones removed.
    Rotate,
    /// On the disk as early as this value of `fsync=` says.
    Sync(&'static str),
}

/// A file's size where the log is to be rotated often, and how many are kept.
const SMALL: (&str, usize) = ("s4096", 100);
/// The size elsewhere, the largest that all of them know.
const LARGE: &str = "s16777215";

impl Work {
    /// What all loggers can do.
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Stamp, Self::Select];
    /// What some of them can.
    pub(crate) const MORE: [Self; 5] =
        [Self::Date, Self::Extended, Self::Output, Self::Gzip, Self::Rotate];
    /// What makes it wait for a disk, from the cheapest on.
    pub(crate) const SYNC: [Self; 4] =
        [Self::Stamp, Self::Sync("100ms"), Self::Sync("64k"), Self::Sync("line")];

    /// As the table says it.
    pub(crate) fn name(self) -> String {
        let name = match self {
            Self::Plain => "plain",
            Self::Stamp => "stamped",
            Self::Select => "one pattern",
            Self::Date => "stamped with dates",
            Self::Extended => "one regular expression",
            Self::Output => "copied to standard output",
            Self::Gzip => "gzip in the background",
            Self::Rotate => "4096 bytes a file, 100 kept",
            Self::Sync(when) => return format!("stamped, fsync={when}"),
        };
        name.to_owned()
    }

    /// Whether the suite's logger has a way to do it.
    pub(crate) const fn known_to(self, suite: &Suite) -> bool {
        let ours = matches!(suite.column, Column::Ours);
        match self {
            Self::Plain | Self::Stamp | Self::Select | Self::Rotate => true,
            Self::Date => ours || matches!(suite.family, Family::Runit | Family::S6),
            Self::Extended | Self::Output => ours || matches!(suite.family, Family::S6),
            Self::Gzip | Self::Sync(_) => ours,
        }
    }

    /// The size of a file, and how many are kept if it is `kept` elsewhere.
    pub(crate) const fn sizes(self, kept: usize) -> (&'static str, usize) {
        if matches!(self, Self::Rotate) { SMALL } else { (LARGE, kept) }
    }

    /// What the logger is told besides.
    pub(crate) fn directives(self, family: Family) -> Directives {
        // A star stands for everything in the first two languages; in the
        // third a pattern is found anywhere in a line.
        let pattern = match family {
            Family::Daemontools | Family::Runit => format!("-*{NEEDLE}*"),
            Family::S6 => format!("-{NEEDLE}"),
        };
        let extended = "-n(ee|oo)dle".to_owned();
        let (first, then): (&str, Vec<String>) = match (self, family) {
            (Self::Plain | Self::Rotate, _) => ("", vec![]),
            (Self::Stamp, Family::Runit) => ("-t", vec![]),
            (Self::Stamp, _) => ("t", vec![]),
            (Self::Select, _) => ("", vec![pattern]),
            (Self::Date, Family::Daemontools) => ("utc", vec![]),
            (Self::Date, Family::Runit) => ("-ttt", vec![]),
            (Self::Date, Family::S6) => ("T", vec![]),
            (Self::Extended, Family::S6) => ("", vec![extended]),
            (Self::Extended, _) => ("", vec!["E".to_owned(), extended]),
            (Self::Output, _) => ("", vec!["1".to_owned()]),
            (Self::Gzip, _) => ("", vec!["gzip".to_owned()]),
            (Self::Sync(when), _) => ("t", vec![format!("fsync={when}")]),
        };
        Directives { stamp: (!first.is_empty()).then_some(first.to_owned()), then }
    }

    /// Sees whether all that should be in the log is there, and nothing else.
    pub(crate) fn check(self, family: Family, input: &Input, dir: &Path) -> Result<(), Failure> {
        let wanted = match self {
            Self::Rotate => return newest(input, dir),
            Self::Plain | Self::Output | Self::Gzip => input.total(),
            // @, 24 digits and a space.
            Self::Stamp | Self::Sync(_) => input.total() + 26 * input.lines(),
            Self::Select | Self::Extended => input.plain(),
            Self::Date => input.total() + date(family) * input.lines(),
        };
        let found = files(dir)?.iter().try_fold(0, |sum, file| Ok(sum + plain_length(file)?))?;
        if found == wanted {
            return Ok(());
        }
        Err(Failure::Failed(format!("{found} bytes in the log, not {wanted}")))
    }
}

/// What a logger is told besides where to write how much.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Directives {
    /// How to stamp lines.
    pub(crate) stamp: Option<String>,
    /// What is done with them.
    pub(crate) then: Vec<String>,
}

/// How long a date is with what is behind it.
const fn date(family: Family) -> usize {
    match family {
        Family::Daemontools => "2026-11-26T10:26:17.123Z ".len(),
        Family::Runit => "2026-11-26T10:26:17.12345 ".len(),
        Family::S6 => "2026-11-26 10:26:17.123456789  ".len(),
    }
}

/// Whether the end of what was written is there: the rest was removed.
fn newest(input: &Input, dir: &Path) -> Result<(), Failure> {
    let files = files(dir)?;
    let mut all = Vec::new();
    for file in &files {
        all.extend(fs::read(file).unable("read the log")?);
    }
    // One more may be there in the moment in which it is the turn of the next.
    let many = (SMALL.1 - 1..=SMALL.1 + 1).contains(&files.len());
    if many && input.ends_with(&all) {
        return Ok(());
    }
    Err(Failure::Failed(format!("the last lines are not those in the {} files", files.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: [Family; 3] = [Family::Daemontools, Family::Runit, Family::S6];

    fn all() -> impl Iterator<Item = Work> {
        [&Work::ALL[..], &Work::MORE, &Work::SYNC].concat().into_iter()
    }

    #[test]
    fn everybody_is_told_what_all_can() {
        for family in FAMILIES {
            let told = Work::ALL.map(|work| work.directives(family));
            assert_eq!(told[0], Directives { stamp: None, then: vec![] });
            assert!(told[1].stamp.is_some() && told[1].then.is_empty());
            assert!(told[2].then[0].contains(NEEDLE));
        }
    }

    #[test]
    fn names_are_different() {
        let mut names: Vec<String> = all().map(Work::name).collect();
        names.sort();
        names.dedup();
        // One of them is in two lists.
        assert_eq!(names.len(), all().count() - 1);
    }

    #[test]
    fn only_ours_knows_all() {
        let suite = |column, family| Suite::of(column, family, Path::new("/x"));
        assert!(all().all(|w| w.known_to(&suite(Column::Ours, Family::Daemontools))));
        let theirs = suite(Column::Daemontools, Family::Daemontools);
        assert_eq!(all().filter(|w| w.known_to(&theirs)).count(), 5);
        assert!(Work::Date.known_to(&suite(Column::Runit, Family::Runit)));
        assert!(Work::Extended.known_to(&suite(Column::S6, Family::S6)));
    }

    #[test]
    fn what_is_in_a_log() {
        let dir = std::env::temp_dir().join(format!("upkeep-bench-work-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let input = Input::new(80, 80_000, 160_000);
        let all: Vec<u8> = input.pieces().flatten().copied().collect();
        fs::write(dir.join("@a"), &all[..80_000]).unwrap();
        fs::write(dir.join("current"), &all[80_000..]).unwrap();
        fs::write(dir.join("lock"), "not of it").unwrap();
        let check = |work: Work| work.check(Family::Daemontools, &input, &dir).is_ok();
        let whole = [check(Work::Plain), check(Work::Stamp), check(Work::Rotate)];
        // Too few files for the last one.
        assert_eq!(whole, [true, false, false]);
        for number in 0..98 {
            fs::write(dir.join(format!("@b{number}")), "").unwrap();
        }
        fs::remove_file(dir.join("@a")).unwrap();
        let end = check(Work::Rotate);
        fs::write(dir.join("current"), &all[80..160]).unwrap();
        let other = check(Work::Rotate);
        let gzip = [&[0x1f, 0x8b][..], &[0; 20], &160_000_u32.to_le_bytes()[..]].concat();
        fs::write(dir.join("current"), gzip).unwrap();
        let packed = check(Work::Gzip);
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!([end, other, packed], [true, false, true]);
    }
}

//! What svlog can be asked, and what it says of itself. Opens nothing.

use crate::entry::Stamps;
use crate::sink::Wanted;
use crate::trouble;
use core::ffi::CStr;
use upkeep_cli::{Exit, Opt, Options, Tool};
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_core::{leap, when};
use upkeep_sys::{Args, clock, localtime};

/// The program.
pub const TOOL: Tool = Tool {
    name: "svlog",
    help: "\
usage: svlog [-fr] [-n lines] [-S time] [-U time] [-g pattern [-Fiv]
             [-A lines] [-B lines] [-C lines]] [-j | -t stamps] [-l]
             [-c when] [-P] name ...

Prints the logs of services, from the oldest line to the newest, whether the
files are current, rotated or compressed; those of several merged by time, with
their names in front. A name is a service's, found as svc finds it, or a log
directory's, or a file's; - is standard input. Options may follow names.

  -f, --follow         go on with what is written from now on, after the last
                       10 lines, or those that -n or -S asks for
  -n, --lines lines    only the last so many lines; all is all of them
  -r, --reverse        the newest first
  -S, --since time     nothing before that
  -U, --until time     nothing after that
  -g, --grep pattern   only lines whose text, without its stamp, matches this
                       extended regular expression
  -F, --fixed          the pattern is plain text
  -i, --ignore-case    a matches A
  -v, --invert         only lines that do not match
  -A, --after lines    and so many later lines for each that is chosen
  -B, --before lines   and so many earlier ones
  -C, --context lines  and so many of both
  -j, --json           an object a line: time, log, text
  -t, --time stamps    local time, which is the default, utc, raw as in the
                       file, or none
  -l, --leap           labels count leap seconds, as those of s6-log do
  -c, --color when     always, never, or auto: on a terminal, if NO_COLOR is not
                       set
  -P, --pager          through $PAGER, or less, on a terminal
  -h, --help           print this
      --version        print the version

A time is 2026-11-26T10:15:00Z, \"2026-11-26 10:15\", 10:15, today, \"yesterday
14:00\", monday, \"2 hours ago\", -1h30m, @1795688777, or the label of a line.

    svlog -f web                     what the service says
    svlog -S '10 min ago' web db     what both said, in order of time
    svlog -g 'error|fatal' -C 3 web  and three lines around each
    svlog -j -S today web | jq .     for a program

exit: 0 when done; 1 if there is a pattern and no line was chosen by it; 100 if
used wrongly; 111 if a log cannot be read or nothing can be written. A reader of
the output that goes away ends it quietly.
",
};

/// One line of it.
pub const SYNOPSIS: &str = "svlog [-firvFjlP] [-n lines] [-S time] [-U time] [-g pattern] \
    [-A lines] [-B lines] [-C lines] [-t stamps] [-c when] name ...";

const LETTERS: &str = "fn:rS:U:g:FivA:B:C:jt:lc:P";

const WORDS: &[(&str, u8)] = &[
    ("follow", b'f'),
    ("lines", b'n'),
    ("reverse", b'r'),
    ("since", b'S'),
    ("until", b'U'),
    ("grep", b'g'),
    ("fixed", b'F'),
    ("ignore-case", b'i'),
    ("invert", b'v'),
    ("after", b'A'),
    ("before", b'B'),
    ("context", b'C'),
    ("json", b'j'),
    ("time", b't'),
    ("leap", b'l'),
    ("color", b'c'),
    ("colour", b'c'),
    ("pager", b'P'),
];

/// So many lines are shown before what follows, if nothing else is asked for.
const BEFORE_WHAT_FOLLOWS: u64 = 10;

/// How the stamps are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// In local time.
    #[default]
    Local,
    /// In UTC, as RFC 3339 has it.
    Utc,
    /// As they are in the file.
    Raw,
    /// Not at all.
    None,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Whatever standard output is.
    Always,
    /// Not even on a terminal.
    Never,
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
}

/// Which lines are chosen by what they say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen {
    /// By this.
    pub pattern: Option<&'static [u8]>,
    /// Which is plain text.
    pub fixed: bool,
    /// In either case.
    pub ignore_case: bool,
    /// The others.
    pub invert: bool,
    /// And so many later lines.
    pub after: usize,
    /// And so many earlier ones.
    pub before: usize,
}

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Which lines.
    pub wanted: Wanted,
    /// Of these, by what they say.
    pub chosen: Chosen,
    /// As JSON.
    pub json: bool,
    /// Otherwise with these stamps.
    pub stamp: Stamp,
    /// And with colours.
    pub colour: Colour,
    /// Through a pager.
    pub pager: bool,
    /// Labels count leap seconds.
    pub leaps: bool,
    /// The logs; at least one.
    pub names: Vec<&'static CStr>,
    /// Whether it was said how many lines, be it all.
    pub counted: bool,
}

/// Reads the arguments, or answers them and says how to end.
pub fn read(args: Args) -> Result<Asked, Exit> {
    if let Some(exit) = TOOL.answer(args) {
        return Err(exit);
    }
    let mut asked = Asked::default();
    let (mut since, mut until) = (None, None);
    let mut left = args;
    loop {
        let mut options = Options::with_words(left, LETTERS, WORDS);
        for option in options.by_ref() {
            let option = option.map_err(trouble::bad_option)?;
            match option.letter {
                b'S' => since = option.value,
                b'U' => until = option.value,
                _ => asked.take(&option)?,
            }
        }
        let rest = options.rest();
        if options.have_ended() {
            asked.names.extend(rest.iter());
            break;
        }
        let Some(name) = rest.get(0) else { break };
        asked.names.push(name);
        // It stands where the program's name did.
        left = rest;
    }
    let (seconds, nanos) = clock::wall();
    let now = Tai64n::from_unix(seconds, nanos);
    asked.wanted.since = since.map(|text| asked.moment(text, now)).transpose()?;
    asked.wanted.until = until.map(|text| asked.moment(text, now)).transpose()?;
    asked.agrees()?;
    if asked.names.is_empty() {
        return Err(TOOL.usage(SYNOPSIS));
    }
    Ok(asked)
}

impl Asked {
    /// What knows the stamps of the logs.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        Stamps::new(localtime::offset, self.leaps)
    }

    fn take(&mut self, option: &Opt) -> Result<(), Exit> {
        let text = option.value.unwrap_or_default().to_bytes();
        let chosen = &mut self.chosen;
        match option.letter {
            b'f' => self.wanted.follow = true,
            b'n' => {
                self.counted = true;
                self.wanted.last = if text == b"all" { None } else { Some(number(text)?) };
            }
            b'r' => self.wanted.reverse = true,
            b'g' if chosen.pattern.is_some() => {
                return Err(wrong(&[b"one pattern is all there can be: ", text]));
            }
            b'g' => chosen.pattern = Some(text),
            b'F' => chosen.fixed = true,
            b'i' => chosen.ignore_case = true,
            b'v' => chosen.invert = true,
            b'A' | b'B' | b'C' => {
                let lines = usize::try_from(number(text)?).unwrap_or(usize::MAX);
                if option.letter != b'B' {
                    chosen.after = lines;
                }
                if option.letter != b'A' {
                    chosen.before = lines;
                }
            }
            b'j' => self.json = true,
            b't' => {
                let known: [(&[u8], Stamp); 4] = [
                    (b"local", Stamp::Local),
                    (b"utc", Stamp::Utc),
                    (b"raw", Stamp::Raw),
                    (b"none", Stamp::None),
                ];
                self.stamp = one_of(&known, text)
                    .ok_or_else(|| wrong(&[b"not one of local, utc, raw, none: ", text]))?;
            }
            b'l' => self.leaps = true,
            b'c' => {
                let known: [(&[u8], Colour); 3] = [
                    (b"always", Colour::Always),
                    (b"never", Colour::Never),
                    (b"auto", Colour::Auto),
                ];
                self.colour = one_of(&known, text)
                    .ok_or_else(|| wrong(&[b"not one of always, never, auto: ", text]))?;
            }
            // The last one there is.
            _ => self.pager = true,
        }
        Ok(())
    }

    fn moment(&self, text: &'static CStr, now: Tai64n) -> Result<Tai64n, Exit> {
        let text = text.to_bytes();
        let moment = when::read(text, now, localtime::offset).map_err(|unclear| {
            let (what, word) = unclear.parts();
            let parts: [&[u8]; 7] = [
                b"unable to understand time \"",
                text,
                b"\": ",
                what.as_bytes(),
                word,
                b"; examples: ",
                when::EXAMPLES.as_bytes(),
            ];
            wrong(&parts)
        })?;
        let is_label = text.starts_with(b"@") && text.len() == LABEL;
        Ok(if is_label && self.leaps { leap::without(moment) } else { moment })
    }

    /// Whether everything goes together, and what follows from it.
    fn agrees(&mut self) -> Result<(), Exit> {
        let (wanted, chosen) = (&mut self.wanted, &self.chosen);
        let context = chosen.before > 0 || chosen.after > 0;
        let needs_pattern = chosen.fixed || chosen.ignore_case || chosen.invert || context;
        if needs_pattern && chosen.pattern.is_none() {
            return Err(wrong(&[b"-F, -i, -v, -A, -B and -C are about a pattern, which -g gives"]));
        }
        if wanted.follow && wanted.reverse {
            return Err(wrong(&[b"what is to come cannot be shown in reverse"]));
        }
        if let (Some(since), Some(until)) = (wanted.since, wanted.until)
            && since > until
        {
            return Err(wrong(&[
                b"nothing is since a time that is after the one that it is until",
            ]));
        }
        if wanted.follow && !self.counted && wanted.since.is_none() {
            wanted.last = Some(BEFORE_WHAT_FOLLOWS);
        }
        wanted.before = chosen.before as u64;
        wanted.blocks = chosen.pattern.is_some();
        Ok(())
    }
}

fn one_of<T: Copy>(known: &[(&[u8], T)], text: &[u8]) -> Option<T> {
    known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

fn number(text: &[u8]) -> Result<u64, Exit> {
    let number = core::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'));
    number
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| wrong(&[b"not a number of lines: ", text]))
}

fn wrong(parts: &[&[u8]]) -> Exit {
    let _ = trouble::fatal(parts);
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows from such options.
    fn asked(options: &[(u8, &'static CStr)]) -> Result<Asked, Exit> {
        let mut asked = Asked::default();
        for (letter, value) in options {
            asked.take(&Opt { letter: *letter, value: Some(value) })?;
        }
        asked.agrees()?;
        Ok(asked)
    }

    #[test]
    fn following_begins_with_the_last_lines() {
        let last = |options: &[_]| asked(options).unwrap().wanted.last;
        assert_eq!(last(&[]), None);
        assert_eq!(last(&[(b'f', c"")]), Some(10));
        assert_eq!(last(&[(b'f', c""), (b'n', c"3")]), Some(3));
        assert_eq!(last(&[(b'n', c"all"), (b'f', c"")]), None);
    }

    #[test]
    fn context_is_before_and_after() {
        let context = |options: &[_]| {
            let all = [&[(b'g', c"x")], options].concat();
            asked(&all).map(|asked| (asked.chosen.before, asked.chosen.after))
        };
        assert_eq!(context(&[(b'C', c"3")]), Ok((3, 3)));
        assert_eq!(context(&[(b'C', c"3"), (b'A', c"1")]), Ok((3, 1)));
        assert_eq!(context(&[(b'B', c"2")]), Ok((2, 0)));
        assert_eq!(context(&[(b'B', c"-2")]), Err(Exit::Usage));
        assert_eq!(context(&[(b'B', c"")]), Err(Exit::Usage));
    }

    #[test]
    fn what_does_not_go_together() {
        for options in [
            &[(b'i', c"")][..],
            &[(b'C', c"1")],
            &[(b'f', c""), (b'r', c"")],
            &[(b'g', c"a"), (b'g', c"b")],
            &[(b't', c"Local")],
            &[(b'c', c"")],
            &[(b'n', c"+5")],
            &[(b'n', c"18446744073709551616")],
        ] {
            assert_eq!(asked(options).err(), Some(Exit::Usage), "{options:?}");
        }
        assert!(asked(&[(b'g', c"a"), (b'v', c""), (b't', c"utc"), (b'c', c"never")]).is_ok());
    }

    #[test]
    fn every_word_is_a_letter() {
        for (word, letter) in WORDS {
            assert!(LETTERS.contains(char::from(*letter)), "{word}");
        }
    }

    #[test]
    fn a_label_counts_leap_seconds_where_all_do() {
        let now = Tai64n::from_unix(1_795_688_777, 0);
        let mut asked = Asked::default();
        let label = c"@400000006b08096e00000000";
        assert_eq!(asked.moment(label, now), Ok(Tai64n::from_unix(now.to_unix() + 27, 0)));
        asked.leaps = true;
        assert_eq!(asked.moment(label, now), Ok(now));
        assert_eq!(asked.moment(c"@1795688777", now), Ok(now));
        assert_eq!(asked.moment(c"tomorow", now), Err(Exit::Usage));
    }
}

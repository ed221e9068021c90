//! A line as somebody reads it: from which log, when, what. Decides nothing
//! about which lines are shown.

use crate::Entry;
use crate::matcher::Matcher;
use crate::options::Stamp;
use crate::visible::visible;
use upkeep_core::stamp::{Form, Writer};
use upkeep_sys::localtime;

/// How many decimals the seconds have.
const DECIMALS: u8 = 3;
/// The colours of the names, in turn.
const NAMES: [&[u8]; 6] =
    [b"\x1b[36m", b"\x1b[33m", b"\x1b[32m", b"\x1b[35m", b"\x1b[34m", b"\x1b[91m"];
const STAMP: &[u8] = b"\x1b[2m";
const MATCH: &[u8] = b"\x1b[1;31m";
const PLAIN: &[u8] = b"\x1b[m";

/// Writes lines.
#[derive(Debug)]
pub(crate) struct Text {
    /// What is in front of the lines of each log; empty if there is only one.
    names: Vec<Vec<u8>>,
    stamp: Stamp,
    writer: Writer,
    zone: fn(i64) -> i32,
    colours: bool,
    visible: bool,
}

impl Text {
    /// For logs of these names. `visible` is for somebody who looks at it.
    pub(crate) fn new(names: &[Vec<u8>], stamp: Stamp, colours: bool, visible: bool) -> Self {
        let form = if stamp == Stamp::Utc { Form::Utc(DECIMALS) } else { Form::Shown(DECIMALS) };
        Self {
            names: column(names, visible),
            stamp,
            writer: Writer::new(form),
            zone: localtime::offset,
            colours,
            visible,
        }
    }

    /// Adds a line. With a matcher it is marked what was looked for.
    pub(crate) fn line(
        &mut self,
        out: &mut Vec<u8>,
        entry: &Entry<'_>,
        found: Option<&mut Matcher>,
    ) {
        if let Some(name) = self.names.get(entry.source) {
            let colour = NAMES[entry.source % NAMES.len()];
            coloured(out, self.colours.then_some(colour), name);
        }
        let colour = self.colours.then_some(STAMP);
        match (self.stamp, entry.moment) {
            (Stamp::None, _) => {}
            (Stamp::Local | Stamp::Utc, Some(moment)) => {
                coloured(out, colour, self.writer.write(moment, self.zone));
            }
            // Where there is none it is empty.
            (Stamp::Raw, _) | (Stamp::Local | Stamp::Utc, None) => {
                coloured(out, colour, entry.stamp);
            }
        }
        match found {
            Some(matcher) if self.colours => self.marked(out, entry.text, matcher),
            _ => self.part(out, entry.text),
        }
        out.push(b'\n');
    }

    /// Adds what parts lines between which others were left out.
    pub(crate) fn gap(&self, out: &mut Vec<u8>) {
        coloured(out, self.colours.then_some(STAMP), b"--");
        out.push(b'\n');
    }

    fn marked(&self, out: &mut Vec<u8>, text: &[u8], matcher: &mut Matcher) {
        let mut from = 0;
        while let Some(place) = matcher.place(text, from) {
            self.part(out, &text[from..place.start]);
            out.extend_from_slice(MATCH);
            self.part(out, &text[place.clone()]);
            out.extend_from_slice(PLAIN);
            from = place.end;
        }
        self.part(out, &text[from..]);
    }

    fn part(&self, out: &mut Vec<u8>, text: &[u8]) {
        if self.visible { visible(out, text) } else { out.extend_from_slice(text) }
    }
}

fn coloured(out: &mut Vec<u8>, colour: Option<&[u8]>, text: &[u8]) {
    if let Some(colour) = colour.filter(|_| !text.is_empty()) {
        // The blanks behind it have none.
        let end = text.trim_ascii_end().len();
        out.extend_from_slice(colour);
        out.extend_from_slice(&text[..end]);
        out.extend_from_slice(PLAIN);
        out.extend_from_slice(&text[end..]);
    } else {
        out.extend_from_slice(text);
    }
}

/// The names, one as wide as the other, with a blank behind them.
fn column(names: &[Vec<u8>], visible: bool) -> Vec<Vec<u8>> {
    if names.len() < 2 {
        return Vec::new();
    }
    let shown = |name: &Vec<u8>| {
        let mut out = Vec::new();
        if visible {
            self::visible(&mut out, name)
        } else {
            out.extend_from_slice(name)
        }
        out
    };
    let mut column: Vec<_> = names.iter().map(shown).collect();
    let width = |name: &[u8]| String::from_utf8_lossy(name).chars().count();
    let widest = column.iter().map(|name| width(name)).max().unwrap_or(0);
    for name in &mut column {
        let blanks = widest - width(name) + 1;
        name.resize(name.len() + blanks, b' ');
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Chosen;
    use upkeep_core::tai::Tai64n;

    const MOMENT: Tai64n = Tai64n::from_unix(1_795_688_777, 123_456_789);

    fn entry(source: usize, text: &[u8]) -> Entry<'_> {
        Entry { source, moment: Some(MOMENT), stamp: b"@4 ", text, torn: false }
    }

    fn text(names: &[&str], stamp: Stamp) -> Text {
        let names: Vec<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let text = Text::new(&names, stamp, false, false);
        Text { zone: |_| 3600, ..text }
    }

    fn line(text: &mut Text, entry: &Entry<'_>, found: Option<&mut Matcher>) -> String {
        let mut out = Vec::new();
        text.line(&mut out, entry, found);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_kind_of_stamp() {
        for (stamp, expected) in [
            (Stamp::Local, "2026-11-26 11:26:17.123 GET /\n"),
            (Stamp::Utc, "2026-11-26T10:26:17.123Z GET /\n"),
            (Stamp::Raw, "@4 GET /\n"),
            (Stamp::None, "GET /\n"),
        ] {
            let mut text = text(&["web"], stamp);
            assert_eq!(line(&mut text, &entry(0, b"GET /"), None), expected);
            let unstamped = Entry { moment: None, stamp: b"", ..entry(0, b"x") };
            assert_eq!(line(&mut text, &unstamped, None), "x\n");
        }
    }

    #[test]
    fn names_are_a_column() {
        let mut text = text(&["web", "db-main", "gr\u{fc}n"], Stamp::None);
        assert_eq!(line(&mut text, &entry(0, b"a"), None), "web     a\n");
        assert_eq!(line(&mut text, &entry(1, b"a"), None), "db-main a\n");
        assert_eq!(line(&mut text, &entry(2, b"a"), None), "gr\u{fc}n    a\n");
    }

    #[test]
    fn colours() {
        let chosen = Chosen { pattern: Some(b"a+"), ..Chosen::default() };
        let mut matcher = Matcher::new(&chosen).unwrap().unwrap();
        let mut text = Text { colours: true, ..text(&["web", "db"], Stamp::Raw) };
        let shown = line(&mut text, &entry(1, b"baac a"), Some(&mut matcher));
        let expected = "\x1b[33mdb\x1b[m  \x1b[2m@4\x1b[m b\x1b[1;31maa\x1b[mc \x1b[1;31ma\x1b[m\n";
        assert_eq!(shown, expected);
        let mut out = Vec::new();
        text.gap(&mut out);
        assert_eq!(out, b"\x1b[2m--\x1b[m\n");
        // Without them nothing is marked.
        text.colours = false;
        assert_eq!(line(&mut text, &entry(0, b"aa"), Some(&mut matcher)), "web @4 aa\n");
    }

    #[test]
    fn what_a_terminal_would_obey_is_seen_by_who_looks() {
        let mut plain = text(&["web"], Stamp::None);
        assert_eq!(line(&mut plain, &entry(0, b"\x1b[31m"), None), "\x1b[31m\n");
        let mut looked = Text { visible: true, ..text(&["web"], Stamp::None) };
        assert_eq!(line(&mut looked, &entry(0, b"\x1b[31m\xff"), None), "^[[31m\\xff\n");
        let names = [b"a\x1b".to_vec(), b"b".to_vec()];
        let mut looked = Text::new(&names, Stamp::None, false, true);
        assert_eq!(line(&mut looked, &entry(1, b"x"), None), "b   x\n");
    }
}

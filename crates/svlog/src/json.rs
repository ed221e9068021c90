//! A line as an object of JSON, on a line of its own: `time`, in UTC with
//! nanoseconds, or null where there is no stamp; `log`, its name; and `text`.

use crate::Entry;
use upkeep_core::json;
use upkeep_core::stamp::{Form, Writer};

/// Writes lines.
#[derive(Debug)]
pub(crate) struct Json {
    writer: Writer,
}

impl Json {
    pub(crate) const fn new() -> Self {
        Self { writer: Writer::new(Form::Utc(9)) }
    }

    /// Adds a line. What is no UTF-8 is not lost: see `upkeep_core::json`.
    pub(crate) fn line(&mut self, out: &mut Vec<u8>, entry: &Entry<'_>, name: &[u8]) {
        out.extend_from_slice(b"{\"time\":");
        match entry.moment.map(|moment| self.writer.write(moment, |_| 0)) {
            // A label is what no calendar has a date for.
            Some([date @ .., _]) if !date.starts_with(b"@") => string(out, date),
            _ => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"log\":");
        string(out, name);
        out.extend_from_slice(b",\"text\":");
        string(out, entry.text);
        out.extend_from_slice(b"}\n");
    }
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    json::string(text, |bytes| out.extend_from_slice(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_core::tai::Tai64n;

    #[test]
    fn objects() {
        let (mut out, mut json) = (Vec::new(), Json::new());
        let moment = Some(Tai64n::from_unix(1_795_688_777, 5));
        let stamped = Entry { source: 0, moment, stamp: b"@4 ", text: b"a\"\xff\t", torn: false };
        json.line(&mut out, &stamped, b"web");
        let unstamped = Entry { moment: None, stamp: b"", text: b"", torn: true, ..stamped };
        json.line(&mut out, &unstamped, b"d\\b");
        let beyond = Tai64n::from_unix(i64::MAX >> 2, 0);
        json.line(&mut out, &Entry { moment: Some(beyond), ..unstamped }, b"");
        let expected = r#"{"time":"2026-11-26T10:26:17.000000005Z","log":"web","text":"a\"\udcff\u0009"}
{"time":null,"log":"d\\b","text":""}
{"time":null,"log":"","text":""}
"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

//! What was found, and how it is said: a line each for people, a line of JSON
//! each for machines.

use super::kinds::{Kind, Severity};
use super::name;
use std::fmt::Write;

/// One thing that is wrong.
#[derive(Debug)]
pub struct Finding {
    /// The file, from where svcheck was started or as it was named.
    pub path: String,
    /// The line in it.
    pub line: Option<u32>,
    /// What kind of thing.
    pub kind: &'static Kind,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// Which findings are not wanted.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Only errors.
    pub errors: bool,
    /// Notes too.
    pub notes: bool,
    /// None of these.
    pub not: Vec<&'static str>,
}

/// All that was found and is wanted.
#[derive(Debug, Default)]
pub struct Report {
    wanted: Wanted,
    /// Sorted when it is said.
    pub findings: Vec<Finding>,
    /// What the file itself says is meant: the path, and the name of the kind.
    meant: Vec<(String, String)>,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Adds one about a whole file.
    pub fn file(&mut self, kind: &'static Kind, path: &str, what: &str, advice: &str) {
        self.add(kind, path, None, what, advice);
    }

    /// Adds one about a line.
    pub fn line(&mut self, kind: &'static Kind, path: &str, line: u32, what: &str, advice: &str) {
        self.add(kind, path, Some(line), what, advice);
    }

    fn add(
        &mut self,
        kind: &'static Kind,
        path: &str,
        line: Option<u32>,
        what: &str,
        advice: &str,
    ) {
        let wanted = match kind.severity {
            Severity::Error => true,
            Severity::Warning => !self.wanted.errors,
            Severity::Note => self.wanted.notes && !self.wanted.errors,
        };
        if wanted && !self.wanted.not.contains(&kind.id) {
            self.findings.push(Finding {
                path: path.to_owned(),
                line,
                kind,
                what: what.to_owned(),
                advice: advice.to_owned(),
            });
        }
    }

    /// The file at `path` says that this kind is meant there.
    pub fn is_meant(&mut self, path: &str, id: &str) {
        self.meant.push((path.to_owned(), id.to_owned()));
    }

    /// Takes out what is meant, and puts the rest in order.
    pub fn close(&mut self) {
        let meant = core::mem::take(&mut self.meant);
        self.findings.retain(|finding| {
            !meant.iter().any(|(path, id)| *path == finding.path && id == finding.kind.id)
        });
        self.findings.sort_by(|a, b| {
            (&a.path, a.line, a.kind.id, &a.what).cmp(&(&b.path, b.line, b.kind.id, &b.what))
        });
        self.findings.dedup_by(|a, b| {
            (&a.path, a.line, a.kind.id, &a.what) == (&b.path, b.line, b.kind.id, &b.what)
        });
    }

    /// The worst of it.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        let all = || self.findings.iter().map(|finding| finding.kind.severity);
        [Severity::Error, Severity::Warning].into_iter().find(|one| all().any(|kind| kind == *one))
    }
}

impl Finding {
    /// `path:line: severity: what; advice [id]`
    #[must_use]
    pub fn text(&self) -> String {
        let mut line = plain(&self.path);
        if let Some(number) = self.line {
            let _ = write!(line, ":{number}");
        }
        let severity = self.kind.severity.word();
        let _ = write!(line, ": {severity}: {}", plain(&self.what));
        if !self.advice.is_empty() {
            let _ = write!(line, "; {}", plain(&self.advice));
        }
        let _ = writeln!(line, " [{}]", self.kind.id);
        line
    }

    /// The same as an object.
    #[must_use]
    pub fn json(&self) -> String {
        let line = self.line.map_or_else(|| "null".to_owned(), |line| line.to_string());
        format!(
            "{{\"path\":{},\"line\":{line},\"severity\":\"{}\",\"id\":\"{}\",\"what\":{},\"advice\":{}}}\n",
            quoted(&self.path),
            self.kind.severity.word(),
            self.kind.id,
            quoted(&self.what),
            quoted(&self.advice),
        )
    }
}

/// Nothing in a file may move the cursor of whoever reads about it, and what is
/// no text in a name cannot be shown.
fn plain(text: &str) -> String {
    let shown = |c: char| match name::byte(c) {
        Some(_) => char::REPLACEMENT_CHARACTER,
        None if c.is_control() => '?',
        None => c,
    };
    text.chars().map(shown).collect()
}

/// As JSON. What is no text in a name is, as in that of svstat, the lone
/// surrogate that Python makes of each such byte.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => match name::byte(c) {
                Some(byte) => {
                    let _ = write!(out, "\\udc{byte:02x}");
                }
                None => out.push(c),
            },
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::kinds::{ALL, DOWN, NO_EXEC, NO_RUN};

    #[test]
    fn both_ways_to_say_it() {
        let mut report = Report::new(Wanted::default());
        report.line(&NO_EXEC, "a\u{1b}/run", 3, "x \"y\"\n", "do z");
        report.file(&NO_RUN, "a", "w", "");
        report.file(&DOWN, "a", "not wanted", "");
        report.close();
        assert_eq!(report.worst(), Some(Severity::Error));
        let text: String = report.findings.iter().map(Finding::text).collect();
        assert_eq!(text, "a: error: w [no-run]\na?/run:3: warning: x \"y\"?; do z [no-exec]\n");
        assert_eq!(
            report.findings[1].json(),
            "{\"path\":\"a\\u001b/run\",\"line\":3,\"severity\":\"warning\",\"id\":\"no-exec\",\
             \"what\":\"x \\\"y\\\"\\n\",\"advice\":\"do z\"}\n"
        );
    }

    #[test]
    fn what_is_not_wanted() {
        let mut report = Report::new(Wanted { errors: true, notes: true, not: vec!["no-run"] });
        report.file(&NO_EXEC, "a", "", "");
        report.file(&DOWN, "a", "", "");
        report.file(&NO_RUN, "a", "", "");
        assert!(report.findings.is_empty());
        let mut report = Report::new(Wanted::default());
        report.line(&NO_EXEC, "a", 1, "", "");
        report.line(&NO_EXEC, "b", 1, "", "");
        report.is_meant("a", "no-exec");
        report.close();
        assert_eq!(report.findings.len(), 1);
    }

    #[test]
    fn no_two_kinds_have_one_name() {
        for (i, kind) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|other| other.id != kind.id), "{}", kind.id);
        }
    }
}

//! The report as JSON, written by hand. Only writes; never reads.

use crate::report::{Column, Report, Row};
use crate::stats::Summary;
use std::fmt::Write;

/// The whole report as one object.
pub(crate) fn document(report: &Report) -> String {
    let header = report.header.iter().map(|(name, value)| pair(name, &string(value)));
    let notes = report.notes.iter().map(|n| string(n));
    let rows = report.rows().into_iter().map(row);
    let whole = [
        pair("header", &object(header, "\n    ", "\n  ")),
        pair("notes", &list(notes)),
        pair("measures", &list(rows)),
    ];
    object(whole, "\n  ", "\n") + "\n"
}

fn row(row: &Row) -> String {
    let measure = &row.measure;
    let mut pairs = vec![
        pair("metric", &string(measure.group.name())),
        pair("name", &string(&measure.name)),
        pair("unit", &string(measure.unit)),
        pair("better", &string(measure.better.name())),
        pair("ratio", &row.ratio().map_or_else(null, number)),
    ];
    for column in Column::ALL {
        pairs.push(pair(column.name(), &row.summary(column).map_or_else(null, summary)));
    }
    object(pairs, " ", " ")
}

fn summary(summary: Summary) -> String {
    let pairs = [
        pair("median", &number(summary.median)),
        pair("min", &number(summary.min)),
        pair("max", &number(summary.max)),
        pair("samples", &summary.count.to_string()),
    ];
    object(pairs, " ", " ")
}

fn object(pairs: impl IntoIterator<Item = String>, before: &str, end: &str) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|p| format!("{before}{p}")).collect();
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{{}{end}}}", pairs.join(",")) }
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| format!("\n    {i}")).collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[{}\n  ]", items.join(",")) }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}: {value}", string(name))
}

fn null() -> String {
    "null".to_owned()
}

/// A number; JSON has no word for one that is infinite or none.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { null() }
}

fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Group, Measure};

    #[test]
    fn strings() {
        assert_eq!(string("plain"), r#""plain""#);
        assert_eq!(string("a\"b\\c\nd\te\u{1}f"), r#""a\"b\\c\nd\te\u0001f""#);
        assert_eq!(string("größer 丸"), "\"größer 丸\"");
    }

    #[test]
    fn numbers() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(-2.5e-7), "-0.00000025");
        assert_eq!(number(f64::NAN), "null");
        assert_eq!(number(f64::INFINITY), "null");
    }

    #[test]
    fn nothing_measured() {
        assert_eq!(
            document(&Report::default()),
            "{\n  \"header\": {},\n  \"notes\": [],\n  \"measures\": []\n}\n"
        );
    }

    #[test]
    fn what_never_came_has_samples_but_no_median() {
        let mut report = Report::default();
        let measure = Measure::less(Group::Start, "start", "ms");
        report.add(&measure, Column::S6, crate::stats::NEVER);
        let text = document(&report);
        assert!(
            text.contains(r#""s6": { "median": null, "min": null, "max": null, "samples": 1 }"#)
        );
    }

    #[test]
    fn one_row() {
        let mut report = Report::default();
        report.head("kernel", "6.1 \"x\"");
        let measure = Measure::less(Group::Start, "start, 1 service", "ms");
        report.add(&measure, Column::Ours, 1.5);
        report.add(&measure, Column::S6, 3.0);
        let expected = r#"{
  "header": {
    "kernel": "6.1 \"x\""
  },
  "notes": [],
  "measures": [
    { "metric": "start", "name": "start, 1 service", "unit": "ms", "better": "lower", "ratio": 0.5, "ours": { "median": 1.5, "min": 1.5, "max": 1.5, "samples": 1 }, "daemontools": null, "runit": null, "s6": { "median": 3, "min": 3, "max": 3, "samples": 1 }, "cat": null, "pipeline": null, "supervisord": null, "tini": null, "dumb-init": null, "catatonit": null, "no init": null }
  ]
}
"#;
        assert_eq!(document(&report), expected);
    }
}

//! The report as text for a person: the medians, then how far they can be
//! trusted.

use crate::report::{Column, Measure, Report, Row};
use crate::stats::NEVER;

/// The whole report.
pub(crate) fn text(report: &Report) -> String {
    let mut out = String::new();
    for (name, value) in &report.header {
        out += &format!("{name:<12} {value}\n");
    }
    let rows = report.rows();
    // Most measures have none of the others.
    let compared = |c: &Column| rows.iter().any(|row| row.summary(*c).is_some());
    let columns: Vec<Column> =
        Column::ALL.into_iter().filter(|c| c.is_usual() || compared(c)).collect();
    out += "\nmedians; ratio: ours / best of the other suites\n\n";
    out += &lines(&rows, &columns, ["metric", "unit", "better"], ["ratio"], medians);
    out += "\nspread: smallest..largest of how many samples\n\n";
    out += &lines(&rows, &columns, ["metric", "unit"], [], spread);
    if !report.notes.is_empty() {
        out += "\nnotes\n\n";
        for note in &report.notes {
            out += &format!("- {note}\n");
        }
    }
    out
}

fn medians(row: &Row, columns: &[Column]) -> Vec<String> {
    let measure = &row.measure;
    let mut cells =
        vec![measure.name.clone(), measure.unit.to_owned(), measure.better.name().to_owned()];
    cells.extend(
        columns.iter().map(|&c| row.summary(c).map_or_else(none, |s| measure.figure(s.median))),
    );
    cells.push(row.ratio().map_or_else(none, |r| format!("{r:.2}")));
    cells
}

fn spread(row: &Row, columns: &[Column]) -> Vec<String> {
    let mut cells = vec![row.measure.name.clone(), row.measure.unit.to_owned()];
    let shown = |value| row.measure.figure(value);
    cells.extend(columns.iter().map(|&c| {
        row.summary(c)
            .map_or_else(none, |s| format!("{}..{} ({})", shown(s.min), shown(s.max), s.count))
    }));
    cells
}

/// Lines of cells under each other: words to the left, figures to the right.
fn lines<const LEFT: usize, const MORE: usize>(
    rows: &[&Row],
    columns: &[Column],
    left: [&str; LEFT],
    more: [&str; MORE],
    cells: fn(&Row, &[Column]) -> Vec<String>,
) -> String {
    let names: Vec<&str> = columns.iter().map(|c| c.name()).collect();
    let head: Vec<String> =
        left.iter().chain(&names).chain(&more).map(|&word| word.to_owned()).collect();
    let all: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(|&row| cells(row, columns))).collect();
    let wide: Vec<usize> =
        (0..all[0].len()).map(|i| all.iter().map(|l| l[i].len()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for line in all {
        let padded = line.iter().zip(&wide).enumerate().map(|(i, (cell, &width))| {
            if i < LEFT { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        out += padded.collect::<Vec<_>>().join("  ").trim_end();
        out.push('\n');
    }
    out
}

impl Measure {
    /// As it is shown: a count of these as it is, and of all else as much as
    /// it is worth.
    fn figure(&self, value: f64) -> String {
        let counted = matches!(self.unit, "services" | "processes" | "lines" | "files");
        if counted && value.fract() == 0.0 { format!("{value:.0}") } else { figure(value) }
    }
}

fn none() -> String {
    "-".to_owned()
}

/// A figure with about three digits that mean something.
fn figure(value: f64) -> String {
    if value == NEVER {
        return "never".to_owned();
    }
    let digits = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Group;

    #[test]
    fn figures() {
        let shown = [0.0, 0.1234, 1.234, 12.34, 123.4, 12345.6, NEVER].map(figure);
        assert_eq!(shown, ["0", "0.123", "1.23", "12.3", "123", "12346", "never"]);
    }

    #[test]
    fn counts_are_whole() {
        let measure = |unit| Measure::less(Group::Start, "a", unit);
        assert_eq!(measure("services").figure(7.0), "7");
        assert_eq!(measure("lines").figure(1234.0), "1234");
        assert_eq!(measure("lines").figure(1.5), "1.50");
        assert_eq!(measure("lines").figure(NEVER), "never");
        assert_eq!(measure("ms").figure(7.0), "7.00");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut report = Report::default();
        let short = Measure::less(Group::Memory, "a", "kB");
        let long = Measure::less(Group::Start, "much longer", "ms");
        report.add(&short, Column::Ours, 1.0);
        report.add(&short, Column::S6, 2.0);
        report.add(&long, Column::Daemontools, 12345.0);
        let text = text(&report);
        let table: Vec<&str> = text.lines().skip(3).take(3).collect();
        assert_eq!(
            table,
            [
                "metric       unit  better  ours  daemontools  runit    s6  cat  ratio",
                "a            kB    lower   1.00            -      -  2.00    -   0.50",
                "much longer  ms    lower      -        12345      -     -    -      -",
            ]
        );
        assert!(text.contains("12345..12345 (1)"));
        assert!(!text.contains("pipeline"));
    }

    #[test]
    fn a_pipeline_where_there_is_one() {
        let mut report = Report::default();
        let asked = Measure::less(Group::Svlog, "a", "ms");
        report.add(&asked, Column::Ours, 1.0);
        report.add(&asked, Column::Pipeline, 4.0);
        let text = text(&report);
        assert!(text.contains("cat  pipeline  ratio"));
        assert!(text.contains("4.00   0.25"));
    }
}

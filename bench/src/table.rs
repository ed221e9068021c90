//! The report as text for a person: the medians, then how far they can be
//! trusted.

use crate::report::{Column, Report, Row};

/// The whole report.
pub(crate) fn text(report: &Report) -> String {
    let mut out = String::new();
    for (name, value) in &report.header {
        out += &format!("{name:<12} {value}\n");
    }
    let rows = report.rows();
    out += "\nmedians; ratio: ours / best of the other suites\n\n";
    out += &lines(&rows, ["metric", "unit", "better"], ["ratio"], medians);
    out += "\nspread: smallest..largest of how many samples\n\n";
    out += &lines(&rows, ["metric", "unit"], [], spread);
    if !report.notes.is_empty() {
        out += "\nnotes\n\n";
        for note in &report.notes {
            out += &format!("- {note}\n");
        }
    }
    out
}

fn medians(row: &Row) -> Vec<String> {
    let measure = &row.measure;
    let mut cells =
        vec![measure.name.clone(), measure.unit.to_owned(), measure.better.name().to_owned()];
    cells.extend(Column::ALL.map(|c| row.summary(c).map_or_else(none, |s| figure(s.median))));
    cells.push(row.ratio().map_or_else(none, |r| format!("{r:.2}")));
    cells
}

fn spread(row: &Row) -> Vec<String> {
    let mut cells = vec![row.measure.name.clone(), row.measure.unit.to_owned()];
    cells.extend(Column::ALL.map(|c| {
        row.summary(c)
            .map_or_else(none, |s| format!("{}..{} ({})", figure(s.min), figure(s.max), s.count))
    }));
    cells
}

/// Lines of cells under each other: words to the left, figures to the right.
fn lines<const LEFT: usize, const MORE: usize>(
    rows: &[&Row],
    left: [&str; LEFT],
    more: [&str; MORE],
    cells: fn(&Row) -> Vec<String>,
) -> String {
    let columns = Column::ALL.map(Column::name);
    let head: Vec<String> =
        left.iter().chain(&columns).chain(&more).map(|&word| word.to_owned()).collect();
    let all: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(|&row| cells(row))).collect();
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

fn none() -> String {
    "-".to_owned()
}

/// A figure with about three digits that mean something.
fn figure(value: f64) -> String {
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
    use crate::report::{Group, Measure};

    #[test]
    fn figures() {
        let shown = [0.0, 0.1234, 1.234, 12.34, 123.4, 12345.6].map(figure);
        assert_eq!(shown, ["0", "0.123", "1.23", "12.3", "123", "12346"]);
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
    }
}

//! The figures as they come in: one row for each measure, one column for each
//! suite. Knows nothing of how they were measured or how they are shown.

use crate::stats::{Summary, ratio};

/// The metrics, as `--only` names them and in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Takeover,
    Svscan,
    Killlog,
    Survivors,
    Memory,
    Start,
    Restart,
    Stop,
    Idle,
    Status,
    Log,
    Logmem,
    Calls,
    Svlog,
    Order,
    Container,
}

impl Group {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::Takeover,
        Self::Svscan,
        Self::Killlog,
        Self::Survivors,
        Self::Memory,
        Self::Start,
        Self::Restart,
        Self::Stop,
        Self::Idle,
        Self::Status,
        Self::Log,
        Self::Logmem,
        Self::Calls,
        Self::Svlog,
        Self::Order,
        Self::Container,
    ];

    /// As it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Takeover => "takeover",
            Self::Svscan => "svscan",
            Self::Killlog => "killlog",
            Self::Survivors => "survivors",
            Self::Memory => "memory",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Idle => "idle",
            Self::Status => "status",
            Self::Log => "log",
            Self::Logmem => "logmem",
            Self::Calls => "calls",
            Self::Svlog => "svlog",
            Self::Order => "order",
            Self::Container => "container",
        }
    }

    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// Who a sample is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Ours,
    Daemontools,
    Runit,
    S6,
    /// `cat`, which does nothing but copy: how fast it could be at all.
    Floor,
    /// What people put together from other programs.
    Pipeline,
    Supervisord,
    Tini,
    DumbInit,
    Catatonit,
    /// A command without anybody above it: how fast it could be at all.
    Bare,
}

impl Column {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 11] = [
        Self::Ours,
        Self::Daemontools,
        Self::Runit,
        Self::S6,
        Self::Floor,
        Self::Pipeline,
        Self::Supervisord,
        Self::Tini,
        Self::DumbInit,
        Self::Catatonit,
        Self::Bare,
    ];

    /// Whether it is in the race, or only the floor of it.
    const fn is_compared(self) -> bool {
        !matches!(self, Self::Ours | Self::Floor | Self::Bare)
    }

    /// Whether it is shown even where nobody has a sample of it: most metrics
    /// are of these.
    pub(crate) const fn is_usual(self) -> bool {
        matches!(self, Self::Ours | Self::Daemontools | Self::Runit | Self::S6 | Self::Floor)
    }

    /// The head of the column.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Daemontools => "daemontools",
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Floor => "cat",
            Self::Pipeline => "pipeline",
            Self::Supervisord => "supervisord",
            Self::Tini => "tini",
            Self::DumbInit => "dumb-init",
            Self::Catatonit => "catatonit",
            Self::Bare => "no init",
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

impl Better {
    /// As it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) group: Group,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
}

impl Measure {
    /// Something of which less is better, as it is with most things here.
    pub(crate) fn less(group: Group, name: impl Into<String>, unit: &'static str) -> Self {
        Self { group, name: name.into(), unit, better: Better::Lower }
    }
}

/// A measure with its samples, a list for each column.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) measure: Measure,
    samples: [Vec<f64>; Column::ALL.len()],
}

impl Row {
    /// What is said of one column.
    pub(crate) fn summary(&self, column: Column) -> Option<Summary> {
        Summary::of(&self.samples[column as usize])
    }

    /// The median of ours over the best median of the other suites.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let ours = self.summary(Column::Ours)?.median;
        let compared = Column::ALL.into_iter().filter(|c| c.is_compared());
        let others = compared.filter_map(|c| self.summary(c)).map(|s| s.median);
        let best = match self.measure.better {
            Better::Lower => others.reduce(f64::min),
            Better::Higher => others.reduce(f64::max),
        };
        ratio(ours, best?)
    }
}

/// Everything found out.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What the machine and the programs are, line by line.
    pub(crate) header: Vec<(String, String)>,
    /// What a reader has to know of the figures.
    pub(crate) notes: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    /// One more sample.
    pub(crate) fn add(&mut self, measure: &Measure, column: Column, sample: f64) {
        let at = self.rows.iter().position(|r| r.measure == *measure).unwrap_or_else(|| {
            self.rows.push(Row { measure: measure.clone(), samples: Default::default() });
            self.rows.len() - 1
        });
        self.rows[at].samples[column as usize].push(sample);
    }

    /// One more line of the header.
    pub(crate) fn head(&mut self, name: &str, value: impl Into<String>) {
        self.header.push((name.to_owned(), value.into()));
    }

    /// One more note, unless it was said already.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The rows, those of one metric together.
    pub(crate) fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|r| r.measure.group);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::NEVER;

    /// What a reader is to see first.
    const FIRST: [&str; 4] = ["takeover", "svscan", "killlog", "survivors"];

    #[test]
    fn the_best_of_the_others_depends_on_the_direction() {
        let mut report = Report::default();
        let time = Measure::less(Group::Start, "time", "ms");
        let rate = Measure { better: Better::Higher, ..Measure::less(Group::Log, "rate", "MB/s") };
        for (column, sample) in
            [(Column::Ours, 6.0), (Column::Daemontools, 3.0), (Column::S6, 12.0)]
        {
            report.add(&rate, column, sample);
            report.add(&time, column, sample);
        }
        // The floors are not in the race.
        report.add(&rate, Column::Floor, 1000.0);
        report.add(&rate, Column::Bare, 1000.0);
        let rows = report.rows();
        assert_eq!(rows[0].measure.name, "time");
        assert_eq!(rows[0].ratio(), Some(2.0));
        assert_eq!(rows[1].ratio(), Some(0.5));
        assert_eq!(rows[1].summary(Column::Runit), None);
    }

    #[test]
    fn samples_of_one_measure_meet_in_one_row() {
        let mut report = Report::default();
        let time = Measure::less(Group::Start, "time", "ms");
        for sample in [1.0, 2.0, 3.0] {
            report.add(&time.clone(), Column::Runit, sample);
        }
        assert_eq!(report.rows().len(), 1);
        assert_eq!(report.rows()[0].summary(Column::Runit).map(|s| s.count), Some(3));
        assert_eq!(report.rows()[0].ratio(), None);
    }

    #[test]
    fn what_survives_comes_first() {
        let mut report = Report::default();
        for group in Group::ALL.into_iter().rev() {
            report.add(&Measure::less(group, group.name(), "ms"), Column::Ours, 1.0);
        }
        let shown: Vec<Group> = report.rows().iter().map(|r| r.measure.group).collect();
        assert_eq!(shown, Group::ALL);
        assert_eq!(shown[..4].iter().map(|g| g.name()).collect::<Vec<_>>(), FIRST);
    }

    #[test]
    fn what_never_comes_has_no_ratio() {
        let mut report = Report::default();
        let time = Measure::less(Group::Takeover, "time", "ms");
        report.add(&time, Column::Ours, 2.0);
        report.add(&time, Column::S6, NEVER);
        assert_eq!(report.rows()[0].ratio(), None);
        report.add(&time, Column::Runit, 4.0);
        assert_eq!(report.rows()[0].ratio(), Some(0.5));
    }

    #[test]
    fn names_and_back() {
        for group in Group::ALL {
            assert_eq!(Group::named(group.name()), Some(group));
        }
        assert_eq!(Group::named("speed"), None);
    }
}

//! Services as a table that fits a terminal: columns that do not fit are left
//! out, and what is too long is cut, with a mark. It looks at nothing itself:
//! how wide it may be, and what a clock on the wall shows, it is told.

use crate::svstat::fields::signal_name;
use crate::svstat::gather::Seen;
use crate::svstat::line;
use upkeep_core::record::{Outcome, Own, Stage};
use upkeep_core::restart::Reason;
use upkeep_core::status::Want;
use upkeep_sys::localtime::Local;

/// Where something was cut.
const MARK: char = '~';
/// Between two columns.
const GAP: usize = 2;
/// What is left at least of names, and of remarks, that there is not enough
/// room for.
const LEAST: [(Column, usize); 2] = [(Name, 12), (Remarks, 16)];
/// What a name has before remarks have anything more.
const ENOUGH: usize = 24;

/// How it is to look.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// As many characters as a line may have.
    pub(crate) width: usize,
    pub(crate) colours: bool,
    /// Whether a state has the time since which it is, which stays true, and
    /// not for how long.
    pub(crate) since: bool,
    pub(crate) local: fn(i64) -> Option<Local>,
}

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    State,
    Pid,
    Time,
    Ready,
    Restarts,
    Exit,
    Remarks,
}

use Column::{Exit, Name, Pid, Ready, Remarks, Restarts, State, Time};

const COLUMNS: [Column; 8] = [Name, State, Pid, Time, Ready, Restarts, Exit, Remarks];
/// Those that are left out, in this order.
const LEFT_OUT: [Column; 6] = [Restarts, Pid, Ready, Exit, Remarks, Time];

/// How wide each column is; one that is left out is 0.
pub(crate) struct Table {
    look: Look,
    widths: [usize; COLUMNS.len()],
}

impl Table {
    /// One that fits these services.
    pub(crate) fn of<'a>(services: impl Iterator<Item = &'a Seen>, look: Look) -> Self {
        Self::with(COLUMNS.map(|column| column.title(&look).len()), services, look)
    }

    /// One that also fits what will become of them.
    pub(crate) fn roomy<'a>(services: impl Iterator<Item = &'a Seen>, look: Look) -> Self {
        let wanted = COLUMNS.map(|column| column.title(&look).len().max(column.room(&look)));
        Self::with(wanted, services, look)
    }

    fn with<'a>(
        mut wanted: [usize; COLUMNS.len()],
        services: impl Iterator<Item = &'a Seen>,
        look: Look,
    ) -> Self {
        for seen in services {
            for (width, column) in wanted.iter_mut().zip(COLUMNS) {
                *width = (*width).max(column.cell(seen, &look).chars().count());
            }
        }
        Self { look, widths: fit(wanted, look.width) }
    }

    /// The line with the columns' titles.
    pub(crate) fn head(&self, out: &mut Vec<u8>) {
        self.line(out, |column| column.title(&self.look).to_owned(), None);
    }

    /// The line of a service.
    pub(crate) fn row(&self, out: &mut Vec<u8>, seen: &Seen) {
        let colour = self.look.colours.then(|| colour(seen)).flatten();
        self.line(out, |column| column.cell(seen, &self.look), colour);
    }

    fn line(&self, out: &mut Vec<u8>, cell: impl Fn(Column) -> String, colour: Option<&str>) {
        let mut blanks = 0;
        for (column, width) in COLUMNS.into_iter().zip(self.widths).filter(|(_, w)| *w > 0) {
            let text = cut(cell(column), width);
            let rest = width - text.chars().count();
            let before = if column.is_number() { rest } else { 0 };
            if !text.is_empty() {
                out.resize(out.len() + blanks + before, b' ');
                blanks = 0;
            }
            match colour.filter(|_| column == State) {
                Some(colour) => {
                    for part in ["\x1b[", colour, "m", &text, "\x1b[0m"] {
                        out.extend_from_slice(part.as_bytes());
                    }
                }
                None => out.extend_from_slice(text.as_bytes()),
            }
            // Nothing ends with blanks.
            blanks += rest - if text.is_empty() { 0 } else { before } + GAP;
        }
        out.push(b'\n');
    }
}

/// The widths of the columns, of which the last ones to be left out are cut
/// first.
fn fit(wanted: [usize; COLUMNS.len()], width: usize) -> [usize; COLUMNS.len()] {
    let mut widths = wanted;
    let mut left_out = LEFT_OUT.into_iter();
    loop {
        let columns = widths.iter().filter(|width| **width > 0).count();
        let gaps = (columns - 1) * GAP;
        let mut least = widths;
        for (column, enough) in LEAST {
            let width = &mut least[column as usize];
            *width = (*width).min(enough);
        }
        let needed = least.iter().sum::<usize>() + gaps;
        let Some(mut spare) = width.checked_sub(needed) else {
            match left_out.next() {
                Some(column) => widths[column as usize] = 0,
                None => {
                    // Name and state share what there is.
                    let room = width.saturating_sub(gaps).max(2);
                    widths[State as usize] = wanted[State as usize].min(room / 2);
                    let rest = room - widths[State as usize];
                    widths[Name as usize] = wanted[Name as usize].min(rest);
                    return widths;
                }
            }
            continue;
        };
        for (column, up_to) in [(Name, ENOUGH), (Remarks, width), (Name, width)] {
            let at = column as usize;
            let more = widths[at].min(up_to).saturating_sub(least[at]).min(spare);
            least[at] += more;
            spare -= more;
        }
        return least;
    }
}

fn cut(text: String, width: usize) -> String {
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain([MARK]).collect()
}

impl Column {
    const fn title(self, look: &Look) -> &'static str {
        match self {
            Name => "NAME",
            State => "STATE",
            Pid => "PID",
            Time if look.since => "SINCE",
            Time => "FOR",
            Ready => "READY",
            Restarts => "RESTARTS",
            Exit => "LAST EXIT",
            Remarks => "REMARKS",
        }
    }

    /// What it can be expected to need.
    const fn room(self, look: &Look) -> usize {
        match self {
            State | Exit => "following".len(),
            Pid => "4194304".len(),
            Time => "2026-11-20".len(),
            Remarks => look.width,
            Name | Ready | Restarts => 0,
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Pid | Restarts)
    }

    fn cell(self, seen: &Seen, look: &Look) -> String {
        match self {
            Name => printable(&seen.name),
            State => seen.state().unwrap_or("unknown").to_owned(),
            Pid => seen.pid().map_or_else(String::new, |pid| pid.to_string()),
            Time => seen.status().map_or_else(String::new, |status| {
                let unix = status.since.to_unix();
                if look.since {
                    since(unix, seen.at.to_unix(), look.local)
                } else {
                    duration(seen.seconds(status.since))
                }
            }),
            Ready => match seen.ready().filter(|_| seen.up() == Some(true)) {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => String::new(),
            },
            Restarts => {
                seen.own().map_or_else(String::new, |own| own.starts.saturating_sub(1).to_string())
            }
            Exit => match seen.last() {
                Some(Outcome::Exited(code)) => format!("exit {code}"),
                Some(Outcome::Killed(signal)) => printable(&signal_name(signal)),
                Some(Outcome::Unknown) => "unknown".to_owned(),
                None => String::new(),
            },
            Remarks => remarks(seen, look),
        }
    }
}

/// What differs from what was asked for, why it is down, and what it says.
fn remarks(seen: &Seen, look: &Look) -> String {
    if let Some(error) = seen.error() {
        return printable(&error);
    }
    let mut all = Vec::new();
    if let (Ok(known), Some(up)) = (&seen.known, seen.up()) {
        let want = known.status.want;
        for (applies, remark) in [
            (up && !known.normally_up, "normally down"),
            (!up && known.normally_up && want != Want::Up, "normally up"),
            (up && known.status.paused, "paused"),
            (up && want == Want::Down, "want down"),
            (up && want == Want::Once, "once"),
        ] {
            if applies {
                all.push(remark.to_owned());
            }
        }
    }
    if let Some(own) = seen.own() {
        let mut reason = Vec::new();
        let _ = line::reason(own, |part| {
            reason.extend_from_slice(part);
            Ok(())
        });
        if let Some(reason) = reason.strip_prefix(b", ") {
            all.push(printable(reason));
        }
    }
    if let Some(name) = seen.waits_for() {
        all.push(format!("waiting for {}", printable(name)));
    }
    if let Some(due) = seen.due(Stage::Waiting).filter(|due| *due > 1000) {
        let seconds = due.div_ceil(1000);
        let (now, wait) = (seen.at.to_unix(), seconds.try_into().unwrap_or(i64::MAX));
        all.push(if look.since {
            format!("starts at {}", since(now.saturating_add(wait), now, look.local))
        } else {
            format!("starts in {}", duration(seconds))
        });
    }
    if let Some(said) = seen.said(b"STATUS") {
        all.push(printable(said));
    }
    all.join(", ")
}

/// What a terminal may be given: nothing that moves its cursor.
fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

/// The two largest units of it.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let (unit, letter) = units[first];
    let whole = format!("{}{letter}", seconds / unit);
    match units.get(first + 1) {
        Some((unit, letter)) => format!("{whole} {}{letter}", seconds % units[first].0 / unit),
        None => whole,
    }
}

/// A moment as it is read at `now`: the time of today, or the day.
fn since(unix: i64, now: i64, local: fn(i64) -> Option<Local>) -> String {
    let (Some(then), Some(today)) = (local(unix), local(now)) else { return String::new() };
    let day = |at: &Local| (at.year, at.month, at.day);
    if day(&then) == day(&today) {
        format!("{:02}:{:02}:{:02}", then.hour, then.minute, then.second)
    } else {
        format!("{}-{:02}-{:02}", then.year, then.month, then.day)
    }
}

/// Green is well, yellow on its way, red wrong.
fn colour(seen: &Seen) -> Option<&'static str> {
    if is_wrong(seen) {
        return Some("31");
    }
    match (seen.state()?, seen.ready()) {
        ("up", Some(false)) => Some("33"),
        ("up" | "there", _) => Some("32"),
        ("down" | "over", _) => None,
        _ => Some("33"),
    }
}

/// Whether somebody should look: nothing is known, or it has failed for good.
pub(crate) fn is_wrong(seen: &Seen) -> bool {
    let failed = |own: &Own| own.history.failed && own.history.reason != Reason::None;
    seen.known.is_err() || seen.own().is_some_and(failed)
}

#[cfg(test)]
mod tests;

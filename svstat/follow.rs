//! A table that goes on: on a terminal it is drawn anew when something has
//! changed, elsewhere each change is a line more.

use crate::svstat::gather::Seen;
use crate::svstat::outlet::Outlet;
use crate::svstat::run::look;
use crate::svstat::table::{Table, is_wrong};
use crate::svstat::terminal;
use crate::svstat::watch::{Listener, News, watch};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use upkeep_cli::Exit;
use upkeep_sys::Args;

/// The terminal's other screen, without a cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
/// The one that was there before.
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";
/// How many lines a terminal is taken to have that does not say it.
const HEIGHT: usize = 24;

/// Shows the services, until it is told to end.
pub(crate) fn follow(args: Args) -> Result<(), Exit> {
    let draws = upkeep_cli::terminal::is_terminal();
    let mut outlet = Outlet::open(draws)?;
    if !draws {
        return watch(args, &mut outlet, &mut Lines { table: None });
    }
    let mut screen = Screen { entered: false, is_old: true };
    let done = watch(args, &mut outlet, &mut screen);
    if screen.entered {
        outlet.write_last(LEAVE);
    }
    done
}

struct Screen {
    entered: bool,
    /// Whether what it shows is not true any more.
    is_old: bool,
}

impl Listener for Screen {
    fn hear(&mut self, _: &News<'_>, _: &mut Outlet) -> Result<(), Errno> {
        self.is_old = true;
        Ok(())
    }

    fn settle<'a>(
        &mut self,
        services: impl Iterator<Item = &'a Seen> + Clone,
        outlet: &mut Outlet,
    ) -> Result<(), Errno> {
        if core::mem::take(&mut outlet.stopped) {
            outlet.write(LEAVE)?;
            self.entered = false;
            kill_process(getpid(), Signal::STOP)?;
            outlet.heed();
            self.is_old = true;
        }
        if core::mem::take(&mut outlet.resized) {
            self.is_old = true;
        }
        if !core::mem::take(&mut self.is_old) {
            return Ok(());
        }
        let height = terminal::size().1.unwrap_or(HEIGHT);
        let mut text = if self.entered { Vec::new() } else { ENTER.to_vec() };
        self.entered = true;
        draw(&mut text, &Table::of(services.clone(), look(true)), services.collect(), height);
        outlet.write(&text)
    }
}

/// Draws over what is there in one piece, so that nothing flickers. A line is
/// cleared before it is written: behind one that is as long as the terminal is
/// wide, that would take its last character.
fn draw(out: &mut Vec<u8>, table: &Table, mut services: Vec<&Seen>, height: usize) {
    let room = height.saturating_sub(1);
    let fits = services.len() <= room;
    let shown = if fits { services.len() } else { room.saturating_sub(1) };
    if !fits {
        // Those that somebody should look at come first.
        services.sort_by_key(|seen| !is_wrong(seen));
    }
    let mut text = Vec::new();
    table.head(&mut text);
    services.iter().take(shown).for_each(|seen| table.row(&mut text, seen));
    if !fits {
        text.extend_from_slice(format!("and {} more\n", services.len() - shown).as_bytes());
    }
    let lines = text.strip_suffix(b"\n").unwrap_or(&text).split(|&b| b == b'\n');
    let mut before = "\x1b[H\x1b[K";
    for line in lines.take(height.max(1)) {
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(line);
        before = "\r\n\x1b[K";
    }
    // What was below.
    if shown + usize::from(!fits) < room {
        out.extend_from_slice(b"\r\n\x1b[J");
    }
}

/// The columns stay as wide as they were for the first lines.
struct Lines {
    table: Option<Table>,
}

impl Listener for Lines {
    fn hear(&mut self, news: &News<'_>, outlet: &mut Outlet) -> Result<(), Errno> {
        let Some(table) = &self.table else { return Ok(()) };
        let mut line = Vec::new();
        table.row(&mut line, news.seen);
        outlet.write(&line)
    }

    fn settle<'a>(
        &mut self,
        services: impl Iterator<Item = &'a Seen> + Clone,
        outlet: &mut Outlet,
    ) -> Result<(), Errno> {
        if self.table.is_some() {
            return Ok(());
        }
        let table = self.table.insert(Table::roomy(services.clone(), look(true)));
        let mut text = Vec::new();
        table.head(&mut text);
        services.for_each(|seen| table.row(&mut text, seen));
        outlet.write(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svstat::gather::tests::{sample, unsupervised};
    use crate::svstat::table::Look;

    fn drawn(services: &[Seen], height: usize) -> Vec<String> {
        let look = Look { width: 80, colours: false, since: true, local: |_| None };
        let table = Table::of(services.iter(), look);
        let mut out = Vec::new();
        draw(&mut out, &table, services.iter().collect(), height);
        let text = String::from_utf8(out).unwrap();
        let text = text.strip_suffix("\r\n\x1b[J").unwrap_or(&text);
        let text = text.strip_prefix("\x1b[H\x1b[K").unwrap();
        text.split("\r\n\x1b[K").map(str::to_owned).collect()
    }

    #[test]
    fn all_that_fits() {
        let services = [sample("a", 1), sample("b", 1), unsupervised("c")];
        let shown = drawn(&services, 4);
        let names: Vec<_> = shown.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["NAME", "a", "b", "c"]);
    }

    #[test]
    fn what_is_wrong_comes_first_where_not_all_fits() {
        let services = [sample("a", 1), sample("b", 1), unsupervised("c")];
        let shown = drawn(&services, 3);
        assert_eq!(shown.len(), 3);
        assert!(shown[1].starts_with("c ") && shown[2] == "and 2 more", "{shown:?}");
        for height in 1..3 {
            assert!(drawn(&services, height).len() <= height, "{height}");
        }
    }
}

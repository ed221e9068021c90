//! Services that are watched: what is known of each, and what becomes of it.
//! It prints nothing; whoever does is told.

use crate::svstat::fields::{FIELDS, Value};
use crate::svstat::gather::{Seen, below};
use crate::svstat::outlet::Outlet;
use crate::svstat::run::{TOOL, all_services, no_start, no_way_back, unwritable};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_cli::{Exit, words};
use upkeep_servicedir::{
    Changes, Finder, Log, WatchTrouble, enter, go, go_on_to_logger, list_services, services,
};
use upkeep_sys::Args;

/// What has become of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is there from the beginning.
    Seen,
    Changed,
    Came,
    Went,
}

/// One thing that is told.
pub(crate) struct News<'a> {
    pub(crate) what: What,
    pub(crate) seen: &'a Seen,
    /// Whether a supervise has ended there since it was told of last.
    pub(crate) supervise_ended: bool,
    /// How many starts nothing was told of, if that is known.
    pub(crate) missed: Option<u64>,
}

/// Who is told.
pub(crate) trait Listener {
    /// Of one thing.
    fn hear(&mut self, news: &News<'_>, outlet: &mut Outlet) -> Result<(), Errno>;
    /// That this was all for now; `services` are in order.
    fn settle<'a>(
        &mut self,
        services: impl Iterator<Item = &'a Seen> + Clone,
        outlet: &mut Outlet,
    ) -> Result<(), Errno>;
}

/// A service, or its logger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Where it was named; 0 where all are shown, in the order of their names.
    rank: usize,
    service: CString,
    /// Of a logger, whether it is a file.
    logger: Option<bool>,
}

struct Row {
    place: Place,
    seen: Seen,
    /// How often it had been started when that was known last.
    starts: Option<u32>,
}

struct Watch {
    all: bool,
    finder: Finder,
    changes: Changes,
    /// Tells that directories appear and vanish where services are.
    around: OwnedFd,
    /// The number of a row is that of its service's changes.
    rows: Vec<Option<Row>>,
}

/// Why it does not go on.
enum End {
    /// Nobody listens any more, or it was told to end.
    Done,
    Failed(Exit),
}

impl From<Errno> for End {
    fn from(why: Errno) -> Self {
        match why {
            Errno::PIPE | Errno::CANCELED => Self::Done,
            why => Self::Failed(unwritable(why)),
        }
    }
}

impl From<Exit> for End {
    fn from(exit: Exit) -> Self {
        Self::Failed(exit)
    }
}

/// Tells `listener` of all services that are named, or of all, and of what
/// becomes of them, until it is enough.
pub(crate) fn watch(
    args: Args,
    outlet: &mut Outlet,
    listener: &mut impl Listener,
) -> Result<(), Exit> {
    match go_on(args, outlet, listener) {
        Err(End::Failed(exit)) => Err(exit),
        Err(End::Done) | Ok(()) => Ok(()),
    }
}

fn go_on(args: Args, outlet: &mut Outlet, listener: &mut impl Listener) -> Result<(), End> {
    let mut watch = Watch::begin(args, outlet, listener)?;
    while !outlet.over {
        let mut order: Vec<_> = watch.rows.iter().flatten().collect();
        order.sort_by(|a, b| a.place.cmp(&b.place));
        listener.settle(order.iter().map(|row| &row.seen), outlet)?;
        let [stdout, signals] = outlet.sources();
        let others = [stdout, signals, PollFd::new(&watch.around, PollFlags::IN)];
        let woken = watch.changes.wait_beside(&others, None);
        if woken.map_err(|trouble| cannot_watch(b"services", trouble))? == Some(0) {
            break;
        }
        outlet.heed();
        if watch.something_appeared() {
            watch.look_around(outlet, listener)?;
        }
        while let Some(change) = watch.changes.take() {
            watch.look_again(change.service, change.ended, outlet, listener)?;
        }
    }
    Ok(())
}

impl Watch {
    fn begin(args: Args, outlet: &mut Outlet, listener: &mut impl Listener) -> Result<Self, End> {
        let all = args.is_empty();
        let names = if all { all_services()? } else { args.iter().flat_map(services).collect() };
        let changes = Changes::open().map_err(|trouble| cannot_watch(b"services", trouble))?;
        let around = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        let around = around.map_err(|_| cannot_watch(b"directories", WatchTrouble::NoWatcher))?;
        let finder = Finder::new().map_err(no_start)?;
        let mut watch = Self { all, finder, changes, around, rows: Vec::new() };
        if all {
            watch.look_out(b".")?;
            // What has appeared before that was looked out for.
            let names = list_services().unwrap_or(names);
            for service in names {
                watch.add(
                    Place { rank: 0, service, logger: None },
                    What::Seen,
                    outlet,
                    listener,
                )?;
            }
            return Ok(watch);
        }
        for (rank, service) in names.into_iter().enumerate() {
            watch.look_out(parent(service.to_bytes()))?;
            watch.add(Place { rank, service, logger: None }, What::Seen, outlet, listener)?;
        }
        Ok(watch)
    }

    /// Is told from now on of what appears in and vanishes from `directory`.
    fn look_out(&self, directory: &[u8]) -> Result<(), Exit> {
        let what = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        match inotify::add_watch(&self.around, directory, what) {
            Err(Errno::NOSPC) => Err(cannot_watch(directory, WatchTrouble::NoWatch)),
            // What is not there is not told of.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn something_appeared(&self) -> bool {
        let mut buffer = [0; 4096];
        let mut some = false;
        while rustix::io::read(&self.around, &mut buffer).is_ok() {
            some = true;
        }
        some
    }

    /// Takes up a service or a logger, and the logger of that.
    fn add(
        &mut self,
        place: Place,
        what: What,
        outlet: &mut Outlet,
        listener: &mut impl Listener,
    ) -> Result<(), End> {
        let free = self.rows.iter().position(Option::is_none);
        let number = free.unwrap_or(self.rows.len());
        let seen = self.look(number, &place)?;
        let starts = seen.own().map(|own| own.starts);
        let missed = starts.map(|_| 0);
        listener.hear(&News { what, seen: &seen, supervise_ended: false, missed }, outlet)?;
        let row = Some(Row { place, seen, starts });
        match self.rows.get_mut(number) {
            Some(free) => *free = row,
            None => self.rows.push(row),
        }
        self.keep_logger(number, what, outlet, listener)
    }

    /// Has the row of the logger that the service has now, if it is shown.
    fn keep_logger(
        &mut self,
        number: usize,
        what: What,
        outlet: &mut Outlet,
        listener: &mut impl Listener,
    ) -> Result<(), End> {
        let Some(Some(row)) = self.rows.get(number) else { return Ok(()) };
        if row.place.logger.is_some() {
            return Ok(());
        }
        let logger = row.seen.log.map(|log| log == Log::File).filter(|file| *file || self.all);
        let wanted = Place { logger, ..row.place.clone() };
        let is_other = |row: &Row| {
            row.place.logger.is_some()
                && row.place != wanted
                && (row.place.rank, &row.place.service) == (wanted.rank, &wanted.service)
        };
        let other = self.rows.iter().position(|row| row.as_ref().is_some_and(is_other));
        if let Some(other) = other {
            self.remove(other, outlet, listener)?;
        }
        // Without a logger, it is the service that is found here.
        let there = self.rows.iter().flatten().any(|row| row.place == wanted);
        if there { Ok(()) } else { self.add(wanted, what, outlet, listener) }
    }

    fn remove(
        &mut self,
        number: usize,
        outlet: &mut Outlet,
        listener: &mut impl Listener,
    ) -> Result<(), End> {
        let Some(row) = self.rows.get_mut(number).and_then(Option::take) else { return Ok(()) };
        let seen = self.look(number, &row.place)?;
        let news = News { what: What::Went, seen: &seen, supervise_ended: false, missed: None };
        Ok(listener.hear(&news, outlet)?)
    }

    /// Looks at what this is about, after subscribing to its changes.
    fn look(&mut self, number: usize, place: &Place) -> Result<Seen, Exit> {
        let name = place.name();
        let entered = place.enter();
        if entered.is_ok() {
            match self.changes.subscribe(number) {
                Err(trouble @ (WatchTrouble::NoWatch | WatchTrouble::NoWatcher)) => {
                    return Err(cannot_watch(&name, trouble));
                }
                // Why it cannot be watched is what there is to see.
                Ok(_) | Err(WatchTrouble::Os(_)) => {}
            }
        }
        let seen = Seen::after(entered, name);
        self.finder.back().map_err(no_way_back)?;
        Ok(seen)
    }

    fn look_again(
        &mut self,
        number: usize,
        supervise_ended: bool,
        outlet: &mut Outlet,
        listener: &mut impl Listener,
    ) -> Result<(), End> {
        let Some(Some(row)) = self.rows.get(number) else { return Ok(()) };
        let place = row.place.clone();
        let seen = self.look(number, &place)?;
        let Some(Some(row)) = self.rows.get_mut(number) else { return Ok(()) };
        if !supervise_ended && is_same(&row.seen, &seen) {
            return Ok(());
        }
        let starts = seen.own().map(|own| own.starts);
        let missed = starts.zip(row.starts).and_then(|(now, then)| now.checked_sub(then));
        let missed = missed.map(|more| u64::from(more.saturating_sub(1)));
        row.starts = starts.or(row.starts);
        row.seen = seen;
        let news = News { what: What::Changed, seen: &row.seen, supervise_ended, missed };
        listener.hear(&news, outlet)?;
        self.keep_logger(number, What::Came, outlet, listener)
    }

    /// Something has appeared or vanished where services are.
    fn look_around(
        &mut self,
        outlet: &mut Outlet,
        listener: &mut impl Listener,
    ) -> Result<(), End> {
        if !self.all {
            for number in 0..self.rows.len() {
                let row = self.rows.get(number).and_then(Option::as_ref);
                if row.is_some_and(|row| row.seen.known.is_err()) {
                    self.look_again(number, false, outlet, listener)?;
                }
            }
            return Ok(());
        }
        // A directory that cannot be read now shows no more than it did.
        let Ok(names) = list_services() else { return Ok(()) };
        for number in 0..self.rows.len() {
            let row = self.rows.get(number).and_then(Option::as_ref);
            if row.is_some_and(|row| names.binary_search(&row.place.service).is_err()) {
                self.remove(number, outlet, listener)?;
            }
        }
        for service in names {
            let place = Place { rank: 0, service, logger: None };
            if !self.rows.iter().flatten().any(|row| row.place == place) {
                self.add(place, What::Came, outlet, listener)?;
            }
        }
        Ok(())
    }
}

impl Place {
    fn enter(&self) -> Result<(), Errno> {
        enter(&self.service)?;
        match self.logger {
            None => Ok(()),
            Some(false) => go(c"log"),
            Some(true) if go_on_to_logger()? => Ok(()),
            Some(true) => Err(Errno::NOENT),
        }
    }

    fn name(&self) -> Vec<u8> {
        let service = self.service.to_bytes();
        if self.logger.is_some() { below(service) } else { service.to_vec() }
    }
}

/// The directory in which what has this name is.
fn parent(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    match name[..end].iter().rposition(|&b| b == b'/') {
        Some(0) => b"/",
        Some(slash) => &name[..slash],
        None => b".",
    }
}

/// Whether both say the same, if they were looked at at the same time.
fn is_same(old: &Seen, new: &Seen) -> bool {
    let new = Seen { at: old.at, monotonic: old.monotonic, ..new.clone() };
    let both = |of: for<'a> fn(&'a Seen) -> Value<'a>| of(old) == of(&new);
    FIELDS.iter().all(|field| both(field.of))
}

fn cannot_watch(what: &[u8], trouble: WatchTrouble) -> Exit {
    let (text, why) = trouble.words();
    let why = why.map_or("", words);
    TOOL.fatal(&[b"unable to watch ", what, b": ", text.as_bytes(), why.as_bytes()])
}

//! The script as it is followed for every line, with its files and
//! directories open. It knows no input.

use crate::fronts::Fronts;
use crate::host::Host;
use crate::matcher::Matcher;
use crate::note::Note;
use crate::outlet::Outlet;
use crate::script::{Item, Script, View};
use crate::status::Status;
use upkeep_cli::Exit;
use upkeep_core::rate::Limit;
use upkeep_logdir::{Again, Claimed, LogDirectory, Voice, share_compressor};
use upkeep_sys::signals::Mask;

/// One step for a line.
pub(crate) enum Step {
    Select(Matcher),
    Deselect(Matcher),
    Afresh,
    /// Select what nothing was done with.
    Rest,
    Mention(Matcher),
    Pass(Matcher),
    Limit(Limit),
    /// With the front that has this number, as in the next six.
    Output(usize),
    Show(usize),
    Alert(usize),
    /// So much of the line.
    Warn(usize, usize),
    /// The note with this number.
    Note(usize, usize),
    /// The status file with this number.
    Status(usize, usize),
    Send {
        host: Host,
        front: usize,
        /// Whether the line is deselected then.
        only: bool,
        /// Whether it has its stamp and an end.
        ended: bool,
    },
    /// The log directory with this number.
    Directory(usize),
}

/// All that there is to do for a line.
pub(crate) struct Plan {
    pub(crate) fronts: Fronts,
    pub(crate) view: View,
    pub(crate) steps: Vec<Step>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) notes: Vec<Note>,
    pub(crate) directories: Vec<LogDirectory>,
    /// The number of the front of each directory.
    pub(crate) homes: Vec<usize>,
    pub(crate) outlet: Option<Outlet>,
    pub(crate) limit: Option<Limit>,
}

impl Plan {
    /// Opens first the script's files, then its directories. `look` sees each
    /// directory as it was left, and says what of it is to be undone.
    pub(crate) fn open(
        script: &Script,
        mask: Mask,
        mut look: impl FnMut(&Claimed) -> Option<Again>,
        voice: &mut Voice,
    ) -> Result<Self, Exit> {
        let mut plan = Self {
            fronts: Fronts::new(script.stamp, voice)?,
            view: script.view,
            steps: Vec::new(),
            statuses: Vec::new(),
            notes: Vec::new(),
            directories: Vec::new(),
            homes: Vec::new(),
            outlet: None,
            limit: None,
        };
        plan.steps.try_reserve_exact(script.items.len()).map_err(|_| voice.out_of_memory())?;
        for item in &script.items {
            if let Item::Status(path) = item {
                plan.statuses.try_reserve(1).map_err(|_| voice.out_of_memory())?;
                plan.statuses.push(Status::open(path, voice)?);
            }
        }
        let directories = |item: &&Item| matches!(item, Item::Directory(_));
        let neighbours = script.items.iter().filter(directories).count().saturating_sub(1);
        let mut statuses = 0..;
        // What leads to the next directory begins here.
        let mut lead = 0;
        let mut front = 0;
        let (mut stamps, mut before): (_, &[u8]) = (plan.fronts.stamps(), b"");
        for item in &script.items {
            let step = match *item {
                Item::Select(pattern) => Step::Select(Matcher::new(pattern, voice)?),
                Item::Deselect(pattern) => Step::Deselect(Matcher::new(pattern, voice)?),
                Item::Afresh => Step::Afresh,
                Item::Mention(pattern) => Step::Mention(Matcher::new(pattern, voice)?),
                Item::Pass(pattern) => Step::Pass(Matcher::new(pattern, voice)?),
                Item::Prefix(prefix) => {
                    before = prefix;
                    front = plan.fronts.add(stamps, before, voice)?;
                    continue;
                }
                Item::Stamps(wanted) => {
                    stamps = wanted;
                    front = plan.fronts.add(stamps, before, voice)?;
                    continue;
                }
                Item::Rest => Step::Rest,
                Item::Warn(shown) => {
                    voice.expect_alerts()?;
                    Step::Warn(shown, front)
                }
                Item::Note(path, size) => {
                    plan.notes.try_reserve(1).map_err(|_| voice.out_of_memory())?;
                    plan.notes.push(Note::new(path, size, voice)?);
                    Step::Note(plan.notes.len() - 1, front)
                }
                Item::Limit(limit) => {
                    plan.limit = Some(limit);
                    Step::Limit(limit)
                }
                Item::Output => {
                    plan.outlet = Some(Outlet::new(voice)?);
                    Step::Output(front)
                }
                Item::Send { to, only, ended } => {
                    Step::Send { host: Host::new(to), front, only, ended }
                }
                Item::Show => {
                    voice.expect_alerts()?;
                    Step::Show(front)
                }
                Item::Alert => {
                    voice.expect_alerts()?;
                    Step::Alert(front)
                }
                Item::Status(_) => Step::Status(statuses.next().unwrap_or_default(), front),
                Item::Directory(settings) => {
                    let room =
                        plan.directories.try_reserve(1).and_then(|()| plan.homes.try_reserve(1));
                    room.map_err(|_| voice.out_of_memory())?;
                    let opened = Claimed::new(settings, mask, voice).and_then(|claimed| {
                        let again = look(&claimed);
                        claimed.recover(again, neighbours, voice)
                    });
                    match opened {
                        Ok(directory) => plan.directories.push(directory),
                        Err(_) if script.none_left.is_some() => {
                            plan.steps.truncate(lead);
                            continue;
                        }
                        Err(exit) => return Err(exit),
                    }
                    plan.homes.push(front);
                    lead = plan.steps.len() + 1;
                    Step::Directory(plan.directories.len() - 1)
                }
            };
            plan.steps.push(step);
        }
        share_compressor(&mut plan.directories);
        match script.none_left {
            Some(what) if plan.directories.is_empty() => Err(voice.fatal_alone(what)),
            _ => Ok(plan),
        }
    }

    /// Whether it matters what a line says, or more is done with it than to
    /// put it into logs.
    pub(crate) fn looks_at_lines(&self) -> bool {
        self.view.replace.is_some()
            || self.steps.iter().any(|step| !matches!(step, Step::Directory(_)))
    }
}

//! Order among services: waiting for what this one needs, and the word between their supervises, `n`, that something
//! has changed. Nobody polls: each tells those that have signed in its
//! `supervise/needed`, and whoever was killed looks again when it is back.

mod needed;

use crate::supervise::keep::{Supervise, TOOL};
use core::ffi::CStr;
use rustix::fs::CWD;
use rustix::io::{Errno, Result};
use upkeep_core::order::{self, Calls, News, Sight, Tie, Verdict};
use upkeep_core::supervise::{Event, Kind, Phase};
use upkeep_servicedir::names::LOG;
use upkeep_servicedir::order::{NAME, Neighbours, directory, each, note_waiting};
use upkeep_sys::{clock, point, process};

const SECOND: u64 = 1_000_000_000;
/// How long somebody is waited for whom nobody supervises yet.
const PATIENCE: u64 = 5 * SECOND;
/// How often one is looked at who tells nobody of a change.
const ASK: u64 = SECOND;
/// What is said when something has changed.
const LOOK: &[u8] = b"n";
/// What is said before what is for a group alone, and not for what it is made
/// of.
pub(crate) const ALONE: u8 = b'g';

/// What is known of the others.
pub(crate) struct Order {
    neighbours: Option<Neighbours>,
    /// What this one is called among them.
    own: Name,
    /// Whether that leads here: otherwise nobody could tell this one anything.
    here: bool,
    /// Since when somebody is waited for who has lost his supervise.
    deserted: Option<u64>,
    /// Who is waited for, and how this one depends on him.
    waits: Option<(Tie, Name)>,
    /// Until when those are waited for whom nobody supervises.
    patience: u64,
    /// What the others were told last.
    told: Option<News>,
    /// Whether they can see this one.
    tells: bool,
    /// Whether what it needs has been found to be there.
    met: bool,
}

/// The name of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name([u8; NAME]);

impl Name {
    fn of(name: &CStr) -> Self {
        let mut bytes = [0; NAME];
        let end = name.count_bytes().min(NAME - 1);
        bytes[..end].copy_from_slice(&name.to_bytes()[..end]);
        Self(bytes)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// What one look at all has found.
struct Found {
    /// The first that is waited for.
    first: Option<(Tie, Name)>,
    /// When it is to be looked at again.
    again: Option<u64>,
    /// Whether there may be some that it needs and that could not be listed.
    unknown: bool,
}

impl Order {
    /// Of the service directory that is the current one; `dir` is what supervise
    /// was told that it is called.
    pub(crate) fn new(neighbours: Result<Neighbours>, dir: &CStr) -> Self {
        Self {
            neighbours: neighbours.ok(),
            own: own_name(dir),
            here: true,
            deserted: None,
            waits: None,
            patience: clock::monotonic() + PATIENCE,
            told: None,
            tells: false,
            met: false,
        }
    }

    fn own(&self) -> &CStr {
        self.own.as_c_str()
    }

    /// Lets what is held survive an exec, or not.
    pub(crate) fn bequeath(&self, survives: bool) -> Result<()> {
        self.neighbours.as_ref().map_or(Ok(()), |all| all.bequeath(survives))
    }
}

/// The last part of the directory's name, also of one that is only pointed at.
#[inline(never)]
fn own_name(dir: &CStr) -> Name {
    let mut name = Name([0; NAME]);
    let mut keep = |path: &[u8]| {
        let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
        let start = path[..end].iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let last = &path[start..end];
        name.0 = [0; NAME];
        name.0[..last.len().min(NAME - 1)].copy_from_slice(&last[..last.len().min(NAME - 1)]);
        !matches!(last, b"" | b"." | b"..")
    };
    if !keep(dir.to_bytes()) {
        let mut path = [0; 1024];
        keep(process::current_directory(&mut path).map_or(b"", CStr::to_bytes));
    }
    name
}

impl Supervise {
    /// Whether it may depend on others. A logger is a service of its own, but of
    /// no scan directory.
    fn depends(&self) -> bool {
        self.reach.facts().may_depend() && self.order.own() != LOG
    }

    /// Whether all is there that is needed for a start; otherwise the machine
    /// is told. What runs before the process has looked already.
    pub(crate) fn may_start(&mut self) -> bool {
        let met = core::mem::take(&mut self.order.met);
        if met || self.machine.prepared || !self.depends() {
            return true;
        }
        if self.machine.calls == Calls::All {
            // Whoever is called looks whether this one is to be up.
            self.announce(false);
        }
        self.order.waits = None;
        self.order.patience = clock::monotonic() + PATIENCE;
        self.look_where_this_is();
        let found = self.look_at_all(true);
        self.wait_for(found)
    }

    /// Looks around, because somebody has said that something has changed.
    pub(crate) fn look_around(&mut self) {
        match self.machine.phase {
            Phase::Needing(_) => self.look_again(),
            Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) => self.look_whether_to_go(),
            Phase::There => {
                self.look_whether_to_go();
                if self.machine.phase == Phase::There && self.machine.plan.kind == Kind::Group {
                    let found = self.look_at_all(false);
                    if self.wait_for(found) {
                        self.order.met = false;
                    }
                }
            }
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Starting
            | Phase::Closing
            | Phase::Finishing(_)
            | Phase::Clearing(_)
            | Phase::Gone => {}
        }
    }

    /// The one that was waited for first, and only then those behind him.
    fn look_again(&mut self) {
        self.look_where_this_is();
        // Told to be up since, it calls them all.
        let first = matches!(self.machine.calls, Calls::Idle | Calls::All);
        if let Some((tie, name)) = self.order.waits.filter(|_| !first) {
            let verdict = self.judge(tie, name.as_c_str());
            if verdict != Verdict::Met {
                let again = self.again(verdict);
                return self.feed(Event::Lacking(again));
            }
        }
        let found = self.look_at_all(first);
        if self.wait_for(found) {
            self.order.met = true;
            self.feed(Event::Met);
        }
    }

    fn look_where_this_is(&mut self) {
        let all = self.order.neighbours.as_ref();
        self.order.here = all.is_some_and(|all| all.is_here(self.order.own()));
    }

    /// Says whether nobody is waited for.
    fn wait_for(&mut self, found: Found) -> bool {
        self.order.waits = found.first;
        let Some((tie, name)) = &found.first else {
            if found.unknown {
                self.feed(Event::Lacking(Some(clock::monotonic() + ASK)));
            }
            return !found.unknown;
        };
        note_waiting(*tie, name.as_c_str());
        self.feed(Event::Lacking(found.again));
        point!("order: waits");
        false
    }

    /// Looks at all that this one depends on, from the one on that was waited
    /// for, and then at those before him. The first time everybody is called
    /// and told that there is one that depends on him.
    #[inline(never)]
    fn look_at_all(&mut self, first: bool) -> Found {
        let from = if first { None } else { self.order.waits };
        let mut found = self.look_from(first, from);
        if from.is_some() && found.first.is_none() {
            found = self.look_from(first, None);
        }
        found
    }

    fn look_from(&mut self, first: bool, from: Option<(Tie, Name)>) -> Found {
        let mut found = Found { first: None, again: None, unknown: false };
        let mut from = from;
        let mut complaint = None;
        for tie in Tie::ALL {
            if from.is_some_and(|(waits, _)| waits as u8 > tie as u8) {
                continue;
            }
            let answer = each(CWD, tie, &mut |name| {
                if let Some((waits, who)) = &from
                    && *waits == tie
                {
                    if who.as_c_str() == name {
                        from = None;
                    }
                    return true;
                }
                let verdict = self.judge(tie, name);
                if verdict != Verdict::Met && found.first.is_none() {
                    found.first = Some((tie, Name::of(name)));
                    found.again = self.again(verdict);
                }
                if first && verdict == Verdict::Ask && complaint.is_none() {
                    complaint = Some(Name::of(name));
                }
                // The first time all are called, whoever is waited for.
                first || found.first.is_none()
            });
            // The one that was waited for has gone from the list.
            from = from.filter(|(waits, _)| *waits != tie);
            if let Err(why) = answer {
                // Rather not started than without what it needs.
                found.unknown |= tie == Tie::Needs;
                if first {
                    let [dir, file] = [self.dir.to_bytes(), directory(tie).to_bytes()];
                    let waits: &[u8] = if tie == Tie::Needs { b", waiting: " } else { b": " };
                    TOOL.warn_os(&[b"unable to read ", dir, b"/", file, waits], why);
                }
            }
            if !first && found.first.is_some() {
                break;
            }
        }
        if first && matches!(self.machine.calls, Calls::Idle | Calls::All) {
            self.machine.calls = Calls::Called;
        }
        if let Some(name) = complaint {
            self.complain_of(name.as_c_str());
        }
        found
    }

    /// Says why it cannot be told of `name` when something has changed there, if
    /// that is the system's doing.
    fn complain_of(&self, name: &CStr) {
        let Some(all) = &self.order.neighbours else { return };
        let dir = self.dir.to_bytes();
        match all.sign(name, self.order.own()) {
            Err(Errno::NOENT) | Ok(()) => {}
            Err(why) => {
                let name = name.to_bytes();
                let start: &[u8] = b" depends on ";
                TOOL.warn_os(
                    &[dir, start, name, b", but cannot sign in its supervise/needed: "],
                    why,
                );
            }
        }
    }

    /// Whether this one is held up by `name`. He gets to know who depends on him,
    /// and is called if he has to be.
    fn judge(&mut self, tie: Tie, name: &CStr) -> Verdict {
        let Some(all) = &self.order.neighbours else { return Verdict::Met };
        let own = self.order.own();
        // Before the look, so that nothing is missed in between.
        let signed = self.order.here && all.sign(name, own).is_ok();
        let sight = all.look(name);
        let calls = name != own && order::calls(tie, &sight, self.machine.calls);
        if calls {
            // Where that cannot be noted it is said, and may be lost.
            let noted = all.call(name, own).is_ok();
            let _ = all.say(name, if noted { LOOK } else { b"u" });
        }
        let unheard = calls || tie == Tie::Wants && all.is_calling(name, own);
        let now = clock::monotonic();
        let patient = self.order.patience > now && self.machine.phase != Phase::There;
        let verdict = match (order::verdict(tie, &sight, !unheard), tie) {
            (Verdict::Wait | Verdict::Lost, _) if !signed => Verdict::Ask,
            (Verdict::Lost, _) => Verdict::Ask,
            (Verdict::Doubt, Tie::Needs) if self.machine.phase == Phase::There => Verdict::Met,
            (Verdict::Doubt, Tie::Needs) if !patient => Verdict::Ask,
            (Verdict::Doubt, Tie::Wants | Tie::After) if !patient => Verdict::Met,
            (verdict, _) => verdict,
        };
        // He was told to be down after he was called.
        if let Sight::Known(record) = &sight
            && tie == Tie::Needs
            && verdict != Verdict::Met
            && self.machine.calls == Calls::Called
            && order::goes(record)
            && !all.is_calling(name, own)
        {
            self.machine.calls = Calls::Nobody;
            self.announce(false);
        }
        verdict
    }

    /// When somebody is looked at again whom this one waits for.
    fn again(&self, verdict: Verdict) -> Option<u64> {
        match verdict {
            Verdict::Met | Verdict::Wait => None,
            Verdict::Ask | Verdict::Lost => Some(clock::monotonic() + ASK),
            Verdict::Doubt => Some(self.order.patience),
        }
    }

    /// Whether something that it needs goes down, or was told to: then it goes
    /// first.
    #[inline(never)]
    pub(crate) fn look_whether_to_go(&mut self) {
        if !self.depends() {
            return;
        }
        let Some(all) = &self.order.neighbours else { return };
        let own = self.order.own();
        let mut goes = false;
        // What cannot be read says nothing.
        let _ = each(CWD, Tie::Needs, &mut |name| {
            let record = all.record(name).filter(order::goes);
            goes = record.is_some() && name != own && all.has_signed(name, own);
            !goes
        });
        if goes {
            self.look_for_dependents();
            self.feed(Event::Aside);
        } else if !self.machine.told && self.machine.calls == Calls::All {
            // What it needs stays.
            self.machine.calls = Calls::Nobody;
        }
    }
}

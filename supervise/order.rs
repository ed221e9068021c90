//! Order among services: waiting for what this one needs, going after those
//! that need it, and the word between their supervises, `n`, that something
//! has changed. Nobody polls: each tells those that have signed in its
//! `supervise/needed`, and whoever was killed looks and tells again when it is
//! back.

use crate::keep::{Supervise, TOOL};
use crate::process::name_of;
use core::ffi::CStr;
use rustix::fs::CWD;
use rustix::io::Result;
use rustix::process::{Pid, test_kill_process};
use upkeep_core::control::Command;
use upkeep_core::order::{self, Calls, News, Sight, Tie, Verdict};
use upkeep_core::record::{Record, Stage};
use upkeep_core::status::Want;
use upkeep_core::supervise::{Event, Kind, Phase};
use upkeep_servicedir::order::{
    NAME, Neighbours, each, each_dependent, forget_dependent, has_dependents,
};
use upkeep_sys::{clock, point};

const SECOND: u64 = 1_000_000_000;
/// How long somebody is waited for whom nobody supervises yet.
const PATIENCE: u64 = 5 * SECOND;
/// How often one is looked at who tells nobody of a change.
const ASK: u64 = SECOND;
const LOOK: &[u8] = b"n";

/// What is known of the others.
pub(crate) struct Order {
    neighbours: Option<Neighbours>,
    /// Who is waited for, and how this one depends on him.
    waits: Option<(Tie, Name)>,
    /// Until when those are waited for whom nobody supervises.
    patience: u64,
    /// What the others were told last.
    told: Option<News>,
    /// Whether what it needs has been found to be there.
    met: bool,
}

/// The name of a service.
#[derive(Clone, Copy)]
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
    /// Whether all could be told what there was to tell.
    called: bool,
}

/// Whether there still is something of a service with this record, which nobody
/// supervises.
fn is_left(record: &Record) -> bool {
    match record.own.stage {
        Stage::Preparing | Stage::Up | Stage::Finishing => {
            let pid = Pid::from_raw(record.own.process.pid.cast_signed());
            pid.is_some_and(|pid| test_kill_process(pid).is_ok())
        }
        // What there is to be done about it has no process yet.
        Stage::There | Stage::Clearing | Stage::Following => true,
        Stage::Down | Stage::Waiting | Stage::Needing | Stage::Over => false,
    }
}

impl Order {
    /// Of a service directory that is about to become the current one, or was
    /// that already.
    pub(crate) fn new(neighbours: Result<Neighbours>) -> Self {
        let neighbours = neighbours.ok();
        Self { neighbours, waits: None, patience: 0, told: None, met: false }
    }

    /// Lets what is held survive an exec, or not.
    pub(crate) fn bequeath(&self, survives: bool) -> Result<()> {
        self.neighbours.as_ref().map_or(Ok(()), |all| all.bequeath(survives))
    }
}

impl Supervise {
    /// Whether all is there that is needed for a start; otherwise the machine
    /// is told. What runs before the process has looked already.
    pub(crate) fn may_start(&mut self) -> bool {
        let met = core::mem::take(&mut self.order.met);
        if met || self.machine.prepared || !self.reach.facts().may_depend() {
            return true;
        }
        self.order.waits = None;
        self.order.patience = clock::monotonic() + PATIENCE;
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
        // As long as somebody could not be called, all are looked at.
        let calls = self.machine.calls != Calls::Nobody;
        if let Some((tie, name)) = self.order.waits.filter(|_| !calls) {
            let (verdict, _) = self.judge(tie, name.as_c_str());
            if verdict != Verdict::Met {
                let again = self.again(verdict);
                return self.feed(Event::Lacking(again));
            }
        }
        let found = self.look_at_all(calls);
        if self.wait_for(found) {
            self.order.met = true;
            self.feed(Event::Met);
        }
    }

    /// Says whether nobody is waited for.
    fn wait_for(&mut self, found: Found) -> bool {
        self.order.waits = found.first;
        if found.called {
            self.machine.calls = Calls::Nobody;
        }
        if found.first.is_none() {
            return true;
        }
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
        let mut found = Found { first: None, again: None, called: true };
        let mut from = from;
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
                let (verdict, supervised) = self.judge(tie, name);
                found.called &= supervised;
                if verdict != Verdict::Met && found.first.is_none() {
                    found.first = Some((tie, Name::of(name)));
                    found.again = self.again(verdict);
                }
                // The first time all are called, whoever is waited for.
                first || found.first.is_none()
            });
            // The one that was waited for has gone from the list.
            from = from.filter(|(waits, _)| *waits != tie);
            if let Err(why) = answer {
                let file = upkeep_servicedir::order::directory(tie).to_bytes();
                TOOL.warn_os(&[b"unable to read ", self.dir.to_bytes(), b"/", file, b": "], why);
            }
            if !first && found.first.is_some() {
                break;
            }
        }
        found
    }

    /// Whether this one is held up by `name`, and whether somebody supervises
    /// him. He gets to know who depends on him, and as long as he may be called,
    /// he is.
    fn judge(&self, tie: Tie, name: &CStr) -> (Verdict, bool) {
        let Some(all) = &self.order.neighbours else { return (Verdict::Met, true) };
        let own = name_of(self.dir);
        // Before the look, so that nothing is missed in between.
        let signed = all.sign(name, own).is_ok();
        let sight = all.look(name);
        let calls = order::calls(tie, &sight, self.machine.calls);
        if calls {
            let _ = all.say(name, b"u");
        }
        let supervised = matches!(sight, Sight::Known(_) | Sight::Foreign(_));
        let patient = self.order.patience > clock::monotonic();
        let verdict = match (order::verdict(tie, &sight, !calls), tie) {
            (Verdict::Wait, _) if !signed => Verdict::Ask,
            (Verdict::Doubt, Tie::Needs) if !patient => Verdict::Wait,
            (Verdict::Doubt, Tie::Wants | Tie::After) if !patient => Verdict::Met,
            (verdict, _) => verdict,
        };
        (verdict, supervised || matches!(sight, Sight::Missing))
    }

    /// When somebody is looked at again whom this one waits for.
    fn again(&self, verdict: Verdict) -> Option<u64> {
        match verdict {
            Verdict::Met | Verdict::Wait | Verdict::Lost => None,
            Verdict::Ask => Some(clock::monotonic() + ASK),
            Verdict::Doubt => Some(self.order.patience),
        }
    }

    /// Whether something that it needs goes down, or was told to: then it goes
    /// first.
    #[inline(never)]
    pub(crate) fn look_whether_to_go(&mut self) {
        if !self.reach.facts().may_depend() {
            return;
        }
        let Some(all) = &self.order.neighbours else { return };
        let own = name_of(self.dir);
        let mut goes = false;
        // What cannot be read says nothing.
        let _ = each(CWD, Tie::Needs, &mut |name| {
            let record = all.record(name);
            goes = record.is_some_and(|record| order::goes(&record)) && all.has_signed(name, own);
            !goes
        });
        if goes {
            self.look_for_dependents();
            self.feed(Event::Aside);
        }
    }

    /// Whether there may be some that need it, before it is told to go.
    pub(crate) fn look_for_dependents(&mut self) {
        self.machine.plan.needed = has_dependents();
    }

    /// Whether those that need it are gone, and says so.
    #[inline(never)]
    pub(crate) fn look_back(&mut self) {
        let event = self.held();
        point!("order: looked back");
        self.feed(event);
    }

    fn held(&self) -> Event {
        let Some(all) = &self.order.neighbours else { return Event::Free };
        let own = name_of(self.dir);
        let (mut held, mut deserted) = (false, false);
        let answer = each_dependent(&mut |name| {
            let needs = name != own && all.depends(name, Tie::Needs, own);
            let record = all.record(name).filter(|record| needs && !order::is_gone(record));
            let Some(record) = record else { return true };
            if all.is_supervised(name) {
                held = true;
                return false;
            }
            deserted |= is_left(&record);
            true
        });
        match (answer, held, deserted) {
            (Ok(()), true, _) => Event::Held(None),
            // Its supervise was killed; another one comes in a moment.
            (Ok(()), false, true) => Event::Held(Some(clock::monotonic() + PATIENCE)),
            (Ok(()), false, false) | (Err(_), _, _) => Event::Free,
        }
    }

    /// Tells the others of what is on record now, if that is news to them.
    pub(crate) fn tell_others(&mut self, record: &Record) {
        let news = News::of(record);
        let before = self.order.told.replace(news);
        if before.is_none_or(|before| news.is_news(&before)) {
            self.tell_dependents();
        }
        if before.is_none_or(|before| news.gone && !before.gone) {
            self.tell_needs();
        }
    }

    /// Begins anew: nobody has to hear that it is not up yet.
    pub(crate) fn be_quiet(&mut self) {
        let times = Default::default();
        let record = self.record(&self.machine, self.watch.identity(), times, false);
        self.order.told = Some(News::of(&record));
    }

    /// It can be seen from now on, and be told to be up. The supervise before
    /// this one may have been killed before it could tell what it had written.
    pub(crate) fn tell_of_itself(&self, goes_on: bool) {
        if goes_on || self.machine.want != Want::Up {
            self.tell_dependents();
        }
        if goes_on {
            self.tell_needs();
        }
    }

    #[inline(never)]
    fn tell_dependents(&self) {
        let Some(all) = &self.order.neighbours else { return };
        let own = name_of(self.dir);
        let _ = each_dependent(&mut |name| {
            if Tie::ALL.into_iter().any(|tie| all.depends(name, tie, own)) {
                // One that is not there looks when it comes.
                let _ = all.say(name, LOOK);
            } else {
                forget_dependent(name);
            }
            true
        });
    }

    #[inline(never)]
    fn tell_needs(&self) {
        let Some(all) = &self.order.neighbours else { return };
        if !self.reach.facts().may_depend() {
            return;
        }
        let _ = each(CWD, Tie::Needs, &mut |name| {
            let _ = all.say(name, LOOK);
            true
        });
    }

    /// What is said to a group is said to those that it is made of. What is
    /// about its supervise is not.
    #[inline(never)]
    pub(crate) fn pass_on(&self, command: Command, byte: u8) {
        let own = matches!(command, Command::Exit | Command::Renew | Command::Look);
        if own || self.machine.pid() != 0 || !self.is_group() {
            return;
        }
        let Some(all) = &self.order.neighbours else { return };
        for tie in [Tie::Needs, Tie::Wants] {
            let _ = each(CWD, tie, &mut |name| {
                let _ = all.say(name, &[byte]);
                true
            });
        }
    }

    fn is_group(&self) -> bool {
        let kind = self.machine.plan.kind;
        kind == Kind::Group || self.machine.starts == 0 && self.reach.may_be_group()
    }
}

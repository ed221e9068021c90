//! Who needs this one: hearing them, going after them, telling them, and what
//! is passed on by a group.

use super::{ALONE, LOOK, Name, PATIENCE};
use crate::supervise::keep::Supervise;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::CWD;
use rustix::process::{Pid, test_kill_process};
use upkeep_core::control::Command;
use upkeep_core::order::{self, News, Tie};
use upkeep_core::record::{Record, Stage};
use upkeep_core::status::Want;
use upkeep_core::supervise::{Event, Kind, Phase};
use upkeep_servicedir::order::{
    each, each_caller, each_dependent, forget_caller, forget_dependent, has_dependents,
};
use upkeep_sys::table::Table;
use upkeep_sys::{clock, point};

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

impl Supervise {
    /// Hears those that have called this one.
    #[inline(never)]
    pub(crate) fn hear_callers(&mut self) {
        // Those that cannot be forgotten are heard again the next time.
        for _ in 0..MANY {
            let mut called = [None; HEARD];
            let mut count = 0;
            let answer = each_caller(&mut |name| {
                called[count] = Some(Name::of(name));
                count += 1;
                count < HEARD
            });
            if answer.is_err() || count == 0 {
                return;
            }
            let heard = called[..count].iter().flatten();
            let wants = heard.clone().any(|name| self.wants_up(name.as_c_str()));
            if wants {
                self.feed(Event::Called);
            }
            // Only now: until then it counts as not heard.
            heard.for_each(|name| forget_caller(name.as_c_str()));
            if count < HEARD {
                return;
            }
        }
    }

    /// Whether that one still wants to be up, in this boot.
    fn wants_up(&self, name: &CStr) -> bool {
        let Some(all) = &self.order.neighbours else { return false };
        all.record_now(name).is_some_and(|record| record.status.want != Want::Down)
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

    fn held(&mut self) -> Event {
        let Some(all) = &self.order.neighbours else { return Event::Free };
        let own = self.order.own();
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
        let now = clock::monotonic();
        if held || !deserted {
            self.order.deserted = None;
        }
        if answer.is_err() || held {
            // Whoever loses his supervise tells nobody when he is gone.
            return Event::Held(now + PATIENCE);
        }
        if !deserted {
            return Event::Free;
        }
        // Another supervise comes in a moment, where there is a svscan.
        let since = *self.order.deserted.get_or_insert(now);
        if now >= since + PATIENCE { Event::Free } else { Event::Held(since + PATIENCE) }
    }

    /// Tells the others of what is on record now, if that is news to them.
    pub(crate) fn tell_others(&mut self, record: &Record) {
        // Before that they would not see that anybody is here.
        if !self.order.tells {
            return;
        }
        let news = News::of(record);
        let before = self.order.told.replace(news);
        if before.is_none_or(|before| news.is_news(&before)) {
            self.tell_dependents();
        }
        if before.is_none_or(|before| news.gone && !before.gone) {
            self.tell_needs();
        }
    }

    /// From now on the others see that somebody is here. What was on record
    /// before may be news to them, but for a service that begins anew and is not
    /// up yet: only who has to be told to be up is waited for by others who are
    /// to tell him.
    pub(crate) fn begin_to_tell(&mut self) {
        self.order.tells = true;
        self.hear_callers();
        let times = (self.since, self.ready);
        let record = self.record(&self.machine, self.watch.identity(), times, false);
        let begins = self.machine.starts == 0 && self.machine.want == Want::Up;
        if begins && matches!(self.machine.phase, Phase::Waiting(_)) {
            self.order.told = Some(News::of(&record));
        } else {
            self.tell_others(&record);
        }
    }

    #[inline(never)]
    fn tell_dependents(&self) {
        let Some(all) = &self.order.neighbours else { return };
        let own = self.order.own();
        let _ = each_dependent(&mut |name| {
            if name != own && Tie::ALL.into_iter().any(|tie| all.depends(name, tie, own)) {
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
        if !self.depends() {
            return;
        }
        let own = self.order.own();
        let _ = each(CWD, Tie::Needs, &mut |name| {
            if name != own {
                let _ = all.say(name, LOOK);
            }
            true
        });
    }

    /// What is said to a group is said, once, to all that it is made of, also by
    /// way of other groups. What is about its supervise is not.
    #[inline(never)]
    pub(crate) fn pass_on(&self, command: Command, byte: u8) {
        let own = matches!(command, Command::Exit | Command::Renew | Command::Look);
        if own || self.machine.pid() != 0 || !self.is_group() {
            return;
        }
        // Without memory for the list, some are not told.
        let Some(all) = &self.order.neighbours else { return };
        let mut list: Table<Name> = Table::new();
        if list.push(self.order.own).is_err() {
            return;
        }
        add_members(&mut list, CWD);
        let mut next = 1;
        while let Some(name) = list.get(next).copied() {
            let group = all.group(name.as_c_str());
            let said = if group.is_some() { &[ALONE, byte][..] } else { &[byte] };
            let _ = all.say(name.as_c_str(), said);
            if let Some(dir) = group {
                add_members(&mut list, dir.as_fd());
            }
            next += 1;
        }
    }

    fn is_group(&self) -> bool {
        let kind = self.machine.plan.kind;
        kind == Kind::Group || self.machine.starts == 0 && self.reach.may_be_group()
    }
}

/// How many callers are heard at a time.
const HEARD: usize = 4;
/// And how often.
const MANY: usize = 1024;

/// Adds what the group in `from` is made of, each once.
fn add_members(list: &mut Table<Name>, from: BorrowedFd<'_>) {
    for tie in [Tie::Needs, Tie::Wants] {
        let _ = each(from, tie, &mut |name| {
            let name = Name::of(name);
            list.contains(&name) || list.push(name).is_ok()
        });
    }
}

//! How a supervise begins: it claims the directory, or finds that it has it
//! already, reads what the last one left, and goes on from there.

use crate::supervise::errands::Errands;
use crate::supervise::health::Senses;
use crate::supervise::keep::{Supervise, TOOL, fatal, now};
use crate::supervise::order::Order;
use crate::supervise::reach::Reach;
use crate::supervise::watch::{Found, Watch};
use core::ffi::CStr;
use upkeep_cli::{Exit, drop_messages_rather_than_wait};
use upkeep_core::record::{Own, Record, SIZE, Stage};
use upkeep_core::supervise::Machine;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::order::Neighbours;
use upkeep_servicedir::{Keeper, Pipes, Trouble, go, normally_up};
use upkeep_sys::signals::{self, Signal, Signals};
use upkeep_sys::{Args, clock, point, process};

impl Supervise {
    #[inline(never)]
    pub(crate) fn begin(args: Args, dir: &'static CStr) -> Result<Box<Self>, Exit> {
        // A reader of our messages that goes away must not take us along, and
        // one that is stuck must not hold us up.
        signals::ignore_broken_pipes();
        drop_messages_rather_than_wait();
        // TTOU is blocked only so that a terminal that stops background output
        // does not stop us.
        let always = [Signal::CHILD, Signal::TERM, Signal::TTOU];
        let unless_ignored = [Signal::INT, Signal::HUP, Signal::QUIT];
        let name = dir.to_bytes();
        let signals = Signals::take(&always, &unless_ignored)
            .map_err(|why| TOOL.fatal_os(&[b"unable to take signals for ", name, b": "], why))?;
        let (keeper, neighbours) = match Keeper::inherit(dir) {
            Some(keeper) => (keeper, Neighbours::inherit()),
            None => {
                let around = Neighbours::around(dir);
                (claim(dir)?, around)
            }
        };
        point!("begin: claimed");
        let up = normally_up()
            .map_err(|why| TOOL.fatal_os(&[b"unable to stat ", name, b"/down: "], why))?;
        let mut supervise = Box::new(Self {
            args,
            dir,
            keeper,
            pipes: Pipes::hold(),
            signals,
            machine: Machine::new(up, clock::monotonic()),
            watch: Watch::nobody(),
            reach: Reach::new(),
            errands: Errands::new(),
            alone: false,
            whole: false,
            order: Order::new(neighbours, dir),
            since: now(),
            ready: Tai64n::default(),
            asides: [None; 6],
            senses: Senses::none(),
            changes: None,
            boot: Keeper::origin(process::boot()),
            namespace: process::namespace(),
            renewing: false,
            leaving: None,
        });
        match supervise.last().map_err(|trouble| fatal(dir, trouble))? {
            Some(record) => supervise.go_on(&record),
            // Nothing runs, and the status has to say so before anybody asks.
            None => supervise.announce(false),
        }
        point!("begin: went on");
        supervise.keeper.open_ok().map_err(|trouble| fatal(dir, trouble))?;
        supervise.begin_to_tell();
        Ok(supervise)
    }

    /// What the supervise before this one left, if it did not leave by itself.
    fn last(&self) -> Result<Option<Record>, Trouble> {
        let mut bytes = [0; SIZE];
        let record = Record::of_this_boot(self.keeper.last_record(&mut bytes)?, &self.boot);
        Ok(record.filter(|record| record.own.stage != Stage::Over))
    }

    fn go_on(&mut self, record: &Record) {
        self.take_up(record);
        // The last one may have been killed before it had written them all.
        self.announce_in_words();
    }

    fn take_up(&mut self, record: &Record) {
        let (status, own) = (&record.status, &record.own);
        let now = clock::monotonic();
        let plan = self.reach.read(self.dir);
        let Some(machine) = Machine::resume(record, plan, now) else { return };
        self.machine = machine;
        self.since = status.since;
        self.ready = own.ready;
        self.reach.expect_strangers();
        match own.stage {
            Stage::Preparing | Stage::Up | Stage::Finishing => self.adopt(own, now),
            Stage::Clearing => {
                self.watch = Watch::was(own.process);
                self.look_for_finish();
            }
            Stage::Following => {
                self.watch = Watch::was(own.process);
                self.hear_again();
                if own.intent {
                    self.look_for_dependents();
                    self.feed(self.machine.intended());
                }
            }
            Stage::There => {
                self.look_for_finish();
                self.look_for_dependents();
                if own.intent {
                    self.feed(self.machine.intended());
                } else {
                    self.look_around();
                }
            }
            // It may be told to go down before it has ended once more.
            Stage::Down | Stage::Waiting | Stage::Needing => self.look_for_finish(),
            Stage::Over => {}
        }
    }

    fn adopt(&mut self, own: &Own, now: u64) {
        match self.watch.adopt(own.process, now) {
            Found::Alive => {
                self.reach.adopt(own.process.pid);
                if own.stage != Stage::Preparing {
                    self.hear_again();
                }
                self.look_for_dependents();
                if own.intent {
                    self.feed(self.machine.intended());
                } else {
                    self.look_whether_to_go();
                }
                // A child that ended while this program was being executed is
                // told of no more.
                self.reap();
            }
            Found::Doubtful => {
                let name = self.dir.to_bytes();
                TOOL.warn(&[b"unable to tell whether ", name, b" still runs, waiting: ", UNSEEN]);
                self.announce(false);
            }
            Found::Dead(outcome) => {
                // What it has left behind may still speak.
                if own.stage == Stage::Up && self.machine.plan.follow_within > 0 {
                    self.hear_again();
                }
                self.ended(outcome, true);
            }
        }
    }
}

const UNSEEN: &[u8] = b"its process cannot be identified";

fn claim(dir: &'static CStr) -> Result<Keeper, Exit> {
    let name = dir.to_bytes();
    go(dir).map_err(|why| TOOL.fatal_os(&[b"unable to chdir to ", name, b": "], why))?;
    Keeper::claim().map_err(|trouble| fatal(dir, trouble))
}

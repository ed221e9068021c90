//! The streams that svlines reads: of each pipe the reading end, also when the
//! service is forgotten, until svlines says that nothing is left in it. So one
//! that takes over gets all of them.

use crate::svscan::names::{Names, Place};
use crate::svscan::roster::{Identity, NAME};
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Result;
use upkeep_core::hold::{Message, Pipe, Stream};
use upkeep_servicedir::hold::Teller;
use upkeep_sys::table::Table;

/// One of them.
pub(crate) struct One {
    owner: Identity,
    kind: Stream,
    read: OwnedFd,
    pub(crate) pipe: Pipe,
    name: Place,
    /// The rounds in which svlines and svhold were told of it.
    told: u32,
    held: u32,
    /// Whether no supervise will get it any more, and whether that was told.
    over: bool,
    parted: bool,
}

/// All of them.
pub(crate) struct Streams {
    all: Table<One>,
    names: Names,
}

impl Streams {
    pub(crate) const fn new() -> Self {
        Self { all: Table::new(), names: Names::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Knows this one from now on, and where it is. It may be an old one.
    pub(crate) fn add(
        &mut self,
        (owner, kind): (Identity, Stream),
        name: &CStr,
        (pipe, read): (Pipe, OwnedFd),
    ) -> Result<usize> {
        let is_its = |one: &One| one.owner == owner && one.kind == kind;
        for one in self.all.iter_mut().filter(|one| is_its(one)) {
            // Somebody has removed the old one, or it is back.
            one.over = one.pipe != pipe;
            one.told = if one.over || one.parted { 0 } else { one.told };
        }
        self.rename(owner, name)?;
        if let Some(place) = self.all.iter().position(|one| is_its(one) && one.pipe == pipe) {
            return Ok(place);
        }
        self.all.reserve(self.all.len() + 1)?;
        let name = self.names.add(name)?;
        let (told, held, over, parted) = (0, 0, false, false);
        self.all.push(One { owner, kind, read, pipe, name, told, held, over, parted })?;
        Ok(self.all.len() - 1)
    }

    /// The service has another name; says whether that is news.
    pub(crate) fn rename(&mut self, owner: Identity, name: &CStr) -> Result<bool> {
        let mut renamed = false;
        for one in self.all.iter_mut().filter(|one| one.owner == owner) {
            if self.names.get(one.name) != name {
                let new = self.names.add(name)?;
                self.names.remove(core::mem::replace(&mut one.name, new));
                one.told = 0;
                renamed = true;
            }
        }
        self.names.tidy(self.all.iter_mut().map(|one| &mut one.name));
        Ok(renamed)
    }

    /// No supervise of the service will get this one, or any, any more.
    pub(crate) fn let_go(&mut self, owner: Identity, kind: Option<Stream>) {
        for one in self.all.iter_mut().filter(|one| one.owner == owner) {
            one.over |= kind.is_none_or(|kind| one.kind == kind);
        }
    }

    /// Nothing is left in the pipe: where that was expected, it is forgotten.
    pub(crate) fn remove(&mut self, pipe: Pipe) -> bool {
        let is_it = |one: &One| one.pipe == pipe && one.over;
        let Some(place) = self.all.iter().position(is_it) else { return false };
        self.names.remove(self.all.swap_remove(place).name);
        self.names.tidy(self.all.iter_mut().map(|one| &mut one.name));
        true
    }

    /// Tells svlines of one by `say` what it was not told in this round; says
    /// whether nothing is left to tell.
    pub(crate) fn tell(
        &mut self,
        place: usize,
        round: u32,
        mut say: impl FnMut(&dyn Fn(&Teller) -> Result<()>) -> bool,
    ) -> bool {
        let Some(one) = self.all.get_mut(place) else { return true };
        if one.told != round {
            let mut what = [one.kind.letter(); NAME];
            let name = self.names.get(one.name).to_bytes();
            what[1..=name.len()].copy_from_slice(name);
            let what = &what[..=name.len()];
            if !say(&|line| line.hand(one.read.as_fd(), one.pipe, what)) {
                return false;
            }
            (one.told, one.parted) = (round, false);
        }
        if one.over && !one.parted {
            one.parted = say(&|line| line.tell(Message::LetGo(one.pipe)));
        }
        one.over == one.parted
    }

    /// The same for svhold, which needs no name and is told of the end when it
    /// has come.
    pub(crate) fn tell_holder(
        &mut self,
        place: usize,
        round: u32,
        mut say: impl FnMut(&dyn Fn(&Teller) -> Result<()>) -> bool,
    ) -> bool {
        let Some(one) = self.all.get_mut(place).filter(|one| one.held != round) else {
            return true;
        };
        let told = say(&|line| line.hand(one.read.as_fd(), one.pipe, b""));
        if told {
            one.held = round;
        }
        told
    }
}

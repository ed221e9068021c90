//! The list of services. What every search touches is kept apart from what is
//! looked at only when something happens, so that ten thousand services are
//! searched in memory that fits a cache.

use crate::svscan::listen::Heard;
use crate::svscan::names::{Names, Place};
use core::ffi::CStr;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Result;
use upkeep_core::scan::{Service, Which};
use upkeep_servicedir::Log;
use upkeep_sys::table::Table;

/// What makes a directory the same directory, under any name.
pub(crate) type Identity = (u64, u64);

/// The longest name that the kernel allows, and its closing zero.
pub(crate) const NAME: usize = 256;

/// One service.
pub(crate) struct Entry {
    pub(crate) service: Service,
    /// What the logger is, if there is one.
    pub(crate) log: Log,
    /// The pipe to the logger, reading end first.
    pub(crate) pipe: Option<(OwnedFd, Option<OwnedFd>)>,
    /// The scan in which it was seen last.
    pub(crate) seen: u32,
    /// The round in which the holder was told of the pipe.
    pub(crate) told: u32,
    /// How it stands, as far as that matters.
    pub(crate) heard: Heard,
    /// What tells the end of a supervise that was not started from here.
    found: [Option<OwnedFd>; 2],
    /// What holds the word that was left for one that did not listen yet.
    words: [Option<OwnedFd>; 2],
    name: Place,
}

struct Key {
    identity: Identity,
    pids: [i32; 2],
    /// The services whose supervises died last: they may be ours to wait for.
    orphans: [u32; 2],
    due: u64,
}

/// Every service that svscan knows.
pub(crate) struct Roster {
    keys: Table<Key>,
    entries: Table<Entry>,
    names: Names,
}

impl Roster {
    pub(crate) const fn new() -> Self {
        Self { keys: Table::new(), entries: Table::new(), names: Names::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn find(&self, identity: Identity) -> Option<usize> {
        self.keys.iter().position(|key| key.identity == identity)
    }

    /// Whose supervise this was, and that it is no more.
    pub(crate) fn take_pid(&mut self, pid: i32) -> Option<(usize, Which)> {
        let index = self.keys.iter().position(|key| key.pids.contains(&pid))?;
        let which = if self.keys[index].pids[0] == pid { Which::Main } else { Which::Log };
        self.keys[index].pids[which as usize] = 0;
        self.entries[index].words[which as usize] = None;
        Some((index, which))
    }

    /// Whose service this is that has lost its supervise.
    pub(crate) fn find_orphan(&self, pid: i32) -> Option<(usize, Which)> {
        let pid = pid.unsigned_abs();
        let index = self.keys.iter().position(|key| key.orphans.contains(&pid))?;
        let which = if self.keys[index].orphans[0] == pid { Which::Main } else { Which::Log };
        Some((index, which))
    }

    /// A supervise has died and left this process, 0 for none.
    pub(crate) fn set_orphan(&mut self, index: usize, which: Which, pid: u32) {
        self.keys[index].orphans[which as usize] = pid;
    }

    /// The word that was left for a supervise stays as long as it runs.
    pub(crate) fn keep_word(&mut self, index: usize, which: Which, word: OwnedFd) {
        self.entries[index].words[which as usize] = Some(word);
    }

    /// A supervise that was not started from here runs as long as `ok` says.
    pub(crate) fn set_found(&mut self, index: usize, which: Which, ok: OwnedFd) {
        self.entries[index].found[which as usize] = Some(ok);
    }

    /// Whose supervise this descriptor was about, and that it is no more.
    pub(crate) fn take_found(&mut self, fd: i32) -> Option<(usize, Which)> {
        for (index, entry) in self.entries.iter_mut().enumerate() {
            for which in [Which::Main, Which::Log] {
                let found = &mut entry.found[which as usize];
                if found.as_ref().is_some_and(|ok| ok.as_raw_fd() == fd) {
                    *found = None;
                    return Some((index, which));
                }
            }
        }
        None
    }

    pub(crate) fn identity(&self, index: usize) -> Identity {
        self.keys[index].identity
    }

    pub(crate) fn add(&mut self, identity: Identity, name: &CStr) -> Result<usize> {
        self.keys.reserve(self.keys.len() + 1)?;
        self.entries.reserve(self.entries.len() + 1)?;
        let name = self.names.add(name)?;
        let service = Service::new();
        let found = [None, None];
        let words = [None, None];
        let (log, pipe) = (Log::Directory, None);
        let heard = Heard::NOTHING;
        let entry = Entry { service, log, pipe, seen: 0, told: 0, heard, found, words, name };
        self.entries.push(entry)?;
        self.keys.push(Key { identity, pids: [0; 2], orphans: [0; 2], due: u64::MAX })?;
        Ok(self.len() - 1)
    }

    pub(crate) fn remove(&mut self, index: usize) {
        self.keys.swap_remove(index);
        let entry = self.entries.swap_remove(index);
        self.names.remove(entry.name);
        self.names.tidy(self.entries.iter_mut().map(|entry| &mut entry.name));
    }

    /// The same service under another name.
    pub(crate) fn rename(&mut self, index: usize, name: &CStr) -> Result<()> {
        let new = self.names.add(name)?;
        let old = core::mem::replace(&mut self.entries[index].name, new);
        self.names.remove(old);
        self.names.tidy(self.entries.iter_mut().map(|entry| &mut entry.name));
        Ok(())
    }

    pub(crate) fn name(&self, index: usize) -> &CStr {
        self.names.get(self.entries[index].name)
    }

    pub(crate) fn get(&self, index: usize) -> &Entry {
        &self.entries[index]
    }

    /// The record with this watch may have changed.
    pub(crate) fn stir(&mut self, watch: i32) {
        self.entries.iter_mut().for_each(|entry| entry.heard.stir(watch));
    }

    /// Any record may have changed.
    pub(crate) fn stir_all(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.heard.stir_anyway());
    }

    /// Nothing is told of records any more.
    pub(crate) fn deafen(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.heard.deafen());
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Entry {
        &mut self.entries[index]
    }

    /// Puts the next state in place.
    pub(crate) fn set(&mut self, index: usize, service: Service) {
        self.entries[index].service = service;
        self.keys[index].due = service.deadline().unwrap_or(u64::MAX);
    }

    pub(crate) fn pid(&self, index: usize, which: Which) -> i32 {
        self.keys[index].pids[which as usize]
    }

    pub(crate) fn set_pid(&mut self, index: usize, which: Which, pid: i32) {
        self.keys[index].pids[which as usize] = pid;
    }

    /// The first deadline of all.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.keys.iter().map(|key| key.due).min().filter(|due| *due < u64::MAX)
    }

    /// The first service from `start` on whose deadline has come.
    pub(crate) fn due(&self, start: usize, now: u64) -> Option<usize> {
        let keys = self.keys.get(start..)?;
        keys.iter().position(|key| key.due <= now).map(|i| start + i)
    }
}

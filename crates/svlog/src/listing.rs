//! The files of a log directory, all of one moment: whoever rotates it
//! meanwhile makes nothing be missed, and nothing be seen twice.

use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, Dir, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::rc::Rc;
use upkeep_core::archives;
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_logdir::files::{CURRENT, PREVIOUS, PROCESSED};

/// How often it is looked before a directory that does not hold still is
/// taken as it is.
const LOOKS: usize = 1000;

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u64, u64);

impl Id {
    pub(crate) fn of(file: &OwnedFd) -> Result<Self> {
        fs::fstat(file).map(Self::from)
    }

    pub(crate) fn at(dir: &OwnedFd, name: &CStr) -> Result<Self> {
        fs::statat(dir, name, AtFlags::empty()).map(Self::from)
    }
}

impl From<fs::Stat> for Id {
    fn from(stat: fs::Stat) -> Self {
        Self(stat.st_dev, stat.st_ino)
    }
}

/// A file that is kept open, because it will be called something else.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) name: &'static CStr,
    pub(crate) file: Rc<OwnedFd>,
    pub(crate) id: Id,
}

impl Held {
    fn open(dir: &OwnedFd, name: &'static CStr) -> Result<Option<Self>> {
        let file = match open(dir, name) {
            Err(Errno::NOENT) => return Ok(None),
            // A processor may be writing it, for itself.
            Err(Errno::ACCESS) if name == PROCESSED => return Ok(None),
            answer => answer?,
        };
        let id = Id::of(&file)?;
        Ok(Some(Self { name, file: Rc::new(file), id }))
    }

    /// Which of the archives it is by now. A name that is linked before the
    /// first one is removed counts as soon as it is there.
    fn place_in(&self, dir: &OwnedFd, all: &BTreeMap<Stem, CString>) -> Result<Option<Stem>> {
        let has_one_name = fs::fstat(&*self.file)?.st_nlink == 1;
        if has_one_name && id_at(dir, self.name)? == Some(self.id) {
            return Ok(None);
        }
        // The newest is the most likely one.
        let is_it = |(_, name): &(_, &CString)| Id::at(dir, name) == Ok(self.id);
        Ok(all.iter().rev().find(is_it).map(|(stem, _)| *stem))
    }
}

/// Opens a file to read it, and never waits for one that is a FIFO.
pub(crate) fn open(dir: &OwnedFd, name: &CStr) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    fs::openat(dir, name, flags, Mode::empty())
}

/// The part of an archive's name that stays when it is compressed: its label.
pub(crate) type Stem = [u8; LABEL];

/// The label that an archive's name begins with.
pub(crate) fn stem(name: &CStr) -> Option<Stem> {
    let stem = name.to_bytes().first_chunk()?;
    let is_label = archives::is_archive(stem) && stem[1..].iter().all(u8::is_ascii_hexdigit);
    is_label.then_some(*stem)
}

/// When an archive was closed, as its name says. No line in it is younger,
/// unless the clock was set back.
pub(crate) fn closed(stem: &Stem) -> Option<Tai64n> {
    let text = core::str::from_utf8(&stem[1..]).ok()?;
    let seconds = u64::from_str_radix(text.get(..16)?, 16).ok()?;
    let nanos = u32::from_str_radix(text.get(16..)?, 16).ok()?;
    Some(Tai64n { seconds, nanos })
}

/// Everything in it that is read, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The archives, each once, by their stems.
    pub(crate) archives: BTreeMap<Stem, CString>,
    /// What has been closed and has no name of its own yet.
    pub(crate) closed: Option<Held>,
    /// What is being written.
    pub(crate) current: Option<Held>,
    /// Those of both that cannot be opened: the rest is read nevertheless.
    pub(crate) unreadable: Vec<(&'static CStr, Errno)>,
}

impl Listing {
    /// Looks. However often it is rotated meanwhile, nothing is left out that
    /// is older than anything that is listed.
    pub(crate) fn of(dir: &OwnedFd) -> Result<Self> {
        for _ in 1..LOOKS {
            if let Some(listing) = Self::attempt(dir, false)? {
                return Ok(listing);
            }
        }
        Self::attempt(dir, true).map(Option::unwrap_or_default)
    }

    /// Nothing if it did not hold still enough, unless it is the last attempt.
    fn attempt(dir: &OwnedFd, is_last: bool) -> Result<Option<Self>> {
        let mut unreadable = Vec::new();
        let mut open = |name| {
            Held::open(dir, name).unwrap_or_else(|why| {
                unreadable.push((name, why));
                None
            })
        };
        let current = open(CURRENT);
        let [previous, processed] = [open(PREVIOUS), open(PROCESSED)];
        // One that cannot be opened is as good as none.
        let is_none = unreadable.iter().any(|(name, _)| *name == CURRENT);
        let current_id = || if is_none { Ok(None) } else { id_at(dir, CURRENT) };
        // Then what is before it is one of those, or an archive already.
        if current.as_ref().map(|held| held.id) != current_id()? && !is_last {
            return Ok(None);
        }
        // As long as there is what it is made of, it may not be whole.
        let mut closed = previous.or(processed);
        // What is called something else meanwhile may be missing, but not
        // twice.
        let first = archives(dir)?;
        let mut all = archives(dir)?;
        let is_same = first.keys().eq(all.keys());
        for (stem, name) in first {
            all.entry(stem).or_insert(name);
        }
        if let Some(held) = &closed
            && held.place_in(dir, &all)?.is_some()
        {
            closed = None;
        }
        // What was closed after that came while it was looked, and what is in
        // between may be missing.
        if let Some(held) = &current
            && current_id()? != Some(held.id)
            && let Some(place) = held.place_in(dir, &archives(dir)?)?
        {
            all.retain(|stem, _| *stem < place);
        }
        // Of one that is gone, what was made of it may be one of the archives.
        let is_gone = |held: &Held| fs::fstat(&*held.file).map(|stat| stat.st_nlink == 0);
        let are_there = match &current {
            None => is_same && current_id()?.is_none(),
            Some(held) => !is_gone(held)?,
        };
        let is_whole =
            are_there && closed.as_ref().map_or(Ok(true), |it| is_gone(it).map(|is| !is))?;
        Ok((is_whole || is_last).then_some(Self { archives: all, closed, current, unreadable }))
    }
}

/// What is called so now, if anything is.
fn id_at(dir: &OwnedFd, name: &CStr) -> Result<Option<Id>> {
    match Id::at(dir, name) {
        Err(Errno::NOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

fn archives(dir: &OwnedFd) -> Result<BTreeMap<Stem, CString>> {
    let mut all = BTreeMap::<Stem, CString>::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let Some(stem) = stem(entry.file_name()) else { continue };
        let name = entry.file_name();
        match all.entry(stem) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(name.to_owned());
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                if rank(name) < rank(slot.get()) {
                    slot.insert(name.to_owned());
                }
            }
        }
    }
    Ok(all)
}

/// Which of several files is read that were made of one, and have its stem:
/// the one that was there first, because the others may not be whole yet.
fn rank(name: &CStr) -> u8 {
    match &name.to_bytes()[LABEL..] {
        b".s" => 0,
        b".u" => 1,
        b"" => 2,
        // What svlogd's processor is writing.
        b".t" => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_dir::TestDir;

    const A: &str = "@400000006b08095300000001";
    const B: &str = "@400000006b08095300000002";

    fn look(dir: &TestDir) -> (Vec<String>, Option<&'static CStr>, bool) {
        let listing = Listing::of(&dir.fd()).unwrap();
        let names = listing.archives.values();
        let names = names.map(|name| name.to_str().unwrap().to_owned()).collect();
        (names, listing.closed.map(|held| held.name), listing.current.is_some())
    }

    #[test]
    fn in_order_and_each_once() {
        let dir = TestDir::new();
        assert_eq!(look(&dir), (vec![], None, false));
        let names = [
            format!("{B}.s.gz"),
            format!("{B}.s"),
            format!("{A}.t"),
            format!("{A}.u"),
            "@short".to_owned(),
            A.replace('8', "x"),
            "current".to_owned(),
            "compressing".to_owned(),
            "lock".to_owned(),
            "state".to_owned(),
        ];
        names.iter().for_each(|name| dir.write(name, b"x\n"));
        assert_eq!(look(&dir), (vec![format!("{A}.u"), format!("{B}.s")], None, true));
        dir.remove(&format!("{B}.s"));
        assert_eq!(look(&dir).0, [format!("{A}.u"), format!("{B}.s.gz")]);
    }

    #[test]
    fn what_is_closed_counts_once() {
        let dir = TestDir::new();
        dir.write("processed", b"x\n");
        assert_eq!(look(&dir), (vec![], Some(PROCESSED), false));
        dir.write("previous", b"x\n");
        assert_eq!(look(&dir), (vec![], Some(PREVIOUS), false));
        let name = format!("{A}.s");
        std::fs::hard_link(dir.path("previous"), dir.path(&name)).unwrap();
        assert_eq!(look(&dir), (vec![name.clone()], None, false));
        // Two names that have nothing to do with each other.
        dir.remove(&name);
        std::fs::hard_link(dir.path("previous"), dir.path("mine")).unwrap();
        dir.write(&name, b"y\n");
        assert_eq!(look(&dir), (vec![name], Some(PREVIOUS), false));
    }

    #[test]
    fn one_that_cannot_be_opened_hides_no_other() {
        let dir = TestDir::new();
        dir.write(A, b"x\n");
        dir.write("current", b"x\n");
        std::os::unix::fs::symlink("previous", dir.path("previous")).unwrap();
        assert_eq!(look(&dir), (vec![A.to_owned()], None, true));
        dir.remove("current");
        std::os::unix::fs::symlink("current", dir.path("current")).unwrap();
        assert_eq!(look(&dir), (vec![A.to_owned()], None, false));
        let listing = Listing::of(&dir.fd()).unwrap();
        assert_eq!(listing.unreadable, [(CURRENT, Errno::LOOP), (PREVIOUS, Errno::LOOP)]);
    }

    #[test]
    fn names_say_when() {
        let closed = |name: &str| stem(&CString::new(name).unwrap()).and_then(|it| closed(&it));
        let moment = Tai64n { seconds: 0x4000_0000_6b08_0953, nanos: 1 };
        assert_eq!(closed(&format!("{A}.s")), Some(moment));
        assert_eq!(closed("@40000000zz08095300000001.s"), None);
        assert_eq!(closed("@40000"), None);
    }
}

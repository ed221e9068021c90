//! What comes but once, to be read from anywhere: in a file without a name,
//! where files for a while are and have room; in memory only if there is no
//! such place.

use crate::part::Feed;
use crate::seek::fill;
use crate::trouble;
use rustix::fd::OwnedFd;
use rustix::fs::{self, MemfdFlags, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::rc::Rc;
use std::vec::IntoIter;
use upkeep_cli::put_all;
use upkeep_sys::exec;

/// How much is read at once.
const ROOM: usize = 128 * 1024;

/// Takes all that comes; if that cannot be, a warning has said so.
pub(crate) fn spool(mut feed: Feed, shown: &[u8]) -> Option<Rc<OwnedFd>> {
    let mut room = vec![0; ROOM];
    let own = exec::variable(b"TMPDIR").filter(|dir| !dir.is_empty());
    let places: Vec<_> = own.into_iter().chain([&b"/var/tmp"[..], b"/tmp"]).collect();
    let begun = Spool::begin(places);
    let mut spool = begun.inspect_err(|why| unable(shown, b"memory", *why)).ok()?;
    loop {
        match feed.read(&mut room) {
            Ok(0) => return Some(Rc::new(spool.file)),
            Ok(len) => {
                let done = spool.put(&room[..len]);
                done.inspect_err(|why| unable(shown, spool.place, *why)).ok()?;
            }
            Err(why) => {
                trouble::note_os(&[b"unable to read ", shown, b": "], why);
                return None;
            }
        }
    }
}

fn unable(shown: &[u8], place: &[u8], why: Errno) {
    trouble::note_os(&[b"unable to keep ", shown, b" in ", place, b" for a while: "], why);
}

#[derive(Debug)]
struct Spool {
    file: OwnedFd,
    len: u64,
    /// Where that is, or would have to be.
    place: &'static [u8],
    /// Where else there may be room.
    others: IntoIter<&'static [u8]>,
}

impl Spool {
    fn begin(places: Vec<&'static [u8]>) -> Result<Self> {
        let mut others = places.into_iter();
        let (file, place) = match next(&mut others) {
            Some(found) => found,
            None => (fs::memfd_create(c"svlog", MemfdFlags::CLOEXEC)?, &b"memory"[..]),
        };
        Ok(Self { file, len: 0, place, others })
    }

    /// Adds the bytes; where there is no room for them, everything goes on to
    /// the next place.
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let mut done = put_all(&self.file, bytes);
        while let Err(why @ (Errno::NOSPC | Errno::DQUOT)) = done {
            let (file, place) = next(&mut self.others).ok_or(why)?;
            done = self.copy_to(&file).and_then(|()| put_all(&file, bytes));
            self.place = place;
            if done.is_ok() {
                self.file = file;
            }
        }
        self.len += bytes.len() as u64;
        done
    }

    fn copy_to(&self, other: &OwnedFd) -> Result<()> {
        let (mut room, mut at) = (vec![0; ROOM], 0);
        while at < self.len {
            let most = usize::try_from(self.len - at).map_or(ROOM, |left| left.min(ROOM));
            let len = fill(&self.file, &mut room[..most], at)?;
            if len == 0 {
                return Err(Errno::IO);
            }
            put_all(other, &room[..len])?;
            at += len as u64;
        }
        Ok(())
    }
}

/// A file in the next place that is one.
fn next(places: &mut IntoIter<&'static [u8]>) -> Option<(OwnedFd, &'static [u8])> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    places.find_map(|dir| Some((fs::open(dir, flags, Mode::RUSR | Mode::WUSR).ok()?, dir)))
}

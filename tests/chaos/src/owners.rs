//! Who keeps each service: the process that holds the lock of its directory,
//! as the kernel lists it. One that nobody killed is to be left alone.

use crate::world::{Half, Service, World};
use rustix::fs::{major, minor, stat};
use std::collections::HashMap;
use std::fs;
use upkeep_outside::processes::Place;

/// What the kernel calls a file in its list of locks.
type File = (u32, u32, u64);

/// The locks of this moment, each with the process that took it.
pub(crate) struct Owners(HashMap<File, i32>);

impl Owners {
    /// None are known where the kernel does not list them.
    pub(crate) fn now(place: Place) -> Self {
        let list = fs::read_to_string(place.proc("locks")).unwrap_or_default();
        Self(list.lines().filter_map(parse).collect())
    }

    fn of(&self, half: &Half) -> Option<i32> {
        let stat = stat(half.dir.join("supervise/lock")).ok()?;
        self.0.get(&(major(stat.st_dev), minor(stat.st_dev), stat.st_ino)).copied()
    }

    /// Looks whether `owner` still keeps it, if nobody killed that one.
    pub(crate) fn look(
        &self,
        owner: &mut Option<i32>,
        half: &Half,
        service: &Service,
        world: &World,
    ) {
        let Some(now) = self.of(half) else { return };
        if let Some(before) = owner.replace(now).filter(|&before| before != now)
            && service.killed(before).is_none()
        {
            let facts = format!("supervise {now} took the place of {before}, which nobody killed");
            world.report.violation(&half.name, &facts);
        }
    }
}

/// `1: FLOCK  ADVISORY  WRITE 4711 00:1c:815 0 EOF`; one that waits for a lock
/// has an arrow more and is none.
fn parse(line: &str) -> Option<(File, i32)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let &[_, "FLOCK", _, _, pid, file, ..] = words.as_slice() else { return None };
    let mut parts = file.split(':');
    let mut hex = || u32::from_str_radix(parts.next()?, 16).ok();
    let (major, minor) = (hex()?, hex()?);
    Some(((major, minor, parts.next()?.parse().ok()?), pid.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_list() {
        let line = "1: FLOCK  ADVISORY  WRITE 4711 00:1c:815 0 EOF";
        assert_eq!(parse(line), Some(((0, 0x1c, 815), 4711)));
        assert_eq!(parse("1: -> FLOCK  ADVISORY  WRITE 4712 00:1c:815 0 EOF"), None);
        assert_eq!(parse("2: POSIX  ADVISORY  WRITE 4711 00:1c:816 0 EOF"), None);
    }
}

//! Accounts, as /etc/passwd and /etc/group have them. Asks nobody else: the C
//! library's name services do not work in a statically linked program.

use core::ffi::CStr;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, Errno};

/// Who a program is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's group, or of the one that was asked for.
    pub gid: u32,
}

/// Why there is no such account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem<'a> {
    /// No user has this name.
    Account(&'a [u8]),
    /// No group has this name.
    Group(&'a [u8]),
    /// This file is there and cannot be read.
    File(&'static str, Errno),
}

impl Problem<'_> {
    /// Says so, and gives the exit code for it.
    #[must_use]
    pub fn report(&self, tool: &Tool) -> Exit {
        match *self {
            Self::Account(name) => tool.fatal(&[b"unknown account ", name]),
            Self::Group(name) => tool.fatal(&[b"unknown group ", name]),
            Self::File(path, why) => {
                tool.fatal_os(&[b"unable to read ", path.as_bytes(), b": "], why)
            }
        }
    }
}

/// What setuidgid and envuidgid are asked: the account, and the program that
/// follows it in `args`. Otherwise there is nothing left to do but to exit.
pub fn asked(tool: &Tool, args: Args, synopsis: &str) -> Result<(Account, &'static CStr), Exit> {
    if let Some(exit) = tool.answer(args) {
        return Err(exit);
    }
    let (Some(wanted), Some(program)) = (args.get(1), args.get(2)) else {
        return Err(tool.usage(synopsis));
    };
    let account = look_up(wanted.to_bytes()).map_err(|problem| problem.report(tool))?;
    Ok((account, program))
}

/// A user, and groups, of which the first is the one that files get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The user's number.
    pub uid: u32,
    /// The groups' numbers; there is one at least.
    pub gids: Vec<u32>,
}

/// Why there are no such ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoIds {
    /// A name is nobody's.
    Unknown,
    /// They were to be numbers, and are not.
    Invalid,
    /// A file could not be read.
    File(Errno),
}

/// The ids that chpst is asked for: `user`, `user:group:group` or, by number,
/// `:uid:gid:gid`.
pub fn ids(wanted: &[u8]) -> Result<Ids, NoIds> {
    let mut parts = wanted.split(|&b| b == b':');
    let user = parts.next().unwrap_or_default();
    if user.is_empty() && wanted.starts_with(b":") {
        return numbers(parts).ok_or(NoIds::Invalid);
    }
    let Ids { uid, gids: own } = ids_of(user)?;
    let mut gids = Vec::new();
    for group in parts {
        gids.push(group_id(&read_whole("/etc/group")?, group).ok_or(NoIds::Unknown)?);
    }
    Ok(Ids { uid, gids: if gids.is_empty() { own } else { gids } })
}

/// Those of the account `name` alone.
pub fn ids_of(name: &[u8]) -> Result<Ids, NoIds> {
    let found = account(&read_whole("/etc/passwd")?, name).ok_or(NoIds::Unknown)?;
    Ok(Ids { uid: found.uid, gids: vec![found.gid] })
}

fn numbers<'a>(mut parts: impl Iterator<Item = &'a [u8]>) -> Option<Ids> {
    let uid = number(parts.next()?)?;
    let gids: Vec<_> = parts.map(number).collect::<Option<_>>()?;
    (!gids.is_empty()).then_some(Ids { uid, gids })
}

fn read_whole(path: &str) -> Result<Vec<u8>, NoIds> {
    let no_file = |why| NoIds::File(Errno::from_io_error(&why).unwrap_or(Errno::IO));
    std::fs::read(path).map_err(no_file)
}

/// Looks up `user` or `user:group`. No account can have a colon in its name,
/// so every name that could be asked for before still means the same.
fn look_up(wanted: &[u8]) -> Result<Account, Problem<'_>> {
    let colon = memchr::memchr(b':', wanted).unwrap_or(wanted.len());
    let (user, group) = (&wanted[..colon], wanted.get(colon + 1..));
    let account = account(&read("/etc/passwd")?, user).ok_or(Problem::Account(user))?;
    match group {
        None => Ok(account),
        Some(name) => {
            let gid = group_id(&read("/etc/group")?, name).ok_or(Problem::Group(name))?;
            Ok(Account { gid, ..account })
        }
    }
}

/// A file that is not there names nobody.
fn read(path: &'static str) -> Result<Vec<u8>, Problem<'static>> {
    std::fs::read(path).or_else(|why| match Errno::from_io_error(&why) {
        Some(Errno::NOENT) => Ok(Vec::new()),
        why => Err(Problem::File(path, why.unwrap_or(Errno::IO))),
    })
}

/// The user `name` in the text of a passwd file.
#[must_use]
pub fn account(passwd: &[u8], name: &[u8]) -> Option<Account> {
    entries(passwd, name).find_map(|mut fields| {
        Some(Account { uid: number(fields.next()?)?, gid: number(fields.next()?)? })
    })
}

/// The number of the group `name` in the text of a group file.
#[must_use]
pub fn group_id(groups: &[u8], name: &[u8]) -> Option<u32> {
    entries(groups, name).find_map(|mut fields| number(fields.next()?))
}

/// The lines for `name`, each as its fields from the third one on. Lines that
/// are not as they should be are passed over, as the C library does; names
/// that begin with + or - belong to NIS and are nobody's.
fn entries<'a>(
    text: &'a [u8],
    name: &'a [u8],
) -> impl Iterator<Item = impl Iterator<Item = &'a [u8]>> {
    let possible = !matches!(name, [] | [b'+' | b'-', ..]);
    text.split(|&b| b == b'\n').filter_map(move |line| {
        let mut fields = line.trim_ascii_start().split(|&b| b == b':');
        let found = possible && fields.next() == Some(name) && fields.next().is_some();
        found.then_some(fields)
    })
}

/// Decimal digits and nothing else.
fn number(field: &[u8]) -> Option<u32> {
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"\
root:x:0:0:root:/root:/bin/sh
  indented:x:5:6::/:/bin/sh
#comment:x:1:1::/:
short:x
short:x:7
letters:x:seven:8::/:
letters:x:9:8::/:
empty:x::8::/:
signed:x:-1:+8::/:
huge:x:4294967296:1::/:
most:x:4294967295:1::/:
two:x:20:21::/:
two:x:30:31::/:
:x:40:41::/:
+nis:x:50:51::/:
+::::::
\xff\xfe:x:60:61::/:
bare:x:70:71";

    fn ids(name: &[u8]) -> Option<(u32, u32)> {
        account(PASSWD, name).map(|a| (a.uid, a.gid))
    }

    #[test]
    fn accounts_are_found() {
        assert_eq!(ids(b"root"), Some((0, 0)));
        assert_eq!(ids(b"indented"), Some((5, 6)));
        assert_eq!(ids(b"most"), Some((u32::MAX, 1)));
        assert_eq!(ids(b"two"), Some((20, 21)), "the first counts");
        assert_eq!(ids(b"\xff\xfe"), Some((60, 61)));
        assert_eq!(ids(b"bare"), Some((70, 71)), "the last line has no end");
    }

    #[test]
    fn malformed_lines_are_passed_over() {
        assert_eq!(ids(b"letters"), Some((9, 8)));
        for name in [&b"short"[..], b"empty", b"signed", b"huge", b"comment", b"nobody"] {
            assert_eq!(ids(name), None, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn no_name_and_nis_names_are_nobody() {
        assert_eq!(ids(b""), None);
        assert_eq!(ids(b"+nis"), None);
        assert_eq!(ids(b"+"), None);
    }

    #[test]
    fn ids_may_be_numbers() {
        let found = |wanted: &str| super::ids(wanted.as_bytes());
        assert_eq!(found(":7:8"), Ok(Ids { uid: 7, gids: vec![8] }));
        assert_eq!(found(":007:8:9:8"), Ok(Ids { uid: 7, gids: vec![8, 9, 8] }));
        for wanted in [
            ":",
            "::",
            ":7",
            ":7:",
            "::7",
            ":7:8:",
            ":x:8",
            ":7:x",
            ":7x:8",
            ":-1:8",
            ": 7:8",
            ":4294967296:8",
            ":7:4294967296",
            ":7:18446744073709551617",
        ] {
            assert_eq!(found(wanted), Err(NoIds::Invalid), "{wanted}");
        }
    }

    #[test]
    fn groups_have_their_number_third() {
        let groups = b"wheel:x\nwheel:x:10:a,b\nstaff:*:50\nodd:x:5x:\n";
        assert_eq!(group_id(groups, b"wheel"), Some(10));
        assert_eq!(group_id(groups, b"staff"), Some(50));
        assert_eq!(group_id(groups, b"odd"), None);
        assert_eq!(group_id(groups, b""), None);
    }
}

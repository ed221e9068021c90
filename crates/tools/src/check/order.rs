//! What services say of each other: who is needed, and who waits for himself.

use super::Check;
use super::kinds::{AFTER, CIRCLE, NEEDS, WANTS};
use super::name::text;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags};
use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use upkeep_core::graph::{Edge, Node, circles};
use upkeep_core::order::Tie;
use upkeep_servicedir::order::{directory, each};

/// The services of a directory, and what they say of each other.
#[derive(Default)]
struct Ties {
    names: Vec<OsString>,
    index: HashMap<OsString, u32>,
    edges: Vec<Edge>,
    /// By what each edge is said.
    said: HashMap<(u32, u32), Tie>,
}

impl Ties {
    fn number(&mut self, name: &OsStr) -> u32 {
        if let Some(number) = self.index.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), number);
        number
    }
}

impl Check {
    /// Looks at what these services in the current directory say. Those that
    /// they lead to are followed; what is said of others is not told.
    pub(super) fn order(&mut self, shown: &str, services: &[OsString]) {
        let mut ties = Ties::default();
        for name in services {
            ties.number(name);
        }
        let told = ties.names.len();
        let mut at = 0;
        while let Some(name) = ties.names.get(at).cloned() {
            self.ties_of(shown, &name, at < told, &mut ties);
            at += 1;
        }
        ties.edges.sort_unstable();
        let mut nodes = vec![Node::default(); ties.names.len()];
        let mut found: Vec<Vec<u32>> = Vec::new();
        circles(&ties.edges, &mut nodes, &mut |circle| found.push(circle.iter().collect()));
        for circle in found {
            self.circle(shown, &ties, told, &circle);
        }
    }

    fn ties_of(&mut self, shown: &str, name: &OsStr, told: bool, ties: &mut Ties) {
        let Some(from) = open(name) else { return };
        let own = ties.number(name);
        for tie in Tie::ALL {
            let mut others = Vec::new();
            let _ = each(from.as_fd(), tie, &mut |other| {
                others.push(OsStr::from_bytes(other.to_bytes()).to_owned());
                true
            });
            others.sort();
            for other in others {
                if Path::new(&other).is_dir() {
                    let other = ties.number(&other);
                    ties.edges.push(Edge { from: own, to: other });
                    ties.said.entry((own, other)).or_insert(tie);
                } else if told {
                    self.is_missing(shown, name, tie, &other);
                }
            }
        }
    }

    fn is_missing(&mut self, shown: &str, name: &OsStr, tie: Tie, other: &OsStr) {
        let path = path_of(shown, name, tie, other);
        let other = text(other);
        let (kind, what) = match tie {
            Tie::Needs => {
                (&NEEDS, format!("there is no service {other}, and this one never starts"))
            }
            Tie::Wants => {
                (&WANTS, format!("there is no service {other}, and it is not waited for"))
            }
            Tie::After => {
                (&AFTER, format!("there is no service {other}, and it is not waited for"))
            }
        };
        self.report.file(kind, &path, &what, "make it, or remove this");
    }

    /// Tells of a circle where it closes, if somebody is in it who is asked for.
    fn circle(&mut self, shown: &str, ties: &Ties, told: usize, circle: &[u32]) {
        let (Some(&first), Some(&last)) = (circle.first(), circle.last()) else { return };
        let asked = |one: &u32| (*one as usize) < told;
        if !circle.iter().any(asked) {
            return;
        }
        let name = |one: u32| ties.names[one as usize].as_os_str();
        let tie = ties.said.get(&(last, first)).copied().unwrap_or(Tie::Needs);
        let path = path_of(shown, name(last), tie, name(first));
        let way: Vec<_> = circle.iter().map(|one| text(name(*one))).collect();
        let what = if let [one] = &way[..] {
            format!("{one} waits for itself, and never starts")
        } else {
            format!(
                "none of these ever starts, since each waits for the next: {} and {}",
                way.join(", "),
                way[0]
            )
        };
        self.report.file(&CIRCLE, &path, &what, "remove one of the ties");
    }
}

fn path_of(shown: &str, name: &OsStr, tie: Tie, other: &OsStr) -> String {
    let base = if shown.is_empty() { String::new() } else { format!("{shown}/") };
    let tie = directory(tie).to_string_lossy();
    format!("{base}{}/{tie}/{}", text(name), text(other))
}

fn open(name: &OsStr) -> Option<OwnedFd> {
    let name = CString::new(name.as_bytes()).ok()?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::open(name.as_c_str(), flags, Mode::empty()).ok()
}

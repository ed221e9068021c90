//! Who waits for whom among the services, and what is wrong with that: said
//! before they are started, and once.

use crate::svscan::help::TOOL;
use crate::svscan::roster::NAME;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::AsFd;
use rustix::fs::{self, CWD, Mode, OFlags, RawDir};
use rustix::io::Result;
use upkeep_core::digest;
use upkeep_core::graph::{Circle, Edge, Node, circles};
use upkeep_core::order::Tie;
use upkeep_servicedir::Elsewhere;
use upkeep_servicedir::order::{directory, each};
use upkeep_sys::clock;
use upkeep_sys::table::Table;

const WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const LIST: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What was found in the last look.
pub(crate) struct Order {
    /// What was wrong then, each as a digest.
    said: Table<u64>,
    /// Whether some service waits for one that is not there.
    lacks: bool,
    /// When the next look is due.
    pub(crate) due: Option<u64>,
}

impl Order {
    pub(crate) const fn new() -> Self {
        Self { said: Table::new(), lacks: false, due: None }
    }
}

/// The names of all that is in the directory, in order.
struct Names {
    bytes: Table<u8>,
    starts: Table<u32>,
}

impl Names {
    /// All that is here, in memory that is given back.
    fn here() -> Result<Self> {
        let dir = fs::open(c".", LIST, Mode::empty())?;
        let mut all = Self { bytes: Table::new(), starts: Table::new() };
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut entries = RawDir::new(&dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if !name.to_bytes().starts_with(b".") {
                all.starts.push(all.bytes.len() as u32)?;
                for byte in name.to_bytes_with_nul() {
                    all.bytes.push(*byte)?;
                }
            }
        }
        let Self { bytes, starts } = &mut all;
        let name = |start: &u32| CStr::from_bytes_until_nul(&bytes[*start as usize..]);
        starts
            .sort_unstable_by(|a, b| name(a).unwrap_or_default().cmp(name(b).unwrap_or_default()));
        Ok(all)
    }

    fn get(&self, index: u32) -> &CStr {
        let start = self.starts.get(index as usize).copied().unwrap_or(0);
        CStr::from_bytes_until_nul(&self.bytes[start as usize..]).unwrap_or_default()
    }

    fn find(&self, name: &CStr) -> Option<u32> {
        let name_at = |start: &u32| {
            CStr::from_bytes_until_nul(&self.bytes[*start as usize..]).unwrap_or_default()
        };
        let found = self.starts.binary_search_by(|start| name_at(start).cmp(name));
        found.ok().map(|index| index as u32)
    }
}

/// A name that is no service's, and whose wish it is.
struct Missing {
    from: u32,
    tie: Tie,
    name: [u8; NAME],
}

/// What all depend on.
struct Found {
    names: Names,
    edges: Table<Edge>,
    missing: Table<Missing>,
}

impl Found {
    fn here() -> Result<Self> {
        let names = Names::here()?;
        let (mut edges, mut missing) = (Table::new(), Table::new());
        for from in 0..names.starts.len() as u32 {
            let Ok(dir) = fs::openat(CWD, names.get(from), WAY, Mode::empty()) else { continue };
            for tie in Tie::ALL {
                let mut full = Ok(());
                // A directory that cannot be read is its supervise's to tell.
                let _ = each(dir.as_fd(), tie, &mut |name| {
                    full = match names.find(name) {
                        Some(to) => edges.push(Edge { from, to }),
                        None if tie == Tie::After => Ok(()),
                        None => missing.push(Missing { from, tie, name: whole(name) }),
                    };
                    full.is_ok()
                });
                full?;
            }
        }
        edges.sort_unstable();
        Ok(Self { names, edges, missing })
    }

    /// Calls `found` with the circles.
    fn circles(&self, found: &mut dyn FnMut(&Circle<'_>)) -> Result<()> {
        let mut nodes = Table::new();
        for _ in 0..self.names.starts.len() {
            nodes.push(Node::default())?;
        }
        circles(&self.edges, &mut nodes, &mut |circle| found(&circle));
        Ok(())
    }

    /// Says what is wrong, unless it is among `before`, and answers with all of
    /// it.
    fn say(&self, before: &[u64]) -> Result<Table<u64>> {
        let mut all = Table::new();
        for missing in self.missing.iter() {
            let from = self.names.get(missing.from).to_bytes();
            let name = CStr::from_bytes_until_nul(&missing.name).unwrap_or_default().to_bytes();
            let file = directory(missing.tie).to_bytes();
            let digest = [from, file, name].map(digest::bytes);
            all.push(digest::words(&digest))?;
            if all.last().is_some_and(|one| before.contains(one)) {
                continue;
            }
            let end: &[u8] = if missing.tie == Tie::Needs { b", which is waited for" } else { b"" };
            TOOL.warn(&[from, b"/", file, b"/", name, b": there is no such service", end]);
        }
        let mut answer = Ok(());
        self.circles(&mut |circle| {
            let mut text = Table::new();
            let mut add = |bytes: &[u8]| bytes.iter().try_for_each(|byte| text.push(*byte));
            let first = circle.iter().next();
            let whole = circle.iter().chain(first).try_for_each(|one| {
                add(b" ")?;
                add(self.names.get(one).to_bytes())
            });
            let digest = digest::bytes(&text);
            if whole.is_ok() && !before.contains(&digest) {
                TOOL.warn(&[b"none of these is started, since each waits for the next:", &text]);
            }
            answer = answer.and(whole).and_then(|()| all.push(digest));
        })?;
        answer.map(|()| all)
    }
}

fn whole(name: &CStr) -> [u8; NAME] {
    let mut bytes = [0; NAME];
    let end = name.count_bytes().min(NAME - 1);
    bytes[..end].copy_from_slice(&name.to_bytes()[..end]);
    bytes
}

impl Svscan {
    /// Looks at what all services depend on, and says what will keep them from
    /// being started, unless it was said before. Where there is no memory for
    /// it, each finds out by itself.
    pub(crate) fn look_at_order(&mut self) {
        self.order.due = None;
        let _ = self.find_faults();
    }

    #[inline(never)]
    fn find_faults(&mut self) -> Result<()> {
        let found = Found::here()?;
        self.order.lacks = !found.missing.is_empty();
        self.order.said = found.say(&self.order.said)?;
        Ok(())
    }

    /// There is a service that was not. Many may come at once, so the look
    /// waits a moment.
    pub(crate) fn order_changes(&mut self, name: &CStr) {
        let there = Elsewhere { from: CWD, service: name, logger: None };
        if self.order.lacks || Tie::ALL.into_iter().any(|tie| there.depends(tie, c"")) {
            self.order.due.get_or_insert(clock::monotonic() + MOMENT);
        }
    }

    /// The look that is due, if it is.
    pub(crate) fn look_at_order_again(&mut self) {
        if self.order.due.is_some_and(|due| due <= clock::monotonic()) {
            self.look_at_order();
        }
    }
}

const MOMENT: u64 = 100_000_000;

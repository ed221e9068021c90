//! Standard error: alerts and messages, in the order in which they happened.
//! Alerts are held until somebody has to wait, or something else is said.

use core::mem::take;
use rustix::io::Errno;
use upkeep_cli::{Exit, Tool, put_all};
use upkeep_core::digest;
use upkeep_sys::clock;
use upkeep_sys::signals::Signal;

/// How long trouble is given to go away, in the end, and for svlogd.
const PAUSE: u64 = 5_000_000_000;
const RUNIT_PAUSE: u64 = 3_000_000_000;
/// And at first: most trouble is over soon.
const SOON: u64 = 100_000_000;
/// Trouble that comes again within this time has not been over.
const SAME: u64 = 60_000_000_000;
/// So much trouble is known at once.
const KNOWN: usize = 4;
/// An alert shows this much of a line.
const ALERT: usize = 200;
/// As many bytes of alerts are held.
const HELD: usize = 16 * 1024;

/// How long is waited next.
pub(crate) struct Patience(u64);

impl Default for Patience {
    fn default() -> Self {
        Self(SOON)
    }
}

/// The one way to standard error.
#[derive(Debug)]
pub struct Voice {
    tool: Tool,
    alerts: Vec<u8>,
    /// Trouble that was told of, and when it was there last.
    known: [(u64, u64); KNOWN],
    /// Whether it speaks as svlogd does, and of signals.
    runit: bool,
    loud: bool,
    quiet: bool,
}

impl Voice {
    /// Speaks as `tool`.
    #[must_use]
    pub const fn new(tool: Tool) -> Self {
        Self {
            tool,
            alerts: Vec::new(),
            known: [(0, 0); KNOWN],
            runit: false,
            loud: false,
            quiet: false,
        }
    }

    /// Speaks as svlogd does.
    pub fn speak_as_runit(&mut self, loud: bool) {
        self.runit = true;
        self.loud = loud;
    }

    /// Warns of nothing.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
    }

    /// A signal has come.
    pub fn hear(&mut self, signal: Signal) {
        if self.loud {
            let name: &[u8] = match signal {
                Signal::TERM => b"sigterm",
                Signal::ALARM => b"sigalarm",
                Signal::HUP => b"sighangup",
                Signal::CHILD => b"sigchild",
                _ => return,
            };
            self.info(&[name, b" received."]);
        }
    }

    /// Whose voice it is.
    #[must_use]
    pub const fn tool(&self) -> Tool {
        self.tool
    }

    /// Makes the room that alerts need; those who never alert need none.
    pub fn expect_alerts(&mut self) -> Result<(), Exit> {
        self.alerts.try_reserve_exact(HELD).map_err(|_| self.out_of_memory())
    }

    /// The beginning of a line, to be said at the next `settle`.
    pub fn alert(&mut self, line: &[u8]) {
        if self.alerts.len() + ALERT + 4 > HELD {
            self.settle();
        }
        if let Some(beginning) = line.get(..ALERT)
            && line.len() > ALERT
        {
            self.alerts.extend_from_slice(beginning);
            self.alerts.extend_from_slice(b"...\n");
        } else {
            self.alerts.extend_from_slice(line);
            self.alerts.push(b'\n');
        }
    }

    /// Such bytes, to be said at the next `settle`.
    pub fn show(&mut self, parts: &[&[u8]]) {
        for part in parts {
            if self.alerts.len() + part.len() > HELD {
                self.settle();
            }
            if part.len() > HELD {
                let _ = put_all(rustix::stdio::stderr(), part);
            } else {
                self.alerts.extend_from_slice(part);
            }
        }
    }

    /// Says what is held.
    pub fn settle(&mut self) {
        if !self.alerts.is_empty() {
            // Nobody can be told that standard error does not work.
            let _ = put_all(rustix::stdio::stderr(), &self.alerts);
            self.alerts.clear();
        }
    }

    /// Tells what is done.
    pub fn info(&mut self, parts: &[&[u8]]) {
        self.settle();
        self.tool.info(parts);
    }

    /// Warns, without an error, and goes on.
    pub fn caution(&mut self, parts: &[&[u8]]) {
        self.settle();
        if !self.quiet {
            self.tool.warn(parts);
        }
    }

    /// Warns and goes on.
    pub fn warn(&mut self, parts: &[&[u8]], why: Errno) {
        self.settle();
        if !self.quiet {
            self.tool.warn_os(parts, why);
        }
    }

    /// Warns and waits.
    pub fn pause(&mut self, parts: &[&[u8]]) {
        self.caution(parts);
        clock::pause_until(clock::monotonic() + PAUSE);
    }

    /// Does something until it works, and warns once that it does not.
    pub fn insist<T>(&mut self, parts: &[&[u8]], action: impl FnMut() -> Result<T, Errno>) -> T {
        self.insist_or(parts, |_, _| false, action)
    }

    /// The same; `help` may do something about it, after which it is tried
    /// again at once.
    pub(crate) fn insist_or<T>(
        &mut self,
        parts: &[&[u8]],
        mut help: impl FnMut(&mut Self, Errno) -> bool,
        mut action: impl FnMut() -> Result<T, Errno>,
    ) -> T {
        let mut patience = Patience::default();
        loop {
            match action() {
                Ok(done) => return done,
                Err(Errno::INTR) => {}
                Err(why) if help(self, why) => {}
                Err(why) => self.wait(parts, why, &mut patience),
            }
        }
    }

    /// Waits, longer each time, and warns unless this trouble is known.
    pub(crate) fn wait(&mut self, parts: &[&[u8]], why: Errno, patience: &mut Patience) {
        self.settle();
        if !self.quiet && self.is_new(parts, why) {
            match self.runit {
                true => self.tool.pausing_os(parts, why),
                false => self.tool.warn_os(parts, why),
            }
        }
        clock::pause_until(clock::monotonic() + patience.0);
        patience.0 = (patience.0 * 2).min(if self.runit { RUNIT_PAUSE } else { PAUSE });
    }

    /// Whether nobody was told of this trouble, or it was over since.
    fn is_new(&mut self, parts: &[&[u8]], why: Errno) -> bool {
        let mut key = why.raw_os_error().unsigned_abs().into();
        for part in parts {
            key = digest::words(&[key, digest::bytes(part)]);
        }
        let now = clock::monotonic();
        if let Some(known) = self.known.iter_mut().find(|known| known.0 == key) {
            return core::mem::replace(&mut known.1, now) + SAME < now;
        }
        if let Some(oldest) = self.known.iter_mut().min_by_key(|known| known.1) {
            *oldest = (key, now);
        }
        true
    }

    /// Says why there is no going on. The exit code for it is the answer.
    #[must_use]
    pub fn fatal(&mut self, parts: &[&[u8]], why: Errno) -> Exit {
        self.settle();
        self.tool.fatal_os(parts, why)
    }

    /// The same where there is no error to name.
    #[must_use]
    pub fn fatal_alone(&mut self, what: &str) -> Exit {
        self.settle();
        self.tool.fatal(&[what.as_bytes()])
    }

    /// Says what of the script cannot be followed. The exit code for it is
    /// the answer.
    #[must_use]
    pub fn refuse(&mut self, parts: &[&[u8]]) -> Exit {
        self.settle();
        let _ = self.tool.fatal(parts);
        Exit::Usage
    }

    /// The same for want of memory.
    #[must_use]
    pub fn out_of_memory(&mut self) -> Exit {
        drop(take(&mut self.alerts));
        self.tool.fatal(&[b"out of memory"])
    }
}

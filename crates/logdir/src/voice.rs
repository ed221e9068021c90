//! Standard error: alerts and messages, in the order in which they happened.
//! Alerts are held until somebody has to wait, or something else is said.

use core::mem::take;
use rustix::io::Errno;
use upkeep_cli::{Exit, Tool, put_all};
use upkeep_sys::clock;

/// How long trouble is given to go away.
const PAUSE: u64 = 5;
/// How long svlogd gives it.
const RUNIT_PAUSE: u64 = 3;
/// An alert shows this much of a line.
const ALERT: usize = 200;
/// As many bytes of alerts are held.
const HELD: usize = 16 * 1024;

/// The one way to standard error.
#[derive(Debug)]
pub struct Voice {
    tool: Tool,
    alerts: Vec<u8>,
    /// Whether it speaks as svlogd does.
    runit: bool,
}

impl Voice {
    /// Speaks as `tool`.
    #[must_use]
    pub const fn new(tool: Tool) -> Self {
        Self { tool, alerts: Vec::new(), runit: false }
    }

    /// Speaks as svlogd does.
    pub fn speak_as_runit(&mut self) {
        self.runit = true;
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
        self.tool.warn(parts);
    }

    /// Warns and goes on.
    pub fn warn(&mut self, parts: &[&[u8]], why: Errno) {
        self.settle();
        self.tool.warn_os(parts, why);
    }

    /// Warns and waits.
    pub fn pause(&mut self, parts: &[&[u8]], why: Option<Errno>) {
        self.settle();
        match why {
            Some(why) if self.runit => self.tool.pausing_os(parts, why),
            Some(why) => self.tool.warn_os(parts, why),
            None => self.tool.warn(parts),
        }
        clock::pause(if self.runit { RUNIT_PAUSE } else { PAUSE });
    }

    /// Does something until it works, and warns each time that it does not.
    pub fn insist<T>(
        &mut self,
        parts: &[&[u8]],
        mut action: impl FnMut() -> Result<T, Errno>,
    ) -> T {
        loop {
            match action() {
                Ok(done) => return done,
                Err(Errno::INTR) => {}
                Err(why) => self.pause(parts, Some(why)),
            }
        }
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

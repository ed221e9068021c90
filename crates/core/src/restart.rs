//! Whether and when a service is started again after its process has ended by
//! itself. It starts nothing: a policy and what was before give what is now.

use crate::record::Outcome;
use crate::signals;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;
/// The unit in which the beginning of a window is kept: it fits 32 bits for
/// eight years.
const SIXTEENTH: u64 = SECOND / 16;
/// A run that was this long makes what was before it forgotten, unless the
/// longest delay is longer.
const FORGOTTEN: u64 = 10 * SECOND;
/// The delay that grows where the directory names only the longest, in
/// milliseconds.
pub const DELAY_THAT_GROWS: u32 = 1000;

/// What the service's directory says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After which ends it is started again.
    pub when: When,
    /// What is a success.
    pub success: Ends,
    /// After what it is never started again.
    pub never: Ends,
    /// How many milliseconds after its end.
    pub delay: u32,
    /// What the delay grows to; without it, it does not.
    pub longest: Option<u32>,
    /// When it gives up.
    pub limit: Option<Limit>,
}

/// After which ends a service is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// All of them.
    #[default]
    Always,
    /// Those that are no success.
    OnFailure,
    /// Those that are one.
    OnSuccess,
    /// None.
    Never,
}

/// So many ends within so many seconds are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub deaths: u16,
    /// Counted from the first of them.
    pub seconds: u32,
}

/// A set of ways to end: exit codes and signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    codes: [u32; 8],
    signals: u32,
}

/// Why a service is not started again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// It is, or was told to be down.
    #[default]
    None,
    /// It is not to be after such an end.
    Policy,
    /// It is never to be after this very end.
    Never,
    /// It has ended too often.
    GaveUp,
    /// Its `finish` has said so.
    Finish,
}

/// What a process was ended for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It was not ready in time.
    Late,
    /// It gave no sign of life in time.
    Silent,
    /// Its check failed too often.
    Unhealthy,
}

/// What is remembered from one end to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Why it is not started again.
    pub reason: Reason,
    /// What the last process was ended for, or the one that runs is being.
    pub fault: Fault,
    /// Whether the last end was a failure.
    pub failed: bool,
    /// How many failures there were in a row, as far as a byte goes.
    pub failures: u8,
    /// How many ends in the window.
    pub deaths: u16,
    /// When the window began, in sixteenths of a second; if the service gave
    /// up, how many seconds the limit has.
    pub window: u32,
    /// How many milliseconds the next start is due after the time at which it
    /// could be.
    pub wait: u32,
}

/// An end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// Whether the process was ended for the fault in the history.
    pub blamed: bool,
    /// Whether the process was told to end, or not to be started again.
    pub told: bool,
    /// When.
    pub at: u64,
    /// How long it had run.
    pub ran: u64,
    /// Before this time nothing is started.
    pub not_before: u64,
}

impl Policy {
    /// What daemontools does.
    pub const ALWAYS: Self = Self {
        when: When::Always,
        success: Ends::code(0),
        never: Ends { codes: [0; 8], signals: 0 },
        delay: 0,
        longest: None,
        limit: None,
    };

    /// What is to be remembered after `end`.
    #[must_use]
    pub fn after(&self, history: &History, end: &End) -> History {
        let failed = end.blamed || !self.success.contains(end.outcome);
        let fault = if end.blamed { history.fault } else { Fault::None };
        let mut next = History { reason: Reason::None, fault, failed, wait: 0, ..*history };
        let longest = u64::from(self.longest.unwrap_or(0)) * MILLISECOND;
        if end.ran >= FORGOTTEN.max(longest) {
            next.failures = 0;
        }
        if end.told {
            return next;
        }
        next.failures = if failed { next.failures.saturating_add(1) } else { 0 };
        next.count(self.limit, end.at);
        let stays_down = match self.when {
            When::Always => false,
            When::OnFailure => !failed,
            When::OnSuccess => failed,
            When::Never => true,
        };
        if self.never.contains(end.outcome) {
            next.reason = Reason::Never;
        } else if stays_down {
            next.reason = Reason::Policy;
        } else if let Some(limit) = self.limit.filter(|limit| next.deaths >= limit.deaths) {
            next.reason = Reason::GaveUp;
            next.window = limit.seconds;
        } else {
            let due = end.at + self.delay(next.failures, end.at);
            let wait = due.saturating_sub(end.not_before).div_ceil(MILLISECOND);
            next.wait = u32::try_from(wait).unwrap_or(u32::MAX);
        }
        next
    }

    /// The longest that a start can be put off, in milliseconds.
    #[must_use]
    pub fn patience(&self) -> u32 {
        let longest = self.longest.map_or(self.delay, |longest| longest.max(self.delay));
        longest.saturating_add(longest / 10 + 1)
    }

    /// From an end to the next start. What is random in it is the moment.
    fn delay(&self, failures: u8, at: u64) -> u64 {
        let base = u64::from(self.delay);
        let doublings = failures.saturating_sub(1).min(31);
        let delay = self.longest.map_or(base, |longest| (base << doublings).min(longest.into()));
        let noise = (at ^ at >> 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        delay * MILLISECOND + ((delay * (MILLISECOND / 10)) >> 16) * noise
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::ALWAYS
    }
}

impl History {
    /// The window begins with an end, and the first one after it begins
    /// another. So more than the limit can go unseen where two windows meet,
    /// but what is seen was there.
    fn count(&mut self, limit: Option<Limit>, at: u64) {
        let Some(limit) = limit else {
            self.deaths = 0;
            return;
        };
        let now = u32::try_from(at / SIXTEENTH).unwrap_or(u32::MAX);
        let passed = now.checked_sub(self.window).map(u64::from);
        let over = passed.is_none_or(|passed| passed >= u64::from(limit.seconds) * 16);
        if self.deaths == 0 || over {
            self.window = now;
            self.deaths = 0;
        }
        self.deaths = self.deaths.saturating_add(1);
    }

    /// How long the next start is put off, in nanoseconds.
    #[must_use]
    pub fn wait(&self) -> u64 {
        u64::from(self.wait) * MILLISECOND
    }

    /// The bytes in the record.
    #[must_use]
    pub fn encode(&self) -> [u8; 12] {
        let mut out = [0; 12];
        out[0] = self.reason as u8 | u8::from(self.failed) << 3 | (self.fault as u8) << 4;
        out[1] = self.failures;
        out[2..4].copy_from_slice(&self.deaths.to_le_bytes());
        out[4..8].copy_from_slice(&self.window.to_le_bytes());
        out[8..].copy_from_slice(&self.wait.to_le_bytes());
        out
    }

    /// What the bytes in the record say.
    #[must_use]
    pub fn decode(bytes: [u8; 12]) -> Self {
        use Reason::{Finish, GaveUp, Never, None, Policy};
        let mut faults = [Fault::Late, Fault::Silent, Fault::Unhealthy].into_iter();
        let [first, failures, d0, d1, w0, w1, w2, w3, t0, t1, t2, t3] = bytes;
        let mut reasons = [None, Policy, Never, GaveUp, Finish].into_iter();
        Self {
            reason: reasons.find(|reason| *reason as u8 == first & 7).unwrap_or_default(),
            fault: faults.find(|fault| *fault as u8 == first >> 4 & 7).unwrap_or_default(),
            failed: first & 8 != 0,
            failures,
            deaths: u16::from_le_bytes([d0, d1]),
            window: u32::from_le_bytes([w0, w1, w2, w3]),
            wait: u32::from_le_bytes([t0, t1, t2, t3]),
        }
    }
}

impl Ends {
    /// This exit code alone.
    #[must_use]
    pub const fn code(code: u8) -> Self {
        let mut codes = [0; 8];
        codes[code as usize / 32] = 1 << (code % 32);
        Self { codes, signals: 0 }
    }

    /// Reads words: a number is an exit code, a name is a signal, with or
    /// without `SIG`, and `SIG` and a number is one too.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut ends = Self { codes: [0; 8], signals: 0 };
        let words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for word in words {
            if word.iter().all(u8::is_ascii_digit) {
                let code: u8 = core::str::from_utf8(word).ok()?.parse().ok()?;
                ends.codes[usize::from(code / 32)] |= 1 << (code % 32);
            } else {
                ends.signals |= 1 << signal(word)?;
            }
        }
        Some(ends)
    }

    /// Whether it is one of them. What nobody knows is none.
    #[must_use]
    pub fn contains(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Exited(code) => self.codes[usize::from(code / 32)] >> (code % 32) & 1 != 0,
            Outcome::Killed(signal) => signal < 32 && self.signals >> signal & 1 != 0,
            Outcome::Unknown => false,
        }
    }
}

/// The number of the signal, which is below 32.
fn signal(word: &[u8]) -> Option<u8> {
    if !word[0].is_ascii_alphabetic() {
        return None;
    }
    signals::number(word).or_else(|| {
        let (start, number) = word.split_at_checked(3)?;
        let digits = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        if digits && start.eq_ignore_ascii_case(b"SIG") { signals::number(number) } else { None }
    })
}

impl When {
    /// Reads the content of the file.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        match content.trim_ascii() {
            b"always" => Some(Self::Always),
            b"on-failure" => Some(Self::OnFailure),
            b"on-success" => Some(Self::OnSuccess),
            b"never" => Some(Self::Never),
            _ => None,
        }
    }
}

impl Limit {
    /// Reads the content of the file: two numbers, neither of them 0.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut words = core::str::from_utf8(content).ok()?.split_ascii_whitespace();
        let (deaths, seconds) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (words.next().is_none() && deaths > 0 && seconds > 0).then_some(Self { deaths, seconds })
    }
}

#[cfg(test)]
mod tests;

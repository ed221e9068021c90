//! What was found: violations, told at once and at most twenty, and the
//! figures of the summary. Decides nothing.

use crate::wait::Bell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// As many violations are told.
const TOLD: usize = 20;
/// As many kills are remembered.
const REMEMBERED: usize = 2000;

/// Whose kill everybody may feel.
const ALWAYS: [&str; 3] = ["svscan", "svlines", "log-of-all"];

/// Prints a line; who does not listen is not told.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// All that is counted while services run.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Signals that reached somebody, by kind of victim.
    pub(crate) kills: BTreeMap<&'static str, u64>,
    /// Starts of services.
    pub(crate) starts: u64,
    /// Letters that were sent and obeyed.
    pub(crate) letters: u64,
    /// From the death of a supervise to the next one being in its place,
    /// svscan living.
    pub(crate) takeovers: Vec<u64>,
    /// From svscan's start to the last service being kept again.
    pub(crate) returns: Vec<u64>,
    /// Starts of svscan.
    pub(crate) scanners: u64,
    /// Runs of `finish`, and how many of those were not told how the process
    /// had ended.
    pub(crate) finishes: u64,
    pub(crate) unseen_ends: u64,
    /// Processes that were seen to be ready after they said so.
    pub(crate) ready: u64,
    /// Processes that were ended for what they did not do, on purpose.
    pub(crate) late: u64,
    pub(crate) silent: u64,
    /// Starts after a delay.
    pub(crate) delays: u64,
    /// How often a service waited for another, and how often it did after it
    /// had stepped aside.
    pub(crate) waits: u64,
    pub(crate) asides: u64,
    /// What was done once, and undone.
    pub(crate) done: u64,
    pub(crate) undone: u64,
    /// Ends that others went before, and how many of those could be judged.
    pub(crate) ends: u64,
    pub(crate) judged_ends: u64,
    /// Services that were given up.
    pub(crate) given_up: u64,
}

/// A kill, as far as a violation may come from it.
#[derive(Debug)]
struct Stroke {
    when: u64,
    service: String,
    role: &'static str,
}

#[derive(Debug, Default)]
struct Violations {
    count: u64,
    told: BTreeSet<String>,
    /// By what is wrong, whoever and whichever process.
    kinds: BTreeMap<String, u64>,
}

/// The place where all threads report.
#[derive(Debug)]
pub(crate) struct Report {
    began: u64,
    violations: Mutex<Violations>,
    figures: Mutex<Figures>,
    strokes: Mutex<VecDeque<Stroke>>,
    /// Rung at each violation.
    alarm: OnceLock<Bell>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            began: now(),
            violations: Mutex::default(),
            figures: Mutex::default(),
            strokes: Mutex::default(),
            alarm: OnceLock::new(),
        }
    }

    /// A statement does not hold.
    pub(crate) fn violation(&self, service: &str, facts: &str) {
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        violations.count += 1;
        let kind = without_numbers(facts);
        let once = format!("{service}: {kind}");
        if violations.told.len() < TOLD && violations.told.insert(once) {
            let passed = now() - self.began;
            let (seconds, thousandths) = (passed / SECOND, passed % SECOND / 1_000_000);
            say(&format!("violation at {seconds}.{thousandths:03} s: {service}: {facts}"));
            say(&format!("  killed before: {}", self.before(service)));
        }
        *violations.kinds.entry(kind).or_default() += 1;
        drop(violations);
        if let Some(alarm) = self.alarm.get() {
            alarm.ring();
        }
    }

    /// Somebody of a service is about to be killed.
    pub(crate) fn strike(&self, service: &str, role: &'static str) {
        let mut strokes = self.strokes.lock().unwrap_or_else(PoisonError::into_inner);
        if strokes.len() == REMEMBERED {
            strokes.pop_front();
        }
        strokes.push_back(Stroke { when: now(), service: service.to_owned(), role });
    }

    /// Who of a service, or above it, was killed last.
    fn before(&self, service: &str) -> String {
        let service = service.split('/').next().unwrap_or(service);
        let strokes = self.strokes.lock().unwrap_or_else(PoisonError::into_inner);
        let its = strokes.iter().rev().filter(|s| s.service == service || ALWAYS.contains(&s.role));
        let words: Vec<String> = its
            .take(6)
            .map(|s| format!("{} {} ms ago", s.role, (now() - s.when) / MILLISECOND))
            .collect();
        if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
    }

    /// Rings `bell` at a violation; at once if there was one.
    pub(crate) fn ring_at_the_first(&self, bell: &Bell) -> Result<(), Failure> {
        let _ = self.alarm.set(bell.share()?);
        if self.violations() > 0 {
            bell.ring();
        }
        Ok(())
    }

    /// How many statements did not hold.
    pub(crate) fn violations(&self) -> u64 {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Each kind of violation with its number, the most frequent first.
    pub(crate) fn kinds(&self) -> Vec<(String, u64)> {
        let violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: Vec<_> = violations.kinds.clone().into_iter().collect();
        kinds.sort_by_key(|k| std::cmp::Reverse(k.1));
        kinds.truncate(TOLD);
        kinds
    }

    /// The figures, to be changed or read.
    pub(crate) fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same words for another process, another line, another time.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut words = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() {
            words.push(c);
        } else if !words.ends_with('N') {
            words.push('N');
        }
    }
    words
}

//! The files that say one fact each: read as supervise reads them, and whether
//! they mean anything together.

use super::kinds::{
    BAD_VALUE, CONFLICT, MILLISECONDS, NO_CHECK, NO_EFFECT, UNREADABLE, WRONG_TYPE,
};
use super::program::{content, is_program, type_of};
use super::{Check, Place};
use std::fs;
use upkeep_cli::words;
use upkeep_core::dialect::Dialect;
use upkeep_core::kill_mode::KillMode;
use upkeep_core::restart::{Ends, When};
use upkeep_core::supervise::ReadyBy;
use upkeep_servicedir::{ASKED, Asked, FactTrouble, Facts, check_program};

/// Up to this, a number of milliseconds is more likely to be one of seconds.
const SECONDS: u32 = 60;

impl Check {
    /// Each file by itself.
    pub(super) fn values(&mut self, place: &Place<'_>, facts: &Facts) {
        for asked in &ASKED {
            let name = asked.file.to_str().unwrap_or("");
            if !place.has(name) {
                continue;
            }
            let shown = place.path(name);
            let Some(stat) = self.stat(&shown, name) else { continue };
            if !stat.is_file() {
                let what = format!("this is {}", type_of(&stat));
                self.report.file(&WRONG_TYPE, &shown, &what, &format!("say {} there", asked.wants));
                continue;
            }
            match asked.trouble(facts) {
                None => self.milliseconds(&shown, name),
                Some(FactTrouble::Unreadable(why)) => {
                    let what = format!("unable to read it, {}: {}", asked.instead, words(why));
                    self.report.file(&UNREADABLE, &shown, &what, "run svcheck as its owner");
                }
                Some(FactTrouble::Malformed(value)) => {
                    let value = String::from_utf8_lossy(value.line()).into_owned();
                    self.bad_value(&shown, name, asked, value, facts);
                }
            }
        }
    }

    /// A time that is so short that seconds were meant.
    fn milliseconds(&mut self, shown: &str, name: &str) {
        let times = ["watchdog", "check-interval", "restart-delay-max"];
        if !name.starts_with("timeout-") && !times.contains(&name) {
            return;
        }
        let content = content(name).unwrap_or_default();
        let number = core::str::from_utf8(content.trim_ascii()).ok().and_then(|n| n.parse().ok());
        if let Some(number @ 1..=SECONDS) = number {
            let what = format!("this is {number} milliseconds, within which little is done");
            let advice = format!("say {} if seconds were meant", number * 1000);
            self.report.line(&MILLISECONDS, shown, 1, &what, &advice);
        }
    }

    fn bad_value(&mut self, shown: &str, name: &str, asked: &Asked, value: String, facts: &Facts) {
        let mut line = 1;
        let mut value = value;
        if matches!(name, "restart-success" | "restart-never") {
            // A list may be wrong in any of its lines.
            let content = content(name).unwrap_or_default();
            let mut lines = content.split(|&byte| byte == b'\n').zip(1..);
            if let Some((text, number)) = lines.find(|(text, _)| Ends::parse(text).is_none()) {
                line = number;
                value = String::from_utf8_lossy(text.trim_ascii()).into_owned();
            }
        }
        let encore = name == "restart-never" && facts.spoken() == Dialect::Encore;
        let instead = if encore { "using 100" } else { asked.instead };
        let what = format!("no such value: {value}: supervise will report it, {instead}");
        self.report.line(&BAD_VALUE, shown, line, &what, &format!("say {}", asked.wants));
    }

    /// All of them together.
    pub(super) fn together(&mut self, place: &Place<'_>, facts: &Facts) {
        let ready = facts.ready_by().ok().flatten();
        let interval = facts.check_interval().ok().flatten().unwrap_or(0);
        let checks = ready == Some(ReadyBy::Check) || interval > 0;
        if checks && check_program().is_none() {
            let file = if ready == Some(ReadyBy::Check) { "ready-by" } else { "check-interval" };
            self.report.line(
                &NO_CHECK,
                &place.path(file),
                1,
                "there is no check that can be executed, so that it always fails",
                "make one, or remove this",
            );
        }
        self.without(place, checks, &["timeout-check", "check-failures"], "nothing makes checks");
        let waits = ready.map_or(place.has("notification-fd"), |ready| ready != ReadyBy::Run);
        let waits = waits || place.is_oneshot || !place.has("run");
        self.without(place, waits, &["timeout-ready"], "the service is ready as soon as it runs");
        if let Some(ready) = ready.filter(|ready| *ready != ReadyBy::Descriptor) {
            let word = match ready {
                ReadyBy::Run | ReadyBy::End => "run",
                ReadyBy::Socket => "notify",
                ReadyBy::Check => "check",
                ReadyBy::Descriptor => "fd",
            };
            let why = format!("ready-by says {word}, and not fd");
            self.without(place, false, &["notification-fd"], &why);
        }
        self.restarts(place, facts);
        let is_done = place.is_oneshot && place.has("up");
        self.without(place, !is_done, &["run"], "there is an up, which a oneshot runs");
        let finishes = place.is_executable("finish");
        self.without(place, place.has("finish"), &["timeout-finish"], "there is no finish");
        self.without(place, place.has("control"), &["timeout-control"], "there is no control");
        self.without(place, place.has("follow"), &["timeout-follow"], "there is no follow");
        if place.is_executable("stop") {
            let why = "there is a finish, which runs in its place";
            self.without(place, !finishes, &["stop"], why);
        }
        if place.has("flag-timeout-killpg") && !place.has("timeout-kill") {
            let why = "there is no timeout-kill, so that nothing is killed";
            let tree = facts.kill_mode() == Ok(KillMode::Tree);
            let why = if tree { "kill-mode says tree, which is more" } else { why };
            self.without(place, false, &["flag-timeout-killpg"], why);
        }
        if facts.follow().is_ok_and(|follow| follow.is_some()) && facts.new_pid_namespace() {
            self.report.file(
                &CONFLICT,
                &place.path("follow"),
                "it does not go together with flag-newpidns, where all ends with run",
                "remove one of them",
            );
        }
        let fds = (facts.lock_fd().ok().flatten(), facts.notification_fd().ok().flatten());
        if let (Some(lock), Some(ready)) = fds
            && lock == ready
        {
            let what = format!("{lock} is the descriptor in notification-fd too");
            self.report.line(&CONFLICT, &place.path("lock-fd"), 1, &what, "say another number");
        }
        self.dialects(place, facts);
    }

    fn restarts(&mut self, place: &Place<'_>, facts: &Facts) {
        let never = facts.restart() == Ok(Some(When::Never));
        let about = ["restart-delay", "restart-delay-max", "restart-limit", "restart-never"];
        self.without(place, !never, &about, "restart says never");
        if never {
            return;
        }
        if let (Ok(Some(delay)), Ok(Some(longest))) =
            (facts.restart_delay(), facts.restart_delay_max())
            && delay > longest
        {
            let what = format!("it is less than the {delay} in restart-delay, and so the delay");
            let path = place.path("restart-delay-max");
            self.report.line(&CONFLICT, &path, 1, &what, "say more there, or less here");
        }
        if let Ok(Some(limit)) = facts.restart_limit()
            && u32::from(limit.deaths) > limit.seconds
        {
            let what = format!(
                "{} ends within {} seconds are more than one a second, and never reached",
                limit.deaths, limit.seconds
            );
            let path = place.path("restart-limit");
            self.report.line(&NO_EFFECT, &path, 1, &what, "ask for fewer ends, or more seconds");
        }
    }

    /// Files that mean something in a directory for another suite only.
    fn dialects(&mut self, place: &Place<'_>, facts: &Facts) {
        let dialect = facts.spoken();
        let word = match dialect {
            Dialect::Daemontools => "daemontools",
            Dialect::Encore => return,
            Dialect::Runit => "runit",
            Dialect::S6 => "s6",
        };
        for file in ["start", "stop", "notify"] {
            // It undoes what a oneshot has done.
            let undoes = file == "stop" && place.is_oneshot && !place.has("up");
            if !undoes
                && place.is_executable(file)
                && fs::metadata(file).is_ok_and(|stat| is_program(&stat))
            {
                let why = format!("it is encore's, and the directory is for {word}");
                let what = format!("this has no effect: {why}");
                let advice = "echo encore > dialect, or call it something else";
                self.report.file(&NO_EFFECT, &place.path(file), &what, advice);
            }
        }
        if dialect != Dialect::Runit && place.has("control") && fs::metadata("control/u").is_ok() {
            let what = format!("this has no effect: the directory is for {word}");
            let advice = "echo runit > dialect";
            self.report.file(&NO_EFFECT, &place.path("control/u"), &what, advice);
        }
    }

    /// These mean nothing, unless something else is so.
    fn without(&mut self, place: &Place<'_>, is_so: bool, files: &[&str], why: &str) {
        for file in files.iter().filter(|file| !is_so && place.has(file)) {
            let what = format!("this has no effect: {why}");
            self.report.file(&NO_EFFECT, &place.path(file), &what, "remove it");
        }
    }
}

//! The fields of a service by their names, the same in JSON and for `-o`; and
//! those of s6-svstat.

use crate::svstat::gather::Seen;
use crate::svstat::json::escape_blanks;
use std::borrow::Cow;
use upkeep_core::record::{Outcome, Stage};
use upkeep_core::restart::{Fault, Reason};
use upkeep_core::signals;
use upkeep_core::status::Want;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::Log;

/// What a field can have; nothing where it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Flag(Option<bool>),
    Number(Option<u64>),
    Text(Option<Cow<'a, [u8]>>),
    /// As a date.
    Moment(Option<Tai64n>),
    /// As a TAI64N label.
    Label(Option<Tai64n>),
}

/// A name and how its value is found.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) of: fn(&Seen) -> Value<'_>,
}

const fn field(name: &'static str, of: fn(&Seen) -> Value<'_>) -> Field {
    Field { name, of }
}

/// Those of JSON, in this order.
pub(crate) const FIELDS: &[Field] = &[
    field("name", |seen| text(Some(&seen.name))),
    field("path", |seen| text(seen.path.as_deref())),
    field("log", |seen| {
        word(seen.log.map(|log| match log {
            Log::Directory => "directory",
            Log::File => "file",
        }))
    }),
    field("supervised", |seen| Value::Flag(seen.supervised())),
    field("error", |seen| Value::Text(seen.error().map(Cow::Owned))),
    field("state", |seen| word(seen.state())),
    field("up", |seen| Value::Flag(seen.up())),
    field("pid", |seen| number(seen.pid())),
    field("pgid", |seen| number(seen.group)),
    field("finish_pid", |seen| {
        let finish = seen.status().filter(|status| status.finishing);
        number(finish.map(|status| status.pid))
    }),
    field("since", |seen| Value::Moment(since(seen))),
    field("seconds", |seen| Value::Number(since(seen).map(|since| seen.seconds(since)))),
    field("wanted", |seen| {
        word(seen.status().map(|status| match status.want {
            Want::Up => "up",
            Want::Down => "down",
            Want::Once => "once",
        }))
    }),
    field("normally_up", |seen| Value::Flag(seen.normally_up())),
    field("paused", |seen| Value::Flag(seen.status().map(|status| status.paused))),
    field("stopping", |seen| Value::Flag(own(seen, |own| own.told && own.stage == Stage::Up))),
    field("exiting", |seen| Value::Flag(own(seen, |own| own.exiting))),
    field("followed", |seen| Value::Flag(own(seen, |own| own.followed))),
    field("ready", |seen| Value::Flag(seen.ready())),
    field("ready_since", |seen| Value::Moment(seen.ready_since())),
    field("ready_seconds", |seen| {
        Value::Number(seen.ready_since().map(|since| seen.seconds(since)))
    }),
    field("starts", |seen| number(own(seen, |own| own.starts))),
    field("restarts", |seen| number(own(seen, |own| own.starts.saturating_sub(1)))),
    field("last_exit", |seen| {
        word(seen.last().map(|last| match last {
            Outcome::Exited(_) => "exited",
            Outcome::Killed(_) => "killed",
            Outcome::Unknown => "unknown",
        }))
    }),
    field("exit_code", |seen| number(code(seen))),
    field("exit_signal", |seen| Value::Text(killed_by(seen).map(signal_name))),
    field("exit_signum", |seen| number(killed_by(seen))),
    field("failed", |seen| Value::Flag(seen.failed())),
    field("failures", |seen| number(own(seen, |own| own.history.failures))),
    field("fault", |seen| {
        word(own(seen, |own| own.history.fault).and_then(|fault| match fault {
            Fault::None => None,
            Fault::Late => Some("late"),
            Fault::Silent => Some("silent"),
            Fault::Unhealthy => Some("unhealthy"),
        }))
    }),
    field("reason", |seen| {
        word(reason(seen).and_then(|reason| match reason {
            Reason::None => None,
            Reason::Policy => Some("restart"),
            Reason::Never => Some("restart-never"),
            Reason::GaveUp => Some("restart-limit"),
            Reason::Finish => Some("finish"),
        }))
    }),
    field("deaths", |seen| number(own(seen, |own| own.history.deaths))),
    field("deaths_within", |seen| {
        let gave_up = reason(seen) == Some(Reason::GaveUp);
        number(own(seen, |own| own.history.window).filter(|_| gave_up))
    }),
    field("waits_for", |seen| text(seen.waits_for())),
    field("start_due_ms", |seen| Value::Number(seen.due(Stage::Waiting))),
    field("kill_due_ms", |seen| Value::Number(seen.due(Stage::Up))),
    field("watchdog_ms", |seen| number(own(seen, |own| own.every).filter(|every| *every > 0))),
    field("status", |seen| text(seen.said(b"STATUS"))),
    field("errno", |seen| said_number(seen, b"ERRNO")),
    field("buserror", |seen| text(seen.said(b"BUSERROR"))),
    field("exit_status", |seen| said_number(seen, b"EXIT_STATUS")),
];

/// s6-svstat's, where ours have other names. An end is that of a service that
/// is down.
const OF_S6: &[Field] = &[
    field("wantedup", |seen| Value::Flag(seen.status().map(|status| status.want == Want::Up))),
    field("normallyup", |seen| Value::Flag(seen.normally_up())),
    field("exitcode", |seen| number(code(seen).filter(|_| seen.up() == Some(false)))),
    field("signal", |seen| Value::Text(ended_by(seen).map(signal_name))),
    field("signum", |seen| number(ended_by(seen))),
    field("updownsince", |seen| Value::Label(since(seen))),
    field("readysince", |seen| Value::Label(seen.ready_since())),
    field("updownfor", |seen| Value::Number(since(seen).map(|since| seen.seconds(since)))),
    field("readyfor", |seen| Value::Number(seen.ready_since().map(|since| seen.seconds(since)))),
];

/// The names in `list`, which commas part.
pub(crate) fn parse(list: &[u8]) -> Result<Vec<Field>, &[u8]> {
    let all = || FIELDS.iter().chain(OF_S6);
    let known = |name: &[u8]| all().find(|field| field.name.as_bytes() == name).copied();
    list.split(|&b| b == b',').map(|name| known(name).ok_or(name)).collect()
}

/// All names, for whoever gave a wrong one.
pub(crate) fn names() -> String {
    let names: Vec<_> = FIELDS.iter().chain(OF_S6).map(|field| field.name).collect();
    names.join(" ")
}

/// A line with the values of `fields`. What is not known is what s6-svstat
/// prints for it: -1 for a number, NA for everything else.
pub(crate) fn print(out: &mut Vec<u8>, fields: &[Field], seen: &Seen) {
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        match (field.of)(seen) {
            Value::Flag(Some(flag)) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
            Value::Number(Some(number)) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Number(None) => out.extend_from_slice(b"-1"),
            Value::Text(Some(text)) => escape_blanks(out, &text),
            Value::Label(Some(moment)) => out.extend_from_slice(&moment.label()),
            Value::Moment(moment) => match moment.and_then(Tai64n::date) {
                Some(date) => out.extend_from_slice(&date),
                None => out.extend_from_slice(b"NA"),
            },
            Value::Flag(None) | Value::Text(None) | Value::Label(None) => {
                out.extend_from_slice(b"NA");
            }
        }
    }
    out.push(b'\n');
}

fn text(text: Option<&[u8]>) -> Value<'_> {
    Value::Text(text.map(Cow::Borrowed))
}

fn word(word: Option<&'static str>) -> Value<'static> {
    text(word.map(str::as_bytes))
}

fn number(number: Option<impl Into<u64>>) -> Value<'static> {
    Value::Number(number.map(Into::into))
}

fn own<T>(seen: &Seen, of: impl FnOnce(&upkeep_core::record::Own) -> T) -> Option<T> {
    seen.own().map(of)
}

fn since(seen: &Seen) -> Option<Tai64n> {
    seen.status().map(|status| status.since)
}

fn reason(seen: &Seen) -> Option<Reason> {
    own(seen, |own| own.history.reason)
}

fn code(seen: &Seen) -> Option<u8> {
    match seen.last()? {
        Outcome::Exited(code) => Some(code),
        Outcome::Killed(_) | Outcome::Unknown => None,
    }
}

fn killed_by(seen: &Seen) -> Option<u8> {
    match seen.last()? {
        Outcome::Killed(signal) => Some(signal),
        Outcome::Exited(_) | Outcome::Unknown => None,
    }
}

fn ended_by(seen: &Seen) -> Option<u8> {
    killed_by(seen).filter(|_| seen.up() == Some(false))
}

/// The name of a signal, or `SIG` and its number.
pub(crate) fn signal_name(number: u8) -> Cow<'static, [u8]> {
    let name = signals::name(number).map_or_else(|| number.to_string(), str::to_owned);
    Cow::Owned(["SIG".as_bytes(), name.as_bytes()].concat())
}

fn said_number(seen: &Seen, name: &[u8]) -> Value<'static> {
    let said = seen.said(name).and_then(|said| core::str::from_utf8(said).ok());
    Value::Number(said.and_then(|said| said.parse().ok()))
}

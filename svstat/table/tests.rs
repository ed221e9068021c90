//! What fits, what is left out, what is cut.

use super::*;
use crate::svstat::gather::Known;
use crate::svstat::gather::tests::{sample, unsupervised};

fn local(unix: i64) -> Option<Local> {
    let second = u8::try_from(unix % 60).ok()?;
    Some(Local { year: 1970, month: 1, day: 12, hour: 13, minute: 46, second })
}

fn look(width: usize) -> Look {
    Look { width, colours: false, since: false, local }
}

fn lines(services: &[Seen], look: Look) -> Vec<String> {
    let table = Table::of(services.iter(), look);
    let mut out = Vec::new();
    table.head(&mut out);
    services.iter().for_each(|seen| table.row(&mut out, seen));
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn failed(name: &str) -> Seen {
    let mut seen = sample(name, 3);
    if let Ok(Known { status, own: Some(own), .. }) = &mut seen.known {
        (status.pid, status.want) = (0, Want::Once);
        (own.stage, own.last, own.starts) = (Stage::Down, Some(Outcome::Exited(7)), 6);
        (own.history.reason, own.history.failed) = (Reason::GaveUp, true);
        (own.history.deaths, own.history.window) = (5, 60);
    }
    seen
}

#[test]
fn eighty_columns() {
    let mut waiting = failed("waits");
    if let Ok(Known { status, own: Some(own), .. }) = &mut waiting.known {
        (own.stage, own.deadline, status.want) = (Stage::Waiting, 3_600_000_000_000, Want::Up);
        own.last = Some(Outcome::Killed(15));
        own.history.reason = Reason::None;
    }
    let services = [sample("web", 273_600), failed("db"), waiting, unsupervised("new")];
    let mut wide = look(130);
    assert_eq!(
        lines(&services, wide),
        [
            "NAME   STATE     PID  FOR    READY  RESTARTS  LAST EXIT  REMARKS",
            "web    up       4711  3d 4h  yes           0",
            "db     down           3s                   5  exit 7     normally up, failed: exited \
             7, gave up after 5 deaths in 60 seconds",
            "waits  waiting        3s                   5  SIGTERM    starts in 59m 55s",
            "new    unknown                                           supervise not running",
        ]
    );
    assert_eq!(
        lines(&services, look(80)),
        [
            "NAME   STATE     PID  FOR    READY  RESTARTS  LAST EXIT  REMARKS",
            "web    up       4711  3d 4h  yes           0",
            "db     down           3s                   5  exit 7     normally up, failed: e~",
            "waits  waiting        3s                   5  SIGTERM    starts in 59m 55s",
            "new    unknown                                           supervise not running",
        ]
    );
    wide.since = true;
    let shown = lines(&services[..1], wide);
    assert_eq!(shown[0], "NAME  STATE   PID  SINCE     READY  RESTARTS  LAST EXIT  REMARKS");
    assert_eq!(shown[1], "web   up     4711  13:46:40  yes           0");
}

#[test]
fn whatever_the_width_no_line_is_longer() {
    let long = "a-name-that-is-much-too-long-to-be-shown-where-there-is-not-much-room-for-it";
    let services = [sample(long, 1), failed("db"), unsupervised("\u{1f980}\n\x1b[2J")];
    for width in 6..200 {
        for line in lines(&services, look(width)) {
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert!(!line.contains('\x1b') && !line.ends_with(' '), "{width}: {line:?}");
        }
    }
}

#[test]
fn what_matters_least_is_left_out_first() {
    let services = [failed("db")];
    let mut heads: Vec<String> =
        (6..130).rev().map(|w| lines(&services, look(w)).remove(0)).collect();
    heads.dedup();
    assert_eq!(
        heads,
        [
            "NAME  STATE  PID  FOR  READY  RESTARTS  LAST EXIT  REMARKS",
            "NAME  STATE  PID  FOR  READY  LAST EXIT  REMARKS",
            "NAME  STATE  FOR  READY  LAST EXIT  REMARKS",
            "NAME  STATE  FOR  LAST EXIT  REMARKS",
            "NAME  STATE  FOR  REMARKS",
            "NAME  STATE  FOR",
            "NAME  STATE",
            "NAME  STA~",
            "NAME  ST~",
            "NA~  ST~",
            "NA~  S~",
            "N~  S~",
        ]
    );
}

#[test]
fn a_long_name_is_cut_before_a_column_is_left_out() {
    let services = [sample(&"n".repeat(200), 1)];
    let shown = lines(&services, look(80));
    assert!(shown[0].ends_with("RESTARTS  LAST EXIT  REMARKS"), "{}", shown[0]);
    assert_eq!(shown[1].split_once("n~ ").unwrap().0, "n".repeat(23));
    // Remarks have what a name does not need, and then the other way round.
    let mut both = failed(&"n".repeat(30));
    let cells = |seen: &Seen, width| {
        let line = lines(core::slice::from_ref(seen), look(width)).remove(1);
        (line.find(' '), line.rsplit("  ").next().map(str::len))
    };
    assert_eq!(cells(&both, 90), (Some(24), Some(19)));
    assert_eq!(cells(&both, 150), (Some(30), Some(67)));
    both.name.truncate(5);
    assert_eq!(cells(&both, 90), (Some(5), Some(38)));
}

#[test]
fn a_table_that_goes_on_has_room_for_what_comes() {
    let table = Table::roomy([sample("db", 1)].iter(), look(80));
    let mut line = Vec::new();
    table.row(&mut line, &failed("db"));
    let expected =
        "db    down                3s                 exit 7     normally up, failed: ex~\n";
    assert_eq!(String::from_utf8(line).unwrap(), expected);
}

#[test]
fn only_the_state_has_a_colour() {
    let mut colours = look(80);
    colours.colours = true;
    let mut late = sample("late", 3);
    if let Ok(Known { own: Some(own), .. }) = &mut late.known {
        own.awaited = true;
    }
    let shown = lines(&[sample("web", 3), failed("db"), late], colours);
    assert_eq!(shown[1].replace("\x1b[32mup\x1b[0m", "up").find('\x1b'), None);
    assert!(shown[2].starts_with("db    \x1b[31mdown\x1b[0m         3s"), "{:?}", shown[2]);
    assert!(shown[3].starts_with("late  \x1b[33mup\x1b[0m     4711"), "{:?}", shown[3]);
    assert_eq!(shown[0].find('\x1b'), None);
}

#[test]
fn durations() {
    for (seconds, expected) in [
        (0, "0s"),
        (59, "59s"),
        (60, "1m 0s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (273_600, "3d 4h"),
        (u64::MAX, "213503982334601d 7h"),
    ] {
        assert_eq!(duration(seconds), expected);
    }
}

//! What svlog shows of what it reads: which lines, with which stamps, for
//! whom; and what it answers to what it does not understand.

use super::support::{Dir, Finished, Json, Process, Terminal, testing_originals};
use std::process::Command;
use upkeep_core::tai::Tai64n;

/// 2026-11-26 10:26:17 UTC, a Thursday; in Berlin an hour later.
const NOON: i64 = 1_795_688_777;
/// As a system without a list of zones understands it too.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn label(unix: i64, nanos: u32) -> String {
    String::from_utf8(Tai64n::from_unix(unix, nanos).label().to_vec()).unwrap()
}

/// A log directory with a line for each second from `NOON` on.
fn log(dir: &Dir, name: &str, texts: &[&str]) {
    let lines = (NOON..).zip(texts).map(|(unix, text)| format!("{} {text}\n", label(unix, 0)));
    dir.file(format!("{name}/current"), lines.collect::<String>());
}

fn svlog(dir: &Dir, args: &[&str]) -> Command {
    let mut command = dir.tool("svlog", args);
    command.env("TZ", BERLIN).env_remove("NO_COLOR");
    command
}

fn run(dir: &Dir, args: &[&str]) -> Finished {
    Process::start(&mut svlog(dir, args)).finish()
}

/// What is shown, by a run that has nothing to complain about.
fn shown(dir: &Dir, args: &[&str]) -> String {
    let done = run(dir, args);
    assert_eq!((done.code, done.err()), (0, String::new()), "{args:?}");
    done.out()
}

/// The texts alone, in one line.
fn texts(dir: &Dir, args: &[&str]) -> String {
    let out = shown(dir, &[&["-t", "none"], args].concat());
    out.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn stamps_are_shown_as_they_are_wanted() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["GET /"]);
    let raw = format!("{} GET /\n", label(NOON, 0));
    assert_eq!(shown(&dir, &["web"]), "2026-11-26 11:26:17.000 GET /\n");
    assert_eq!(shown(&dir, &["-t", "local", "web"]), "2026-11-26 11:26:17.000 GET /\n");
    assert_eq!(shown(&dir, &["-tutc", "web"]), "2026-11-26T10:26:17.000Z GET /\n");
    assert_eq!(shown(&dir, &["--time=raw", "web"]), raw);
    assert_eq!(shown(&dir, &["--time", "none", "web"]), "GET /\n");
}

#[test]
fn stamps_of_all_loggers_are_known() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines = [
        label(NOON, 123_000_000) + " a",
        "1795688777.123000000 b".to_owned(),
        "2026-11-26T10:26:17.123Z c".to_owned(),
        "2026-11-26T08:26:17.123-02:00 d".to_owned(),
        "2026-11-26_10:26:17.12300 e".to_owned(),
        "2026-11-26T10:26:17.12300 f".to_owned(),
        "2026-11-26 11:26:17.123000000  g".to_owned(),
        "2026-11-26 11:26:17.123000000 h".to_owned(),
    ];
    dir.file("web/current", lines.join("\n") + "\nno stamp\n2026-11-26 i\ntorn");
    let expected: String =
        ('a'..='h').map(|letter| format!("2026-11-26 11:26:17.123 {letter}\n")).collect();
    let expected = expected + "no stamp\n2026-11-26 i\ntorn\n";
    assert_eq!(shown(&dir, &["web"]), expected);
    // Those of s6 count leap seconds.
    dir.file("s6/current", label(NOON + 27, 5) + " x\n");
    assert_eq!(shown(&dir, &["-l", "s6"]), "2026-11-26 11:26:17.000 x\n");
    assert_eq!(texts(&dir, &["--leap", "-U", "2026-11-26 11:26:18", "s6"]), "x");
    assert_eq!(texts(&dir, &["-U", "2026-11-26 11:26:18", "s6"]), "");
    assert_eq!(texts(&dir, &["-l", "-U", &label(NOON + 27, 6), "s6"]), "x");
    assert_eq!(texts(&dir, &["-U", &label(NOON + 27, 6), "-l", "s6"]), "x");
}

#[test]
fn times_choose_lines() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["0", "1", "2", "3", "4"]);
    for (args, expected) in [
        (&["-S", "2026-11-26 11:26:19"][..], "2 3 4"),
        (&["--since=2026-11-26T10:26:19Z", "--until", "@1795688780"], "2 3"),
        (&["-S", "@1795688779.5"], "3 4"),
        (&["-U2026-11-26T10:26:17+00:00"], "0"),
        (&["-S", &label(NOON + 3, 0), "-U", &label(NOON + 3, 0)], "3"),
        (&["-S", "2026-11-27"], ""),
        (&["-S", "2026-11-26"], "0 1 2 3 4"),
        (&["-U", "2026-11-26"], ""),
        (&["-n2"], "3 4"),
        (&["--lines", "0"], ""),
        (&["-n", "all"], "0 1 2 3 4"),
        (&["-r"], "4 3 2 1 0"),
        (&["-rn2"], "4 3"),
        (&["-r", "-U", "2026-11-26 11:26:19", "-n", "2"], "2 1"),
    ] {
        assert_eq!(texts(&dir, &[args, &["web"]].concat()), expected, "{args:?}");
    }
    // Options may follow names, and names options that have ended.
    assert_eq!(texts(&dir, &["web", "-n", "1"]), "4");
    assert_eq!(texts(&dir, &["-n1", "--", "web"]), "4");
    log(&dir, "-n1", &["x"]);
    assert_eq!(texts(&dir, &["-n1", "--", "-n1"]), "x");
}

#[test]
fn relative_times_are_relative_to_now() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let lines = [("old", 7200), ("hour", 3540), ("new", 60)]
        .map(|(text, ago)| format!("{} {text}\n", label(now - ago, 0)));
    dir.file("web/current", lines.concat());
    assert_eq!(texts(&dir, &["-S", "1 hour ago", "web"]), "hour new");
    assert_eq!(texts(&dir, &["-S", "-1h", "-U", "30 min ago", "web"]), "hour");
    assert_eq!(texts(&dir, &["-S", "tomorrow", "web"]), "");
    assert_eq!(texts(&dir, &["-U", "now", "web"]), "old hour new");
}

#[test]
fn patterns_choose_lines() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["GET /1", "a", "b", "POST /2", "c", "get /3", "d.e", "dxe"]);
    for (args, expected) in [
        (&["-g", "/[12]"][..], "GET /1 POST /2"),
        (&["-g", "^get"], "get /3"),
        (&["-ig", "^get"], "GET /1 get /3"),
        (&["-g", "d.e"], "d.e dxe"),
        (&["-Fg", "d.e"], "d.e"),
        (&["-F", "-i", "-g", "D.E"], "d.e"),
        (&["--grep=/", "--invert"], "a b c d.e dxe"),
        (&["-g", "POST", "-B1"], "b POST /2"),
        (&["-g", "^[ad]", "-A", "1"], "a b -- d.e dxe"),
        (&["-g", "/", "-C", "1"], "GET /1 a b POST /2 c get /3 d.e"),
        (&["-g", "/1", "-C", "0"], "GET /1"),
        (&["-rg", "POST", "-A1"], "c POST /2"),
        (&["-g", "/", "-n1"], "get /3"),
        (&["-g", "/", "-n1", "-B1"], "c get /3"),
        // A stamp is no text.
        (&["-vg", "@4|4000"], "GET /1 a b POST /2 c get /3 d.e dxe"),
        (&["-g", ""], "GET /1 a b POST /2 c get /3 d.e dxe"),
    ] {
        assert_eq!(texts(&dir, &[args, &["web"]].concat()), expected, "{args:?}");
    }
    let none = run(&dir, &["-g", "nothing", "web"]);
    assert_eq!((none.code, none.out(), none.err()), (1, String::new(), String::new()));
    assert_eq!(run(&dir, &["-vg", "", "web"]).code, 1);
}

#[test]
fn several_logs_are_told_apart() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["w0", "w1", "w2"]);
    log(&dir, "db-main", &["d0", "d1"]);
    let expected = "web     w0\ndb-main d0\nweb     w1\ndb-main d1\nweb     w2\n";
    assert_eq!(shown(&dir, &["-t", "none", "web", "db-main"]), expected);
    let expected = "web     w1\n--\nweb     w2\n";
    assert_eq!(
        shown(&dir, &["-t", "none", "-g", "w[12]", "-C0", "web", "db-main"]),
        expected.replace("--\n", "")
    );
    let expected = "db-main d0\nweb     w1\ndb-main d1\n";
    assert_eq!(shown(&dir, &["-t", "none", "-g", "w1", "-C1", "web", "db-main"]), expected);
}

#[test]
fn json_loses_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines = [label(NOON, 5).as_bytes(), b" \"a\\\t\x1b\xff\xc3\xa4\nunstamped\n"].concat();
    dir.file("web/current", lines);
    let out = shown(&dir, &["-j", "web"]);
    assert!(out.bytes().all(|byte| byte == b'\n' || byte >= b' '), "{out}");
    let objects: Vec<_> = out.lines().map(|line| Json::parse(line.as_bytes())).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0].keys(), ["time", "log", "text"]);
    assert!(objects[0].get("time") == &"2026-11-26T10:26:17.000000005Z");
    assert!(objects[0].get("log") == &"web");
    assert_eq!(*objects[0].get("text"), Json::Text(b"\"a\\\t\x1b\xff\xc3\xa4".to_vec()));
    assert_eq!(*objects[1].get("time"), Json::Null);
    assert!(objects[1].get("text") == &"unstamped");
    // Nothing parts them, and only what is chosen is there.
    log(&dir, "x", &["x", "1", "2", "x"]);
    let out = shown(&dir, &["-j", "-g", "x", "-A1", "x"]);
    let objects: Vec<_> = out.lines().map(|line| Json::parse(line.as_bytes())).collect();
    assert!(objects.len() == 3 && objects[1].get("text") == &"1", "{objects:?}");
}

#[test]
fn what_is_not_understood_is_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["x"]);
    for (args, complaint) in [
        (
            &["-S", "2 houres ago"][..],
            "unable to understand time \"2 houres ago\": unknown word houres; examples: ",
        ),
        (
            &["-U", "2026-02-30"],
            "unable to understand time \"2026-02-30\": no calendar or clock has 2026-02-30; examples: ",
        ),
        (&["-S", ""], "unable to understand time \"\": it is empty; examples: "),
        (
            &["-S", "today", "-U", "yesterday"],
            "nothing is since a time that is after the one that it is until",
        ),
        (&["-g", "("], "unable to understand pattern (: "),
        (&["-n", "ten"], "not a number of lines: ten"),
        (&["-n", "-1"], "not a number of lines: -1"),
        (&["-g", "x", "-A", "1x"], "not a number of lines: 1x"),
        (&["-t", "UTC"], "not one of local, utc, raw, none: UTC"),
        (&["--color", "yes"], "not one of always, never, auto: yes"),
        (&["-C", "3"], "-F, -i, -v, -A, -B and -C are about a pattern, which -g gives"),
        (&["-fr"], "what is to come cannot be shown in reverse"),
        (&["-g", "a", "-g", "b"], "one pattern is all there can be: b"),
    ] {
        let done = run(&dir, &[args, &["web"]].concat());
        let expected = format!("svlog: fatal: {complaint}");
        assert!(done.err().starts_with(&expected), "{args:?}: {}", done.err());
        assert_eq!((done.code, done.out(), done.err().lines().count()), (100, String::new(), 1));
    }
    for (args, complaint) in [
        (&["-x", "web"][..], "svlog: illegal option -- x\n"),
        (&["web", "--sinse", "now"], "svlog: illegal option --sinse\n"),
        (&["web", "--follow=yes"], "svlog: illegal option --follow=yes\n"),
        (&["web", "--since"], "svlog: option requires an argument -- S\n"),
        (&["web", "-n"], "svlog: option requires an argument -- n\n"),
        (&["-n", "5"], ""),
        (&[], ""),
    ] {
        let done = run(&dir, args);
        let expected = format!("{complaint}svlog: usage: svlog ");
        assert!(done.err().starts_with(&expected), "{args:?}: {}", done.err());
        assert_eq!((done.code, done.out()), (100, String::new()), "{args:?}");
    }
}

#[test]
fn a_log_that_is_not_there_is_said_and_the_others_are_shown() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["x"]);
    let done = run(&dir, &["-t", "none", "web", "./nowhere"]);
    assert_eq!(done.code, 111);
    assert!(
        done.err().contains("nowhere") && done.err().contains("file does not exist"),
        "{done:?}"
    );
    assert_eq!(done.out().trim_end().rsplit(' ').next(), Some("x"), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["x".repeat(100).as_str(); 5000]);
    let program = super::support::program("svlog");
    // Once as a shell starts it, and once with the signal ignored.
    for trap in ["", "trap '' PIPE; "] {
        let line = format!("{trap}{{ {} web; echo $? >code; }} | head -n 1", program.display());
        let mut command = dir.command("/bin/sh");
        let done = Process::start(command.args(["-c", &line]).env("TZ", BERLIN)).finish();
        assert_eq!((done.out().lines().count(), done.err()), (1, String::new()), "{trap}");
    }
    // A disk that is full is another matter.
    let line = format!("exec {} web >/dev/full", program.display());
    let done = Process::start(dir.command("/bin/sh").args(["-c", &line])).finish();
    let complaint = "svlog: fatal: unable to write to standard output: out of disk space\n";
    assert_eq!((done.code, done.err()), (111, complaint.to_owned()));
}

/// Runs it in a terminal, and gives what is drawn up to the end of `last`.
fn looked_at(dir: &Dir, args: &[&str], variables: &[(&str, &str)], last: &str) -> String {
    ends(dir, args, variables, last, 0)
}

/// The same of one that ends with this code.
fn ends(dir: &Dir, args: &[&str], variables: &[(&str, &str)], last: &str, code: i32) -> String {
    let (mut terminal, slave) = Terminal::open();
    terminal.resize(80, 24);
    let mut command = svlog(dir, args);
    command.env("TERM", "xterm").env_remove("LESS").envs(variables.iter().copied()).stdout(slave);
    let mut child = command.spawn().unwrap();
    drop(command);
    let drawn = terminal.draws(last, "\n");
    assert_eq!(child.wait().unwrap().code(), Some(code), "{args:?}");
    drawn
}

#[test]
fn a_terminal_obeys_no_log() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines = [label(NOON, 0).as_bytes(), b" a\x1b[31m\r\x9b\xc2\x9b\tb\n"].concat();
    dir.file("web/current", &lines);
    let visible = "a^[[31m^M\\x9b\\u009b\tb\r\n";
    let drawn = looked_at(&dir, &["-t", "none", "web"], &[], "b");
    assert_eq!(drawn, visible);
    // Elsewhere the bytes are what they are.
    assert_eq!(run(&dir, &["-t", "raw", "web"]).out, lines);
}

#[test]
fn colours_are_for_those_who_look() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["GET /x"]);
    let plain = "2026-11-26 11:26:17.000 GET /x";
    let coloured = "\x1b[2m2026-11-26 11:26:17.000\x1b[m GET \x1b[1;31m/\x1b[mx";
    let args = ["-g", "/", "web"];
    assert_eq!(looked_at(&dir, &args, &[], "x").trim_end(), coloured);
    assert_eq!(looked_at(&dir, &args, &[("NO_COLOR", "1")], "x").trim_end(), plain);
    assert_eq!(looked_at(&dir, &args, &[("TERM", "dumb")], "x").trim_end(), plain);
    let never = [&["--color=never"], &args[..]].concat();
    assert_eq!(looked_at(&dir, &never, &[], "x").trim_end(), plain);
    assert_eq!(shown(&dir, &args).trim_end(), plain);
    let always = [&["--colour", "always"], &args[..]].concat();
    assert_eq!(shown(&dir, &always).trim_end(), coloured);
}

#[test]
fn a_pager_is_only_for_who_asks_and_looks() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    log(&dir, "web", &["x"]);
    let pager = [("PAGER", "sed 's/^/paged: /'; echo left"), ("NO_COLOR", "1")];
    let args = ["-P", "-t", "none", "web"];
    assert_eq!(looked_at(&dir, &args, &pager, "left"), "paged: x\r\nleft\r\n");
    assert_eq!(looked_at(&dir, &args[1..], &pager, "x"), "x\r\n");
    let mut command = svlog(&dir, &args);
    let done = Process::start(command.envs(pager)).finish();
    assert_eq!((done.code, done.out(), done.err()), (0, "x\n".to_owned(), String::new()));
    // One that is not there has not shown anything.
    let none = [("PAGER", "./nowhere; code=$?; echo tried; exit $code"), ("NO_COLOR", "1")];
    assert_eq!(ends(&dir, &args, &none, "tried", 111), "tried\r\n");
    // Who leaves it early is told nothing.
    log(&dir, "long", &["x".repeat(100).as_str(); 5000]);
    let early = [("PAGER", "head -n 1; echo left"), ("NO_COLOR", "1")];
    let drawn = looked_at(&dir, &["-P", "long"], &early, "left");
    assert_eq!(drawn.lines().count(), 2, "{drawn}");
    // Also while there is nothing to be shown.
    let drawn = looked_at(&dir, &["-fPn1", "long"], &early, "left");
    assert_eq!(drawn.lines().count(), 2, "{drawn}");
}

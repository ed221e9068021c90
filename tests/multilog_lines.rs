//! multilog: what becomes of a line beyond what the original does with it.

use super::support::{
    Changes, Dir, Finished, Process, deadline, program, readable, testing_originals,
};
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::process::Stdio;

fn give(dir: &Dir, script: &[&str], input: impl AsRef<[u8]>) -> Finished {
    let mut process = Process::start(dir.tool("multilog", script).stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    let input = input.as_ref().to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let finished = process.finish();
    writer.join().unwrap();
    finished
}

fn log(dir: &Dir) -> String {
    String::from_utf8(fs::read(dir.path("log/current")).unwrap()).unwrap()
}

/// Digits as 0, so that what is left is the form.
fn form(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

#[test]
fn stamps_for_people() {
    if testing_originals() {
        return;
    }
    for (word, zone, shown) in [
        ("utc", "UTC", "0000-00-00T00:00:00.000Z x\n"),
        ("utc0", "CET-1", "0000-00-00T00:00:00Z x\n"),
        ("utc9", "CET-1", "0000-00-00T00:00:00.000000000Z x\n"),
        ("local", "CET-1", "0000-00-00T00:00:00.000+00:00 x\n"),
        ("local6", "EST5", "0000-00-00T00:00:00.000000-00:00 x\n"),
        ("T", "UTC", "0000000000.000000000 x\n"),
    ] {
        let dir = Dir::new();
        let mut command = dir.tool("multilog", [word, "./log"]);
        let mut process = Process::start(command.env("TZ", zone).stdin(Stdio::piped()));
        process.stdin().write_all(b"x\n").unwrap();
        assert_eq!(process.finish().code, 0);
        let log = log(&dir);
        assert_eq!(form(&log), shown, "{word}");
        match word {
            "local" => assert!(log.contains("+01:00"), "{log}"),
            "local6" => assert!(log.contains("-05:00"), "{log}"),
            _ => {}
        }
    }
}

#[test]
fn patterns_see_the_stamp() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    give(&dir, &["utc0", "E", "-^[0-9-]+T[0-9:]+Z b", "./log"], "a\nb\nc\n");
    let ends: String = log(&dir).lines().filter_map(|line| line.chars().last()).collect();
    assert_eq!(ends, "ac");
}

#[test]
fn three_languages() {
    if testing_originals() {
        return;
    }
    let lines = "error: disk\nwarning: disk\nan error\nx*y\nfatal 12\n";
    for (script, left) in [
        (&["E", "-.", "+^(error|fatal)", "./log"][..], "error: disk\nfatal 12\n"),
        (&["E", "-[[:digit:]]{2}$|disk", "./log"], "an error\nx*y\n"),
        (&["F", "-*", "+*[dk]is?", "./log"], "error: disk\nwarning: disk\n"),
        (&["F", "-*", "+x\\*y", "./log"], "x*y\n"),
        (&["F", "-*", "S", "+*: disk", "./log"], "error: disk\nwarning: disk\n"),
        (&["E", "-error", "S", "+*rror", "./log"], "warning: disk\nan error\nx*y\nfatal 12\n"),
    ] {
        let dir = Dir::new();
        let done = give(&dir, script, lines);
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{script:?}");
        assert_eq!(log(&dir), left, "{script:?}");
    }
}

#[test]
fn a_prefix_is_for_what_follows() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = ["./plain", "pweb: ", "-*no*", "./log", "e", "=last", "p", "./bare"];
    let done = give(&dir, &script, "one\nno\ntwo\n");
    assert_eq!((done.code, done.err().as_str()), (0, "web: one\nweb: two\n"));
    assert_eq!(log(&dir), "web: one\nweb: two\n");
    let text = |name: &str| fs::read_to_string(dir.path(name)).unwrap();
    assert_eq!(text("plain/current"), "one\nno\ntwo\n");
    assert_eq!(text("bare/current"), "one\ntwo\n");
    assert_eq!(text("last").trim_end_matches('\n'), "web: two");
    assert_eq!(text("last").len(), 1001);
}

/// Long prefixes, stamps and lines, and a size at which logs end all the time.
#[test]
fn a_prefix_is_before_each_line_of_any_length() {
    if testing_originals() {
        return;
    }
    let prefix = format!("p{}", "<>".repeat(500));
    let lines: String = (0..300).map(|n| format!("{n:04}{}\n", "-".repeat(n * 7))).collect();
    for stamp in ["t", "utc9", ""] {
        for size in ["s4096", "s16777215"] {
            let dir = Dir::new();
            give(&dir, &[stamp, &prefix, "n9999", size, "./log"], &lines);
            let mut names: Vec<_> = fs::read_dir(dir.path("log"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with('@'))
                .collect();
            names.sort();
            names.push("current".to_owned());
            let all: Vec<u8> = names
                .iter()
                .flat_map(|name| fs::read(dir.path("log").join(name)).unwrap())
                .collect();
            let all = String::from_utf8(all).unwrap();
            let skip = match stamp {
                "t" => 26,
                "utc9" => 31,
                _ => 0,
            };
            let found: String = all.lines().map(|line| format!("{}\n", &line[skip..])).collect();
            let wanted: String =
                lines.lines().map(|line| format!("{}{line}\n", &prefix[1..])).collect();
            assert!(found == wanted, "{stamp} {size}");
        }
    }
}

#[test]
fn standard_output_gets_whole_lines() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let long = format!("a{}", "b".repeat(100_000));
    let lines = format!("one\nno\n{long}\nlast");
    let done = give(&dir, &["pweb: ", "-*no*", "1", "s16777215", "./log"], &lines);
    let wanted = format!("web: one\nweb: {long}\nweb: last\n");
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert!(done.out() == wanted && log(&dir) == wanted);
}

#[test]
fn nobody_reads_standard_output() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let script = "mkfifo fifo; exec 3<>fifo 4>fifo 3<&-; exec \"$0\" 1 ./log >&4";
    let mut command = dir.command("sh");
    command.args(["-c", script]).arg(program("multilog")).stdin(Stdio::piped());
    let mut process = Process::start(&mut command);
    let mut stdin = process.stdin();
    stdin.write_all(b"one\n").unwrap();
    process.complains("multilog: warning: unable to write to standard output: broken pipe");
    stdin.write_all(b"two\n").unwrap();
    drop(stdin);
    let done = process.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(log(&dir), "one\ntwo\n");
}

fn host() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

fn hears(socket: &UdpSocket) -> String {
    assert!(readable(socket, deadline()), "no datagram came");
    let mut buffer = [0; 4096];
    let n = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..n].to_vec()).unwrap()
}

#[test]
fn a_log_host_gets_a_copy() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (socket, address) = host();
    let script = [
        "utc",
        "p<30>web: ",
        &format!("u{address}"),
        "p",
        "-*",
        "+*bad*",
        &format!("U{address}"),
        "./log",
    ];
    let done = give(&dir, &script, format!("one\nbad\n{}\n", "x".repeat(3000)));
    assert_eq!((done.code, done.err().as_str()), (0, ""));
    assert_eq!(hears(&socket), "<30>web: one");
    assert_eq!(hears(&socket), "<30>web: bad");
    assert_eq!(hears(&socket), "bad");
    // The beginning of a long line: 1000 bytes, with room for a stamp.
    assert_eq!(hears(&socket), format!("<30>web: {}", "x".repeat(960)));
    // What only the host was to have is not in the log.
    assert_eq!(log(&dir), "");
}

#[test]
fn a_log_host_that_cannot_be_reached_is_no_trouble() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    // Nobody listens there, and to the second nobody may send.
    let done = give(&dir, &["u127.0.0.1:1", "u255.255.255.255", "./log"], "one\ntwo\n");
    let said = "multilog: warning: unable to send to 255.255.255.255:514: access denied\n";
    assert_eq!((done.code, done.err().as_str()), (0, said));
    assert_eq!(log(&dir), "one\ntwo\n");
}

#[test]
fn what_is_over_the_rate_is_counted() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let lines: String = (0..100).map(|n| format!("{n}\n")).collect();
    let script = ["-*7*", "rate=5/3600", "pweb: ", "./log", "1"];
    let done = give(&dir, &script, lines);
    let wanted = "web: 0\nweb: 1\nweb: 2\nweb: 3\nweb: 4\n\
                  web: multilog: 76 lines left out: more than 5 in 3600 seconds\n";
    assert_eq!((done.code, log(&dir).as_str(), done.out().as_str()), (0, wanted, wanted));
}

/// What has passed and what was left out is known to the next one.
#[test]
fn a_limit_holds_across_a_kill() {
    if testing_originals() {
        return;
    }
    let script = ["t", "rate=5/3600", "./log"];
    for point in ["noted: writing", "begun", "written", "settled", "noted: taking", "taken"] {
        let dir = Dir::new();
        let once = dir.file("once", "");
        let (from, mut into) = std::io::pipe().unwrap();
        let mut command = dir.tool("multilog", script);
        command.env("UPKEEP_KILL_AT", format!("{point}={}", once.display()));
        let first = Process::start(command.stdin(from.try_clone().unwrap()));
        drop(command);
        into.write_all("line\n".repeat(20).as_bytes()).unwrap();
        assert_eq!(first.ends(), 128 + 9, "{point}");
        into.write_all("line\n".repeat(30).as_bytes()).unwrap();
        drop(into);
        let next = Process::start(dir.tool("multilog", script).stdin(from)).finish();
        assert_eq!((next.code, next.err().as_str()), (0, ""), "{point}");
        let mut names: Vec<_> = fs::read_dir(dir.path("log"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('@'))
            .collect();
        names.sort();
        names.push("current".to_owned());
        let all: String = names
            .iter()
            .map(|name| fs::read_to_string(dir.path("log").join(name)).unwrap())
            .collect();
        let lines: Vec<_> = all.lines().map(|line| &line[26..]).collect();
        let report = "multilog: 45 lines left out: more than 5 in 3600 seconds";
        assert_eq!(lines, ["line", "line", "line", "line", "line", report], "{point}");
    }
}

/// The report comes between lines, wherever in a batch its time is over, and
/// what comes behind it stays behind it.
#[test]
fn a_report_overtakes_nothing() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let clock = dir.file("clock", "0");
    let script = ["./all", "rate=2/1000", "s16777215", "./log"];
    let mut command = dir.tool("multilog", script);
    command.env("UPKEEP_CLOCK", &clock);
    let mut process = Process::start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    let changes = Changes::of(&[&log, &dir.path("")]);
    let mut wanted = String::new();
    let mut all = String::new();
    for round in 0..5 {
        // The time of the last round is over by the wall clock alone.
        fs::write(&clock, (round * 2000).to_string()).unwrap();
        let long = "A".repeat(999) + &"B".repeat(30_000);
        let lines = format!("{long}\n{round}\nno\nno\n");
        stdin.write_all(lines.as_bytes()).unwrap();
        all += &lines;
        wanted += &format!("{long}\n{round}\n");
        changes.until("a round", || {
            let seen = fs::read_to_string(dir.path("all/current")).ok()?;
            let old = fs::read_dir(dir.path("all")).ok()?.count();
            (old > 3 || seen.ends_with("no\nno\n")).then_some(())
        });
        changes.until("the end of a round", || {
            let seen = fs::read_to_string(log.join("current")).ok()?;
            (seen == wanted).then_some(())
        });
        wanted += "multilog: 2 lines left out: more than 2 in 1000 seconds\n";
    }
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    assert!(fs::read_to_string(log.join("current")).unwrap() == wanted);
    let mut names: Vec<_> = fs::read_dir(dir.path("all"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('@'))
        .collect();
    names.sort();
    names.push("current".to_owned());
    let found: String =
        names.iter().map(|name| fs::read_to_string(dir.path("all").join(name)).unwrap()).collect();
    // Before the limit nothing is left out, and nothing reported.
    assert!(found == all);
}

/// A script without a limit after one with, whose logger was killed.
#[test]
fn a_limit_that_is_gone_is_not_waited_for() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (from, mut into) = std::io::pipe().unwrap();
    let once = dir.file("once", "");
    let mut command = dir.tool("multilog", ["rate=1/3600", "./log"]);
    command.env("UPKEEP_KILL_AT", format!("taken={}", once.display()));
    let first = Process::start(command.stdin(from.try_clone().unwrap()));
    into.write_all(b"a\nb\nc\n").unwrap();
    assert_eq!(first.ends(), 137);
    let log = dir.path("log");
    let changes = Changes::of(&[&log]);
    let next = Process::start(dir.tool("multilog", ["./log"]).stdin(from));
    into.write_all(b"d\n").unwrap();
    changes
        .until("a line", || (fs::read_to_string(log.join("current")).ok()? == "d\n").then_some(()));
    // It waits: it is not at work all the time.
    let switches = |name: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", next.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.split_whitespace().last().unwrap().parse::<u64>().unwrap()
    };
    let before = switches("nonvoluntary_ctxt_switches");
    assert!(switches("voluntary_ctxt_switches") < 100 && before < 1000);
    drop(into);
    assert_eq!(next.finish().code, 0);
}

/// More directories than there are bits in a word.
#[test]
fn a_long_line_goes_on_where_it_began_in_many_directories() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (from, mut into) = std::io::pipe().unwrap();
    let names: Vec<String> = (0..70).map(|n| format!("./{n}")).collect();
    let script: Vec<&str> =
        ["-skip*"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let once = dir.file("once", "");
    let mut command = dir.tool("multilog", &script);
    command.env("UPKEEP_KILL_AT", format!("taken={}", once.display()));
    let first = Process::start(command.stdin(from.try_clone().unwrap()));
    into.write_all(format!("skip {}", "A".repeat(3000)).as_bytes()).unwrap();
    assert_eq!(first.ends(), 137);
    into.write_all(b"tail of what is skipped\nkept\n").unwrap();
    drop(into);
    assert_eq!(Process::start(dir.tool("multilog", &script).stdin(from)).finish().code, 0);
    for name in names {
        let current = fs::read_to_string(dir.path(&name).join("current")).unwrap();
        assert_eq!(current, "kept\n", "{name}");
    }
}

/// Nothing comes after them, and still it is said.
#[test]
fn what_was_left_out_is_said_in_time() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let log = dir.mkdir("log");
    let mut process =
        Process::start(dir.tool("multilog", ["rate=1/1", "./log"]).stdin(Stdio::piped()));
    let mut stdin = process.stdin();
    let changes = Changes::of(&[&log]);
    stdin.write_all(b"a\nb\nc\n").unwrap();
    let said = "a\nmultilog: 2 lines left out: more than 1 in 1 seconds\n";
    changes.until("the report", || {
        let current = fs::read_to_string(log.join("current")).ok()?;
        (current == said).then_some(())
    });
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

/// A multilog that has got lines one by one and is killed when it puts what
/// it has written on the disk before the end.
#[test]
fn on_the_disk_when_it_says_so() {
    if testing_originals() {
        return;
    }
    for (how, lines, killed) in [
        ("fsync=line", 1, true),
        ("fsync=33", 2, false),
        ("fsync=33", 3, true),
        ("fsync=1ms", 1, true),
        ("fsync=3600s", 5, false),
        ("s4096", 5, false),
    ] {
        let dir = Dir::new();
        let log = dir.mkdir("log");
        let once = dir.file("once", "");
        let mut command = dir.tool("multilog", [how, "./log"]);
        command.env("UPKEEP_KILL_AT", format!("secured={}", once.display()));
        let mut process = Process::start(command.stdin(Stdio::piped()));
        let mut stdin = process.stdin();
        let changes = Changes::of(&[&log]);
        for n in 1..=lines {
            stdin.write_all(b"0123456789\n").unwrap();
            changes.until("a line", || {
                let size = fs::metadata(log.join("current")).map_or(0, |file| file.len());
                (size == n * 11).then_some(())
            });
        }
        let stdin = killed.then_some(stdin);
        assert_eq!(process.ends(), if killed { 128 + 9 } else { 0 }, "{how}");
        drop(stdin);
    }
}

#[test]
fn a_directive_that_is_wrong_is_refused() {
    if testing_originals() {
        return;
    }
    for (script, said) in [
        (&["./log", "utc"][..], "unable to follow utc: it has to be the first directive"),
        (&["utcx", "./log"], "unable to follow utcx: it takes a digit, for the decimals"),
        (&["uhost", "./log"], "unable to follow uhost: it takes an IP address"),
        (&["rate=5", "./log"], "unable to follow rate=5: it takes a number of lines"),
        (&["1", "./log", "1"], "unable to follow 1: it is there already"),
        (&["rate=1/1", "rate=1/2"], "unable to follow rate=1/2: it is there already"),
        (&["E", "-a(b", "./log"], "unable to follow a(b: "),
    ] {
        let dir = Dir::new();
        let done = give(&dir, script, "x\n");
        let said = format!("multilog: fatal: {said}");
        assert_eq!(done.code, 100, "{script:?}");
        assert!(done.err().starts_with(&said), "{script:?}: {}", done.err());
        assert!(!dir.path("log").exists() || script[0] == "./log", "{script:?}");
    }
}

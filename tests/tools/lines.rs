//! tai64n, tai64nlocal and readproctitle.

use super::{by_shell, said, said_by_shell};
use crate::support::{Dir, Fifo, Process, program};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970: as precise as the original's stamps are.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

/// The microseconds of a stamp, and the line behind it.
fn split(line: &str) -> (u128, &str) {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let digits = stamp.strip_prefix('@').unwrap();
    assert_eq!(digits.len(), 24, "{line}");
    let seconds = u64::from_str_radix(&digits[..16], 16).unwrap() - 4_611_686_018_427_387_914;
    let nanos = u32::from_str_radix(&digits[16..], 16).unwrap();
    assert!(nanos < 1_000_000_000, "{line}");
    (u128::from(seconds) * 1_000_000 + u128::from(nanos / 1000), rest)
}

/// `tool` with its input from here and its output on a FIFO.
fn piped(dir: &Dir, tool: &str) -> (Process, std::process::ChildStdin, Fifo) {
    let out = dir.fifo("out");
    let mut command = by_shell(dir, "exec >out;", &program(tool), &[] as &[&str]);
    command.env("TZ", "UTC");
    let mut process = Process::start(command.stdin(std::process::Stdio::piped()));
    let stdin = process.stdin();
    (process, stdin, out)
}

#[test]
fn a_stamp_is_when_the_first_byte_came() {
    let dir = Dir::new();
    let (process, mut stdin, mut out) = piped(&dir, "tai64n");
    let before = now();
    stdin.write_all(b"one\n\nbegun").unwrap();
    // Not held back, though the input goes on.
    let (first, line) = (out.line(), out.line());
    let between = now();
    assert_eq!((split(&first).1, split(&line).1), ("one", ""));
    assert!(before <= split(&first).0 && split(&first).0 <= split(&line).0);
    stdin.write_all(b" and ended\nnext\n").unwrap();
    let (third, fourth) = (out.line(), out.line());
    assert_eq!((split(&third).1, split(&fourth).1), ("begun and ended", "next"));
    assert!(split(&line).0 <= split(&third).0 && split(&third).0 <= between);
    assert!(between <= split(&fourth).0 && split(&fourth).0 <= now());
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

#[test]
fn a_line_without_end_gets_none() {
    let dir = Dir::new();
    dir.file("in", "first\nlast");
    let (code, out, err) = said_by_shell(&dir, "exec <in;", &["tai64n"]);
    assert_eq!((code, err), (0, String::new()));
    let lines: Vec<&str> = out.split('\n').map(|line| split(line).1).collect();
    assert_eq!(lines, ["first", "last"]);
    assert_eq!(said(&dir, &["tai64n"]), (0, String::new(), String::new()));
}

#[test]
fn many_and_long_lines_are_all_there() {
    let dir = Dir::new();
    let mut input = "\n".repeat(70_000).into_bytes();
    for length in [65_535, 65_536, 65_537, 200_000] {
        input.extend(std::iter::repeat_n(b'x', length));
        input.extend(b"\n\0\xff@40\n");
    }
    dir.file("in", &input);
    let mut command = by_shell(&dir, "exec <in;", &program("tai64n"), &[] as &[&str]);
    let done = Process::start(&mut command).finish();
    assert_eq!(done.code, 0);
    let mut last = 0;
    let mut plain: Vec<u8> = Vec::new();
    for line in done.out.split_inclusive(|&b| b == b'\n') {
        let (stamp, rest) = line.split_at(26);
        let at = split(std::str::from_utf8(stamp).unwrap()).0;
        assert!(last <= at);
        last = at;
        plain.extend(rest);
    }
    assert!(plain == input);
}

#[test]
fn streams_that_do_not_work() {
    let dir = Dir::new();
    dir.file("in", "@4000000037c219bf2ef02e94 x\n");
    for tool in ["tai64n", "tai64nlocal"] {
        for before in ["exec <&-;", "exec <in >&-;", "exec <in >/dev/full;", "exec <.;"] {
            let done = said_by_shell(&dir, before, &[tool]);
            assert_eq!(done, (111, String::new(), String::new()), "{before} {tool}");
        }
    }
}

#[test]
fn labels_become_local_time() {
    let dir = Dir::new();
    dir.file(
        "in",
        "@4000000037c219bf2ef02e94 x\n@4000000037c219bf00000001\nplain @4000000037c219bf2ef02e94
@400000003a4fc88000000000y",
    );
    for (zone, hour, last) in [
        ("UTC", "1999-08-24 04:04:05", "2000-12-31 23:59:50"),
        ("XYZ-2", "1999-08-24 06:04:05", "2001-01-01 01:59:50"),
        ("ABC5:30", "1999-08-23 22:34:05", "2000-12-31 18:29:50"),
    ] {
        let mut command = by_shell(&dir, "exec <in;", &program("tai64nlocal"), &[] as &[&str]);
        let done = Process::start(command.env("TZ", zone)).finish();
        let expected = format!(
            "{hour}.787492500 x\n{hour}.000000001\nplain @4000000037c219bf2ef02e94\n\
             {last}.000000000y"
        );
        assert_eq!((done.code, done.out()), (0, expected), "{zone}");
    }
}

#[test]
fn dates_are_not_held_back() {
    let dir = Dir::new();
    let (process, mut stdin, mut out) = piped(&dir, "tai64nlocal");
    for pieces in
        [&["@4000000037c219bf2ef02e94 one\n"][..], &["@4000", "000037c219bf2ef02e94 two\n"]]
    {
        for piece in pieces {
            stdin.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(out.line().get(..21), Some("1999-08-24 04:04:05.7"));
    }
    drop(stdin);
    assert_eq!(process.finish().code, 0);
}

/// What `ps` shows of a readproctitle that was told `text`.
fn title(words: &[&str], text: &[u8]) -> Vec<u8> {
    let dir = Dir::new();
    let mut command = dir.tool("readproctitle", words);
    let mut process = Process::start(command.stdin(std::process::Stdio::piped()));
    let mut stdin = process.stdin();
    stdin.write_all(text).unwrap();
    // NUL bytes are not shown. A pipe does not hold as many as these, so when
    // they are written some have been read, and so all before them is shown.
    stdin.write_all(&[0; 200_000]).unwrap();
    let line = std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap();
    drop(stdin);
    assert_eq!(process.finish().code, 0);
    let name = line.iter().position(|&b| b == 0).unwrap();
    line[name + 1..].to_vec()
}

#[test]
fn the_last_words_are_shown() {
    assert_eq!(title(&["errors:", "----------"], b""), b"errors:\0..........\0");
    assert_eq!(title(&["errors:", "----------"], b"oops\n"), b"errors:\0.....oops\n\0");
    assert_eq!(title(&["xxxxx"], b"a\0bc\xff"), b"...c\xff\0");
    let text = "all work and no play ".repeat(1000);
    assert_eq!(
        title(&["a", "b", "................"], text.as_bytes()),
        b"a\0b\0... and no play \0"
    );
}

#[test]
fn readproctitle_needs_room_and_input() {
    let dir = Dir::new();
    for (words, code) in [
        (&["readproctitle"][..], 100),
        (&["readproctitle", ""], 100),
        (&["readproctitle", "0123456789", "1234"], 100),
        (&["readproctitle", "12345"], 0),
    ] {
        assert_eq!(said(&dir, words), (code, String::new(), String::new()), "{words:?}");
    }
    let done = said_by_shell(&dir, "exec <&-;", &["readproctitle", "12345"]);
    assert_eq!(done, (111, String::new(), String::new()));
}

//! The lines of a Dockerfile, done as an engine does them.

use super::machine::{is_possible, plan, service};
use crate::support::{Dir, Json, ours};
use rustix::process::Signal;
use std::os::unix::fs::symlink;

/// The words of a line such as `RUN ["a", "b"]`, for a shell.
fn words(line: &str) -> String {
    let (_, list) = line.split_once(' ').unwrap();
    let Json::Array(words) = Json::parse(list.as_bytes()) else { panic!("{line}") };
    let texts = words.into_iter().map(|word| {
        let Json::Text(text) = word else { panic!("{line}") };
        format!("'{}' ", String::from_utf8(text).unwrap())
    });
    texts.collect()
}

/// Does what the lines say in the root `root`, and gives the shell that begins a
/// container there.
fn built(dir: &Dir, text: &str, command: Option<&str>) -> String {
    let image = dir.path("root");
    let (mut steps, mut entry) = (String::new(), String::new());
    for line in text.lines() {
        // The one for no main command is a comment.
        let alone = line.strip_prefix("# ").filter(|rest| rest.starts_with("ENTRYPOINT"));
        let line = alone.filter(|_| command.is_none()).unwrap_or(line);
        let all: Vec<_> = line.split(' ').collect();
        match all[..] {
            ["#", ..] => {}
            ["COPY", "upkeep", to] => drop(dir.copy(ours().join("upkeep"), image.join(&to[1..]))),
            // A copy would be without the test's FIFOs.
            ["COPY", "service", to] => symlink(dir.path("scan"), image.join(&to[1..])).unwrap(),
            ["RUN", ..] => steps += &format!("{} && ", words(line)),
            ["ENTRYPOINT", ..] => entry = words(line),
            _ => panic!("{line}"),
        }
    }
    let last = command.map_or(String::new(), |shell| format!("sh -c '{shell}'"));
    format!("{steps}exec {entry}{last}")
}

#[test]
fn a_dockerfile_is_an_image_that_runs() {
    if !is_possible() {
        return;
    }
    for bin in ["/opt/up", "/opt/up/all"] {
        for command in [Some("exit 7"), None] {
            let dir = Dir::new();
            let plan = plan(&dir, &["/opt/up", "/etc"]);
            // Where there is a program of this name, that is all of them.
            dir.script("made/opt/up/all", "");
            let text = super::done(&dir, &["-R", "made", "-b", bin, "docker"]);
            let mut service = service(&dir);
            let shell = built(&dir, &text, command);
            let container = plan.start("/bin/sh", ["-c", &shell]);
            service.up();
            if command.is_none() {
                container.signal(Signal::TERM);
            }
            assert_eq!(service.said.line(), "log bye");
            assert_eq!(service.said.line(), "log ends");
            let done = container.process.finish();
            assert_eq!(done.code, if command.is_some() { 7 } else { 0 }, "{done:?}");
        }
    }
}

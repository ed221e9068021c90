//! What is written is what those who read it can read.

use super::done;
use crate::support::{Dir, Process, testing_originals};

/// Runs a shell's look at a script, which must find nothing.
fn parses(dir: &Dir, shell: &[&str], text: &str) {
    let file = dir.file("script", text);
    let done = Process::start(dir.command(shell[0]).args(&shell[1..]).arg(file)).finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{text}");
}

#[test]
fn scripts_are_scripts() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for kind in ["openrc", "sysv", "runit", "s6", "profile"] {
        parses(&dir, &["sh", "-n"], &done(&dir, &[kind]));
        parses(&dir, &["bash", "-n"], &done(&dir, &[kind]));
    }
    for kind in ["cron", "crontab"] {
        for line in done(&dir, &[kind]).lines().filter(|line| !line.starts_with('#')) {
            let line = line.strip_prefix("@reboot ").unwrap();
            parses(&dir, &["sh", "-n"], line.strip_prefix("root ").unwrap_or(line));
        }
    }
    // An entry of System V's init is as long as that takes: `id:levels:action:`.
    let text = done(&dir, &["-b", "/usr/bin", "inittab"]);
    assert!(text.starts_with("SV:2345:respawn:/") && text.lines().count() == 1, "{text}");
    assert!(text.len() < 127, "{text}");
    // Busybox's has no id and no levels here.
    let text = done(&dir, &["-b", "/usr/bin", "busybox"]);
    let fronts = ["::respawn:/bin/sh -c '", "::shutdown:/bin/sh -c '"];
    for (line, front) in text.lines().zip(fronts) {
        let command = line.splitn(4, ':').last().unwrap();
        assert!(line.starts_with(front), "{text}");
        parses(&dir, &["sh", "-n"], command);
    }
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_plist_is_well_formed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let text = done(&dir, &["launchd"]);
    // The first of all, or it is no declaration.
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- "), "{text}");
    let mut open = Vec::new();
    for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let word = tag.split(' ').next().unwrap();
        match word.strip_prefix('/') {
            Some(word) => assert_eq!(open.pop(), Some(word)),
            None if tag.starts_with(['?', '!']) || tag.ends_with('/') => {}
            None => open.push(word),
        }
    }
    assert_eq!(open, [""; 0]);
}

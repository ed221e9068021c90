//! `--help`, `--version` and the man page of each program say the same.

use crate::support::{Dir, Process, ours, testing_originals};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every program.
const PROGRAMS: &[&str] = &[
    "svscan",
    "supervise",
    "svc",
    "svok",
    "svstat",
    "multilog",
    "fghack",
    "pgrphack",
    "readproctitle",
    "tai64n",
    "tai64nlocal",
    "setuidgid",
    "envuidgid",
    "envdir",
    "softlimit",
    "setlock",
    "svscanboot",
];

/// Those that are not written yet.
const TO_COME: &[&str] = &["svscan", "supervise", "svc", "svok", "svstat"];

fn programs() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().copied().filter(|name| !TO_COME.contains(name))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a program is; svscanboot is a script that is not built.
fn place(name: &str) -> PathBuf {
    if name == "svscanboot" { root().join("crates/tools").join(name) } else { ours().join(name) }
}

fn page(name: &str) -> String {
    let path = root().join(format!("man/{name}.8"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// What a program prints when `option` is all it is told.
fn printed(name: &str, option: &str) -> String {
    let dir = Dir::new();
    let done = Process::start(dir.command(place(name)).arg(option)).finish();
    assert_eq!((done.code, done.err()), (0, String::new()), "{name} {option}");
    done.out()
}

/// The letters of lines such as `  -n  do not wait` and `  -h, --help`.
fn letters_of_help(help: &str) -> BTreeSet<char> {
    help.lines()
        .filter(|line| line.starts_with("  -"))
        .flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')))
        .filter_map(|word| single(word[1..].trim_end_matches(',')))
        .collect()
}

fn single(word: &str) -> Option<char> {
    let mut letters = word.chars();
    letters.next().filter(|_| letters.next().is_none())
}

/// The letters of items such as `.It Fl n` and `.It Fl n , Fl N`.
fn letters_of_page(page: &str) -> BTreeSet<char> {
    page.lines()
        .filter_map(|line| line.strip_prefix(".It "))
        .flat_map(|item| item.split("Fl ").skip(1))
        .filter_map(|flag| single(flag.split_whitespace().next()?))
        .collect()
}

#[test]
fn help_and_pages_know_the_same_options() {
    if testing_originals() {
        return;
    }
    for name in programs() {
        let (help, page) = (printed(name, "--help"), page(name));
        assert!(help.starts_with(&format!("usage: {name}")), "{name}: {help}");
        assert!(help.ends_with('\n') && help.contains("\nexit: "), "{name}: {help}");
        assert_eq!(letters_of_help(&help), letters_of_page(&page), "{name}");
        for long in ["-help", "-version"] {
            assert!(page.contains(&format!("Fl {long}")), "man/{name}.8 lacks -{long}");
        }
    }
}

#[test]
fn versions_are_the_packages() {
    if testing_originals() {
        return;
    }
    for name in programs() {
        let version = format!("{name} (upkeep) {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(printed(name, "--version"), version);
    }
}

#[test]
fn pages_are_clean() {
    let pages: Vec<_> =
        std::fs::read_dir(root().join("man")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() >= programs().count());
    let dir = Dir::new();
    let mandoc = dir.command("mandoc").args(["-Tlint", "-W", "warning"]).args(&pages).output();
    let Ok(done) = mandoc else {
        assert!(
            std::env::var_os("UPKEEP_REQUIRE_ORIGINALS").is_none(),
            "mandoc is not installed: apt-get install mandoc"
        );
        return;
    };
    let said = [done.stdout, done.stderr].concat();
    assert!(said.is_empty() && done.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn letters_are_found() {
    let help = "usage: x\n  -n, -N       wait\n  -m bytes   memory\n  -h, --help\n      --version\n    ls -l\n";
    assert_eq!(letters_of_help(help), BTreeSet::from(['n', 'N', 'm', 'h']));
    let page = ".It Fl n , Fl N\n.It Fl m Ar bytes\n.It Fl -version\n.Fl q\n.It Fl h , Fl -help\n";
    assert_eq!(letters_of_page(page), BTreeSet::from(['n', 'N', 'm', 'h']));
}

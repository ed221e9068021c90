//! `--help`, `--version` and the man page of each program say the same, and the
//! pages are whole.

use crate::support::{Dir, Process, ours, testing_originals};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every program.
pub(crate) const PROGRAMS: &[&str] = &[
    "svscan",
    "supervise",
    "sv",
    "svboot",
    "svc",
    "svcheck",
    "svhold",
    "svlines",
    "svlogd",
    "s6-log",
    "svlog",
    "svnotify",
    "svok",
    "svstat",
    "svup",
    "svwait",
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
    "chpst",
    "svscanboot",
    "upkeep",
];

/// The pages that are no program's.
const FORMATS: &[&str] = &["servicedir.5"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a program is; svscanboot is a script that is not built.
fn place(name: &str) -> PathBuf {
    if name == "svscanboot" { root().join("crates/tools").join(name) } else { ours().join(name) }
}

fn page(file: &str) -> String {
    let path = root().join("man").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn pages() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join("man")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What a program prints when `option` is all it is told.
pub(crate) fn printed(name: &str, option: &str) -> String {
    let dir = Dir::new();
    let done = Process::start(dir.command(place(name)).arg(option)).finish();
    assert_eq!((done.code, done.err()), (0, String::new()), "{name} {option}");
    done.out()
}

/// The options of lines such as `  -n  do not wait` and `  -h, --help`.
fn options_of_help(help: &str) -> BTreeSet<String> {
    help.lines()
        .filter(|line| line.starts_with("  ") && line.trim_start().starts_with('-'))
        .flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')))
        .map(|word| word.trim_end_matches(','))
        .filter(|word| word.starts_with("--") || word.chars().count() == 2)
        .map(str::to_owned)
        .collect()
}

/// The options of items such as `.It Fl n`, `.It Fl n , Fl N` and
/// `.It Fl -help`.
fn options_of_items(page: &str) -> BTreeSet<String> {
    page.lines().filter_map(|line| line.strip_prefix(".It ")).flat_map(flags).collect()
}

/// The words of items that have a letter in front of them: `.It Fl f , Fl -follow`.
fn words_beside_letters(page: &str) -> BTreeSet<String> {
    let items = page.lines().filter_map(|line| line.strip_prefix(".It ")).map(flags);
    let both = items.filter(|item| item.first().is_some_and(|first| !first.starts_with("--")));
    both.flatten().filter(|option| option.starts_with("--")).collect()
}

/// The options of lines such as `.Op Fl nN` and `.Fl h | Fl -help`.
fn options_of_synopsis(page: &str) -> BTreeSet<String> {
    page.lines()
        .skip_while(|line| *line != ".Sh SYNOPSIS")
        .skip(1)
        .take_while(|line| !line.starts_with(".Sh "))
        .flat_map(|line| flags(&line.replacen(".Fl ", "Fl ", 1)))
        .collect()
}

/// What follows each `Fl`: a long option, or letters.
fn flags(line: &str) -> Vec<String> {
    let words: Vec<_> = line.split(' ').collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "Fl");
    pairs
        .flat_map(|pair| {
            let long = pair[1].starts_with('-');
            let letters = pair[1].chars().map(|letter| format!("-{letter}"));
            if long { vec![format!("-{}", pair[1])] } else { letters.collect() }
        })
        .collect()
}

#[test]
fn help_and_pages_know_the_same_options() {
    if testing_originals() {
        return;
    }
    for name in PROGRAMS {
        let (help, page) = (printed(name, "--help"), page(&format!("{name}.8")));
        assert!(help.starts_with(&format!("usage: {name}")), "{name}: {help}");
        assert!(help.ends_with('\n') && help.contains("\nexit: "), "{name}: {help}");
        let options = options_of_items(&page);
        assert!(options.contains("--help") && options.contains("--version"), "{name}");
        assert_eq!(options_of_help(&help), options, "{name} --help");
        let shown = options_of_synopsis(&page);
        assert!(shown.is_subset(&options), "SYNOPSIS of man/{name}.8: {shown:?} {options:?}");
        // A word that is a letter too need not be there twice.
        let twice = words_beside_letters(&page);
        let missing: Vec<_> = options.difference(&shown).filter(|o| !twice.contains(*o)).collect();
        assert!(missing.is_empty(), "SYNOPSIS of man/{name}.8 lacks {missing:?}");
    }
}

#[test]
fn versions_are_the_packages() {
    if testing_originals() {
        return;
    }
    for name in PROGRAMS {
        let version = format!("{name} (upkeep) {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(printed(name, "--version"), version);
    }
}

#[test]
fn each_program_has_a_page() {
    let formats = FORMATS.iter().map(|file| (*file).to_owned());
    let all: BTreeSet<_> = PROGRAMS.iter().map(|name| format!("{name}.8")).chain(formats).collect();
    assert_eq!(pages(), all);
}

#[test]
fn pages_refer_to_pages_that_are_there() {
    let pages = pages();
    for file in &pages {
        for line in page(file).lines() {
            let Some(reference) = line.strip_prefix(".Xr ") else { continue };
            let words: Vec<_> = reference.split(' ').collect();
            let target = format!("{}.{}", words[0], words[1]);
            let is_ours = |name: &String| name.split('.').next() == Some(words[0]);
            let there = pages.contains(&target) || !pages.iter().any(is_ours);
            assert!(there, "man/{file} refers to {target}");
        }
    }
}

#[test]
fn pages_are_clean() {
    let dir = Dir::new();
    let paths = pages().into_iter().map(|file| root().join("man").join(file));
    let mandoc = dir.command("mandoc").args(["-Tlint", "-W", "warning"]).args(paths).output();
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
fn options_are_found() {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let all: BTreeSet<_> = set(&["-n", "-N", "-m", "-h", "--help", "--version"]);
    let help = "usage: x [-q]\n  -n, -N       wait\n  -m bytes   memory\n  -pattern   no\n  \
                -h, --help\n      --version\n    ls -l\n";
    assert_eq!(options_of_help(help), all);
    let page = ".Sh SYNOPSIS\n.Nm\n.Op Fl nN\n.Op Fl m Ar bytes\n.Nm\n\
                .Fl h | Fl -hlep | Fl -version\n.Sh DESCRIPTION\n\
                .It Fl n , Fl N\n.It Fl m Ar bytes\n.It Fl -version\n.Fl q\n\
                .It Fl h , Fl -help\n";
    assert_eq!(options_of_items(page), all);
    let misspelt = set(&["-n", "-N", "-m", "-h", "--hlep", "--version"]);
    assert_eq!(options_of_synopsis(page), misspelt);
}

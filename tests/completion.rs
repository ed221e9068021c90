//! What the shells complete: each is asked by itself, with the files from
//! `completions`.

use crate::pages::{PROGRAMS, printed};
use crate::support::{Dir, ours, testing_originals};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of a shell, and a script for it that prints what it would offer for
/// the last of the arguments, a line each.
struct Shell {
    name: &'static str,
    script: &'static str,
}

const BASH: Shell = Shell {
    name: "bash",
    script: "
source $COMPLETIONS/bash/upkeep
complete -p ${1##*/} >/dev/null || exit 1
COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))
_upkeep \"$1\" \"${!#}\" \"$1\"
printf '%s\\n' \"${COMPREPLY[@]}\"
",
};

const ZSH: Shell = Shell {
    name: "zsh",
    // What completes in the line editor is put in the place of what does here.
    script: "
fpath=($COMPLETIONS/zsh $fpath)
autoload -U _upkeep
offer() { print -rl -- ${(M)@:#${words[CURRENT]}*} }
compadd() {
	local -a names
	while (($#)); do
		case $1 in
		-a) shift; names+=(${(P)1}) ;;
		-d) shift ;;
		-*) ;;
		*) names+=($1) ;;
		esac
		shift
	done
	offer $names
}
_files() { if [[ $1 == -/ ]]; then offer *(/); else offer *; fi }
_users() { offer root nobody }
_command_names() { offer ${(k)commands} }
words=(\"$@\") CURRENT=$#
_upkeep
",
};

const FISH: Shell = Shell {
    name: "fish",
    script: "
source $COMPLETIONS/fish/upkeep.fish
complete -C (string join ' ' -- $argv) | string replace -r '\\t.*' ''
true
",
};

impl Shell {
    /// Whether it is there to be asked.
    fn is_there(&self) -> bool {
        let there = Command::new(self.name).args(["-c", "true"]).status().is_ok();
        assert!(
            there || std::env::var_os("UPKEEP_REQUIRE_ORIGINALS").is_none(),
            "{0} is not installed: apt-get install {0}",
            self.name
        );
        there
    }

    /// What it offers for a line that ends in the last of `words`.
    fn offers(&self, dir: &Dir, words: &[&str]) -> BTreeSet<String> {
        let mut command = dir.command(self.name);
        match self.name {
            "bash" => command.args(["--norc", "--noprofile"]),
            "zsh" => command.arg("-f"),
            _ => command.arg("--no-config"),
        };
        command.args(["-c", self.script]).args(Some("shell").filter(|_| self.name != "fish"));
        let mut path = dir.path("bin").into_os_string();
        path.push(":");
        path.push(ours());
        path.push(":");
        path.push(root().join("crates/tools"));
        path.push(":/usr/bin:/bin");
        let done = command
            .args(words)
            .env("PATH", path)
            .env("HOME", dir.path(""))
            .env("SVDIR", dir.path("scan"))
            .env("COMPLETIONS", root().join("completions"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}: {words:?}: {done:?}", self.name);
        assert!(done.stderr.is_empty(), "{}: {words:?}: {done:?}", self.name);
        let out = String::from_utf8_lossy(&done.stdout);
        out.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The options of lines such as `  -h, --help  print this`, `  -wu, -wU  wait`
/// and `  -T milliseconds  wait so long`. A longer one with one dash is none.
fn options_in(help: &str) -> BTreeSet<String> {
    help.lines()
        .filter(|line| line.starts_with("  ") && line.trim_start().starts_with('-'))
        .flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')))
        .map(|word| word.trim_end_matches(','))
        .filter(|word| word.starts_with("--") || matches!(word.len(), 2 | 3))
        .map(str::to_owned)
        .collect()
}

fn options(shell: &Shell) {
    if testing_originals() || !shell.is_there() {
        return;
    }
    let dir = Dir::new();
    for name in PROGRAMS {
        let expected = options_in(&printed(name, "--help"));
        let found = shell.offers(&dir, &[name, "-"]);
        assert_eq!(found, expected, "{} {name} -", shell.name);
    }
}

/// Lines of help in all forms that they have.
fn forms(shell: &Shell) {
    if testing_originals() || !shell.is_there() {
        return;
    }
    let dir = Dir::new();
    let help = "\
usage: chpst [-x] ...

  -u user        become user -v
  -/ root        root directory
  -0 -1 -2       close standard input, output, error
  -wu, -wU       wait
  -T milliseconds  wait so long
  -pattern    none
      --version  print the version

";
    dir.script("bin/chpst", &format!("[ \"$1\" = --help ] && cat <<'E'\n{help}E"));
    dir.mkdir("place");
    let expected = ["-u", "-/", "-0", "-1", "-2", "-wu", "-wU", "-T", "--version"];
    assert_eq!(shell.offers(&dir, &["chpst", "-"]), set(&expected), "{}", shell.name);
    assert!(shell.offers(&dir, &["chpst", "-u", "roo"]).contains("root"));
    let place = shell.offers(&dir, &["chpst", "-/", "pla"]);
    assert!(place == set(&["place"]) || place == set(&["place/"]), "{place:?}");
    assert_eq!(shell.offers(&dir, &["chpst", "-T", ""]), set(&[]));
    assert!(shell.offers(&dir, &["chpst", "-T", "5", "-0", "envdi"]).contains("envdir"));
}

fn names(shell: &Shell) {
    if testing_originals() || !shell.is_there() {
        return;
    }
    let dir = Dir::new();
    for name in ["xy-web", "xy-db", ".hidden", "other"] {
        dir.mkdir(format!("scan/{name}"));
    }
    dir.file("scan/xy-file", "");
    dir.mkdir("place");
    for program in ["svc", "svstat", "svok", "svcheck", "svup", "svwait", "svlog"] {
        let found = shell.offers(&dir, &[program, "xy-"]);
        assert_eq!(found, set(&["xy-db", "xy-web"]), "{} {program}", shell.name);
    }
    // Behind options too, and there is more than one.
    for words in [&["svc", "-d", "-k", "xy-w"][..], &["svc", "-du", "other", "xy-w"]] {
        assert_eq!(shell.offers(&dir, words), set(&["xy-web"]), "{} {words:?}", shell.name);
    }
    assert!(shell.offers(&dir, &["sv", "sta"]).is_superset(&set(&["start", "status"])));
    assert_eq!(shell.offers(&dir, &["sv", "restart", "xy-d"]), set(&["xy-db"]));
    // A value is none of these.
    let ids = set(&["no-check", "no-effect", "no-exec"]);
    assert!(shell.offers(&dir, &["svcheck", "-x", "no-"]).is_superset(&ids));
    assert_eq!(shell.offers(&dir, &["svcheck", "-x", "cd", "xy-w"]), set(&["xy-web"]));
    assert_eq!(shell.offers(&dir, &["svlog", "-t", ""]), set(&["local", "utc", "raw", "none"]));
    assert_eq!(shell.offers(&dir, &["svlog", "--color", "a"]), set(&["always", "auto"]));
    assert_eq!(shell.offers(&dir, &["svlog", "-C", ""]), set(&[]));
    assert_eq!(shell.offers(&dir, &["svlog", "-g", "x", "xy-w"]), set(&["xy-web"]));
    assert_eq!(shell.offers(&dir, &["softlimit", "-m", "xy"]), set(&[]));
    assert!(shell.offers(&dir, &["softlimit", "-m", "9", "envdi"]).contains("envdir"));
    assert!(shell.offers(&dir, &["setuidgid", "roo"]).contains("root"));
    assert!(shell.offers(&dir, &["setuidgid", "root", "multil"]).contains("multilog"));
    let place = shell.offers(&dir, &["supervise", "pla"]);
    assert!(place == set(&["place"]) || place == set(&["place/"]), "{place:?}");
    for option in ["-S", "--state", "-d", "--env"] {
        let place = shell.offers(&dir, &["svscan", option, "pla"]);
        assert!(place == set(&["place"]) || place == set(&["place/"]), "{option} {place:?}");
    }
    assert_eq!(shell.offers(&dir, &["svscan", "--ready", "pla"]), set(&[]));
    assert_eq!(shell.offers(&dir, &["svnotify", "rel"]), set(&["reloading"]));
    assert_eq!(shell.offers(&dir, &["svboot", "-i", "systemd"]), set(&["systemd", "systemd-user"]));
    assert_eq!(shell.offers(&dir, &["upkeep", "svl"]), set(&["svlines", "svlog", "svlogd"]));
    let place = shell.offers(&dir, &["upkeep", "--install", "pla"]);
    assert!(place.contains("place") || place.contains("place/"), "{place:?}");
}

#[test]
fn options_in_bash() {
    options(&BASH);
}

#[test]
fn options_in_zsh() {
    options(&ZSH);
}

#[test]
fn options_in_fish() {
    options(&FISH);
}

#[test]
fn forms_of_help_in_bash() {
    forms(&BASH);
}

#[test]
fn forms_of_help_in_zsh() {
    forms(&ZSH);
}

#[test]
fn forms_of_help_in_fish() {
    forms(&FISH);
}

#[test]
fn names_in_bash() {
    names(&BASH);
}

#[test]
fn names_in_zsh() {
    names(&ZSH);
}

#[test]
fn names_in_fish() {
    names(&FISH);
}

/// Its own look at all completions takes a while, so there is one.
#[test]
fn zsh_knows_whose_they_are() {
    if testing_originals() || !ZSH.is_there() {
        return;
    }
    let dir = Dir::new();
    let script = "
fpath=($0 $fpath)
autoload -U compinit && compinit -u -D
for program; do print $_comps[$program]; done
";
    let mut command = dir.command("zsh");
    command.args(["-f", "-c", script]).arg(root().join("completions/zsh"));
    let done = command.args(PROGRAMS).env("HOME", dir.path("")).output().unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!(out.lines().filter(|line| *line == "_upkeep").count(), PROGRAMS.len(), "{out}");
}

/// Each shell finds them where they are put.
#[test]
fn they_are_installed_where_the_shells_look() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut make = dir.command("make");
    let destination = format!("DESTDIR={}", dir.path("root").display());
    let done = make
        .current_dir(root())
        .args(["-s", "install-completions", "PREFIX=/usr", &destination])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let share = dir.path("root/usr/share");
    let same = |installed: PathBuf, file: &str| {
        let read = |path: &Path| std::fs::read(path).unwrap_or_else(|_| panic!("{path:?}"));
        assert_eq!(read(&installed), read(&root().join("completions").join(file)));
    };
    same(share.join("zsh/site-functions/_upkeep"), "zsh/_upkeep");
    for name in PROGRAMS {
        same(share.join(format!("bash-completion/completions/{name}")), "bash/upkeep");
        same(share.join(format!("fish/vendor_completions.d/{name}.fish")), "fish/upkeep.fish");
    }
}

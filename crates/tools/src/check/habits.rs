//! What goes wrong in the scripts that start services.

use super::chain::Chain;
use super::daemons;
use super::kinds::{
    ACCOUNT, AFTER_EXEC, BACKGROUND, BUFFERED, CD, CONFLICT, CWD, DAEMONIZES, NO_EXEC, NO_LOG,
    PIPE, SYNTAX,
};
use super::program::{Text, name_of};
use super::shell::{self, Command, Join, Script};
use super::{Check, Place};
use std::path::Path;

/// Commands that are over soon, or are the shell's own: a script that ends in
/// one has its work behind it, or does it itself.
const SHORT: &str = "\
    . : [ [[ alias bg break builtin cat cd chgrp chmod chown command continue cp date \
    disown echo eval exit export false fg grep hostname ifconfig install ip jobs kill \
    killall ln local logger mkdir mkfifo mknod modprobe mount mv pause pkill printf pwd \
    read readonly return rm rmdir s6-svc s6-svwait sed set shift sleep source sv svc \
    svnotify svwait sync sysctl test touch trap true ulimit umask umount unset wait";
/// Filters that keep what they print until they have a lot of it, and the
/// options that make them print each line.
const FILTERS: [(&str, &[&str]); 10] = [
    ("awk", &["-Winteractive", "interactive"]),
    ("gawk", &[]),
    ("mawk", &["-Winteractive", "interactive"]),
    ("sed", &["-u", "--unbuffered", "-l"]),
    ("grep", &["--line-buffered"]),
    ("egrep", &["--line-buffered"]),
    ("fgrep", &["--line-buffered"]),
    ("tr", &[]),
    ("cut", &[]),
    ("perl", &[]),
];

/// What the directory says that bears on its scripts.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// Whether it is expected to stay as long as the service is up.
    pub(super) stays: bool,
    /// Whether somebody reads what it prints.
    pub(super) is_logged: bool,
    /// Whether a process is looked for that it leaves behind.
    pub(super) follows: bool,
    /// Whether it reads another service's output itself.
    pub(super) is_logger: bool,
}

impl Check {
    /// Looks for them in a shell script.
    pub(super) fn habits(&mut self, shown: &str, text: &Text, around: Around) -> Option<Script> {
        if !text.is_shell() {
            return None;
        }
        let Some(script) = shell::parse(&text.text) else {
            let (what, advice) = ("it is not understood", "its commands were not looked at");
            self.report.file(&SYNTAX, shown, what, advice);
            return None;
        };
        self.changes_of_directory(shown, text, &script);
        self.accounts(shown, &script);
        self.what_it_uses(&script);
        if around.stays {
            self.end(shown, text, &script, around);
            self.sends_errors(shown, &script, around);
        }
        Some(script)
    }

    /// How the script ends.
    fn end(&mut self, shown: &str, text: &Text, script: &Script, around: Around) {
        let top: Vec<_> = script.commands.iter().filter(|command| command.depth == 0).collect();
        let Some(last) = top.last() else { return };
        let replaced = top.windows(2).find(|pair| {
            let execs = Chain::of(pair[0]);
            execs.through.first() == Some(&"exec")
                && !execs.rest.is_empty()
                && (pair[0].before, pair[0].after) == (Join::Then, Join::Then)
        });
        if let Some(pair) = replaced.filter(|_| !text.text.contains("execfail")) {
            self.report.line(
                &AFTER_EXEC,
                shown,
                pair[1].line,
                "this never runs: exec replaces the shell",
                "put it in front of the exec, or into finish",
            );
            return;
        }
        if last.after == Join::Background {
            if !around.follows {
                self.report.line(
                    &BACKGROUND,
                    shown,
                    last.line,
                    "the last command is put into the background, and the service has ended",
                    "drop the &, and begin with exec",
                );
            }
            return;
        }
        let chain = Chain::of(last);
        if last.before == Join::Pipe {
            return self.pipe(shown, &top);
        }
        if !around.follows
            && let Some((what, advice)) = daemons::why(&chain)
        {
            self.report.line(&DAEMONIZES, shown, last.line, &what, &advice);
            return;
        }
        if around.follows
            && let Some(option) = daemons::stays(&chain)
        {
            let what = format!("{option} keeps it in the foreground, and there is a follow");
            self.report.line(&CONFLICT, shown, last.line, &what, "drop one of them");
        }
        let execs = chain.through.first() == Some(&"exec");
        if !execs && !around.follows && stays_in_front(last, script) && self.is_known(last, script)
        {
            let words: Vec<_> = last.words.iter().take(2).map(|word| word.text.as_str()).collect();
            let what = format!("the shell stays in front of '{}'", words.join(" "));
            self.report.line(
                &NO_EXEC,
                shown,
                last.line,
                &what,
                "begin with exec, so that it gets the signals",
            );
        }
        if around.is_logged {
            self.python(shown, last.line, text, &chain);
        }
    }

    /// Whether it is no function from another file.
    fn is_known(&mut self, command: &Command, script: &Script) -> bool {
        let reads =
            |command: &Command| command.name().is_some_and(|name| [".", "source"].contains(&name));
        let Some(name) = command.name().filter(|name| !name.contains('/')) else { return true };
        !script.commands.iter().any(reads) || self.why_not(name).is_none()
    }

    /// A script that ends in `a | b`.
    fn pipe(&mut self, shown: &str, top: &[&Command]) {
        let first = top.iter().rposition(|command| command.before != Join::Pipe).unwrap_or(0);
        let row = &top[first..];
        if row.iter().any(|command| command.words.is_empty()) {
            // A loop in the shell is the service.
            return;
        }
        let short_start = ["echo", "printf", "cat", "yes", "true"];
        if row[0].name().is_some_and(|name| short_start.contains(&name)) {
            return;
        }
        self.report.line(
            &PIPE,
            shown,
            row[0].line,
            "the shell stays in front of a pipe, and signals reach only it",
            "make the reading end log/run, and exec the other one",
        );
        for command in &row[..row.len() - 1] {
            let chain = Chain::of(command);
            let Some(name) = chain.name() else { continue };
            let filter = FILTERS.iter().find(|(filter, _)| *filter == name);
            let helped = chain.through.iter().any(|name| ["stdbuf", "unbuffer"].contains(name));
            let Some((_, options)) = filter.filter(|_| !helped) else { continue };
            let told = chain.rest.iter().any(|word| {
                options.contains(&word.text.as_str())
                    || ["fflush", "$|"].iter().any(|flush| word.text.contains(flush))
            });
            if !told {
                let what = format!("{name} keeps what it prints to a pipe until it has a lot");
                let advice = format!("stdbuf -oL {name}");
                self.report.line(&BUFFERED, shown, command.line, &what, &advice);
            }
        }
    }

    /// Python keeps what it prints to a pipe.
    fn python(&mut self, shown: &str, line: u32, text: &Text, chain: &Chain<'_>) {
        let is_python = |name: &str| {
            let version = name.strip_prefix("python");
            version.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        };
        if !chain.name().is_some_and(is_python) || text.text.contains("PYTHONUNBUFFERED") {
            return;
        }
        let options = chain.rest[1..].iter().map(|word| word.text.as_str());
        let mut options = options.take_while(|word| word.starts_with('-') && *word != "-m");
        let is_set = |dir: &&str| Path::new(dir).join("PYTHONUNBUFFERED").exists();
        if options.any(|word| !word.starts_with("--") && word.contains('u'))
            || chain.variables.iter().any(is_set)
        {
            return;
        }
        self.report.line(
            &BUFFERED,
            shown,
            line,
            "python keeps what it prints to the logger until it has a lot",
            "python -u, or PYTHONUNBUFFERED=1",
        );
    }

    /// `exec 2>&1` without a logger.
    fn sends_errors(&mut self, shown: &str, script: &Script, around: Around) {
        if around.is_logged || around.is_logger {
            return;
        }
        let sends = script.commands.iter().find(|command| {
            command.name() == Some("exec")
                && command.call().len() == 1
                && command.redirects.iter().any(|text| text == "2>&1")
        });
        if let Some(command) = sends {
            self.report.line(
                &NO_LOG,
                shown,
                command.line,
                "standard error goes where standard output goes, and there is no log",
                "make a log/run, or know that it goes where svscan's does",
            );
        }
    }

    fn changes_of_directory(&mut self, shown: &str, text: &Text, script: &Script) {
        let mut ends = text.ends_at_failure();
        let mut now: Option<(&str, u32)> = None;
        let behind = script.commands.iter().skip(1).map(Some).chain([None]);
        for (command, next) in script.commands.iter().zip(behind) {
            let Some(name) = command.name() else { continue };
            let argument = command.call().get(1);
            match name {
                "set" => {
                    ends |= argument.is_some_and(|word| {
                        word.text.starts_with('-') && word.text.contains('e')
                            || command.call().iter().any(|word| word.text == "errexit")
                    });
                }
                "cd" if command.depth == 0 => {
                    let Some(to) = argument else { continue };
                    now = Some((to.text.as_str(), command.line))
                        .filter(|_| to.plain && to.text.starts_with('/'));
                    let cannot_fail = ["/", ".", "--"].contains(&to.text.as_str())
                        || to.text.contains("dirname")
                        || to.text.contains("$0")
                        || to.text.contains("${0");
                    // What is named from there is not found then.
                    let fails = next.map(Chain::of).is_some_and(|chain| {
                        chain.through.first() == Some(&"exec")
                            && chain.rest.first().is_some_and(|word| {
                                word.text.starts_with("./") && !Path::new(&word.text).exists()
                            })
                    });
                    let noticed = ends
                        || fails
                        || command.after == Join::And
                        || command.after == Join::Or
                        || command.before != Join::Then;
                    if !noticed && !cannot_fail {
                        let what = format!("if {} is not there the script goes on here", to.text);
                        let advice = format!("cd {} || exit 111", to.text);
                        self.report.line(&CD, shown, command.line, &what, &advice);
                    }
                }
                _ => {}
            }
            if let Some((dir, line)) = now.filter(|_| name != "cd") {
                self.names_from_elsewhere(shown, command, dir, line);
            }
        }
    }

    /// Words that name something in the service directory, after a `cd`.
    fn names_from_elsewhere(&mut self, shown: &str, command: &Command, dir: &str, line: u32) {
        let here = |word: &&shell::Word| {
            word.plain
                && word.text.starts_with("./")
                && word.text.len() > 2
                && Path::new(&word.text).exists()
                && !Path::new(dir).join(&word.text).exists()
        };
        if let Some(word) = command.words.iter().find(here) {
            let what = format!("{} is not in {dir}, where line {line} has gone", word.text);
            let advice = "use it before the cd, or name it by its whole path";
            self.report.line(&CWD, shown, command.line, &what, advice);
        }
    }

    /// What is read or executed for it, which others had better not change: its
    /// environment, scripts that are read in, and programs that run for whoever
    /// runs it.
    fn what_it_uses(&mut self, script: &Script) {
        for command in &script.commands {
            let chain = Chain::of(command);
            let plain = |word: &shell::Word| word.plain && word.text.contains('/');
            let program = chain.rest.first().filter(|word| plain(word) && chain.account.is_none());
            let read = chain.name().filter(|name| [".", "source"].contains(name));
            let read = read.and(chain.rest.get(1)).filter(|word| plain(word));
            let files = program.into_iter().chain(read).map(|word| word.text.as_str());
            for file in files.chain(chain.variables.iter().copied()) {
                let shown = self.shown(file);
                self.rights(&shown, file, true);
            }
        }
    }

    /// The path of what a script names, for people.
    fn shown(&self, file: &str) -> String {
        if file.starts_with('/') {
            return file.to_owned();
        }
        format!("{}/{}", self.here, file.strip_prefix("./").unwrap_or(file))
    }

    /// Accounts that are not there.
    fn accounts(&mut self, shown: &str, script: &Script) {
        for command in &script.commands {
            let Some(account) = Chain::of(command).account else { continue };
            if self.is_nobodys(account) {
                let what = format!("there is no account {account} in /etc/passwd");
                self.report.line(&ACCOUNT, shown, command.line, &what, "make it, or name another");
            }
        }
    }
}

/// Whether the script ends in a program that the shell waits for.
fn stays_in_front(last: &Command, script: &Script) -> bool {
    if last.before == Join::Or || script.commands.iter().any(|c| c.name() == Some("trap")) {
        return false;
    }
    let Some(first) = last.call().first() else { return false };
    if !first.plain {
        // `$DAEMON -f`; anything else may be an exec as well.
        let variable = first.text.trim_start_matches(['$', '{']).trim_end_matches('}');
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
        return first.text.starts_with('$')
            && !variable.is_empty()
            && variable.chars().all(letters);
    }
    let name = name_of(&first.text);
    let is_short = SHORT.split_whitespace().any(|short| short == name);
    !is_short && !script.functions.contains(&first.text)
}

impl Place<'_> {
    /// What a service's script is expected to do here.
    pub(super) const fn around(&self) -> Around {
        Around {
            stays: !self.ends,
            is_logged: self.has_log,
            follows: self.follows,
            is_logger: self.is_logger,
        }
    }
}

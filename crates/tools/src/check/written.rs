//! Where a logger writes to, as its script says.

use super::chain::Chain;
use super::shell::{self, Word};

/// A directory that a logger writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its path, from where the logger is.
    pub path: String,
    /// Whether everything goes there, and not only what a pattern selects.
    pub all: bool,
}

/// The arguments of a logger that name directories, and which logger it is;
/// none if it is none that is known.
pub(super) fn named<'a>(chain: &Chain<'a>) -> Option<(&'a str, Vec<&'a Word>)> {
    let name = chain.name()?;
    let is = directory_of(name)?;
    let words = chain.rest[1..].iter().filter(|word| word.plain && is(&word.text));
    Some((name, words.collect()))
}

/// Tells a logger's arguments that name directories.
fn directory_of(logger: &str) -> Option<fn(&str) -> bool> {
    match logger {
        "multilog" | "s6-log" => Some(|word| word.starts_with(['.', '/'])),
        "svlogd" => Some(|word| word.contains(['.', '/'])),
        _ => None,
    }
}

/// The directories that the loggers in a script write to. Of one that is no
/// shell script the words are taken as they are.
#[must_use]
pub fn directories(script: &str) -> Vec<Written> {
    let mut all = Vec::new();
    if let Some(script) = shell::parse(script) {
        let mut went = String::new();
        for command in &script.commands {
            let chain = Chain::of(command);
            let Some(name) = chain.name() else { continue };
            let words = chain.rest[1..].iter().filter(|word| word.plain);
            let mut words = words.map(|word| word.text.as_str());
            if name == "cd" {
                went = join(&went, words.next().unwrap_or_default());
                continue;
            }
            let before = all.len();
            collect(name, words, &mut all);
            all[before..].iter_mut().for_each(|it| it.path = join(&went, &it.path));
        }
    }
    if all.is_empty() {
        let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut words = lines.flat_map(str::split_whitespace);
        while let Some(word) = words.next() {
            let name = super::program::name_of(word);
            if directory_of(name).is_some() {
                let quotes = ['\'', '"', '{', '}'];
                let rest = words.by_ref().map(|word| word.trim_matches(quotes));
                collect(name, rest, &mut all);
            }
        }
    }
    all
}

/// Where a path leads from there.
fn join(from: &str, path: &str) -> String {
    let stays = from.is_empty() || path.starts_with('/');
    if stays { path.to_owned() } else { format!("{from}/{path}") }
}

fn collect<'a>(logger: &str, words: impl Iterator<Item = &'a str>, all: &mut Vec<Written>) {
    let Some(is_directory) = directory_of(logger) else { return };
    // Whether every line is selected, and whether one was written since.
    let (mut every, mut done) = (true, false);
    // Those of s6-log begin as a pattern does that selects nothing.
    let mut in_options = logger == "s6-log";
    for word in words {
        in_options &= word.starts_with('-') && word != "-";
        if in_options {
            in_options = word != "--";
            continue;
        }
        if is_directory(word) {
            all.push(Written { path: word.to_owned(), all: every });
            done = true;
        } else if let Some(pattern) = word.strip_prefix(['-', '+'])
            && logger != "svlogd"
        {
            // s6-log begins anew with each action.
            if core::mem::take(&mut done) && logger == "s6-log" {
                every = true;
            }
            let is_any = if logger == "multilog" { pattern == "*" } else { pattern.is_empty() };
            every = word.starts_with('+') && (every || is_any);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str) -> Vec<(String, bool)> {
        directories(script).into_iter().map(|it| (it.path, it.all)).collect()
    }

    fn is(script: &str, expected: &[(&str, bool)]) {
        let expected: Vec<_> =
            expected.iter().map(|(path, all)| ((*path).to_owned(), *all)).collect();
        assert_eq!(found(script), expected, "{script}");
    }

    #[test]
    fn loggers_say_where_they_write() {
        for (script, expected) in [
            (
                "#!/bin/sh\nexec setuidgid log multilog t s99999 n20 ./main\n",
                &[("./main", true)][..],
            ),
            (
                "#!/bin/sh\nexec 2>&1\nexec chpst -ulog svlogd -tt /var/log/web\n",
                &[("/var/log/web", true)],
            ),
            ("#!/bin/sh\nexec svlogd ./a ./b\n", &[("./a", true), ("./b", true)]),
            (
                "#!/bin/sh\nexec multilog t '-*' '+*fatal*' ./fatal '+*' ./main\n",
                &[("./fatal", false), ("./main", true)],
            ),
            (
                "#!/bin/sh\nexec s6-log -- -deb ./some T /var/log/x\n",
                &[("./some", false), ("/var/log/x", false)],
            ),
            (
                "#!/bin/sh\nexec s6-log -- - +err ./err + T /var/log/x\n",
                &[("./err", false), ("/var/log/x", true)],
            ),
            (
                "#!/usr/bin/execlineb -P\n# multilog ./old\ns6-setuidgid log s6-log -b n20 \"/var/log/y\"\n",
                &[("/var/log/y", true)],
            ),
            ("#!/bin/sh\nexec multilog t \"$DIR\"\n", &[]),
            ("#!/bin/sh\ncd /var/log\ncd web && exec multilog t .\n", &[("/var/log/web/.", true)]),
            ("#!/bin/sh\nexec logger -t web\n", &[]),
        ] {
            is(script, expected);
        }
    }
}

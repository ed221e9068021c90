//! Programs that change one thing about a process and then become the program
//! that they are given: what they are told, and which one that is.

use super::program::name_of;
use super::shell::{Command, Word};

/// A program that runs the rest of its arguments.
struct Loader {
    name: &'static str,
    /// The options that take a value.
    valued: &'static str,
    /// How many arguments are its own.
    own: usize,
    /// What they or an option say.
    says: Says,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    /// The first argument is an account.
    Account,
    /// The value of `-u` is.
    AccountByOption,
    /// The first argument is a directory of variables.
    Variables,
}

const fn loader(name: &'static str, valued: &'static str, own: usize, says: Says) -> Loader {
    Loader { name, valued, own, says }
}

const LOADERS: [Loader; 22] = [
    loader("setuidgid", "", 1, Says::Account),
    loader("s6-setuidgid", "", 1, Says::Account),
    loader("setuser", "", 1, Says::Account),
    loader("envuidgid", "", 1, Says::Account),
    loader("s6-envuidgid", "", 1, Says::Account),
    loader("gosu", "", 1, Says::Account),
    loader("su-exec", "", 1, Says::Account),
    loader("chpst", "uUben/lLmdopfcrtC", 0, Says::AccountByOption),
    loader("envdir", "", 1, Says::Variables),
    loader("s6-envdir", "", 1, Says::Variables),
    loader("softlimit", "acdflmoprst", 0, Says::Nothing),
    loader("s6-softlimit", "acdflmoprst", 0, Says::Nothing),
    loader("setlock", "", 1, Says::Nothing),
    loader("pgrphack", "", 0, Says::Nothing),
    loader("fghack", "", 0, Says::Nothing),
    loader("nice", "n", 0, Says::Nothing),
    loader("ionice", "cn", 0, Says::Nothing),
    loader("chrt", "", 1, Says::Nothing),
    loader("stdbuf", "ioe", 0, Says::Nothing),
    loader("unbuffer", "", 0, Says::Nothing),
    loader("env", "uC", 0, Says::Nothing),
    loader("exec", "a", 0, Says::Nothing),
];

/// What a command comes down to.
#[derive(Debug, Default)]
pub(super) struct Chain<'a> {
    /// The programs that are passed through, `exec` among them.
    pub(super) through: Vec<&'a str>,
    /// The account that it runs for in the end.
    pub(super) account: Option<&'a str>,
    /// The directories whose files are its environment.
    pub(super) variables: Vec<&'a str>,
    /// The program in the end, with its arguments.
    pub(super) rest: &'a [Word],
}

impl<'a> Chain<'a> {
    pub(super) fn of(command: &'a Command) -> Self {
        let mut chain = Self { rest: command.call(), ..Self::default() };
        while let Some(first) = chain.rest.first().filter(|word| word.plain) {
            let name = name_of(&first.text);
            let Some(loader) = LOADERS.iter().find(|loader| loader.name == name) else { break };
            chain.through.push(name);
            chain.pass(loader);
        }
        chain
    }

    /// The name of the program in the end.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.rest.first().filter(|word| word.plain).map(|word| name_of(&word.text))
    }

    fn pass(&mut self, loader: &Loader) {
        let plain = |word: &'a Word| Some(word.text.as_str()).filter(|_| word.plain);
        let mut rest = &self.rest[1..];
        while let Some(word) = rest.first() {
            if loader.name == "env" && word.text.contains('=') && !word.text.starts_with('-') {
                rest = &rest[1..];
                continue;
            }
            let Some(option) = word.text.strip_prefix('-').filter(|text| !text.is_empty()) else {
                break;
            };
            rest = &rest[1..];
            if option == "-" {
                break;
            }
            // The first letter with a value has what is behind it, or the next
            // argument.
            let Some(at) = option.find(|letter| loader.valued.contains(letter)) else { continue };
            if option.starts_with('-') {
                continue;
            }
            let here = &option[at + 1..];
            let value = if here.is_empty() {
                let value = rest.first().and_then(plain);
                rest = rest.get(1..).unwrap_or(&[]);
                value
            } else {
                Some(here).filter(|_| word.plain)
            };
            match (loader.says, &option[at..=at]) {
                (Says::AccountByOption, "u") => self.account = value,
                (Says::AccountByOption, "e") => self.variables.extend(value),
                _ => {}
            }
        }
        match loader.says {
            Says::Account if !loader.name.contains("env") => {
                self.account = rest.first().and_then(plain);
            }
            Says::Variables => self.variables.extend(rest.first().and_then(plain)),
            Says::Account | Says::Nothing | Says::AccountByOption => {}
        }
        self.rest = rest.get(loader.own..).unwrap_or(&[]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::shell::parse;
    use super::*;

    #[test]
    fn what_it_comes_down_to() {
        for (text, name, account) in [
            ("exec foo -a", Some("foo"), None),
            ("exec setuidgid web /usr/bin/foo -u x", Some("foo"), Some("web")),
            ("exec chpst -P -u web:log -e ./env -o 10 foo", Some("foo"), Some("web:log")),
            ("exec chpst -uweb foo", Some("foo"), Some("web")),
            ("exec env -i A=b -u C D=e s6-setuidgid $who foo", Some("foo"), None),
            ("exec softlimit -m 1000 -o5 nice -n 5 foo", Some("foo"), None),
            ("A=1 exec -a name -- foo", Some("foo"), None),
            ("exec $foo", None, None),
            ("exec", None, None),
            ("setuidgid", None, None),
            ("chpst -u", None, None),
        ] {
            let script = parse(text).unwrap();
            let chain = Chain::of(&script.commands[0]);
            assert_eq!((chain.name(), chain.account), (name, account), "{text}");
        }
        let script = parse("envdir ./env chpst -e other foo").unwrap();
        assert_eq!(Chain::of(&script.commands[0]).variables, ["./env", "other"]);
    }
}
